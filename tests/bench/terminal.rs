//! The program in a terminal: first paint, bytes, key latency while AWS hangs, memory and processor time.

use crate::figure::Figures;
use crate::process;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

const MIDWATCH: &str = env!("CARGO_BIN_EXE_midwatch");
/// How long bytes are counted.
const WINDOW: Duration = Duration::from_secs(20);
/// Until the first sweep is over and the screen is settled.
const WARM: Duration = Duration::from_secs(6);

pub fn run(figures: &mut Figures) {
    let mut first: Vec<f64> = (0..9).map(|_| first_paint_ms()).collect();
    first.sort_by(f64::total_cmp);
    figures.below("first_paint", first[4], "ms", 30.0);
    demo(figures, 80, 24, 360.0);
    demo(figures, 200, 50, 1000.0);
    hanging(figures);
}

/// One program in a pseudo-terminal; what it writes arrives with its time.
struct Terminal {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    output: Receiver<(Instant, usize)>,
    started: Instant,
}

impl Terminal {
    fn start(arguments: &[&str], cols: u16, rows: u16) -> Self {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(MIDWATCH);
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("AWS_ACCESS_KEY_ID", "test");
        command.env("AWS_SECRET_ACCESS_KEY", "test");
        command.env("AWS_REGION", "eu-west-1");
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).expect("midwatch starts");
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let keys = pair.master.take_writer().expect("a writer");
        let (send, output) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(count) = reader.read(&mut buffer) {
                if count == 0 || send.send((Instant::now(), count)).is_err() {
                    return;
                }
            }
        });
        Self { master: pair.master, keys, child, output, started }
    }

    /// Bytes that arrive within `window`.
    fn bytes(&self, window: Duration) -> usize {
        let ends = Instant::now() + window;
        let mut total = 0;
        loop {
            match self.output.recv_timeout(ends.saturating_duration_since(Instant::now())) {
                Ok((_, count)) => total += count,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return total,
            }
        }
    }

    /// Types and answers the time to the first byte, and the bytes until it is quiet again.
    fn press(&mut self, key: &[u8]) -> (Option<Duration>, usize) {
        while self.output.try_recv().is_ok() {}
        let pressed = Instant::now();
        self.keys.write_all(key).and_then(|()| self.keys.flush()).expect("typed");
        match self.output.recv_timeout(Duration::from_secs(2)) {
            Ok((at, count)) => (Some(at - pressed), count + self.bytes(Duration::from_millis(60))),
            Err(_) => (None, 0),
        }
    }

    fn pid(&self) -> u32 {
        self.child.process_id().expect("a running child")
    }

    fn quit(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        drop(self.master);
    }
}

/// MiB of the whole program that watches an account of which it knows nothing yet: no engine, all of the SDK.
pub fn live_rss_mib() -> f64 {
    let terminal = Terminal::start(&["--endpoint-url", "http://127.0.0.1:9"], 200, 50);
    terminal.bytes(WARM);
    let rss_mib = process::rss_mib(terminal.pid());
    terminal.quit();
    rss_mib
}

fn first_paint_ms() -> f64 {
    let terminal = Terminal::start(&["--demo"], 80, 24);
    // The alternate screen's switch comes first; the picture is the first large write.
    let mut total = 0;
    let mut painted = Duration::MAX;
    while let Ok((at, count)) = terminal.output.recv_timeout(Duration::from_secs(5)) {
        total += count;
        if total > 400 {
            painted = at - terminal.started;
            break;
        }
    }
    terminal.quit();
    painted.as_secs_f64() * 1000.0
}

fn demo(figures: &mut Figures, cols: u16, rows: u16, target_bytes_per_s: f64) {
    let size = format!("{cols}x{rows}");
    let mut terminal = Terminal::start(&["--demo", "--speed", "1"], cols, rows);
    terminal.bytes(WARM);
    let (cpu_s, started) = (process::cpu_s(terminal.pid()), Instant::now());
    let bytes = terminal.bytes(WINDOW) as f64;
    let window_s = started.elapsed().as_secs_f64();
    let cpu_percent = (process::cpu_s(terminal.pid()) - cpu_s) / window_s * 100.0;
    figures.below(&format!("demo_bytes_{size}"), bytes / window_s, "B/s", target_bytes_per_s);
    figures.below(&format!("demo_cpu_{size}"), cpu_percent, "%", 1.0);
    figures.below(&format!("demo_memory_{size}"), process::rss_mib(terminal.pid()), "MiB", 64.0);
    terminal.press(b"2");
    let mut scrolls: Vec<usize> = (0..20).map(|n| terminal.press(if n % 2 == 0 { b"j" } else { b"k" }).1).collect();
    scrolls.sort_unstable();
    figures.below(&format!("scroll_key_bytes_{size}"), scrolls[10] as f64, "B", 400.0);
    terminal.press(b" ");
    terminal.bytes(Duration::from_secs(3));
    let idle = terminal.bytes(Duration::from_secs(5)) as f64 / 5.0;
    figures.below(&format!("paused_bytes_{size}"), idle, "B/s", 1.0);
    terminal.quit();
}

/// Key to first byte while an endpoint takes every connection and answers none.
fn hanging(figures: &mut Figures) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept() {
            held.push(stream);
        }
    });
    let mut terminal = Terminal::start(&["--endpoint-url", &url], 80, 24);
    terminal.bytes(Duration::from_secs(1));
    let mut answered: Vec<f64> = Vec::new();
    for round in 0..60 {
        let key: &[u8] = if round % 2 == 0 { b"?" } else { b"\x1b" };
        if let (Some(after), _) = terminal.press(key) {
            answered.push(after.as_secs_f64() * 1000.0);
        }
    }
    answered.sort_by(f64::total_cmp);
    let p95 = answered.get(answered.len() * 95 / 100).copied().unwrap_or(f64::MAX);
    figures.below("key_to_byte_p95_while_aws_hangs", p95, "ms", 2.0);
    terminal.quit();
}

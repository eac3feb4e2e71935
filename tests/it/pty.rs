//! The program in a terminal: it takes it, gives it back whatever happens, and is gone at once when it is told to go.

use midwatch::app::state::{Context, Settings, Source, State};
use midwatch::clock::{self, Clock};
use midwatch::domain::refresh::Refresh;
use midwatch::journal::Who;
use midwatch::kinds::threshold::Thresholds;
use midwatch::shell::hands::{Backend, Hands};
use midwatch::theme::{Depth, Glyphs, Theme};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::num::NonZeroU16;
use std::os::fd::{AsRawFd, RawFd};
use std::path::PathBuf;
use std::time::Duration;

const MIDWATCH: &str = env!("CARGO_BIN_EXE_midwatch");
/// Long enough for a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(20);
/// From the signal to the end of the process.
const GONE_WITHIN: Duration = Duration::from_millis(500);

/// A terminal with a program in it. Nothing is read from it but by `read_for` and `until`.
struct Window {
    parser: vt100::Parser,
    /// All that the program has written.
    bytes: Vec<u8>,
    /// `None` after it was closed.
    master: Option<Box<dyn MasterPty + Send>>,
    keys: Option<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    folder: PathBuf,
}

/// A command line in an environment that knows no AWS account.
fn command(words: &[&str]) -> CommandBuilder {
    let mut command = CommandBuilder::new(words[0]);
    command.args(&words[1..]);
    command.env_clear();
    for (name, value) in [
        ("PATH", "/usr/bin:/bin"),
        ("TERM", "xterm-256color"),
        ("LANG", "C.UTF-8"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ] {
        command.env(name, value);
    }
    command
}

fn demo() -> CommandBuilder {
    command(&[MIDWATCH, "--demo"])
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count.max(1)).unwrap()
}

impl Window {
    fn open(mut command: CommandBuilder, cols: u16, rows: u16) -> Self {
        let name = std::thread::current().name().unwrap_or("test").replace("::", "-");
        let folder = std::env::temp_dir().join(format!("midwatch-pty-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        command.env("HOME", &folder);
        command.cwd(&folder);
        let size = PtySize { rows, cols, ..PtySize::default() };
        let pair = native_pty_system().openpty(size).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        let keys = pair.master.take_writer().unwrap();
        Self {
            parser: vt100::Parser::new(cells(rows), cells(cols), 0),
            bytes: Vec::new(),
            master: Some(pair.master),
            keys: Some(keys),
            child,
            folder,
        }
    }

    fn fd(&self) -> RawFd {
        self.master.as_ref().and_then(|master| master.as_raw_fd()).expect("the window is open")
    }

    /// Takes what the program writes within this time; `false`: nobody writes there any more.
    fn read_for(&mut self, time: Duration) -> bool {
        let end = clock::steady() + time;
        let mut buffer = [0_u8; 65_536];
        loop {
            let left = end.saturating_duration_since(clock::steady());
            let mut ready = libc::pollfd { fd: self.fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: one pollfd, which outlives the call.
            let count = unsafe { libc::poll(&raw mut ready, 1, left.as_millis() as i32) };
            if count <= 0 {
                return true;
            }
            // SAFETY: the buffer is ours and as long as said.
            let read = unsafe { libc::read(self.fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
            let Ok(read @ 1..) = usize::try_from(read) else { return false };
            self.bytes.extend_from_slice(&buffer[..read]);
            self.parser.process(&buffer[..read]);
            if left.is_zero() {
                return true;
            }
        }
    }

    fn text(&self) -> String {
        self.parser.screen().contents()
    }

    /// Reads until the screen is so.
    #[track_caller]
    fn until(&mut self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) {
        let end = clock::steady() + PATIENCE;
        while !is_so(self.parser.screen()) {
            let alive = self.read_for(Duration::from_millis(20));
            assert!(clock::steady() < end && (alive || is_so(self.parser.screen())), "not {what}:\n{}", self.text());
        }
    }

    #[track_caller]
    fn until_text(&mut self, wanted: &str) {
        self.until(wanted, |screen| screen.contents().contains(wanted));
    }

    /// Until the first sweep has filled the demo's overview.
    #[track_caller]
    fn until_painted(&mut self) {
        self.until_text("overview");
        assert!(self.parser.screen().alternate_screen() && !self.is_cooked(), "{}", self.text());
    }

    fn press(&mut self, keys: &str) {
        let writer = self.keys.as_mut().expect("the window is open");
        writer.write_all(keys.as_bytes()).and_then(|()| writer.flush()).unwrap();
    }

    fn resize(&mut self, cols: u16, rows: u16) {
        let size = PtySize { rows, cols, ..PtySize::default() };
        self.master.as_ref().expect("the window is open").resize(size).unwrap();
        self.parser.screen_mut().set_size(cells(rows), cells(cols));
    }

    /// Whether the terminal makes lines and echoes, as shells find it.
    fn is_cooked(&self) -> bool {
        // SAFETY: plain data that tcgetattr fills.
        let mut modes: libc::termios = unsafe { std::mem::zeroed() };
        // SAFETY: the descriptor is open and the struct is ours.
        assert_eq!(unsafe { libc::tcgetattr(self.fd(), &raw mut modes) }, 0);
        let wanted = libc::ICANON | libc::ECHO | libc::ISIG;
        modes.c_lflag & wanted == wanted
    }

    fn signal(&self, number: i32) {
        let pid = i32::try_from(self.child.process_id().expect("it has a process")).unwrap();
        // SAFETY: the process is our child and has not been waited for.
        assert_eq!(unsafe { libc::kill(pid, number) }, 0);
    }

    /// Stops or starts the terminal's output, as ctrl-s and ctrl-q would. The file keeps the terminal open.
    fn flow(&self, action: i32) -> File {
        let path = self.master.as_ref().and_then(|master| master.tty_name()).expect("it has a name");
        let mut open = File::options();
        std::os::unix::fs::OpenOptionsExt::custom_flags(open.read(true).write(true), libc::O_NOCTTY);
        let file = open.open(path).unwrap();
        // SAFETY: the descriptor is open.
        assert_eq!(unsafe { libc::tcflow(file.as_raw_fd(), action) }, 0);
        file
    }

    /// The exit code, once the process has ended, and how long that took.
    #[track_caller]
    fn end(&mut self) -> (u32, Duration) {
        let start = clock::steady();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.exit_code(), start.elapsed());
            }
            assert!(start.elapsed() < PATIENCE, "it does not end:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The terminal is as it was before the program came.
    #[track_caller]
    fn is_restored(&mut self) {
        self.read_for(Duration::from_millis(100));
        let screen = self.parser.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is left:\n{}", self.text());
        assert!(!screen.hide_cursor(), "the cursor is shown");
        assert!(!screen.bracketed_paste(), "pastes are plain");
        assert!(self.is_cooked(), "raw mode is off");
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

/// Ends are quick. A busy machine may be slow once, so the best of three counts; but each must end.
#[track_caller]
fn quick(mut take: impl FnMut() -> Duration) {
    let mut best = Duration::MAX;
    for _ in 0..3 {
        best = best.min(take());
        if best <= GONE_WITHIN {
            return;
        }
    }
    panic!("gone only after {best:?}");
}

/// An endpoint that takes every connection and answers none.
fn silent_endpoint() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept() {
            held.push(stream);
        }
    });
    url
}

#[test]
fn a_key_leaves_and_the_terminal_is_as_before() {
    for key in ["q", "\u{3}"] {
        let mut window = Window::open(demo(), 100, 30);
        window.until_painted();
        assert!(window.parser.screen().hide_cursor() && window.parser.screen().bracketed_paste());
        window.press(key);
        assert_eq!(window.end().0, 0);
        window.is_restored();
    }
}

#[test]
fn signals_end_it_at_once_even_while_aws_hangs() {
    let url = silent_endpoint();
    for number in [libc::SIGTERM, libc::SIGHUP, libc::SIGINT] {
        quick(|| {
            let mut window = Window::open(command(&[MIDWATCH, "--endpoint-url", &url]), 80, 24);
            window.until_painted();
            window.signal(number);
            let (code, took) = window.end();
            assert_eq!(code, 128 + number as u32, "as shells tell an end by signal {number}");
            window.is_restored();
            took
        });
    }
}

#[test]
fn signals_end_it_while_the_terminal_takes_no_bytes() {
    // Idle, so that giving the terminal back is what blocks; and in the middle of a frame.
    for key in ["", "?"] {
        quick(|| {
            let mut window = Window::open(demo(), 80, 24);
            window.until_painted();
            window.press(" ");
            window.until_text("PAUSED");
            let stopped = window.flow(libc::TCOOFF);
            window.press(key);
            std::thread::sleep(Duration::from_millis(100));
            window.signal(libc::SIGTERM);
            let (code, took) = window.end();
            assert_eq!(code, 128 + libc::SIGTERM as u32);
            assert!(window.is_cooked(), "raw mode is off, though nothing could be written");
            drop(stopped);
            took
        });
    }
}

#[test]
fn a_closed_terminal_ends_it_with_and_without_the_hang_up_signal() {
    let ignoring = |then: &str| command(&["/bin/sh", "-c", &format!("trap '' HUP; {then}"), "sh", MIDWATCH]);
    let url = silent_endpoint();
    let commands: [&dyn Fn() -> CommandBuilder; 4] = [
        &demo,
        // As under nohup.
        &|| ignoring("exec \"$1\" --demo"),
        // The shell gets the signal and keeps it to itself: only the terminal tells.
        &|| ignoring("\"$1\" --demo; exit"),
        &|| {
            let mut command = ignoring("\"$1\" --endpoint-url \"$URL\"; exit");
            command.env("URL", &url);
            command
        },
    ];
    for command in commands {
        quick(|| {
            let mut window = Window::open(command(), 80, 24);
            window.until_painted();
            (window.keys, window.master) = (None, None);
            window.end().1
        });
    }
}

/// What a child of this very test does: the whole loop, over a backend that panics in a task after a while.
fn panic_in_a_task(after: Duration) {
    let ask = move |_, _| -> futures::future::BoxFuture<'static, _> {
        Box::pin(async move {
            tokio::time::sleep(after).await;
            panic!("a bug in a task")
        })
    };
    let act = |_, _| -> futures::future::BoxFuture<'static, _> { Box::pin(std::future::pending()) };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build().unwrap();
    let settings = Settings {
        source: Source::Live,
        source_label: String::new(),
        contexts: vec![Context::default()],
        known: Vec::new(),
        budget_usd_per_h: 0.15,
        refresh: Refresh::default(),
        thresholds: Thresholds::default(),
        speed: 1.0,
    };
    let theme = Theme::built_in("night", Depth::TrueColor, Glyphs::Braille).unwrap();
    runtime.block_on(async {
        let journal = Err("no journal".to_owned());
        let (hands, answers) = Hands::new(Backend::new(ask, act), Clock::System, journal, Who::default());
        let state = State::new(settings, Clock::System.now());
        let watch = |_| -> futures::future::BoxFuture<'static, _> { Box::pin(std::future::pending()) };
        let watching = midwatch::shell::Watching { state, hands, answers };
        midwatch::shell::run_tui(watching, &watch, &theme).await.unwrap();
    });
}

/// Set for the child alone: how many milliseconds later it panics.
const PANIC_AFTER: &str = "MIDWATCH_IT_PANIC_AFTER_MS";

#[test]
fn a_panic_in_a_task_gives_the_terminal_back_and_is_told() {
    if let Ok(after) = std::env::var(PANIC_AFTER) {
        return panic_in_a_task(Duration::from_millis(after.parse().unwrap()));
    }
    let test = std::env::current_exe().unwrap();
    let child = |after: &str| {
        let name = "pty::a_panic_in_a_task_gives_the_terminal_back_and_is_told";
        let mut command = command(&[test.to_str().unwrap(), "--exact", name, "--nocapture"]);
        command.env(PANIC_AFTER, after);
        Window::open(command, 100, 30)
    };
    let mut window = child("300");
    window.until("on the alternate screen", vt100::Screen::alternate_screen);
    assert_eq!(window.end().0, 101);
    window.is_restored();
    assert!(window.text().contains("a bug in a task"), "{}", window.text());
    quick(|| {
        let mut window = child("1000");
        window.until("on the alternate screen", vt100::Screen::alternate_screen);
        window.until_text("overview");
        let stopped = window.flow(libc::TCOOFF);
        window.press("?");
        std::thread::sleep(Duration::from_millis(1000));
        let (code, took) = window.end();
        assert_eq!(code, 101);
        assert!(window.is_cooked(), "raw mode is off, though nothing could be written");
        drop(stopped);
        took
    });
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_comes_back() {
    let mut shell = command(&["/bin/sh", "-i"]);
    shell.env("PS1", "ready$ ");
    let mut window = Window::open(shell, 100, 30);
    window.until_text("ready$");
    window.press(&format!("{MIDWATCH} --demo\r"));
    window.until_painted();
    window.press("?");
    window.until_text("EVERYWHERE");
    window.press("\u{1a}");
    window.until("back in the shell", |screen| !screen.alternate_screen() && !screen.hide_cursor());
    window.press("stty -a\r");
    window.until("cooked", |screen| screen.contents().contains(" icanon") && screen.contents().contains(" echo "));
    window.press("fg\r");
    window.until("back in the help", |screen| screen.alternate_screen() && screen.contents().contains("EVERYWHERE"));
    assert!(!window.is_cooked() && window.parser.screen().hide_cursor() && window.parser.screen().bracketed_paste());
    window.press("\u{1b}");
    window.until("the overview", |screen| !screen.contents().contains("EVERYWHERE"));
    window.press("q");
    window.until("left", |screen| !screen.alternate_screen());
    window.press("echo code=$?\r");
    window.until_text("code=0");
}

#[test]
fn keys_are_answered_while_nothing_else_happens() {
    let mut window = Window::open(demo(), 80, 24);
    window.until_text("orders-dlq");
    window.press(" ");
    window.until_text("PAUSED");
    // Until the answers on their way and the last toast have gone.
    window.read_for(Duration::from_secs(9));
    for _ in 0..10 {
        for (key, shown) in [("2", "[kinesis]"), ("?", "EVERYWHERE"), ("3", "[sqs]")] {
            window.press(key);
            window.until_text(shown);
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_idle_program_sleeps() {
    let mut window = Window::open(demo(), 80, 24);
    window.until_text("orders-dlq");
    window.press(" ");
    window.read_for(Duration::from_secs(9));
    let pid = window.child.process_id().unwrap();
    let wakes = || -> u64 {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let status = |task: std::io::Result<std::fs::DirEntry>| {
            let text = std::fs::read_to_string(task.unwrap().path().join("status")).unwrap();
            let line = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
            line.trim().parse::<u64>().unwrap()
        };
        tasks.map(status).sum()
    };
    let before = wakes();
    window.read_for(Duration::from_secs(2));
    let woken = wakes() - before;
    assert!(woken < 20, "paused, it woke {woken} times in 2 s");
}

#[test]
fn every_size_is_survived_and_the_screen_comes_back() {
    let mut window = Window::open(demo(), 80, 24);
    window.until_text("orders-dlq");
    for (cols, rows) in [(1, 1), (20, 5), (1, 200), (300, 1), (2, 2), (80, 24)] {
        window.resize(cols, rows);
        window.read_for(Duration::from_millis(120));
    }
    window.until_text("orders-dlq");
    window.press("?");
    window.until_text("EVERYWHERE");
    window.press("q");
    assert_eq!(window.end().0, 0);
    window.is_restored();
}

#[test]
fn a_small_terminal_shows_and_obeys() {
    let mut window = Window::open(demo(), 20, 5);
    // All nine are known to be well before the first key: from then on the selection stays with its resource, and their
    // order stays as it is.
    window.until_text("all 9");
    window.press("g");
    window.until_text("1/9");
    window.press("j");
    window.until_text("2/9");
    window.press("q");
    assert_eq!(window.end().0, 0);
    window.is_restored();
}

#[test]
fn a_terminal_that_tells_no_size_is_taken_for_a_common_one() {
    let mut window = Window::open(demo(), 0, 0);
    window.parser.screen_mut().set_size(cells(24), cells(80));
    window.until_text("orders-dlq");
    assert!(window.text().lines().count() > 10, "{}", window.text());
    window.press("q");
    assert_eq!(window.end().0, 0);
}

#[test]
fn a_paste_is_text_and_never_a_key() {
    let mut window = Window::open(demo(), 100, 30);
    window.until_text("orders-dlq");
    window.press("\u{1b}[200~q:R\r\u{3}\u{1b}[201~");
    window.press("3/");
    window.press("\u{1b}[200~dl\nq\u{1b}[201~");
    window.until_text("/dl q");
    window.press("\u{1b}");
    // Together they would be alt-q.
    window.until("the filter gone", |screen| !screen.contents().contains("/dl q"));
    window.press("q");
    assert_eq!(window.end().0, 0);
    window.is_restored();
}

/// What the demo writes until its overview stands, in such an environment.
fn written(change: impl Fn(&mut CommandBuilder)) -> String {
    let mut command = demo();
    change(&mut command);
    let mut window = Window::open(command, 100, 30);
    window.until_text("orders-dlq");
    window.press("q");
    assert_eq!(window.end().0, 0);
    window.is_restored();
    String::from_utf8(std::mem::take(&mut window.bytes)).expect("UTF-8")
}

/// The parameters of every SGR sequence.
fn graphics(written: &str) -> Vec<&str> {
    let sequences = written.split("\u{1b}[").skip(1);
    let ended = sequences.filter_map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || ";:?>".contains(c)))?;
        rest[end..].starts_with('m').then_some(&rest[..end])
    });
    ended.flat_map(|parameters| parameters.split(';')).collect()
}

fn colours(written: &str) -> Vec<&str> {
    let mut found = graphics(written);
    found.retain(|word| word.parse::<u8>().is_ok_and(|n| matches!(n, 30..=38 | 40..=48 | 90..=97 | 100..=107)));
    found
}

#[test]
fn without_utf_8_only_ascii_is_written() {
    let plain = written(|command| command.env("LANG", "C"));
    assert!(plain.is_ascii(), "{:?}", plain.chars().find(|c| !c.is_ascii()));
    assert!(!written(|_| ()).is_ascii(), "with UTF-8 there are finer signs");
}

#[test]
fn no_colour_is_written_where_none_is_wanted() {
    assert!(!colours(&written(|_| ())).is_empty());
    let wanted = Vec::<&str>::new();
    assert_eq!(colours(&written(|command| command.env("NO_COLOR", "1"))), wanted);
    let dumb = written(|command| command.env("TERM", "dumb"));
    assert_eq!(colours(&dumb), wanted);
    assert!(dumb.is_ascii());
}

#[test]
fn without_a_terminal_there_is_a_sentence_and_the_way_out() {
    let ended = crate::cli::midwatch("--demo").end();
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    assert!(ended.err.contains("midwatch status"), "{}", ended.err);
}

#[test]
fn what_cannot_start_leaves_the_terminal_alone() {
    let cases: [(&[&str], &str); 4] = [
        (&["--demo", "flashsale"], "Did you mean flash-sale?"),
        (&["--demo", "--theme", "nowhere.toml"], "cannot be read"),
        (&["--endpoint-url", "no url"], "--endpoint-url"),
        (&["--profile", "nobody"], "nobody"),
    ];
    for (words, told) in cases {
        let mut words = words.to_vec();
        words.insert(0, MIDWATCH);
        let mut window = Window::open(command(&words), 100, 30);
        window.until_text(told);
        assert_eq!(window.end().0, 1, "{}", window.text());
        window.is_restored();
        assert!(!window.bytes.contains(&0x1b), "no sequence was sent: {}", window.text());
    }
}

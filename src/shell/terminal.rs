//! The terminal: entered, painted with one write a frame and only what changed, and restored whatever happens.

use crate::app::state::State;
use crate::shell::signals::LEAVE_WITHIN;
use crate::theme::Theme;
use crate::view;
use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use crossterm::{clipboard::CopyToClipboard, execute, queue};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use std::io::{self, IsTerminal, Write, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Once, mpsc};
use std::time::Duration;

/// Whether the terminal is in our hands. The panic hook and the signal task must know, and share no state with us.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// The terminal in raw mode, on its alternate screen.
pub struct Terminal {
    inner: ratatui::Terminal<FrameBackend>,
}

impl Terminal {
    /// Enters the alternate screen in raw mode. From here on a panic restores the terminal and ends the process.
    pub fn enter() -> io::Result<Self> {
        if !stdout().is_terminal() {
            return Err(io::Error::other("the standard output is no terminal"));
        }
        restore_on_panic();
        enter_modes()?;
        let inner = ratatui::Terminal::new(FrameBackend::default()).inspect_err(|_| restore())?;
        Ok(Self { inner })
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        size()
    }

    pub fn draw(&mut self, state: &State, theme: &Theme) -> io::Result<()> {
        self.inner.draw(|frame| view::draw(frame, state, theme)).map(|_| ())
    }

    /// Puts text on the clipboard of the terminal's own machine (OSC 52). Terminals that cannot do nothing.
    pub fn copy(&mut self, text: &str) {
        execute!(stdout(), CopyToClipboard::to_clipboard_from(text)).ok();
    }

    /// Gives the terminal back, stops as the shell's ctrl-z does, and takes the terminal again when continued.
    pub fn suspend(&mut self) -> io::Result<()> {
        restore();
        // SAFETY: kill(2) with the calling process's group reads no memory.
        unsafe { libc::kill(0, libc::SIGTSTP) };
        enter_modes()?;
        self.inner.clear()
    }

    pub fn leave(&mut self) {
        restore();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}

/// Columns and rows; 80 by 24 when the terminal does not say, as serial lines and fresh containers do not.
fn size() -> (u16, u16) {
    match crossterm::terminal::size() {
        Ok((width, height)) if width > 0 && height > 0 => (width, height),
        _ => (80, 24),
    }
}

fn enter_modes() -> io::Result<()> {
    enable_raw_mode()?;
    ENTERED.store(true, Ordering::SeqCst);
    execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide).inspect_err(|_| restore())
}

/// Gives the terminal back as it was; does nothing when it is not in our hands.
fn restore() {
    if ENTERED.swap(false, Ordering::SeqCst) {
        // First what cannot block: a stopped terminal takes no bytes, and the process may be ended while it waits.
        restore_modes();
        // A terminal that has gone cannot be restored, and need not be.
        execute!(stdout(), EndSynchronizedUpdate, DisableBracketedPaste, LeaveAlternateScreen, Show).ok();
    }
}

/// Gives back the terminal's modes without writing to it: for when writing may block for ever.
pub fn restore_modes() {
    disable_raw_mode().ok();
}

/// A panic anywhere, tasks included, ends the program with the terminal restored and the report on it; and ends it
/// without the report while the terminal takes no bytes. Of several at once the first is told.
fn restore_on_panic() {
    static HOOK: Once = Once::new();
    static PANICKED_BEFORE: AtomicBool = AtomicBool::new(false);
    HOOK.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            while PANICKED_BEFORE.swap(true, Ordering::SeqCst) {
                std::thread::park();
            }
            let (restored, wait) = mpsc::channel();
            std::thread::spawn(move || {
                // Once the terminal takes bytes again, the report with its backtrace may take its time.
                if wait.recv_timeout(LEAVE_WITHIN).is_ok() {
                    std::thread::sleep(REPORT_WITHIN);
                }
                restore_modes();
                std::process::exit(PANICKED);
            });
            restore();
            restored.send(()).ok();
            report(panic);
            std::process::exit(PANICKED);
        }));
    });
}

/// How long a panic's report may take: finding the names of a backtrace's functions is slow.
const REPORT_WITHIN: Duration = Duration::from_secs(10);
/// The exit code that Rust gives to a process whose main thread panicked.
const PANICKED: i32 = 101;

/// Gathers a frame's bytes and writes them at once, inside a synchronized update; a frame without changes writes
/// nothing at all.
#[derive(Default)]
struct FrameBackend {
    bytes: Vec<u8>,
    is_cursor_hidden: bool,
}

impl FrameBackend {
    fn gather(&mut self) -> CrosstermBackend<&mut Vec<u8>> {
        CrosstermBackend::new(&mut self.bytes)
    }
}

impl Backend for FrameBackend {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut content = content.peekable();
        if content.peek().is_none() {
            return Ok(());
        }
        self.gather().draw(content)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.is_cursor_hidden, true) {
            self.gather().hide_cursor()?;
        }
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.is_cursor_hidden = false;
        self.gather().show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        // Asking the terminal would mean to wait for its answer among the keys; nobody here depends on it.
        Ok(Position::ORIGIN)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.gather().set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.gather().clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.gather().clear_region(clear_type)
    }

    fn size(&self) -> io::Result<Size> {
        let (width, height) = size();
        Ok(Size { width, height })
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.gather().window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let mut frame = Vec::with_capacity(self.bytes.len() + 16);
        queue!(frame, BeginSynchronizedUpdate)?;
        frame.append(&mut self.bytes);
        queue!(frame, EndSynchronizedUpdate)?;
        let mut out = stdout().lock();
        // Given back meanwhile, by a panic elsewhere: what is on it now is to be read.
        if !ENTERED.load(Ordering::SeqCst) {
            return Ok(());
        }
        out.write_all(&frame)?;
        out.flush()
    }
}

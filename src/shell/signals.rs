//! What ends the program from outside: SIGTERM, SIGHUP, SIGINT, and a terminal that has gone. The terminal is restored and
//! the process goes in any case.

use crate::shell::terminal;
use std::io;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};

/// How long the loop has to leave by itself. It cannot while a stopped terminal takes no bytes.
pub const LEAVE_WITHIN: Duration = Duration::from_millis(300);

/// Tells the loop to leave.
pub struct Signals {
    /// The signal's number, once one has come.
    leave: watch::Receiver<Option<i32>>,
}

/// The exit code of a process that a signal ended, as shells tell it.
pub const fn exit_code(number: i32) -> u8 {
    128_u8.wrapping_add(number as u8)
}

impl Signals {
    /// Starts watching, in a task of its own: if the loop is stuck, the task restores the terminal and exits.
    pub fn watch() -> io::Result<Self> {
        let (tell, leave) = watch::channel(None);
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut gone = terminal_gone()?;
        tokio::spawn(async move {
            let number = tokio::select! {
                _ = terminate.recv() => libc::SIGTERM,
                _ = hang_up.recv() => libc::SIGHUP,
                _ = interrupt.recv() => libc::SIGINT,
                Ok(()) = &mut gone => libc::SIGHUP,
            };
            tell.send_replace(Some(number));
            tokio::time::sleep(LEAVE_WITHIN).await;
            terminal::restore_modes();
            std::process::exit(exit_code(number).into());
        });
        Ok(Self { leave })
    }

    /// Returns the signal's number when one has come.
    pub async fn leave(&mut self) -> i32 {
        // The sender lives as long as the task, which ends with the process.
        let told = self.leave.wait_for(Option::is_some).await.map(|number| *number);
        match told {
            Ok(Some(number)) => number,
            _ => std::future::pending().await,
        }
    }
}

/// Is told when the terminal on the standard input has gone. SIGHUP goes to the session's leader alone, and a shell that
/// ignores it (`trap '' HUP`) does not pass it on; and a reader of keys would see an end of file without end.
fn terminal_gone() -> io::Result<oneshot::Receiver<()>> {
    let (tell, gone) = oneshot::channel();
    let watch = move || {
        let mut input = libc::pollfd { fd: libc::STDIN_FILENO, events: 0, revents: 0 };
        loop {
            // SAFETY: one pollfd, which outlives the call.
            let ready = unsafe { libc::poll(&raw mut input, 1, -1) };
            if ready > 0 {
                // A file that cannot be polled tells nothing: then only the signals do.
                if input.revents & libc::POLLNVAL == 0 {
                    tell.send(()).ok();
                }
                return;
            }
            if ready < 0 && io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                return;
            }
        }
    };
    std::thread::Builder::new().name("terminal-gone".into()).spawn(watch)?;
    Ok(gone)
}

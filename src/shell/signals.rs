//! Signals that end the program: SIGTERM, SIGHUP, SIGINT. The terminal is restored and the process goes in any case.

use crate::shell::terminal;
use std::io;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How long the loop has to leave by itself. It cannot while a stopped terminal takes no bytes.
const LEAVE_WITHIN: Duration = Duration::from_millis(300);

/// Tells the loop to leave.
pub struct Signals {
    leave: watch::Receiver<bool>,
}

impl Signals {
    /// Starts watching, in a task of its own: if the loop is stuck, the task restores the terminal and exits.
    pub fn watch() -> io::Result<Self> {
        let (tell, leave) = watch::channel(false);
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::spawn(async move {
            let number = tokio::select! {
                _ = terminate.recv() => libc::SIGTERM,
                _ = hang_up.recv() => libc::SIGHUP,
                _ = interrupt.recv() => libc::SIGINT,
            };
            tell.send_replace(true);
            tokio::time::sleep(LEAVE_WITHIN).await;
            terminal::restore_modes();
            std::process::exit(128 + number);
        });
        Ok(Self { leave })
    }

    /// Returns when a signal has come.
    pub async fn leave(&mut self) {
        // The sender lives as long as the task, which ends with the process.
        if self.leave.wait_for(|leave| *leave).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

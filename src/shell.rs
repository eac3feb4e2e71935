//! The shell: the only room with a terminal, tasks and a clock. It runs effects, feeds events, and paints on change.
//!
//! One loop, one `select!`: signals, the terminal, answers, the next deadline. What is ready is drained and folded
//! together; the screen is drawn once if something changed. A key is answered at once whatever AWS is doing, other
//! changes are drawn at most thirty times a second, the clock goes on each second, and a paused screen costs nothing.

pub mod hands;
pub mod headless;
mod input;
pub mod log;
mod signals;
mod terminal;

use crate::app::effect::Effect;
use crate::app::event::{Event, What};
use crate::app::state::State;
use crate::app::update::update_all;
use crate::clock;
use crate::failure::Failure;
use crate::shell::hands::Hands;
use crate::shell::signals::Signals;
use crate::shell::terminal::Terminal;
use crate::theme::Theme;
use crossterm::event::EventStream;
use futures::StreamExt;
use futures::future::BoxFuture;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Changes that no key asked for are drawn at most this often.
const FRAME_EVERY: Duration = Duration::from_millis(33);
/// How many events are folded in before the next draw.
const DRAIN_MAX: usize = 256;
/// The clock in the header goes on where nothing else happens: one that stands looks like a program that hangs.
const CLOCK_EVERY: Duration = Duration::from_secs(1);
/// How long a paused program waits for the next thing to do when nothing is scheduled.
const IDLE: Duration = Duration::from_secs(3600);

/// What is watched: a state, what carries out its effects, and what they bring.
pub struct Watching {
    pub state: State,
    pub hands: Hands,
    pub answers: mpsc::Receiver<Event>,
}

/// Opens the contexts of these names.
pub type Watch = dyn Fn(Vec<String>) -> BoxFuture<'static, Result<Watching, Failure>>;

/// Runs the terminal UI until the person leaves, a signal comes or the terminal goes.
///
/// To be the root future of a runtime, which is then to be left by `shutdown_background`: calls may still hang.
/// `Ok` is the exit code: 0 when the person left, 128 and the signal's number when one came.
///
/// Errors: there is no terminal, or it cannot be written to.
pub async fn run_tui(watching: Watching, watch: &Watch, theme: &Theme) -> Result<u8, Failure> {
    let signals = Signals::watch().map_err(|error| Failure::new(format!("Signals cannot be watched: {error}")))?;
    let terminal = Terminal::enter().map_err(|error| {
        Failure::new(format!("The terminal cannot be used: {error}. For scripts there is `midwatch status`."))
    })?;
    let (width, height) = terminal.size();
    let Watching { mut state, hands, answers } = watching;
    let mut screen = ScreenLoop { terminal, hands, answers, signals, keys: EventStream::new(), watch, theme };
    let at = screen.hands.now();
    let first = Event { at, what: What::Resize { width, height } };
    let ended = screen.run(&mut state, first).await;
    screen.terminal.leave();
    ended
}

struct ScreenLoop<'a> {
    terminal: Terminal,
    hands: Hands,
    answers: mpsc::Receiver<Event>,
    signals: Signals,
    keys: EventStream,
    watch: &'a Watch,
    theme: &'a Theme,
}

/// What the loop woke up for.
enum Woken {
    /// By this signal; a terminal that has gone counts as SIGHUP.
    Leave(i32),
    Events {
        first: Option<What>,
        is_key: bool,
    },
    Answer(Event),
    Draw,
}

impl ScreenLoop<'_> {
    async fn run(&mut self, state: &mut State, first: Event) -> Result<u8, Failure> {
        let mut drawn_at = clock::steady();
        let mut batch = vec![first];
        let mut draw_now = true;
        let mut is_dirty = true;
        loop {
            if !batch.is_empty() {
                is_dirty = true;
                let effects = update_all(state, batch.drain(..));
                if self.carry_out(state, effects, &mut batch).await? {
                    return Ok(0);
                }
                if !batch.is_empty() {
                    continue;
                }
            }
            if is_dirty && (draw_now || drawn_at.elapsed() >= FRAME_EVERY) {
                if self.terminal.draw(state, self.theme).is_err() {
                    return Ok(signals::exit_code(libc::SIGHUP));
                }
                (is_dirty, draw_now, drawn_at) = (false, false, clock::steady());
            }
            let idle = if state.paused { IDLE } else { CLOCK_EVERY };
            match self.wait(is_dirty.then(|| drawn_at + FRAME_EVERY), idle).await {
                Woken::Leave(number) => return Ok(signals::exit_code(number)),
                Woken::Draw => {}
                Woken::Answer(event) => batch.push(event),
                Woken::Events { first, is_key } => {
                    let at = self.hands.now();
                    self.hands.woken(at);
                    draw_now |= is_key;
                    batch.extend(first.map(|what| Event { at, what }));
                }
            }
            if self.drain(&mut batch, &mut draw_now).await {
                return Ok(signals::exit_code(libc::SIGHUP));
            }
        }
    }

    async fn wait(&mut self, draw_at: Option<Instant>, idle: Duration) -> Woken {
        let wake = self.hands.until_wake().unwrap_or(idle).min(idle);
        tokio::select! {
            biased;
            number = self.signals.leave() => Woken::Leave(number),
            event = self.keys.next() => match event {
                Some(Ok(event)) => {
                    let first = input::what(event);
                    let is_key = matches!(first, Some(What::Key(_) | What::Paste(_) | What::Resize { .. }));
                    Woken::Events { first, is_key }
                }
                // The terminal has gone: nobody is there to read or to type.
                Some(Err(_)) | None => Woken::Leave(libc::SIGHUP),
            },
            () = sleep_until(draw_at), if draw_at.is_some() => Woken::Draw,
            Some(event) = self.answers.recv() => Woken::Answer(event),
            () = tokio::time::sleep(wake) => {
                Woken::Events { first: Some(What::Wake), is_key: false }
            }
        }
    }

    /// Takes what else is ready. `true`: the terminal has gone.
    async fn drain(&mut self, batch: &mut Vec<Event>, draw_now: &mut bool) -> bool {
        while batch.len() < DRAIN_MAX {
            // With this task's own waker: the stream keeps the one that it met first, and wakes no other.
            match poll_fn(|task| Poll::Ready(self.keys.poll_next_unpin(task))).await {
                Poll::Ready(Some(Ok(event))) => {
                    let at = self.hands.now();
                    *draw_now = true;
                    batch.extend(input::what(event).map(|what| Event { at, what }));
                }
                Poll::Ready(Some(Err(_)) | None) => return true,
                Poll::Pending => break,
            }
        }
        while batch.len() < DRAIN_MAX {
            let Ok(event) = self.answers.try_recv() else { break };
            batch.push(event);
        }
        false
    }

    fn resized(&self) -> Event {
        let (width, height) = self.terminal.size();
        Event { at: self.hands.now(), what: What::Resize { width, height } }
    }

    /// Runs effects; `true`: leave. A suspend brings events of its own: the terminal may have another size now.
    async fn carry_out(
        &mut self,
        state: &mut State,
        effects: Vec<Effect>,
        batch: &mut Vec<Event>,
    ) -> Result<bool, Failure> {
        for effect in effects {
            match effect {
                Effect::Quit => return Ok(true),
                Effect::Copy(text) => self.terminal.copy(&text),
                Effect::Suspend => {
                    self.terminal.suspend().map_err(|error| Failure::new(format!("The terminal is lost: {error}")))?;
                    batch.push(self.resized());
                }
                Effect::Watch(names) => match (self.watch)(names).await {
                    Ok(watching) => {
                        (*state, self.hands, self.answers) = (watching.state, watching.hands, watching.answers);
                        batch.push(self.resized());
                        return Ok(false);
                    }
                    Err(failure) => {
                        let what = What::NotWatched { sentence: failure.to_string() };
                        batch.push(Event { at: self.hands.now(), what });
                    }
                },
                other => self.hands.carry_out(other, state),
            }
        }
        Ok(false)
    }
}

async fn sleep_until(at: Option<Instant>) {
    if let Some(at) = at {
        tokio::time::sleep_until(at).await;
    }
}

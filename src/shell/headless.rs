//! The loop without a terminal: for `status`, `do`, tests and drills. Keys are typed, time runs, the state is read.

use crate::actions::Plan;
use crate::app::effect::Effect;
use crate::app::event::{Event, Key, What};
use crate::app::screen::Screen;
use crate::app::state::State;
use crate::app::update::update_all;
use crate::domain::time::Timestamp;
use crate::shell::hands::Hands;
use std::time::Duration;
use tokio::sync::mpsc;

/// The console with nobody before it.
pub struct Runner {
    state: State,
    hands: Hands,
    answers: mpsc::Receiver<Event>,
    /// What was copied, newest last; for tests.
    copied: Vec<String>,
    has_quit: bool,
    /// The contexts that were last wished for.
    wished: Option<Vec<String>>,
}

/// The longest that the first sweep is waited for, in the session's time: every question is given up before.
const SETTLE_MAX: Duration = Duration::from_secs(300);
/// How long to wait for something to happen when nothing is scheduled.
const IDLE: Duration = Duration::from_secs(60);

impl Runner {
    /// Starts asking at once.
    pub fn new(state: State, hands: Hands, answers: mpsc::Receiver<Event>) -> Self {
        let mut runner = Self { state, hands, answers, copied: Vec::new(), has_quit: false, wished: None };
        runner.feed(What::Wake);
        runner
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    pub fn has_quit(&self) -> bool {
        self.has_quit
    }

    /// The contexts that the person wished to watch instead; who runs this may open them.
    pub fn wished(&self) -> Option<&[String]> {
        self.wished.as_deref()
    }

    pub fn copied(&self) -> &[String] {
        &self.copied
    }

    /// The session's time.
    pub fn now(&self) -> Timestamp {
        self.hands.now()
    }

    /// Gives the terminal that is not there a size.
    pub fn resize(&mut self, width: u16, height: u16) {
        self.feed(What::Resize { width, height });
    }

    /// Types a run of keys (`Key::parse_run`), one after the other, without waiting for answers.
    pub fn keys(&mut self, run: &str) -> Result<(), String> {
        for key in Key::parse_run(run)? {
            self.feed(What::Key(key));
        }
        Ok(())
    }

    /// Opens a screen over the one that is shown, as the palette does.
    pub fn show(&mut self, screen: Screen) {
        self.state.screens.push(screen);
        self.feed(What::Wake);
    }

    pub fn paste(&mut self, text: &str) {
        self.feed(What::Paste(text.to_owned()));
    }

    /// Agrees to a plan, as a confirm dialog's yes does.
    pub fn agree(&mut self, plan: Plan) {
        self.feed(What::Agreed(plan));
    }

    /// Runs until every question has been answered once, well or badly. `false`: it gave up waiting.
    pub async fn settle(&mut self) -> bool {
        self.until(SETTLE_MAX, |state| state.schedule.first_sweep_done()).await
    }

    /// Lets this much of the session's time pass.
    pub async fn run_for(&mut self, time: Duration) {
        self.until(time, |_| false).await;
    }

    /// Runs until the state is so, or this much of the session's time has passed; says whether it is so.
    pub async fn until(&mut self, time: Duration, mut is_so: impl FnMut(&State) -> bool) -> bool {
        let end = self.now() + time;
        loop {
            if is_so(&self.state) {
                return true;
            }
            if self.now() >= end {
                return false;
            }
            self.step(end).await;
        }
    }

    /// Waits for one event or the next wake, not beyond `end`, and folds in what is ready.
    async fn step(&mut self, end: Timestamp) {
        let wake = self.hands.until_wake().unwrap_or(IDLE).min(self.hands.real_until(end));
        let first = tokio::select! {
            biased;
            Some(event) = self.answers.recv() => event,
            () = tokio::time::sleep(wake) => Event { at: self.hands.now(), what: What::Wake },
        };
        self.hands.woken(first.at);
        let mut batch = vec![first];
        while let Ok(event) = self.answers.try_recv() {
            batch.push(event);
        }
        self.fold(batch);
    }

    fn feed(&mut self, what: What) {
        let at = self.hands.now();
        self.fold(vec![Event { at, what }]);
    }

    fn fold(&mut self, batch: Vec<Event>) {
        for effect in update_all(&mut self.state, batch) {
            match effect {
                Effect::Copy(text) => self.copied.push(text),
                Effect::Quit => self.has_quit = true,
                Effect::Watch(names) => self.wished = Some(names),
                Effect::Suspend => {}
                other => self.hands.carry_out(other, &self.state),
            }
        }
    }
}

//! Message move tasks: carrying a dead-letter queue's messages back, at a rate, with progress. StartMessageMoveTask,
//! ListMessageMoveTasks, CancelMessageMoveTask; SQS "Configure a dead-letter queue redrive".

use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use crate::sim::sqs::message::{Details, Message, attribute_bytes};
use crate::sim::sqs::queue::new_id;
use crate::sim::sqs::redrive::queue_of_arn;
use crate::sim::sqs::store::seconds_after;
use crate::sim::sqs::{Due, Sqs, error};
use std::collections::BTreeMap;
use std::time::Duration;

/// Messages a second when the caller leaves the rate to the system. AWS publishes no figure.
const SYSTEM_RATE_PER_S: u32 = 300;
/// The highest rate that a caller may ask for.
pub const RATE_PER_S_MAX: u32 = 500;
/// Active tasks of an account, at most.
const ACTIVE_MAX: usize = 100;
/// Tasks of one source that are remembered.
const REMEMBERED: usize = 10;
/// A task may run this long.
const RUN_TIME_MAX: Duration = Duration::from_secs(36 * 3600);
const STEP: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Running,
    Completed,
    Cancelling,
    Cancelled,
    Failed,
}

impl Status {
    /// AWS's word.
    pub fn text(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Cancelling => "CANCELLING",
            Self::Cancelled => "CANCELLED",
            Self::Failed => "FAILED",
        }
    }

    fn is_active(self) -> bool {
        matches!(self, Self::Running | Self::Cancelling)
    }
}

/// One task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveTask {
    /// A UUID's text.
    pub id: String,
    /// The dead-letter queue's name.
    pub source: String,
    /// `None` sends each message back to the queue it came from.
    pub destination: Option<String>,
    /// What the caller asked for.
    pub rate_per_s: Option<u32>,
    pub status: Status,
    pub moved: u64,
    /// Messages in the source when the task started.
    pub to_move: u64,
    pub failure: Option<&'static str>,
    pub started_at: Timestamp,
    /// Only messages that stood in the line before the start are moved, so that a poisoned message that comes back
    /// does not keep the task going.
    position_max: u64,
}

/// All tasks, by the order of their start.
#[derive(Default, Debug)]
pub struct MoveTasks {
    all: BTreeMap<u64, MoveTask>,
    started: u64,
}

impl MoveTasks {
    fn of_source<'a>(&'a self, source: &'a str) -> impl DoubleEndedIterator<Item = (u64, &'a MoveTask)> {
        self.all.iter().filter(move |(_, task)| task.source == source).map(|(number, task)| (*number, task))
    }

    fn add(&mut self, task: MoveTask) -> u64 {
        self.started += 1;
        let source = task.source.clone();
        self.all.insert(self.started, task);
        let old: Vec<u64> = self.of_source(&source).rev().skip(REMEMBERED).map(|(number, _)| number).collect();
        for number in old {
            self.all.remove(&number);
        }
        self.started
    }
}

impl Sqs {
    /// Starts to move the messages of the dead-letter queue `source`; the task's number. `rate_per_s` is 1 to 500.
    /// Errors: ResourceNotFoundException, InvalidParameterValue, UnsupportedOperation.
    pub fn start_message_move_task(
        &mut self,
        cx: &mut Cx<'_>,
        source: &str,
        destination: Option<&str>,
        rate_per_s: Option<u32>,
    ) -> Result<u64, ApiError> {
        if rate_per_s.is_some_and(|rate| !(1..=RATE_PER_S_MAX).contains(&rate)) {
            return Err(error::move_rate_out_of_range());
        }
        let Some(queue) = self.queues.get_mut(source) else {
            return Err(error::move_resource_not_found("SourceArn"));
        };
        queue.act(cx);
        let (fifo, to_move) = (queue.attributes.fifo.is_some(), queue.store.depth().total());
        let position_max = queue.store.last_position();
        if let Some(destination) = destination {
            let Some(target) = self.queues.get(destination) else {
                return Err(error::move_resource_not_found("DestinationArn"));
            };
            if destination == source {
                return Err(error::invalid_parameter("Source queue arn and destination queue arn cannot be the same."));
            }
            if target.attributes.fifo.is_some() != fifo {
                let message = "The source queue and destination queue must be of the same queue type.";
                return Err(error::invalid_parameter(message));
            }
        }
        if self.sources_of(source).next().is_none() {
            return Err(error::invalid_parameter("Source queue must be configured as a Dead Letter Queue."));
        }
        if self.tasks.of_source(source).any(|(_, task)| task.status.is_active()) {
            return Err(error::invalid_parameter(
                "There is already a task running. Only one active task is allowed for a source queue arn at a given \
                 time.",
            ));
        }
        if self.tasks.all.values().filter(|task| task.status.is_active()).count() >= ACTIVE_MAX {
            return Err(error::unsupported_operation("The maximum number of active message move tasks is reached."));
        }
        let number = self.tasks.add(MoveTask {
            id: cx.uuid(),
            source: source.to_owned(),
            destination: destination.map(str::to_owned),
            rate_per_s,
            status: Status::Running,
            moved: 0,
            to_move,
            failure: None,
            started_at: cx.now,
            position_max,
        });
        cx.schedule_in(STEP, Due::MoveTask { task: number }.into());
        Ok(number)
    }

    /// Tasks of the source, newest first; at most the last ten. ResourceNotFoundException when there is no such queue.
    pub fn list_message_move_tasks(&mut self, cx: &mut Cx<'_>, source: &str) -> Result<Vec<MoveTask>, ApiError> {
        let Some(queue) = self.queues.get_mut(source) else {
            return Err(error::move_resource_not_found("SourceArn"));
        };
        queue.act(cx);
        Ok(self.tasks.of_source(source).rev().map(|(_, task)| task.clone()).collect())
    }

    /// Stops a running task at its next step; how many messages were moved so far. Those stay moved.
    /// Errors: ResourceNotFoundException, UnsupportedOperation when it does not run.
    pub fn cancel_message_move_task(&mut self, cx: &mut Cx<'_>, source: &str, id: &str) -> Result<u64, ApiError> {
        let Some(queue) = self.queues.get_mut(source) else {
            return Err(error::move_resource_not_found("SourceArn"));
        };
        queue.act(cx);
        let task = self.tasks.all.values_mut().find(|task| task.source == source && task.id == id);
        let task = task.ok_or_else(error::task_does_not_exist)?;
        if task.status != Status::Running {
            return Err(error::unsupported_operation("Only active tasks can be cancelled."));
        }
        task.status = Status::Cancelling;
        Ok(task.moved)
    }

    /// The task of that number.
    pub fn move_task(&self, number: u64) -> Option<&MoveTask> {
        self.tasks.all.get(&number)
    }

    /// One second of a task's work.
    pub(super) fn step_move_task(&mut self, cx: &mut Cx<'_>, number: u64) {
        let Some(mut task) = self.tasks.all.get(&number).cloned() else { return };
        match task.status {
            Status::Running => self.move_some(cx, &mut task),
            Status::Cancelling => task.status = Status::Cancelled,
            _ => {}
        }
        if task.status.is_active() {
            cx.schedule_in(STEP, Due::MoveTask { task: number }.into());
        }
        self.tasks.all.insert(number, task);
    }

    fn move_some(&mut self, cx: &mut Cx<'_>, task: &mut MoveTask) {
        if cx.now.since(task.started_at) > RUN_TIME_MAX {
            return task.fail("TaskTimedOut");
        }
        for _ in 0..task.rate_per_s.unwrap_or(SYSTEM_RATE_PER_S) {
            let Some(source) = self.queues.get_mut(&task.source) else {
                return task.fail("AWS.SimpleQueueService.NonExistentQueue");
            };
            source.settle(cx.now);
            let Some(slot) = source.store.peek_visible(task.position_max) else {
                task.status = Status::Completed;
                return;
            };
            let Some(message) = source.store.get(slot) else { return };
            let target = match &task.destination {
                Some(destination) => Some(destination.clone()),
                None => origin_of(cx, message),
            };
            let Some(target) = target else { return task.fail("CouldNotDetermineMessageSource") };
            if !self.queues.contains_key(&target) {
                return task.fail("AWS.SimpleQueueService.NonExistentQueue");
            }
            self.move_one(cx, &task.source, slot, &target);
            task.moved += 1;
        }
    }

    /// The message enters the target as a new one: new id, sent now, received by nobody.
    fn move_one(&mut self, cx: &mut Cx<'_>, source: &str, slot: u32, target: &str) {
        let Some(source) = self.queues.get_mut(source) else { return };
        let Some(message) = source.store.remove(slot) else { return };
        let Some(target) = self.queues.get_mut(target) else { return };
        let id = new_id(cx);
        let mut details = message.details.clone();
        if let Some(details) = &mut details {
            details.dead_letter = None;
            details.sequence = target.next_sequence();
        }
        let details = details.filter(|details| **details != Details::default());
        let delay_s = target.attributes.delay_s;
        let delayed_until = (delay_s > 0).then(|| seconds_after(cx.now, delay_s));
        target.settle(cx.now);
        let bytes =
            cx.templates.len_of(&message.body()) + details.as_ref().map_or(0, |d| attribute_bytes(&d.attributes));
        target.store.insert(Message::new(id, message.body(), cx.now, details), delayed_until);
        target.counters.sent += 1;
        target.note_sent_size(cx, bytes);
        target.activity.note(cx);
        target.schedule_wake(cx);
        cx.waits.queue_changed(&target.name);
    }
}

impl MoveTask {
    fn fail(&mut self, reason: &'static str) {
        self.status = Status::Failed;
        self.failure = Some(reason);
    }
}

fn origin_of(cx: &Cx<'_>, message: &Message) -> Option<String> {
    queue_of_arn(cx.place, &message.dead_letter()?.source_arn).map(str::to_owned)
}

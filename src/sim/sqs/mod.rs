//! SQS as a state machine: queues, messages, visibility, dead-letter queues, message move tasks.

use crate::sim::cx::Cx;

/// What falls due inside the service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// A queue looks after itself: visibility ends, delays end, messages expire.
    Queue { queue: String },
    /// A message move task takes its next step.
    MoveTask { task: u64 },
    /// Each minute every active queue publishes its gauges to CloudWatch.
    Gauges,
}

/// All queues of one account and region.
#[derive(Default)]
pub struct Sqs {}

impl Sqs {
    pub fn due(&mut self, _cx: &mut Cx<'_>, _due: Due) {}
}

//! Calls that AWS throttled lately, by operation and by who made them, as CloudTrail's event history tells.

use crate::domain::row::Place;
use crate::domain::time::Timestamp;

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ThrottledQuestion {
    pub place: Place,
}

/// What was found, or why nothing was.
pub type ThrottledAnswer = Result<Throttled, String>;

/// What the event history holds of throttled calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Throttled {
    /// Most often throttled first.
    pub calls: Vec<ThrottledCalls>,
    /// How many events were looked through, reads and writes.
    pub events: usize,
    /// As far back as all events were looked through. Where more happened than is read at once, that is not far.
    pub from: Timestamp,
    /// More happened in the time that was asked about than was read: what came before `from` is not known.
    pub is_cut: bool,
}

/// One operation as one principal called it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThrottledCalls {
    /// As CloudTrail's `eventSource` has it before `.amazonaws.com`.
    pub service: String,
    pub operation: String,
    /// AWS's code, such as `ThrottlingException`.
    pub code: String,
    pub who: String,
    pub count: usize,
    pub newest: Timestamp,
}

/// One throttled call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThrottledCall {
    pub service: String,
    pub operation: String,
    pub code: String,
    pub who: String,
    pub at: Timestamp,
}

/// Counts calls that are alike; the most frequent first, and of those the newest.
pub fn counted(found: impl IntoIterator<Item = ThrottledCall>) -> Vec<ThrottledCalls> {
    let mut all: Vec<ThrottledCalls> = Vec::new();
    for call in found {
        let is_alike = |calls: &&mut ThrottledCalls| {
            calls.service == call.service
                && calls.operation == call.operation
                && calls.code == call.code
                && calls.who == call.who
        };
        if let Some(calls) = all.iter_mut().find(is_alike) {
            calls.count += 1;
            calls.newest = calls.newest.max(call.at);
        } else {
            let ThrottledCall { service, operation, code, who, at } = call;
            all.push(ThrottledCalls { service, operation, code, who, count: 1, newest: at });
        }
    }
    all.sort_by(|a, b| (b.count, b.newest, &a.operation, &a.who).cmp(&(a.count, a.newest, &b.operation, &b.who)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_by_operation_and_principal() {
        let call = |operation: &str, who: &str, at: i64| ThrottledCall {
            service: "kinesis".into(),
            operation: operation.into(),
            code: "LimitExceededException".into(),
            who: who.into(),
            at: Timestamp::from_millis(at),
        };
        let found = [
            call("ListShards", "dashboards", 30),
            call("DescribeStream", "dashboards", 20),
            call("DescribeStream", "ana", 90),
            call("DescribeStream", "dashboards", 10),
        ];
        let counted = counted(found);
        let told: Vec<_> = counted.iter().map(|c| (c.operation.as_str(), c.who.as_str(), c.count)).collect();
        assert_eq!(
            told,
            [("DescribeStream", "dashboards", 2), ("DescribeStream", "ana", 1), ("ListShards", "dashboards", 1)]
        );
        assert_eq!(counted[0].newest, Timestamp::from_millis(20));
    }
}

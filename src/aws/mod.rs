//! AWS through the SDK: the one construction site of clients, the pollers, and the only code that changes anything.
//!
//! A poller answers a [`Question`] with a [`Reading`] and never fails as a whole: what answered comes as rows, what
//! did not comes as problems that name the cure. Where the answers come from (AWS, an emulator, the embedded engine)
//! is decided by the [`Seam`] that the clients were made with; nothing here can tell.

mod alarms;
mod changes;
pub mod clients;
mod draft;
pub mod errors;
mod firehose;
mod kcl;
mod kcl_workers;
mod kinesis;
mod lambda;
mod lease_tables;
mod logs;
mod meter;
mod metrics;
pub mod operations;
mod pace;
mod perform;
mod probe;
mod readers;
mod sns;
mod sqs;
mod sts;
mod swf;
mod tags;
mod trail;

pub use clients::{Clients, Seam, Settings, SetupError, profile_names, sdk_config};
pub use pace::Lane;
pub use perform::perform;

use crate::domain::poll::{Question, Reading};
use crate::domain::row::KindId;
use crate::domain::time::Timestamp;

/// Asks AWS. `now` is the time of the asking: answers speak of it, and CloudWatch's minutes are counted back from it.
pub async fn ask(clients: &Clients, question: &Question, now: Timestamp) -> Reading {
    let draft = match question {
        Question::Identity => sts::identity(clients).await,
        Question::Changes { since } => changes::changes(clients, *since).await,
        Question::Inventory(KindId::Kinesis) => kinesis::inventory(clients, now).await,
        Question::Inventory(KindId::Sqs) => sqs::inventory(clients, now).await,
        Question::Inventory(KindId::Lambda) => lambda::inventory(clients, now).await,
        Question::Inventory(KindId::Sns) => sns::inventory(clients, now).await,
        Question::Inventory(KindId::Swf) => swf::inventory(clients, now).await,
        Question::Inventory(KindId::Firehose) => firehose::inventory(clients, now).await,
        Question::Inventory(KindId::Alarm) => alarms::inventory(clients, now).await,
        Question::Inventory(KindId::Kcl) => kcl::inventory(clients, now).await,
        Question::Direct(KindId::Kinesis, targets) => kinesis::direct(clients, targets, now).await,
        Question::Direct(KindId::Sqs, targets) => sqs::direct(clients, targets, now).await,
        Question::Direct(KindId::Lambda, targets) => lambda::direct(clients, targets, now).await,
        Question::Direct(KindId::Sns, targets) => sns::direct(clients, targets, now).await,
        Question::Direct(KindId::Swf, targets) => swf::direct(clients, targets, now).await,
        Question::Direct(KindId::Firehose, targets) => firehose::direct(clients, targets, now).await,
        Question::Direct(KindId::Alarm, targets) => alarms::direct(clients, targets, now).await,
        Question::Direct(KindId::Kcl, targets) => kcl::direct(clients, targets, now).await,
        Question::Probe(asked) => probe::probe(clients, asked, now).await,
        Question::Tags(wanted) => tags::tags(clients, wanted).await,
        Question::Log(question) => logs::log(clients, question, now).await,
        Question::Throttled(_) => changes::throttled(clients, now).await,
        Question::Workflow(question) => swf::workflow(clients, question, now).await,
        Question::Metrics { kind, targets, window_min } => {
            metrics::metrics(clients, *kind, targets, *window_min, now).await
        }
    };
    let mut reading = draft.finish(clients.meter());
    reading.asked = clients.asked().collect();
    reading
}

/// The last part of an ARN's resource: the name of a queue or stream (`arn:aws:sqs:eu-west-1:123456789012:orders`,
/// `arn:aws:kinesis:…:stream/bids`) or function (`arn:aws:lambda:…:function:settle-bid`, a version cut off). `None`
/// where the text is no ARN.
fn arn_name(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    if parts.next() != Some("arn") {
        return None;
    }
    let resource = parts.nth(4)?;
    let name = match resource.split_once([':', '/']) {
        Some(("function", rest)) => rest.split(':').next()?,
        Some((_, rest)) => rest.split('/').next()?,
        None => resource,
    };
    (!name.is_empty()).then_some(name)
}

/// Region and account of an ARN: resources of other places are not those of this one, whatever their names.
fn arn_place(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.strip_prefix("arn:")?.split(':').skip(2);
    Some((parts.next()?, parts.next()?))
}

/// The service word of an ARN: `sqs`, `kinesis`.
fn arn_service(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?.split(':').nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_arns() {
        let cases = [
            ("arn:aws:sqs:eu-west-1:123456789012:orders-dlq", Some("orders-dlq"), "sqs"),
            ("arn:aws:kinesis:eu-west-1:123456789012:stream/bids", Some("bids"), "kinesis"),
            ("arn:aws:kinesis:eu-west-1:123456789012:stream/bids/consumer/x:1", Some("bids"), "kinesis"),
            ("arn:aws:lambda:eu-west-1:123456789012:function:settle-bid:7", Some("settle-bid"), "lambda"),
            ("arn:aws-cn:lambda:cn-north-1:123456789012:function:settle-bid", Some("settle-bid"), "lambda"),
        ];
        for (arn, name, _) in cases {
            assert_eq!(arn_name(arn), name, "{arn}");
        }
        assert_eq!(arn_service(cases[0].0), Some("sqs"));
        assert_eq!(arn_name("orders"), None);
        assert_eq!(arn_name("arn:aws:sqs:eu-west-1:123456789012:"), None);
    }
}

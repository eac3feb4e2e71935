//! The embedded engine: Kinesis, SQS, SNS, Lambda and CloudWatch as state machines in virtual time, and the applications
//! around them. It knows nothing of the console; it sees of the rest only `domain::time`.

pub mod access;
pub mod actors;
pub mod agenda;
pub mod alarm_actions;
pub mod clock;
pub mod cloudtrail;
pub mod cloudwatch;
pub mod connector;
pub mod control;
pub mod cx;
pub mod delivery;
pub mod dynamodb;
pub mod endpoint;
pub mod engine;
pub mod error;
pub mod fanout;
pub mod faults;
pub mod firehose;
pub mod function_logs;
pub mod iam;
mod json_reader;
pub mod kinesis;
pub mod lambda;
pub mod ledger;
pub mod log_routes;
pub mod logs;
pub mod mapping;
pub mod payload;
pub mod poster;
#[cfg(test)]
mod properties;
pub mod rate;
pub mod realm;
pub mod scenario;
pub mod server;
pub mod sns;
pub mod sqs;
pub mod sts;
pub mod swf;
pub mod tagging;
pub mod waits;
pub mod watched;
pub mod wire;
pub mod workflow;
pub mod world;

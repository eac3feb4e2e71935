//! The world: owns every service, chance, the agenda and the ledger, and does what is due in order.

use crate::domain::time::Timestamp;
use crate::sim::actors::Actor;
use crate::sim::agenda::{Agenda, Due};
use crate::sim::cloudtrail::CloudTrail;
use crate::sim::cloudwatch::{CloudWatch, Metrics};
use crate::sim::cx::{Cx, Place};
use crate::sim::dynamodb::DynamoDb;
use crate::sim::endpoint::Endpoints;
use crate::sim::fanout::Parcel;
use crate::sim::faults::api::ApiFaults;
use crate::sim::firehose::Firehose;
use crate::sim::iam::Iam;
use crate::sim::kinesis::Kinesis;
use crate::sim::lambda::Lambda;
use crate::sim::ledger::Ledger;
use crate::sim::logs::Logs;
use crate::sim::mapping::guest::Errand;
use crate::sim::payload::Templates;
use crate::sim::sns::{HttpPost, Sns};
use crate::sim::sqs::Sqs;
use crate::sim::swf::Swf;
use crate::sim::waits::Waits;
use crate::sim::workflow::LambdaTasks;
use crate::sim::{actors, alarm_actions, delivery, fanout, faults, mapping};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use std::collections::VecDeque;

/// A simulated account in one region. A run is a function of (seed, scenario, requests).
pub struct World {
    pub now: Timestamp,
    pub place: Place,
    /// Whether creating, changing and deleting take AWS's time ([`Cx::settling`]).
    pub delays: bool,
    pub kinesis: Kinesis,
    pub sqs: Sqs,
    pub sns: Sns,
    pub lambda: Lambda,
    pub dynamodb: DynamoDb,
    pub firehose: Firehose,
    pub swf: Swf,
    pub iam: Iam,
    /// SWF's Lambda tasks that run, by their invocations.
    pub lambda_tasks: LambdaTasks,
    pub cloudwatch: CloudWatch,
    pub cloudtrail: CloudTrail,
    pub logs: Logs,
    /// `None` while that actor acts.
    pub actors: Vec<Option<Actor>>,
    pub timeline: Vec<faults::Entry>,
    /// What of it is on or to come.
    pub staged: Vec<faults::record::Staged>,
    /// Faults of the API that are on.
    pub api_faults: ApiFaults,
    /// HTTP endpoints that are simulated.
    pub endpoints: Endpoints,
    /// POSTs to endpoints outside the engine, where somebody makes them; `None` where nobody does.
    pub outbox: Option<VecDeque<HttpPost>>,
    /// What topics send to other accounts and regions, where somebody carries it; `None` where nobody does.
    pub abroad: Option<VecDeque<Parcel>>,
    /// What mappings want of other accounts' queues, for whoever keeps the accounts.
    pub errands: Vec<Errand>,
    pub agenda: Agenda,
    pub metrics: Metrics,
    pub templates: Templates,
    /// Requests that wait.
    pub waits: Waits,
    pub ledger: Ledger,
    rng: Pcg64Mcg,
}

/// What a world can lend at once: its hands, and the services that work with them.
struct Lent<'a> {
    cx: Cx<'a>,
    kinesis: &'a mut Kinesis,
    sqs: &'a mut Sqs,
    sns: &'a mut Sns,
    lambda: &'a mut Lambda,
    swf: &'a mut Swf,
    dynamodb: &'a mut DynamoDb,
    firehose: &'a mut Firehose,
}

impl World {
    /// An empty account.
    pub fn new(seed: u64, start: Timestamp, place: Place) -> Self {
        Self {
            now: start,
            place,
            delays: true,
            kinesis: Kinesis::default(),
            sqs: Sqs::default(),
            sns: Sns::default(),
            lambda: Lambda::default(),
            dynamodb: DynamoDb::default(),
            firehose: Firehose::default(),
            swf: Swf::default(),
            iam: Iam::default(),
            lambda_tasks: LambdaTasks::default(),
            cloudwatch: CloudWatch::default(),
            cloudtrail: CloudTrail::default(),
            logs: Logs::default(),
            actors: Vec::new(),
            timeline: Vec::new(),
            staged: Vec::new(),
            api_faults: ApiFaults::default(),
            endpoints: Endpoints::default(),
            outbox: None,
            abroad: None,
            errands: Vec::new(),
            agenda: Agenda::default(),
            metrics: Metrics::default(),
            templates: Templates::default(),
            waits: Waits::default(),
            ledger: Ledger::default(),
            rng: Pcg64Mcg::seed_from_u64(seed),
        }
    }

    /// Does everything that is due up to and at `until`, in order, and leaves the time there.
    pub fn advance_to(&mut self, until: Timestamp) {
        while self.step(until) {}
    }

    /// Does what is due next, at or before `until`. False where nothing is: the time is then `until`.
    pub fn step(&mut self, until: Timestamp) -> bool {
        let Some((at, due)) = self.agenda.pop_until(until) else {
            self.now = self.now.max(until);
            return false;
        };
        self.now = self.now.max(at);
        self.carry_out(due);
        true
    }

    fn carry_out(&mut self, due: Due) {
        match due {
            Due::Kinesis(due) => {
                let (kinesis, mut cx) = self.kinesis_cx();
                kinesis.due(&mut cx, due);
            }
            Due::Sqs(due) => {
                let (sqs, mut cx) = self.sqs_cx();
                sqs.due(&mut cx, due);
            }
            Due::Sns(due) => fanout::due(self, due),
            Due::DynamoDb(due) => {
                let (dynamodb, mut cx) = self.dynamodb_cx();
                dynamodb.due(&mut cx, &due);
            }
            Due::Firehose(due) => delivery::firehose_due(self, due),
            Due::Lambda(due) => mapping::lambda_due(self, due),
            Due::Alarms => alarm_actions::tick(self),
            Due::Swf(due) => {
                let (swf, mut cx) = self.swf_cx();
                swf.due(&mut cx, due);
            }
            Due::Mapping(due) => mapping::mapping_due(self, due),
            Due::Actor(index) => actors::act(self, index),
            Due::Timeline(index) => faults::strike(self, index),
        }
    }

    /// Every service beside the hands, so that one of each can be lent together.
    fn lend(&mut self) -> Lent<'_> {
        let cx = Cx {
            now: self.now,
            place: &self.place,
            delays: self.delays,
            rng: &mut self.rng,
            agenda: &mut self.agenda,
            metrics: &mut self.metrics,
            templates: &mut self.templates,
            waits: &mut self.waits,
        };
        Lent {
            cx,
            kinesis: &mut self.kinesis,
            sqs: &mut self.sqs,
            sns: &mut self.sns,
            lambda: &mut self.lambda,
            swf: &mut self.swf,
            dynamodb: &mut self.dynamodb,
            firehose: &mut self.firehose,
        }
    }

    /// The Kinesis service and the hands it works with.
    pub fn kinesis_cx(&mut self) -> (&mut Kinesis, Cx<'_>) {
        let lent = self.lend();
        (lent.kinesis, lent.cx)
    }

    /// The SQS service and the hands it works with.
    pub fn sqs_cx(&mut self) -> (&mut Sqs, Cx<'_>) {
        let lent = self.lend();
        (lent.sqs, lent.cx)
    }

    /// The SNS service and the hands it works with.
    pub fn sns_cx(&mut self) -> (&mut Sns, Cx<'_>) {
        let lent = self.lend();
        (lent.sns, lent.cx)
    }

    /// The Lambda service and the hands it works with.
    pub fn lambda_cx(&mut self) -> (&mut Lambda, Cx<'_>) {
        let lent = self.lend();
        (lent.lambda, lent.cx)
    }

    /// The SWF service and the hands it works with.
    pub fn swf_cx(&mut self) -> (&mut Swf, Cx<'_>) {
        let lent = self.lend();
        (lent.swf, lent.cx)
    }

    /// The DynamoDb service and the hands it works with.
    pub fn dynamodb_cx(&mut self) -> (&mut DynamoDb, Cx<'_>) {
        let lent = self.lend();
        (lent.dynamodb, lent.cx)
    }

    /// The Firehose service and the hands it works with.
    pub fn firehose_cx(&mut self) -> (&mut Firehose, Cx<'_>) {
        let lent = self.lend();
        (lent.firehose, lent.cx)
    }

    /// Chance, for actors and faults.
    pub fn rng(&mut self) -> &mut Pcg64Mcg {
        &mut self.rng
    }
}

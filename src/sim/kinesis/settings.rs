//! A stream's settings beyond its shards (mode, encryption, record size, warm throughput), and the account's.

use super::rates::Operation;
use super::reshard::DAY;
use super::stream::{Change, Stream, StreamMode, StreamStatus};
use super::{Kinesis, fault};
use crate::domain::time::Timestamp;
use crate::sim::cx::Cx;
use crate::sim::error::ApiError;
use rand::RngExt;
use std::time::Duration;

/// An on-demand stream takes 10 GiB a second at most (Kinesis "Quotas and limits").
const WARM_MIB_PER_S_MAX: u32 = 10_240;

/// UpdateStreamMode: at most so many times within a rolling day for one stream.
const MODE_CHANGES_A_DAY: usize = 2;

/// The account's billing commitment, which On-demand Advantage is (DescribeAccountSettings).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountSettings {
    pub started: Option<Timestamp>,
    /// When it was, or will be, over.
    pub ends: Option<Timestamp>,
}

impl AccountSettings {
    /// Whether the commitment is in force.
    pub fn is_advantage(&self, now: Timestamp) -> bool {
        self.started.is_some() && self.ends.is_none_or(|ends| now < ends)
    }

    /// It may not end sooner than a day after it started.
    pub fn earliest_end(&self) -> Option<Timestamp> {
        self.started.map(|started| started + DAY)
    }

    pub fn status(&self, now: Timestamp) -> &'static str {
        match (self.is_advantage(now), self.ends) {
            (true, None) => "ENABLED",
            (true, Some(_)) => "ENABLED_UNTIL_EARLIEST_ALLOWED_END",
            (false, _) => "DISABLED",
        }
    }
}

/// Server-side encryption of a stream, from a time on and perhaps up to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encryption {
    pub key: String,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
}

impl Encryption {
    /// Whether a record of that time was encrypted as it was stored.
    pub fn covers(&self, arrived: Timestamp) -> bool {
        self.since <= arrived && self.until.is_none_or(|until| arrived < until)
    }
}

impl Kinesis {
    /// UpdateStreamMode: UPDATING for a few seconds. The shards stay as they are.
    ///
    /// Errors: `ResourceNotFoundException`, `ResourceInUseException`, `LimitExceededException` (twice within 24 hours).
    pub fn update_stream_mode(&mut self, cx: &mut Cx<'_>, stream: &str, mode: StreamMode) -> Result<(), ApiError> {
        self.rates.admit(cx, Operation::UpdateStreamMode, Some(stream))?;
        if self.active_stream(cx, stream)?.mode == mode {
            return Ok(());
        }
        if mode == StreamMode::OnDemand {
            self.admit_on_demand(cx)?;
        }
        let stream = self.active_stream(cx, stream)?;
        let day_ago = cx.now - DAY;
        stream.mode_changes.retain(|at| *at > day_ago);
        if stream.mode_changes.len() >= MODE_CHANGES_A_DAY {
            return Err(fault::limit_exceeded(format!(
                "{MODE_CHANGES_A_DAY} UpdateStreamMode operations have been performed on stream {} under account {} \
                 within the last 24 hours.",
                stream.name, cx.place.account
            )));
        }
        stream.mode_changes.push_back(cx.now);
        begin_change(stream, cx, Change::Mode { mode });
        Ok(())
    }

    /// StartStreamEncryption: UPDATING for a few seconds; what arrives afterwards is encrypted.
    ///
    /// Errors: `ResourceNotFoundException`, `ResourceInUseException`, `LimitExceededException`.
    pub fn start_encryption(&mut self, cx: &mut Cx<'_>, stream: &str, key: &str) -> Result<(), ApiError> {
        self.rates.admit(cx, Operation::Encryption, Some(stream))?;
        let stream = self.active_stream(cx, stream)?;
        begin_change(stream, cx, Change::Encrypt { key: Some(key.to_owned()) });
        Ok(())
    }

    /// StopStreamEncryption. Errors: as [`Kinesis::start_encryption`].
    pub fn stop_encryption(&mut self, cx: &mut Cx<'_>, stream: &str) -> Result<(), ApiError> {
        self.rates.admit(cx, Operation::Encryption, Some(stream))?;
        let stream = self.active_stream(cx, stream)?;
        begin_change(stream, cx, Change::Encrypt { key: None });
        Ok(())
    }

    /// UpdateMaxRecordSize, in KiB from 1024 to 10240.
    ///
    /// Errors: `ResourceNotFoundException`, `ResourceInUseException`, `LimitExceededException`.
    pub fn update_max_record_size(&mut self, cx: &mut Cx<'_>, stream: &str, kib: u32) -> Result<(), ApiError> {
        self.rates.admit(cx, Operation::UpdateMaxRecordSize, Some(stream))?;
        let stream = self.active_stream(cx, stream)?;
        begin_change(stream, cx, Change::RecordSize { kib });
        Ok(())
    }

    /// UpdateStreamWarmThroughput: the on-demand stream's shards grow to what takes so many MiB a second.
    ///
    /// Errors: `ValidationException` (a provisioned stream, an account without On-demand Advantage),
    /// `ResourceNotFoundException`, `ResourceInUseException`, `LimitExceededException`.
    pub fn update_warm_throughput(&mut self, cx: &mut Cx<'_>, stream: &str, mib_per_s: u32) -> Result<u32, ApiError> {
        self.rates.admit(cx, Operation::UpdateWarmThroughput, Some(stream))?;
        let is_advantage = self.settings.is_advantage(cx.now);
        let stream = self.active_stream(cx, stream)?;
        if stream.mode != StreamMode::OnDemand || !is_advantage {
            let why = if is_advantage { "a stream in ON_DEMAND mode" } else { "an account with On-demand Advantage" };
            let message = format!("Request is invalid. Warm throughput can be set only for {why}.");
            return Err(ApiError::client("ValidationException", message));
        }
        if mib_per_s > WARM_MIB_PER_S_MAX {
            let message = format!("Request is invalid. Warm throughput can be at most {WARM_MIB_PER_S_MAX} MiBps.");
            return Err(ApiError::client("ValidationException", message));
        }
        let current = stream.open_shards();
        stream.warm_mib_per_s = Some(mib_per_s);
        begin_change(stream, cx, Change::Resize { target: mib_per_s.max(current) });
        Ok(current)
    }

    /// The account's commitment as it stands. Errors: `LimitExceededException`.
    pub fn account_settings(&mut self, cx: &mut Cx<'_>) -> Result<AccountSettings, ApiError> {
        self.rates.admit(cx, Operation::AccountSettings, None)?;
        Ok(self.settings)
    }

    /// UpdateAccountSettings: begins or ends the commitment, which lasts a day at least.
    ///
    /// Errors: `LimitExceededException`.
    pub fn update_account_settings(&mut self, cx: &mut Cx<'_>, enabled: bool) -> Result<AccountSettings, ApiError> {
        self.rates.admit(cx, Operation::AccountSettings, None)?;
        let settings = &mut self.settings;
        match (settings.is_advantage(cx.now), enabled) {
            (false, true) => *settings = AccountSettings { started: Some(cx.now), ends: None },
            (true, true) => settings.ends = None,
            (true, false) => settings.ends = settings.earliest_end().map(|earliest| earliest.max(cx.now)),
            (false, false) => {}
        }
        Ok(*settings)
    }

    pub(super) fn active_stream(&mut self, cx: &Cx<'_>, name: &str) -> Result<&mut Stream, ApiError> {
        let stream = self.stream_mut(cx, name)?;
        if stream.status == StreamStatus::Active { Ok(stream) } else { Err(fault::not_active(cx.place, stream)) }
    }
}

fn begin_change(stream: &mut Stream, cx: &mut Cx<'_>, change: Change) {
    let after = Duration::from_millis(cx.rng.random_range(3000..8000));
    stream.status = StreamStatus::Updating;
    stream.begin(cx, after, change);
}

impl Stream {
    pub(super) fn encrypt(&mut self, key: Option<String>, now: Timestamp) {
        match (key, &mut self.encryption) {
            (Some(key), Some(kept)) if kept.until.is_none() => kept.key = key,
            (Some(key), encryption) => *encryption = Some(Encryption { key, since: now, until: None }),
            (None, Some(kept)) if kept.until.is_none() => kept.until = Some(now),
            (None, _) => {}
        }
    }

    /// The key, while encryption is on.
    pub fn encryption_key(&self) -> Option<&str> {
        self.encryption.as_ref().filter(|kept| kept.until.is_none()).map(|kept| kept.key.as_str())
    }
}

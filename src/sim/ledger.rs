//! The ledger: what was asked of the engine, so that tests and the cost meter can be held against it.

use std::collections::BTreeMap;

/// Counts of API requests by service, operation and error code (empty when it succeeded).
#[derive(Default, Debug, Clone, PartialEq)]
pub struct Ledger {
    pub requests: BTreeMap<(&'static str, String, String), u64>,
    /// All of them together.
    pub answered: u64,
    /// Metrics that GetMetricData was asked for and gave, or found by a search: CloudWatch charges by these.
    pub metrics: u64,
    /// What DynamoDB's reads consumed, in read units.
    pub read_units: f64,
}

/// What CloudWatch charges for a metric of GetMetricData, SQS and SNS for a request, and DynamoDB for a read unit of an
/// on-demand table, in US dollars at list price (us-east-1, aws.amazon.com/cloudwatch/pricing, /sqs/pricing,
/// /sns/pricing, /dynamodb/pricing/on-demand).
const METRIC_USD: f64 = 0.01 / 1000.0;
const SQS_REQUEST_USD: f64 = 0.40 / 1_000_000.0;
const SNS_REQUEST_USD: f64 = 0.50 / 1_000_000.0;
const READ_UNIT_USD: f64 = 0.125 / 1_000_000.0;

impl Ledger {
    pub fn note(&mut self, service: &'static str, operation: &str, error_code: &str) {
        self.answered += 1;
        *self.requests.entry((service, operation.to_owned(), error_code.to_owned())).or_default() += 1;
    }

    /// What AWS would charge at most for looking as these requests did, in US dollars: refused ones of SQS and SNS
    /// included, reads of DynamoDB as of on-demand tables. Writes of DynamoDB and what lives by the hour are not in it.
    pub fn usd(&self) -> f64 {
        let of = |wanted: &str| -> u64 {
            self.requests.iter().filter(|((service, ..), _)| *service == wanted).map(|(_, count)| count).sum()
        };
        of("sqs") as f64 * SQS_REQUEST_USD
            + of("sns") as f64 * SNS_REQUEST_USD
            + self.metrics as f64 * METRIC_USD
            + self.read_units * READ_UNIT_USD
    }

    /// The same in whole nanodollars, far below what a request costs, so that no rest of binary fractions shows.
    pub fn usd_written(&self) -> f64 {
        (self.usd() * 1e9).round() / 1e9
    }

    /// Counts another's requests with its own.
    pub fn add(&mut self, other: &Self) {
        self.answered += other.answered;
        self.metrics += other.metrics;
        self.read_units += other.read_units;
        for (request, count) in &other.requests {
            *self.requests.entry(request.clone()).or_default() += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_of_a_sum_has_no_rest() {
        let mut ledger = Ledger::default();
        (0..3).for_each(|_| ledger.note("sqs", "SendMessage", ""));
        ledger.metrics = 70;
        assert_eq!(ledger.usd_written().to_string(), "0.0007012");
        ledger.read_units = 2.0;
        assert_eq!(ledger.usd_written().to_string(), "0.00070145");
    }
}

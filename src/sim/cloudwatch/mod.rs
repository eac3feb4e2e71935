//! CloudWatch: the metric store that every service publishes to, and the operations over it.

mod store;

pub use store::{Metrics, SeriesId, StatisticSet};

/// The service behind the operations (what is put by clients lives in `Metrics` beside what services publish).
#[derive(Default)]
pub struct CloudWatch {}

//! Destinations: what AWS delivers to, how it is set up, and how much goes into one delivery.

use serde_json::{Map, Value as Json};
use std::time::Duration;

/// The kinds of destination, each with members of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Storage in the older form.
    S3,
    ExtendedS3,
    Redshift,
    Elasticsearch,
    OpenSearch,
    OpenSearchServerless,
    Splunk,
    HttpEndpoint,
    Snowflake,
    Iceberg,
}

impl Kind {
    pub const ALL: [Self; 10] = [
        Self::ExtendedS3,
        Self::S3,
        Self::Redshift,
        Self::Elasticsearch,
        Self::OpenSearch,
        Self::OpenSearchServerless,
        Self::Splunk,
        Self::HttpEndpoint,
        Self::Snowflake,
        Self::Iceberg,
    ];

    /// What stands before `DestinationConfiguration`, `DestinationUpdate` and `DestinationDescription`.
    pub const fn stem(self) -> &'static str {
        match self {
            Self::S3 => "S3",
            Self::ExtendedS3 => "ExtendedS3",
            Self::Redshift => "Redshift",
            Self::Elasticsearch => "Elasticsearch",
            Self::OpenSearch => "Amazonopensearchservice",
            Self::OpenSearchServerless => "AmazonOpenSearchServerless",
            Self::Splunk => "Splunk",
            Self::HttpEndpoint => "HttpEndpoint",
            Self::Snowflake => "Snowflake",
            Self::Iceberg => "Iceberg",
        }
    }

    /// What stands behind `DeliveryTo` in the names of its metrics.
    pub const fn metric_name(self) -> &'static str {
        match self {
            Self::S3 | Self::ExtendedS3 => "S3",
            Self::Redshift => "Redshift",
            Self::Elasticsearch | Self::OpenSearch => "AmazonOpenSearchService",
            Self::OpenSearchServerless => "AmazonOpenSearchServerless",
            Self::Splunk => "Splunk",
            Self::HttpEndpoint => "HttpEndpoint",
            Self::Snowflake => "Snowflake",
            Self::Iceberg => "Iceberg",
        }
    }

    /// Whether it is storage itself, and not something that has storage as its backup.
    pub const fn is_storage(self) -> bool {
        matches!(self, Self::S3 | Self::ExtendedS3)
    }
}

/// Where a stream delivers to.
#[derive(Clone, Debug, PartialEq)]
pub struct Destination {
    pub kind: Kind,
    /// Every member as it is described, with the defaults.
    pub settings: Map<String, Json>,
}

impl Destination {
    /// Of the destination itself, or where it has no buffer, of the storage before it.
    fn hint(&self, name: &str, default: u64) -> u64 {
        let own = self.settings.get("BufferingHints");
        let storage = || self.settings.get("S3DestinationDescription")?.get("BufferingHints");
        own.or_else(storage).and_then(|hints| hints.get(name)?.as_u64()).unwrap_or(default)
    }

    /// Members that are given replace those that are there; of the buffering hints and the storage each by itself.
    pub fn merge(&mut self, given: Map<String, Json>) {
        merge(&mut self.settings, given);
    }

    /// A buffer of so many bytes is delivered at once.
    pub fn size_bytes(&self) -> u64 {
        self.hint("SizeInMBs", 5) << 20
    }

    /// Even without buffering, records wait a moment for company.
    pub fn interval(&self) -> Duration {
        Duration::from_secs(self.hint("IntervalInSeconds", 300).max(5))
    }
}

fn merge(settings: &mut Map<String, Json>, given: Map<String, Json>) {
    for (name, value) in given {
        match (settings.get_mut(&name), value) {
            (Some(Json::Object(old)), Json::Object(new)) if name == "BufferingHints" => old.extend(new),
            (Some(Json::Object(old)), Json::Object(new)) if name == "S3DestinationDescription" => merge(old, new),
            (_, value) => {
                settings.insert(name, value);
            }
        }
    }
}

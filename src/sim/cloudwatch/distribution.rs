//! How the samples of one minute are spread: exact while they are few, in logarithmic buckets when they are many.

/// More different values than this go into buckets.
const EXACT_VALUES: usize = 24;

/// Neighbouring buckets differ by 2 %, so a percentile is at most about 1 % off, as with CloudWatch's own histograms.
const BUCKET_RATIO: f64 = 1.02;

/// Values below this (zero among them) share the lowest bucket.
const SMALLEST: f64 = 1e-6;

/// The spread of a minute's samples. CloudWatch gives percentiles only of values that it has seen one by one and that
/// are not negative ("Metrics concepts", "Percentiles"): anything else makes the minute `Unknown`.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Distribution {
    #[default]
    Empty,
    /// (value, count) ordered by value.
    Exact(Vec<(f64, f64)>),
    /// (bucket, count) ordered by bucket; a bucket is a power of `BUCKET_RATIO`.
    Buckets(Vec<(i16, f64)>),
    Unknown,
}

impl Distribution {
    /// Adds `count` samples of `value`.
    pub fn add(&mut self, value: f64, count: f64) {
        if value < 0.0 || !value.is_finite() {
            *self = Self::Unknown;
        }
        match self {
            Self::Unknown => {}
            Self::Empty => *self = Self::Exact(vec![(value, count)]),
            Self::Buckets(buckets) => add_to_bucket(buckets, bucket_of(value), count),
            Self::Exact(values) => match values.binary_search_by(|(v, _)| v.total_cmp(&value)) {
                Ok(at) => values[at].1 += count,
                Err(at) if values.len() < EXACT_VALUES => values.insert(at, (value, count)),
                Err(_) => {
                    let mut buckets = Vec::with_capacity(values.len() + 1);
                    for &(v, n) in values.iter() {
                        add_to_bucket(&mut buckets, bucket_of(v), n);
                    }
                    add_to_bucket(&mut buckets, bucket_of(value), count);
                    *self = Self::Buckets(buckets);
                }
            },
        }
    }

    /// Puts every (value, count) into `into`; false when the spread is not known.
    pub fn pour(&self, into: &mut Vec<(f64, f64)>) -> bool {
        match self {
            Self::Empty => {}
            Self::Exact(values) => into.extend_from_slice(values),
            Self::Buckets(buckets) => into.extend(buckets.iter().map(|&(bucket, count)| (value_of(bucket), count))),
            Self::Unknown => return false,
        }
        true
    }
}

fn add_to_bucket(buckets: &mut Vec<(i16, f64)>, bucket: i16, count: f64) {
    match buckets.binary_search_by_key(&bucket, |(b, _)| *b) {
        Ok(at) => buckets[at].1 += count,
        Err(at) => buckets.insert(at, (bucket, count)),
    }
}

fn bucket_of(value: f64) -> i16 {
    if value < SMALLEST {
        return i16::MIN;
    }
    // The largest double is bucket 35,844 of 2 %: values above 1e281 share the last one.
    (value.ln() / BUCKET_RATIO.ln()).round().clamp(-32_000.0, 32_000.0) as i16
}

fn value_of(bucket: i16) -> f64 {
    if bucket == i16::MIN { 0.0 } else { BUCKET_RATIO.powi(i32::from(bucket)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_stay_exact_and_many_stay_within_one_percent() {
        let mut few = Distribution::default();
        few.add(3.0, 2.0);
        few.add(1.5, 1.0);
        assert_eq!(few, Distribution::Exact(vec![(1.5, 1.0), (3.0, 2.0)]));

        let mut many = Distribution::default();
        (0..1000).for_each(|i| many.add(f64::from(i) * 3.7, 1.0));
        let mut points = Vec::new();
        assert!(many.pour(&mut points));
        assert!(matches!(many, Distribution::Buckets(_)));
        assert_eq!(points.iter().map(|p| p.1).sum::<f64>(), 1000.0);
        assert_eq!(points[0], (0.0, 1.0));
        let middle = points
            .iter()
            .scan(0.0, |sum, p| {
                Some((*sum, {
                    *sum += p.1;
                    p.0
                }))
            })
            .find(|p| p.0 > 500.0)
            .unwrap();
        assert!((middle.1 / (500.0 * 3.7) - 1.0).abs() < 0.03, "{middle:?}");
    }

    #[test]
    fn a_negative_value_makes_the_spread_unknown() {
        let mut spread = Distribution::default();
        spread.add(-1.0, 1.0);
        spread.add(5.0, 1.0);
        assert_eq!(spread, Distribution::Unknown);
        assert!(!spread.pour(&mut Vec::new()));
    }
}

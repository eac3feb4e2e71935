//! The one place where SDK clients are made, from settings and a seam: transport, clock and sleep are passed in.

use crate::aws::errors::{Place, one_line};
use crate::aws::lease_tables::LeaseTables;
use crate::aws::meter::Meter;
use crate::aws::operations::{OPERATIONS, Operation, index};
use crate::aws::pace::Lane;
use aws_config::imds;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::profile::ProfileSet;
use aws_config::provider_config::ProviderConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_types::os_shim_internal::{Env, Fs};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

/// What a person chose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `--profile`; else AWS_PROFILE, else `default`.
    pub profile: Option<String>,
    /// `--region`; else AWS_REGION, AWS_DEFAULT_REGION, the profile, the instance's own.
    pub region: Option<String>,
    /// `--endpoint-url`: every service is asked there.
    pub endpoint_url: Option<String>,
}

/// The world as the clients see it. Everything that differs between AWS and the embedded engine is in here.
#[derive(Clone, Debug)]
pub struct Seam {
    pub http_client: SharedHttpClient,
    pub time_source: SharedTimeSource,
    pub sleep_impl: SharedAsyncSleep,
    /// Credentials to use instead of the standard chain. With them, neither files nor the environment are read.
    pub static_credentials: Option<Credentials>,
    /// Retries wait without chance, so that runs can be repeated exactly.
    pub jitterless: bool,
    /// How fast its time passes: 1 for AWS. Time-outs bound how long a person waits, and a person waits in real time.
    pub speed: f64,
}

impl Seam {
    /// The SDK's own HTTPS client, the system's clock, the standard credential chain.
    pub fn live() -> Self {
        let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
        Self {
            http_client: aws_smithy_http_client::Builder::new().tls_provider(provider).build_https(),
            time_source: SharedTimeSource::new(SystemTimeSource::new()),
            sleep_impl: SharedAsyncSleep::new(TokioSleep::new()),
            static_credentials: None,
            jitterless: false,
            speed: 1.0,
        }
    }
}

/// Why there can be no clients, with the cure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    #[error("No region: pass --region, set AWS_REGION, or put `region` in the profile `{profile}` of ~/.aws/config.")]
    NoRegion { profile: String },
    #[error("No profile `{name}` in {files}. {known} Choose one with --profile.")]
    NoProfile { name: String, files: String, known: String },
    #[error("The AWS profile files cannot be read: {why}. Correct them, or point AWS_CONFIG_FILE elsewhere.")]
    BadProfileFile { why: String },
    #[error("`{url}` is no endpoint URL: write it like http://127.0.0.1:4566.")]
    BadEndpoint { url: String },
}

/// Waiting for a connection; a call with its retries; one try.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(20);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
const ATTEMPTS_MAX: u32 = 3;
/// The region of the embedded engine's clients where none is chosen.
const STATIC_REGION: &str = "us-east-1";

/// The configuration of all clients. Live, this reads AWS's files and environment (and, where nothing else names a
/// region, asks the instance metadata service for at most a second); with static credentials it reads nothing.
pub async fn sdk_config(settings: &Settings, seam: Seam) -> Result<SdkConfig, SetupError> {
    if let Some(url) = &settings.endpoint_url {
        check_endpoint(url)?;
    }
    match seam.static_credentials.clone() {
        Some(credentials) => Ok(closed_config(settings, seam, credentials)),
        None => live_config(settings, seam).await,
    }
}

fn check_endpoint(url: &str) -> Result<(), SetupError> {
    let parsed: Option<http::Uri> = url.parse().ok();
    let good = parsed.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    });
    if good { Ok(()) } else { Err(SetupError::BadEndpoint { url: one_line(url) }) }
}

fn retry_config(jitterless: bool) -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX).with_use_static_exponential_base(jitterless)
}

fn timeout_config(speed: f64) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(at_speed(CONNECT_TIMEOUT, speed))
        .operation_attempt_timeout(at_speed(ATTEMPT_TIMEOUT, speed))
        .operation_timeout(at_speed(OPERATION_TIMEOUT, speed))
        .build()
}

/// So much real time, in a time that passes faster. A slower one changes nothing.
fn at_speed(real: Duration, speed: f64) -> Duration {
    real.mul_f64(speed.max(1.0))
}

/// The account is not shown before IAM has told its name or failed to; from within many private networks IAM is never
/// reached.
fn impatient(sdk: &SdkConfig) -> TimeoutConfig {
    let usual = sdk.timeout_config().cloned().unwrap_or_else(|| timeout_config(1.0));
    let Some(patience) = usual.operation_timeout() else { return usual };
    usual.to_builder().operation_timeout(patience / 4).build()
}

/// A configuration that is a function of its arguments alone.
fn closed_config(settings: &Settings, seam: Seam, credentials: Credentials) -> SdkConfig {
    let region = settings.region.clone().unwrap_or_else(|| STATIC_REGION.to_owned());
    let timeouts = timeout_config(seam.speed);
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(seam.http_client)
        .time_source(seam.time_source)
        .sleep_impl(seam.sleep_impl)
        .retry_config(retry_config(seam.jitterless))
        .timeout_config(timeouts)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    builder.set_endpoint_url(settings.endpoint_url.clone());
    builder.set_app_name(AppName::new("midwatch").ok());
    builder.build()
}

async fn live_config(settings: &Settings, seam: Seam) -> Result<SdkConfig, SetupError> {
    let env = Env::real();
    let profiles = profiles(&env, &Fs::real(), settings.profile.as_deref()).await?;
    let region = match chosen_region(settings, &env, &profiles) {
        Some(region) => region,
        None => instance_region(settings, &env, &seam)
            .await
            .ok_or_else(|| SetupError::NoRegion { profile: one_line(profiles.selected_profile()) })?,
    };
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region))
        .http_client(seam.http_client)
        .time_source(seam.time_source)
        .sleep_impl(seam.sleep_impl)
        .retry_config(retry_config(seam.jitterless))
        .timeout_config(timeout_config(1.0))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Ok(name) = AppName::new("midwatch") {
        loader = loader.app_name(name);
    }
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = &settings.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    Ok(loader.load().await)
}

/// Reads the profile files. A profile that was named, by flag or AWS_PROFILE, must be in them.
async fn profiles(env: &Env, fs: &Fs, chosen: Option<&str>) -> Result<ProfileSet, SetupError> {
    let named = chosen.map(str::to_owned).or_else(|| env.get("AWS_PROFILE").ok().filter(|name| !name.is_empty()));
    let set = aws_config::profile::load(fs, env, &Default::default(), named.clone().map(Cow::Owned))
        .await
        .map_err(|error| SetupError::BadProfileFile { why: one_line(&deepest(&error)) })?;
    match named {
        Some(name) if set.get_profile(&name).is_none() => {
            let mut known: Vec<&str> = set.profiles().collect();
            known.sort_unstable();
            let known = match known.as_slice() {
                [] => "There are no profiles at all: run `aws configure`.".to_owned(),
                known => format!("There are: {}.", known.join(", ")),
            };
            Err(SetupError::NoProfile { name: one_line(&name), files: profile_files(env), known: one_line(&known) })
        }
        _ => Ok(set),
    }
}

/// Where AWS's files lie, for sentences.
fn profile_files(env: &Env) -> String {
    let named = |variable, usual: &str| env.get(variable).ok().map_or(usual.to_owned(), |path| one_line(&path));
    let config = named("AWS_CONFIG_FILE", "~/.aws/config");
    format!("{config} or {}", named("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"))
}

/// The profiles of AWS's config and credentials files, in order; none where they cannot be read.
pub async fn profile_names() -> Vec<String> {
    let set = aws_config::profile::load(&Fs::real(), &Env::real(), &Default::default(), None).await;
    let mut names: Vec<String> = set.iter().flat_map(ProfileSet::profiles).map(one_line).collect();
    names.sort();
    names.dedup();
    names
}

fn deepest(error: &dyn std::error::Error) -> String {
    let mut link = error;
    while let Some(source) = link.source() {
        link = source;
    }
    link.to_string().trim_end_matches('.').to_owned()
}

fn chosen_region(settings: &Settings, env: &Env, profiles: &ProfileSet) -> Option<String> {
    let from_env = |name| env.get(name).ok();
    settings
        .region
        .clone()
        .or_else(|| from_env("AWS_REGION"))
        .or_else(|| from_env("AWS_DEFAULT_REGION"))
        .or_else(|| profiles.get("region").map(str::to_owned))
        .filter(|region| !region.is_empty())
}

/// The region of the EC2 instance that this runs on. Not asked where the answer could not matter: with another
/// endpoint, or with credentials from the environment.
async fn instance_region(settings: &Settings, env: &Env, seam: &Seam) -> Option<String> {
    if settings.endpoint_url.is_some() || env.get("AWS_ACCESS_KEY_ID").is_ok() {
        return None;
    }
    let config = ProviderConfig::without_region()
        .with_http_client(seam.http_client.clone())
        .with_sleep_impl(seam.sleep_impl.clone())
        .with_time_source(seam.time_source.clone());
    let client = imds::Client::builder()
        .configure(&config)
        .max_attempts(1)
        .connect_timeout(Duration::from_millis(300))
        .operation_timeout(Duration::from_secs(1))
        .build();
    let region = ImdsRegionProvider::builder().imds_client(client).build().region().await?;
    Some(region.as_ref().to_owned())
}

// A poll remembers what it called in one word.
const _: () = assert!(OPERATIONS.len() <= 64);

/// One client a service, and what all of them share.
#[derive(Clone, Debug)]
pub struct Clients {
    pub(super) dynamodb: aws_sdk_dynamodb::Client,
    pub(super) firehose: aws_sdk_firehose::Client,
    pub(super) kinesis: aws_sdk_kinesis::Client,
    pub(super) sns: aws_sdk_sns::Client,
    pub(super) sqs: aws_sdk_sqs::Client,
    pub(super) swf: aws_sdk_swf::Client,
    pub(super) lambda: aws_sdk_lambda::Client,
    pub(super) cloudtrail: aws_sdk_cloudtrail::Client,
    pub(super) logs: aws_sdk_cloudwatchlogs::Client,
    pub(super) cloudwatch: aws_sdk_cloudwatch::Client,
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) iam: aws_sdk_iam::Client,
    pub(super) tagging: aws_sdk_resourcegroupstagging::Client,
    meter: Meter,
    place: Place,
    lease_tables: LeaseTables,
    lane: Lane,
    /// A bit for each operation of the table that these very clients called: those of one poll.
    asked: Arc<AtomicU64>,
    time_source: SharedTimeSource,
    sleep_impl: SharedAsyncSleep,
}

impl Clients {
    pub fn new(sdk: &SdkConfig) -> Self {
        let meter = Meter::default();
        let region = sdk.region().map_or_else(|| "an unknown region".to_owned(), ToString::to_string);
        Self {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(
                aws_sdk_dynamodb::config::Builder::from(sdk).interceptor(meter.clone()).build(),
            ),
            firehose: aws_sdk_firehose::Client::from_conf(
                aws_sdk_firehose::config::Builder::from(sdk).interceptor(meter.clone()).build(),
            ),
            kinesis: aws_sdk_kinesis::Client::from_conf(
                aws_sdk_kinesis::config::Builder::from(sdk).interceptor(meter.clone()).build(),
            ),
            sns: aws_sdk_sns::Client::from_conf(
                aws_sdk_sns::config::Builder::from(sdk).interceptor(meter.clone()).build(),
            ),
            swf: aws_sdk_swf::Client::from_conf(
                aws_sdk_swf::config::Builder::from(sdk).interceptor(meter.clone()).build(),
            ),
            sqs: aws_sdk_sqs::Client::from_conf(
                aws_sdk_sqs::config::Builder::from(sdk).interceptor(meter.clone()).build(),
            ),
            lambda: aws_sdk_lambda::Client::from_conf(
                aws_sdk_lambda::config::Builder::from(sdk).interceptor(meter.clone()).build(),
            ),
            cloudtrail: aws_sdk_cloudtrail::Client::from_conf(
                aws_sdk_cloudtrail::config::Builder::from(sdk).interceptor(meter.clone()).build(),
            ),
            logs: aws_sdk_cloudwatchlogs::Client::from_conf(
                aws_sdk_cloudwatchlogs::config::Builder::from(sdk).interceptor(meter.clone()).build(),
            ),
            cloudwatch: aws_sdk_cloudwatch::Client::from_conf(
                aws_sdk_cloudwatch::config::Builder::from(sdk).interceptor(meter.clone()).build(),
            ),
            sts: aws_sdk_sts::Client::from_conf(
                aws_sdk_sts::config::Builder::from(sdk).interceptor(meter.clone()).build(),
            ),
            iam: aws_sdk_iam::Client::from_conf(
                aws_sdk_iam::config::Builder::from(sdk)
                    .timeout_config(impatient(sdk))
                    .interceptor(meter.clone())
                    .build(),
            ),
            tagging: aws_sdk_resourcegroupstagging::Client::from_conf(
                aws_sdk_resourcegroupstagging::config::Builder::from(sdk).interceptor(meter.clone()).build(),
            ),
            meter,
            place: Place {
                endpoint_url: sdk.endpoint_url().map(str::to_owned),
                region,
                profile: None,
                in_config: None,
            },
            lease_tables: LeaseTables::default(),
            lane: Lane::Wide,
            asked: Arc::default(),
            time_source: sdk.time_source().unwrap_or_else(|| SharedTimeSource::new(SystemTimeSource::new())),
            sleep_impl: sdk.sleep_impl().unwrap_or_else(|| SharedAsyncSleep::new(TokioSleep::new())),
        }
    }

    /// Names the profile in the sentences about credentials, and the context of the config that says which it is.
    pub fn with_profile(mut self, profile: Option<String>, in_config: Option<String>) -> Self {
        (self.place.profile, self.place.in_config) = (profile, in_config);
        self
    }

    pub fn region(&self) -> &str {
        &self.place.region
    }

    pub(super) fn meter(&self) -> &Meter {
        &self.meter
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// The same clients for one poll of this lane.
    pub fn in_lane(&self, lane: Lane) -> Self {
        Self { lane, asked: Arc::default(), ..self.clone() }
    }

    /// The operations that this poll called.
    pub(super) fn asked(&self) -> impl Iterator<Item = &'static str> {
        let asked = self.asked.load(Ordering::Relaxed);
        OPERATIONS.iter().enumerate().filter(move |(index, _)| asked & (1 << index) != 0).map(|(_, known)| known.label)
    }

    /// What polls remember of DynamoDB's tables.
    pub(super) fn lease_tables(&self) -> &LeaseTables {
        &self.lease_tables
    }

    pub(super) fn lane(&self) -> Lane {
        self.lane
    }

    /// Waits until the operation may be called. To be awaited before every call that reads.
    pub(super) async fn turn(&self, operation: &Operation) {
        let now = self.time_source.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_us = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
        if let Some(index) = index(operation) {
            self.asked.fetch_or(1 << index, Ordering::Relaxed);
        }
        let wait = self.meter.pace().take(operation, self.lane, now_us);
        if !wait.is_zero() {
            self.sleep(wait).await;
        }
    }

    async fn sleep(&self, duration: Duration) {
        use aws_smithy_async::rt::sleep::AsyncSleep;
        self.sleep_impl.sleep(duration).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "[default]\noutput = json\n[profile ops]\nregion = eu-west-1\n";

    fn env(values: &[(&str, &str)]) -> Env {
        let mut all = vec![("HOME", "/home/me")];
        all.extend_from_slice(values);
        Env::from_slice(&all)
    }

    fn fs(config: &'static str) -> Fs {
        Fs::from_map([("/home/me/.aws/config".to_owned(), config.as_bytes().to_vec())].into())
    }

    #[tokio::test]
    async fn a_profile_that_is_named_must_exist() {
        let missing = profiles(&env(&[]), &fs(CONFIG), Some("opps")).await.unwrap_err();
        assert_eq!(
            missing.to_string(),
            "No profile `opps` in ~/.aws/config or ~/.aws/credentials. There are: default, ops. \
             Choose one with --profile."
        );
        assert!(profiles(&env(&[("AWS_PROFILE", "opps")]), &fs(CONFIG), None).await.is_err());
        assert!(profiles(&env(&[]), &fs(CONFIG), None).await.is_ok());
    }

    #[tokio::test]
    async fn the_region_comes_from_the_flag_then_the_environment_then_the_profile() {
        let region = async |flag: Option<&str>, values: &[(&str, &str)], profile: Option<&str>| {
            let env = env(values);
            let set = profiles(&env, &fs(CONFIG), profile).await.unwrap();
            let settings = Settings { region: flag.map(str::to_owned), ..Settings::default() };
            chosen_region(&settings, &env, &set)
        };
        let in_env = [("AWS_REGION", "us-west-2")];
        assert_eq!(region(Some("ap-south-1"), &in_env, Some("ops")).await.as_deref(), Some("ap-south-1"));
        assert_eq!(region(None, &in_env, Some("ops")).await.as_deref(), Some("us-west-2"));
        assert_eq!(region(None, &[], Some("ops")).await.as_deref(), Some("eu-west-1"));
        assert_eq!(region(None, &[], None).await, None);
    }

    #[test]
    fn endpoints_are_urls_with_a_host() {
        assert_eq!(check_endpoint("http://127.0.0.1:4566"), Ok(()));
        for bad in ["127.0.0.1:4566", "localhost", "ftp://x", "http://", ""] {
            assert!(check_endpoint(bad).is_err(), "{bad}");
        }
    }
}

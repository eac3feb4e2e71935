//! The SDK's requests, answered in process: an `HttpClient` whose only road leads to the engine. No sockets, no TLS.

use crate::sim::engine::{Answer, Handle};
use crate::sim::server::AnswerBody;
use crate::sim::wire::Request;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use std::fmt;

/// Carries every request of every SDK client to one engine.
#[derive(Clone)]
pub struct EngineConnector {
    engine: Handle,
}

impl EngineConnector {
    pub fn new(engine: Handle) -> Self {
        Self { engine }
    }
}

impl fmt::Debug for EngineConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EngineConnector")
    }
}

impl HttpClient for EngineConnector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for EngineConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let engine = self.engine.clone();
        HttpConnectorFuture::new(async move {
            let request = read(&request)?;
            match engine.call_with_latency(request).await {
                Some(answer) => write(answer),
                None => Err(ConnectorError::io("the connection was closed before a message completed".into())),
            }
        })
    }
}

fn read(request: &HttpRequest) -> Result<Request, ConnectorError> {
    let body = request.body().bytes().ok_or_else(|| ConnectorError::user("a streaming request body".into()))?;
    let uri = request.uri();
    let uri = uri.find("://").and_then(|scheme| uri[scheme + 3..].find('/').map(|path| &uri[scheme + 3 + path..]));
    let (path, query) = match uri.unwrap_or("/").split_once('?') {
        Some((path, query)) => (path, query),
        None => (uri.unwrap_or("/"), ""),
    };
    Ok(Request {
        method: request.method().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: request.headers().iter().map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
        body: Bytes::copy_from_slice(body),
    })
}

fn write(mut answer: Answer) -> Result<HttpResponse, ConnectorError> {
    let body = match answer.rest {
        None => SdkBody::from(std::mem::take(&mut answer.response.body)),
        Some(_) => SdkBody::from_body_1_x(AnswerBody::of(&mut answer)),
    };
    let response = answer.response;
    let status = StatusCode::try_from(response.status).map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut answer = HttpResponse::new(status, body);
    for (name, value) in response.headers {
        answer.headers_mut().append(name, value);
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;
    use crate::sim::clock::VirtualClock;
    use crate::sim::cx::Place;
    use crate::sim::engine;
    use crate::sim::world::World;
    use aws_sdk_cloudwatch::config::{BehaviorVersion, Credentials, Region};
    use aws_sdk_cloudwatch::types::MetricDatum;

    /// The real SDK client, its signing, its CBOR and its parsing, over the engine, in virtual time.
    #[tokio::test(start_paused = true)]
    async fn an_sdk_client_speaks_with_the_engine_in_process() {
        let start = Timestamp::parse_rfc3339("2026-11-27T17:58:00Z").unwrap();
        let clock = VirtualClock::start(start, 1.0);
        let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
        let engine = engine::start(World::new(1, start, place), clock);
        let config = aws_sdk_cloudwatch::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("demo", "demo", None, None, "demo"))
            .http_client(EngineConnector::new(engine))
            .time_source(clock)
            .sleep_impl(clock)
            .build();
        let client = aws_sdk_cloudwatch::Client::from_conf(config);
        let datum = MetricDatum::builder().metric_name("Bids").value(7.0).build();
        client.put_metric_data().namespace("Hotel").metric_data(datum).send().await.unwrap();
        let listed = client.list_metrics().namespace("Hotel").send().await.unwrap();
        assert_eq!(listed.metrics()[0].metric_name(), Some("Bids"));
    }
}

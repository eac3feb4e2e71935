//! Makes the POSTs that SNS sends to HTTP endpoints outside the engine. Only this machine's own addresses are reached,
//! and only over plain HTTP: a simulation tells nobody else anything.

use crate::sim::sns::{HttpPost, Outcome};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};

/// POSTs under way at once; further ones wait.
const AT_ONCE_MAX: usize = 64;
/// How long one may take; SNS gives up sooner by its own clock.
const TIME_MAX: Duration = Duration::from_secs(20);

/// How a POST ended, and whose it was.
#[derive(Debug)]
pub struct Posted {
    pub account: String,
    pub region: String,
    pub attempt: u64,
    pub tries: u32,
    pub outcome: Outcome,
}

/// Makes POSTs on the current runtime and reports each of them.
pub struct Poster {
    reports: mpsc::UnboundedSender<Posted>,
    room: Arc<Semaphore>,
}

impl Poster {
    pub fn new(reports: mpsc::UnboundedSender<Posted>) -> Self {
        Self { reports, room: Arc::new(Semaphore::new(AT_ONCE_MAX)) }
    }

    pub fn post(&self, account: &str, region: &str, post: HttpPost) {
        let (account, region, reports) = (account.to_owned(), region.to_owned(), self.reports.clone());
        let room = Arc::clone(&self.room);
        tokio::spawn(async move {
            let permit = room.acquire_owned().await;
            let (attempt, tries) = (post.attempt, post.tries);
            let status = tokio::time::timeout(TIME_MAX, send(post)).await.ok().flatten();
            drop(permit);
            let outcome = status.map_or(Outcome::ServerError, Outcome::of_status);
            // The engine may have ended meanwhile.
            let _ = reports.send(Posted { account, region, attempt, tries, outcome });
        });
    }
}

/// The answer's status; `None` when there is none.
async fn send(post: HttpPost) -> Option<u16> {
    let Target { address, host, path, user } = Target::of(&post.url)?;
    let stream = TcpStream::connect(address).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let connection = tokio::spawn(connection);
    let mut request = hyper::Request::post(path).header("host", host);
    if let Some(user) = user {
        request = request.header("authorization", format!("Basic {}", STANDARD.encode(user)));
    }
    for (name, value) in &post.headers {
        request = request.header(*name, value);
    }
    let answer = sender.send_request(request.body(Full::<Bytes>::new(post.body)).ok()?).await;
    connection.abort();
    answer.ok().map(|answer| answer.status().as_u16())
}

/// Where a URL on this machine leads.
struct Target {
    address: SocketAddr,
    host: String,
    path: String,
    /// Name and password, as basic authentication sends them.
    user: Option<Vec<u8>>,
}

impl Target {
    fn of(url: &str) -> Option<Self> {
        let uri: http::Uri = url.parse().ok()?;
        if uri.scheme_str() != Some("http") {
            return None;
        }
        let ip = match uri.host()?.trim_matches(['[', ']']) {
            "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
            other => other.parse().ok()?,
        };
        let address = SocketAddr::new(ip, uri.port_u16().unwrap_or(80));
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let authority = uri.authority()?.as_str();
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(percent_decode_str(user).collect()), host),
            None => (None, authority),
        };
        ip.is_loopback().then(|| Self { address, host: host.to_owned(), path, user })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_in_the_url_is_no_part_of_the_host() {
        let target = Target::of("http://alice:s%40cret@127.0.0.1:8080/hook").unwrap();
        assert_eq!((target.host.as_str(), target.user.as_deref()), ("127.0.0.1:8080", Some(&b"alice:s@cret"[..])));
        assert_eq!(Target::of("http://127.0.0.1:8080/hook").unwrap().user, None);
    }

    #[test]
    fn only_this_machine_is_reached() {
        let found = |url: &str| Target::of(url).map(|target| format!("{} {}", target.address, target.path));
        assert_eq!(found("http://127.0.0.1:8080/hook?x=1").as_deref(), Some("127.0.0.1:8080 /hook?x=1"));
        assert_eq!(found("http://localhost/").as_deref(), Some("127.0.0.1:80 /"));
        assert_eq!(found("http://[::1]:81/").as_deref(), Some("[::1]:81 /"));
        for foreign in
            ["http://example.com/", "http://10.0.0.1/", "https://127.0.0.1/", "http://169.254.169.254/latest"]
        {
            assert_eq!(found(foreign), None, "{foreign}");
        }
    }
}

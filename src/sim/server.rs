//! The loopback listener: HTTP/1.1 and HTTP/2 connections in, requests to the engine, answers out. Knows no service.

use crate::sim::engine::{Answer, Handle};
use crate::sim::watched::{Stream, gone};
use crate::sim::wire::{self, Request, Response};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

/// Of a body that is refused, this much is read and dropped, so that its sender is still there to read why.
const DRAINED_MAX: usize = 160 << 20;

/// Connections that are served at once; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 1024;

/// Requests that one HTTP/2 connection may have under way.
const STREAMS_MAX: u32 = 256;

/// How often the rest of a torn preface is looked for, five milliseconds apart.
const PREFACE_LOOKS: u32 = 200;

/// How long a client may take over its request's headers, and over its body.
const READ_TIME: Duration = Duration::from_secs(30);

/// How long answers that are under way may take once the listener is told to stop and nobody waits any longer.
const STOP_TIME: Duration = Duration::from_millis(250);

/// So long the engine may be busy before it answers those who wait.
const CLOSE_TIME: Duration = Duration::from_secs(1);

/// Serves connections until `shutdown` is done, then has all who wait answered, lets answers that are under way finish
/// and closes all, in less than two seconds.
/// Fails only where the listener itself does.
pub async fn serve(listener: TcpListener, engine: Handle, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (stop, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accept(&listener, &room) => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let (stream, permit) = accepted?;
        let (engine, stopping) = (engine.clone(), stopping.clone());
        connections.spawn(async move {
            converse(stream, engine, stopping).await;
            drop(permit);
        });
    }
    drop(listener);
    // Answers tell HTTP/1.1 clients then that the connection closes.
    let _ = stop.send(true);
    let _ = tokio::time::timeout(CLOSE_TIME, engine.close()).await;
    let finished = async { while connections.join_next().await.is_some() {} };
    // What is still running after that is aborted as the set is dropped.
    let _ = tokio::time::timeout(STOP_TIME, finished).await;
    Ok(())
}

/// The next connection, once there is room for it. A client that is gone before it was accepted is no error of ours,
/// and when the process is out of file descriptors the listener waits for some to be closed.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.map_err(io::Error::other)?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Ok((stream, permit)),
            Err(error) => match error.raw_os_error() {
                Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                _ if is_of_one_connection(&error) => {}
                _ => return Err(error),
            },
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// One connection, from its first request to its last. Whatever ends it (a client that speaks no HTTP, a reset)
/// concerns nobody else.
async fn converse(stream: TcpStream, engine: Handle, mut stopping: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let is_http2 = tokio::select! {
        is_http2 = opens_http2(&stream) => is_http2,
        _ = stopping.wait_for(|stop| *stop) => None,
    };
    let Some(is_http2) = is_http2 else { return };
    if is_http2 {
        let service = service_fn(move |request| {
            let engine = engine.clone();
            // A stream that its client gives up ends this future.
            async move { or_hang_up(respond(&engine, request, std::future::pending()).await) }
        });
        let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .keep_alive_interval(READ_TIME)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = stopping.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
        return;
    }
    let (stream, watched) = Stream::of(stream);
    let service = service_fn(move |request| {
        let (engine, watched) = (engine.clone(), Arc::clone(&watched));
        async move { or_hang_up(respond(&engine, request, gone(&watched)).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(READ_TIME)
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopping.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// Whether the client opens with HTTP/2's preface, as AWS's SDK for JavaScript does for Kinesis. Its first word is no
/// method of HTTP/1.1 (RFC 9113, section 3.4). Nothing is taken from the stream. `None`: it says nothing in time.
async fn opens_http2(stream: &TcpStream) -> Option<bool> {
    const PREFACE: &[u8] = b"PRI";
    let look = async {
        let mut first = [0; PREFACE.len()];
        for _ in 0..PREFACE_LOOKS {
            match stream.peek(&mut first).await {
                Ok(read @ 1..) if read < PREFACE.len() && PREFACE.starts_with(&first[..read]) => {
                    // The rest is on its way; a peek would return at once with what is there.
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                read => return read.is_ok() && first == PREFACE,
            }
        }
        false
    };
    tokio::time::timeout(READ_TIME, look).await.ok()
}

/// An error closes the connection, which is the answer to a request that has none.
fn or_hang_up(answer: Option<Answer>) -> io::Result<hyper::Response<AnswerBody>> {
    answer.map(as_http).ok_or_else(|| io::ErrorKind::ConnectionAborted.into())
}

/// `None` where the connection ends without an answer. A request that waits is given up when its client is `gone`.
async fn respond(engine: &Handle, request: hyper::Request<Incoming>, gone: impl Future<Output = ()>) -> Option<Answer> {
    let (parts, body) = request.into_parts();
    let headers = parts.headers.iter();
    let mut request = Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            // What HTTP/1.1 says in a header, HTTP/2 says in the URI.
            .chain(parts.uri.authority().map(|authority| ("host".to_owned(), authority.to_string())))
            .collect(),
        body: Bytes::new(),
    };
    let body_max = wire::body_max(&request);
    request.body = match tokio::time::timeout(READ_TIME, read_body(body, body_max)).await {
        Ok(Ok(Some(body))) => body,
        Ok(Ok(None)) => return Some(closing(wire::too_large(&request, body_max))),
        Ok(Err(_)) => return refusal(400, "IncompleteBody", "The request body is incomplete."),
        Err(_) => return refusal(408, "RequestTimeout", "The request body was not received in time."),
    };
    engine.call_unless(request, gone).await
}

/// The whole body; `None` when it is larger than so many bytes. Most come in one piece, which is not copied.
async fn read_body(mut body: Incoming, bytes_max: usize) -> Result<Option<Bytes>, hyper::Error> {
    let (mut first, mut joined, mut length) = (Bytes::new(), Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        length += data.len();
        if length > DRAINED_MAX {
            break;
        }
        if length > bytes_max {
            (first, joined) = (Bytes::new(), Vec::new());
        } else if length == data.len() {
            first = data;
        } else {
            if joined.is_empty() {
                joined.extend_from_slice(&first);
            }
            joined.extend_from_slice(&data);
        }
    }
    let whole = if joined.is_empty() { first } else { Bytes::from(joined) };
    Ok((length <= bytes_max).then_some(whole))
}

/// What is wrong with a request before any service has seen it.
fn refusal(status: u16, code: &str, message: &str) -> Option<Answer> {
    Some(closing(wire::refusal(status, code, message)))
}

/// The connection ends with the answer, because the rest of the body may not have been read.
fn closing(mut response: Response) -> Answer {
    response.headers.push(("connection".to_owned(), "close".to_owned()));
    response.into()
}

/// A header that HTTP cannot carry is left out rather than the answer.
fn as_http(mut answer: Answer) -> hyper::Response<AnswerBody> {
    let body = AnswerBody::of(&mut answer);
    let response = answer.response;
    let mut answer = hyper::Response::new(body);
    *answer.status_mut() =
        http::StatusCode::from_u16(response.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers {
        if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name), http::HeaderValue::try_from(value)) {
            answer.headers_mut().append(name, value);
        }
    }
    answer
}

/// An answer's body on its way to a client: all of it at once, or an event stream's pieces as they come.
pub struct AnswerBody {
    first: Option<Bytes>,
    /// `None` for a body that is complete with its first bytes.
    rest: Option<mpsc::Receiver<Bytes>>,
}

impl AnswerBody {
    pub fn of(answer: &mut Answer) -> Self {
        let first = std::mem::take(&mut answer.response.body);
        Self { first: Some(first).filter(|bytes| !bytes.is_empty()), rest: answer.rest.take() }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        Poll::Ready(ready!(rest.poll_recv(cx)).map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let first = self.first.as_ref().map_or(0, |bytes| bytes.len() as u64);
        if self.rest.is_none() {
            return SizeHint::with_exact(first);
        }
        let mut at_least = SizeHint::new();
        at_least.set_lower(first);
        at_least
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;
    use crate::sim::clock::VirtualClock;
    use crate::sim::cx::Place;
    use crate::sim::engine;
    use crate::sim::world::World;
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    struct Listening {
        address: SocketAddr,
        stop: oneshot::Sender<()>,
        served: JoinHandle<io::Result<()>>,
    }

    async fn listen() -> Listening {
        let start = Timestamp::parse_rfc3339("2026-11-27T18:00:00Z").unwrap();
        let place = Place { account: "123456789012".into(), region: "eu-west-1".into(), limits: true };
        let engine = engine::start(World::new(1, start, place), VirtualClock::start(start, 1.0));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(serve(listener, engine, async { drop(stopped.await) }));
        Listening { address, stop, served }
    }

    /// Sends bytes, closes that direction, and reads all that comes back.
    async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The server may well hang up before it has read everything.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn whoami() -> String {
        let form = "Action=GetCallerIdentity&Version=2011-06-15";
        let length = form.len();
        let kind = "application/x-www-form-urlencoded";
        format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{form}")
    }

    #[tokio::test]
    async fn garbage_harms_nobody_else() {
        let listening = listen().await;
        let garbage: [&[u8]; 6] = [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
            b"\0\0\0\0",
            b"GET\r\n\r\n",
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: banana\r\n\r\n",
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc",
            b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        ];
        for bytes in garbage {
            let answer = exchange(listening.address, bytes).await;
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{bytes:?}: {answer}");
        }
        let answer = exchange(listening.address, whoami().as_bytes()).await;
        assert!(answer.contains("<Account>123456789012</Account>"), "{answer}");
    }

    #[tokio::test]
    async fn one_connection_carries_many_requests() {
        let listening = listen().await;
        let answer = exchange(listening.address, whoami().repeat(3).as_bytes()).await;
        assert_eq!(answer.matches("HTTP/1.1 200").count(), 3, "{answer}");
    }

    #[tokio::test]
    async fn a_client_that_opens_http2_is_answered_in_frames() {
        let listening = listen().await;
        let mut stream = TcpStream::connect(listening.address).await.unwrap();
        // The preface in two pieces, then an empty SETTINGS frame.
        stream.write_all(b"PR").await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        stream.write_all(b"I * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        let mut frame = [0; 9];
        stream.read_exact(&mut frame).await.unwrap();
        assert_eq!(frame[3], 4, "the server's SETTINGS come first: {frame:?}");
        let answer = exchange(listening.address, b"PROPFIND / HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
        assert_eq!(exchange(listening.address, b"PR").await, "");
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_gets_an_error_and_not_a_reset() {
        let listening = listen().await;
        let sent = |path: &'static str, bytes: usize| async move {
            let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {bytes}\r\n\r\n");
            let mut stream = TcpStream::connect(listening.address).await.unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(&vec![b'a'; bytes]).await.unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            String::from_utf8_lossy(&answer).into_owned()
        };
        let answer = sent("/", (16 << 20) + 1).await;
        assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("RequestEntityTooLarge"), "{answer}");
        let answer = sent("/2015-03-31/functions", 70_167_212).await;
        let said = "Request must be smaller than 70167211 bytes for the CreateFunction operation";
        assert!(answer.starts_with("HTTP/1.1 413") && answer.contains(said), "{answer}");
    }

    #[tokio::test]
    async fn stops_with_a_connection_open_and_frees_the_port() {
        let listening = listen().await;
        let _idle = TcpStream::connect(listening.address).await.unwrap();
        assert!(exchange(listening.address, whoami().as_bytes()).await.contains("HTTP/1.1 200"));
        listening.stop.send(()).unwrap();
        let served = tokio::time::timeout(Duration::from_secs(5), listening.served).await;
        served.unwrap().unwrap().unwrap();
        TcpListener::bind(listening.address).await.unwrap();
    }

    /// The head, or the body, of a request comes too slowly. Time is the runtime's, and passes as soon as all wait.
    #[tokio::test(start_paused = true)]
    async fn a_client_that_never_finishes_is_hung_up_on_and_told_why_where_it_can_be() {
        let listening = listen().await;
        let dribble = |bytes: &'static [u8]| async move {
            let mut stream = TcpStream::connect(listening.address).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        };
        assert_eq!(dribble(b"").await, "", "it says nothing at all");
        assert_eq!(dribble(b"P").await, "", "it may yet say what it speaks");
        assert_eq!(dribble(b"POST / HTTP/1.1\r\nhost: x\r\nx-slow: ").await, "");
        let answer = dribble(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc").await;
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("RequestTimeout"), "{answer}");
    }
}

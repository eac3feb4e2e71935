//! A connection's stream, in the hands of one that speaks HTTP over it and of those that watch whether its client is still
//! there: while a request waits, nobody else reads.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// How often a client that has sent more than was read is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// The stream as the HTTP connection has it.
pub struct Stream {
    read: OwnedReadHalf,
    write: Arc<OwnedWriteHalf>,
}

/// The stream as those have it who watch its client.
pub type Watched = OwnedWriteHalf;

impl Stream {
    pub fn of(stream: TcpStream) -> (Self, Arc<Watched>) {
        let (read, write) = stream.into_split();
        let write = Arc::new(write);
        (Self { read, write: Arc::clone(&write) }, write)
    }

    fn stream(&self) -> &TcpStream {
        self.write.as_ref().as_ref()
    }
}

/// Is done when the client has closed its side, whatever it sent before.
pub async fn gone(watched: &Watched) {
    let stream: &TcpStream = watched.as_ref();
    loop {
        let Ok(1..) = stream.peek(&mut [0]).await else { return };
        // A further request is there, which nobody reads as long as this one waits.
        match stream.ready(Interest::READABLE).await {
            Ok(ready) if !ready.is_read_closed() => tokio::time::sleep(LOOK).await,
            _ => return,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.read).poll_read(cx, into)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream().poll_write_ready(cx))?;
            match self.stream().try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream().poll_write_ready(cx))?;
            match self.stream().try_write_vectored(pieces) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// The stream is closed when the connection is dropped, which comes next.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

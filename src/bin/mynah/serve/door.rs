//! Accepts connections, so many at a time, and ends those that hold a place for nothing: without a request, after its
//! answer, or without reading the answer.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, Request, connect_info::Connected},
    http::{HeaderValue, StatusCode, header::CONNECTION},
    middleware::Next,
    response::Response,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep},
};

use super::limits::Limits;

/// Connections at the same time besides those of streams and files. With Wyoming's they are fewer than the 1,024 files
/// that a process may open by default.
const OTHER_CONNECTIONS: usize = 512;

/// A listener for [`axum::serve`].
pub struct Door {
    listener: TcpListener,
    places: Arc<Semaphore>,
    most_connections: usize,
    patience: Duration,
}

/// A connection.
pub struct Guest {
    socket: TcpStream,
    visit: Visit,
    patience: Duration,
    /// Until the request, and then until the client reads.
    deadline: Pin<Box<Sleep>>,
    /// Whether the client reads nothing.
    is_stalled: bool,
    _place: OwnedSemaphorePermit,
}

/// Whether a connection has sent a request.
#[derive(Clone, Debug, Default)]
pub struct Visit(Arc<AtomicBool>);

impl Door {
    /// A connection may be idle for as long as the limits say.
    pub fn new(listener: TcpListener, limits: &Limits) -> Self {
        let most_connections = limits.streams + limits.uploads + OTHER_CONNECTIONS;
        let places = Arc::new(Semaphore::new(most_connections));
        Self { listener, places, most_connections, patience: limits.idle }
    }
}

impl Listener for Door {
    type Io = Guest;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Guest, SocketAddr) {
        loop {
            let (socket, address) = Listener::accept(&mut self.listener).await;
            // Answers are short and awaited.
            if let Err(error) = socket.set_nodelay(true) {
                log::debug!("{address}: {error}");
            }
            match Arc::clone(&self.places).try_acquire_owned() {
                Ok(place) => {
                    return (Guest::new(socket, self.patience, place), address);
                }
                Err(_) => {
                    let most = self.most_connections;
                    log::warn!("{address}: refused; there are {most} connections");
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Guest {
    fn new(socket: TcpStream, patience: Duration, place: OwnedSemaphorePermit) -> Self {
        let deadline = Box::pin(sleep(patience));
        let visit = Visit::default();
        Self { socket, visit, patience, deadline, is_stalled: false, _place: place }
    }

    /// Gives up a client that has read nothing for too long.
    fn check_written<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.is_stalled = false;
            return written;
        }
        if !std::mem::replace(&mut self.is_stalled, true) {
            self.deadline.as_mut().reset(Instant::now() + self.patience);
        }
        self.deadline.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Connected<IncomingStream<'_, Door>> for Visit {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().visit.clone()
    }
}

/// Notes that a connection has sent a request, and ends it after the answer unless it becomes a WebSocket.
pub async fn greet(visit: ConnectInfo<Visit>, request: Request, next: Next) -> Response {
    visit.0.0.store(true, Ordering::Relaxed);
    let mut response = next.run(request).await;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

impl AsyncRead for Guest {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let is_late = !self.visit.0.load(Ordering::Relaxed)
            && self.deadline.as_mut().poll(context).is_ready();
        if is_late {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl AsyncWrite for Guest {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.check_written(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, slices);
        self.check_written(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

//! Accepts connections, so many at a time, and ends those that send no request.

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
    middleware::Next,
    response::Response,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Sleep, sleep},
};

/// Connections at the same time, those of streams included.
const MOST_CONNECTIONS: usize = 1_024;

/// A listener for [`axum::serve`].
pub struct Door {
    listener: TcpListener,
    places: Arc<Semaphore>,
    patience: Duration,
}

/// A connection.
pub struct Guest {
    socket: TcpStream,
    visit: Visit,
    /// Until the first request.
    deadline: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

/// Whether a connection has sent a request.
#[derive(Clone, Debug, Default)]
pub struct Visit(Arc<AtomicBool>);

impl Door {
    /// `patience` is how long a connection may take for its first request.
    pub fn new(listener: TcpListener, patience: Duration) -> Self {
        Self { listener, places: Arc::new(Semaphore::new(MOST_CONNECTIONS)), patience }
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
                    let deadline = Box::pin(sleep(self.patience));
                    let guest = Guest { socket, visit: Visit::default(), deadline, _place: place };
                    return (guest, address);
                }
                Err(_) => {
                    log::warn!("{address}: refused; there are {MOST_CONNECTIONS} connections")
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, Door>> for Visit {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().visit.clone()
    }
}

/// Notes that a connection has sent a request.
pub async fn greet(visit: ConnectInfo<Visit>, request: Request, next: Next) -> Response {
    visit.0.0.store(true, Ordering::Relaxed);
    next.run(request).await
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
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(context, slices)
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

//! Connections that can be cut: a listener whose streams stop writing when a fault says so.
//!
//! Owns [`CutListener`] and [`Scissors`]. Never decides when to cut. Start at [`Scissors::cut_after`].

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// What cuts one connection.
#[derive(Debug, Clone)]
pub struct Scissors(Arc<AtomicU64>);

impl Scissors {
    /// Lets so many more bytes out (headers count) and then breaks the connection.
    pub fn cut_after(&self, bytes: u64) {
        self.0.store(bytes, Ordering::SeqCst);
    }
}

impl Connected<IncomingStream<'_, CutListener>> for Scissors {
    fn connect_info(stream: IncomingStream<'_, CutListener>) -> Self {
        stream.io().scissors.clone()
    }
}

/// A listener on loopback.
#[derive(Debug)]
pub struct CutListener(pub TcpListener);

impl Listener for CutListener {
    type Io = CutStream;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (CutStream, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        (CutStream { stream, scissors: Scissors(Arc::new(AtomicU64::new(u64::MAX))) }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// A connection.
#[derive(Debug)]
pub struct CutStream {
    stream: TcpStream,
    scissors: Scissors,
}

impl AsyncRead for CutStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for CutStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let left = self.scissors.0.load(Ordering::SeqCst);
        if left == u64::MAX {
            return Pin::new(&mut self.stream).poll_write(context, bytes);
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        if most == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let wrote = Pin::new(&mut self.stream).poll_write(context, &bytes[..most]);
        if let Poll::Ready(Ok(count)) = wrote {
            self.scissors.cut_after(left.saturating_sub(count as u64));
        }
        wrote
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

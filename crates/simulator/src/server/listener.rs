//! The thread that accepts connections.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_rustls::TlsAcceptor;
use tokio_util::either::Either;

use super::Settings;
use super::connection::Connection;
use super::state::ServerState;

/// The most open connections; more wait in the backlog.
const CONNECTIONS: usize = 10_000;

/// The most connections that wait for an accept. A load test opens hundreds at once.
const BACKLOG: u32 = 1024;

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The pause after a failed accept, for example without free file descriptors, to avoid a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Starts the thread and waits until it listens or fails.
pub(super) fn spawn(
    settings: Settings,
    state: Arc<ServerState>,
    stopped: oneshot::Receiver<()>,
) -> io::Result<(SocketAddr, JoinHandle<()>)> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (ready, bound) = mpsc::sync_channel(1);
    let thread = std::thread::Builder::new()
        .name("simulator".to_owned())
        .spawn(move || {
            runtime.block_on(async move {
                match listen(settings.listen) {
                    Ok((listener, address)) => {
                        let acceptor = settings.tls.map(TlsAcceptor::from);
                        // The receiver waits for this message, so sending succeeds.
                        let _ = ready.send(Ok(address));
                        tokio::select! {
                            () = accept(listener, acceptor, state) => {}
                            _ = stopped => {}
                        }
                    }
                    Err(error) => {
                        let _ = ready.send(Err(error));
                    }
                }
            });
        })?;
    let address = bound
        .recv()
        .unwrap_or_else(|_| Err(io::Error::other("the thread has ended")))?;
    Ok((address, thread))
}

fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restarted party can use its port while old connections are in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, state: Arc<ServerState>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let mut number = 0;
    // The semaphore is never closed.
    while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                number += 1;
                let task = serve(stream, acceptor.clone(), Arc::clone(&state), number, slot);
                tokio::spawn(task);
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Serves one connection. Errors end the connection and are not reported.
async fn serve(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    state: Arc<ServerState>,
    number: u64,
    _slot: OwnedSemaphorePermit,
) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let stream = match acceptor {
        None => Either::Left(stream),
        Some(acceptor) => {
            match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => Either::Right(Box::new(stream)),
                Ok(Err(_)) | Err(_) => return,
            }
        }
    };
    Connection::new(stream, state, number).serve().await;
}

//! A line to a server that carries only so much: every connection has its own share of it.

use std::net::SocketAddr;
use std::time::Duration;

use ledger::redis::Node;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Bytes that are passed on in one go.
const PIECE: usize = 16 * 1024;

/// A slow line; cut when dropped.
pub struct Line {
    address: SocketAddr,
    listener: JoinHandle<()>,
}

impl Line {
    /// To a server, with so many bytes a second in each direction of each connection.
    pub async fn to(server: Node, bytes_per_second: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let listener = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect((server.host.as_str(), server.port)).await;
                // Where the server is gone, so is the connection.
                let Ok(far) = far else { continue };
                let (near_read, near_write) = near.into_split();
                let (far_read, far_write) = far.into_split();
                tokio::spawn(carry(near_read, far_write, bytes_per_second));
                tokio::spawn(carry(far_read, near_write, bytes_per_second));
            }
        });
        Self { address, listener }
    }

    pub fn node(&self) -> Node {
        Node::new("127.0.0.1", self.address.port())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn carry(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    bytes_per_second: u32,
) {
    let mut piece = vec![0; PIECE];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        let share = u32::try_from(read).unwrap();
        if to.write_all(&piece[..read]).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1) * share / bytes_per_second).await;
    }
}

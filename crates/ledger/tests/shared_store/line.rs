//! A proxy with limited bandwidth per connection.

use std::net::SocketAddr;
use std::time::Duration;

use ledger::redis::Node;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The number of bytes that are forwarded at once.
const PIECE: usize = 16 * 1024;

/// A slow proxy; stopped when dropped.
pub struct Line {
    address: SocketAddr,
    listener: JoinHandle<()>,
}

impl Line {
    /// Starts a proxy to a server with this bandwidth in each direction of each connection.
    pub async fn to(server: Node, bytes_per_second: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let listener = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect((server.host.as_str(), server.port)).await;
                // Without a server the connection is closed.
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

//! A server at a distance that closes idle connections, as real servers do: without a word, or other than it says.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::message::Message;
use crate::upstream::{OK, serve};

/// When and how a server ends an idle connection.
#[derive(Clone, Copy, Debug)]
pub struct IdleEnd {
    /// The time from an answer to the end.
    pub after: Duration,
    /// For how long before the end requests are read no more, as some servers were seen to do.
    pub deaf_for: Duration,
    /// The seconds in `Keep-Alive: timeout=…`.
    pub announced: Option<u32>,
}

/// A server that answers `OK` to every request. The time that bytes take on their way is a part of it: what a caller
/// sends arrives that much later, and the caller sees answers and ends that much later. So a request that is sent before
/// the end of its connection is seen can be lost, as on a real network.
#[derive(Debug)]
pub struct DistantServer {
    address: SocketAddr,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    connections: AtomicUsize,
    answered: AtomicUsize,
    lost: AtomicUsize,
}

impl DistantServer {
    /// Starts a server to which `round_trip` is the time there and back.
    pub fn start(idle_end: IdleEnd, round_trip: Duration) -> Self {
        let counts = Arc::new(Counts::default());
        let address = serve({
            let counts = Arc::clone(&counts);
            move |mut stream| counts.serve(&mut stream, idle_end, round_trip / 2)
        });
        Self { address, counts }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }

    pub fn answered(&self) -> usize {
        self.counts.answered.load(Ordering::SeqCst)
    }

    /// Returns how many requests came to a connection that the server had ended.
    pub fn lost(&self) -> usize {
        self.counts.lost.load(Ordering::SeqCst)
    }
}

impl Counts {
    fn serve(&self, stream: &mut TcpStream, idle_end: IdleEnd, one_way: Duration) {
        self.connections.fetch_add(1, Ordering::SeqCst);
        let keep_alive = idle_end
            .announced
            .map(|seconds| format!("Keep-Alive: timeout={seconds}\r\n"));
        let answer = format!(
            "HTTP/1.1 200 OK\r\n{}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{OK}",
            keep_alive.unwrap_or_default(),
            OK.len()
        );
        let mut unread = Vec::new();
        let mut ends_at = None;
        // Until the caller sees the end.
        while Message::read(stream, &mut unread).is_ok() {
            let arrives_at = Instant::now() + one_way;
            if ends_at.is_some_and(|end| arrives_at + idle_end.deaf_for >= end) {
                self.lost.fetch_add(1, Ordering::SeqCst);
                return;
            }
            let answered_at = arrives_at + one_way;
            thread::sleep(answered_at.saturating_duration_since(Instant::now()));
            self.answered.fetch_add(1, Ordering::SeqCst);
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
            ends_at = Some(arrives_at + idle_end.after);
            let seen_in = idle_end.after.saturating_sub(one_way) + one_way;
            let seen_in = seen_in.max(Duration::from_millis(1));
            stream.set_read_timeout(Some(seen_in)).unwrap();
        }
    }
}

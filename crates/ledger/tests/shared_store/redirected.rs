//! Redirections to servers that nobody configured and no Cluster announced.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use ledger::redis::{OutOfReach, SharedStore};
use test_support::redis::{Cluster, Network};

use crate::cluster::{BILLERS, owner, topology};
use crate::store::{in_reach, never_in_reach, node, read, settings, standalone, write};

/// Somebody's server; counts who connects to it.
struct Stranger {
    port: u16,
    visitors: Arc<AtomicUsize>,
}

impl Stranger {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let visitors = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&visitors);
        thread::spawn(move || {
            for _ in listener.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { port, visitors }
    }

    fn visitors(&self) -> usize {
        self.visitors.load(Ordering::SeqCst)
    }
}

/// Stands before a Redis and answers every read of the ledger's with a redirection to `stranger`.
fn redirecting(server: u16, code: &'static str, stranger: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let upstream = std::net::TcpStream::connect(("127.0.0.1", server)).unwrap();
            let (mut from, mut to) = (upstream.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut from, &mut to));
            let (mut from, mut to) = (client, upstream);
            thread::spawn(move || {
                let mut bytes = [0; 4096];
                while let Ok(count @ 1..) = from.read(&mut bytes) {
                    let asked = bytes[..count].to_ascii_uppercase();
                    let is_read = asked.windows(4).any(|word| word == b"MGET");
                    let line = format!("-{code} 1 127.0.0.1:{stranger}\r\n");
                    let sent = if is_read {
                        from.write_all(line.as_bytes())
                    } else {
                        to.write_all(&bytes[..count])
                    };
                    if sent.is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn a_single_server_redirects_nobody() {
    let server = test_support::RedisServer::start();
    for code in ["MOVED", "ASK"] {
        let stranger = Stranger::start();
        let store = standalone(node(redirecting(server.port(), code, stranger.port)));
        in_reach(&store).await;
        let answer = read(&store, "B0001", "a").await;
        assert_eq!(answer, Err(OutOfReach::Refused), "{code}");
        assert_eq!(stranger.visitors(), 0, "{code}");
    }
}

#[tokio::test]
async fn a_cluster_redirects_to_its_own_servers_only() {
    let cluster = Cluster::start(Network::Direct);
    let biller = BILLERS[0];
    let other = &cluster.members[(owner(&cluster, biller) + 1) % 3];
    for (code, is_known) in [("MOVED", false), ("ASK", false), ("MOVED", true)] {
        let stranger = Stranger::start();
        let target = if is_known {
            other.port()
        } else {
            stranger.port
        };
        let mut topology = topology(&cluster);
        let at = owner(&cluster, biller);
        let liar = redirecting(cluster.members[at].port(), code, target);
        cluster.members[at].server.tell(&[
            "CONFIG",
            "SET",
            "cluster-announce-port",
            &liar.to_string(),
        ]);
        crate::store::await_until("the liar is announced", || {
            let announced = format!(":{liar}@");
            cluster.members.iter().all(|member| {
                member
                    .server
                    .ask_text(&["CLUSTER", "NODES"])
                    .contains(&announced)
            })
        });
        if let ledger::redis::Topology::Cluster { nodes } = &mut topology {
            nodes.truncate(1);
        }
        let store = SharedStore::start(settings(topology));
        in_reach(&store).await;
        assert!(read(&store, biller, "a").await.is_err(), "{code}");
        // The supervisor has looked at what was wanted by the time of its next round.
        for other in BILLERS {
            let _ = write(&store, other, "a", "1").await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
        assert_eq!(stranger.visitors(), 0, "{code}");
    }
}

#[tokio::test]
async fn a_server_that_is_no_redis_reaches_nothing() {
    let stranger = Stranger::start();
    never_in_reach(&standalone(node(stranger.port))).await;
}

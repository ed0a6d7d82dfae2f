//! From a host's name to its addresses.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long an answer of the resolver serves: a burst of new connections asks once, and an
/// origin that moved is found again within this time.
const FRESH_FOR: Duration = Duration::from_secs(1);

/// The most addresses that are kept of one name.
const ADDRESS_LIMIT: usize = 16;

/// The addresses of one origin. One look-up at a time: a resolver that hangs holds one thread of
/// the runtime's for the origin, not one for each call.
#[derive(Default)]
pub(super) struct Resolver {
    found: Mutex<Option<Found>>,
}

struct Found {
    at: Instant,
    addresses: Vec<SocketAddr>,
}

impl Resolver {
    /// The addresses of `host`, a name or an address, in the resolver's order; at least one.
    pub(super) async fn addresses(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let mut found = self.found.lock().await;
        if let Some(found) = found
            .as_ref()
            .filter(|found| found.at.elapsed() < FRESH_FOR)
        {
            return Ok(found.addresses.clone());
        }
        let addresses: Vec<_> = lookup_host((host, port))
            .await?
            .take(ADDRESS_LIMIT)
            .collect();
        if addresses.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "the name has no address",
            ));
        }
        *found = Some(Found {
            at: Instant::now(),
            addresses: addresses.clone(),
        });
        Ok(addresses)
    }
}

//! Looks up the addresses of a host.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long the addresses of a look-up are used. A burst of new connections needs one look-up, and a change of
/// address is noticed within this time.
const CACHE_TIME: Duration = Duration::from_secs(1);

/// Most addresses that are kept of one name.
const ADDRESSES_MAX: usize = 16;

/// The resolver of one origin. It does one look-up at a time, so that a resolver that hangs occupies one thread of
/// the runtime per origin and not one per call.
#[derive(Default)]
pub(super) struct Resolver {
    cached: Mutex<Option<CachedAddresses>>,
}

struct CachedAddresses {
    resolved_at: Instant,
    addresses: Vec<SocketAddr>,
}

impl Resolver {
    /// Returns the addresses of `host`, a name or an address, in the resolver's order; at least one.
    pub(super) async fn addresses(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let mut cached = self.cached.lock().await;
        if let Some(cached) = cached
            .as_ref()
            .filter(|cached| cached.resolved_at.elapsed() < CACHE_TIME)
        {
            return Ok(cached.addresses.clone());
        }
        let addresses: Vec<_> = lookup_host((host, port))
            .await?
            .take(ADDRESSES_MAX)
            .collect();
        if addresses.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "the host name has no address",
            ));
        }
        *cached = Some(CachedAddresses {
            resolved_at: Instant::now(),
            addresses: addresses.clone(),
        });
        Ok(addresses)
    }
}

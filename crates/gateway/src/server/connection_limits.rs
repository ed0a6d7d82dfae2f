//! The limits of open connections, in total and per source address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::trusted_proxies::{PresentProxies, TrustedProxies};

/// Counts and limits the open connections of all workers.
#[derive(Debug)]
pub(super) struct ConnectionLimits {
    connections_max: usize,
    per_address_max: usize,
    proxies: PresentProxies,
    open: Mutex<OpenConnections>,
    emptied: Notify,
    refused: AtomicU64,
}

/// The counts of open connections. `by_address` has no entries without open connections.
#[derive(Debug, Default)]
struct OpenConnections {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

impl ConnectionLimits {
    pub(super) fn new(
        connections_max: usize,
        per_address_max: usize,
        proxies: TrustedProxies,
    ) -> Self {
        Self {
            connections_max,
            per_address_max,
            proxies: PresentProxies::new(proxies),
            open: Mutex::default(),
            emptied: Notify::new(),
            refused: AtomicU64::new(0),
        }
    }

    /// Admits a connection; `None` if a limit is reached. An IPv4-mapped IPv6 address counts as the IPv4 address;
    /// all IPv6 addresses of a /64 network count as one.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<ConnectionPermit> {
        let proxies = self.proxies.get();
        let is_proxy = proxies.contain(address);
        let counted_address = (!is_proxy).then(|| address_or_network(address));
        let mut open = self.open();
        if open.total >= self.connections_max || !open.count(counted_address, self.per_address_max)
        {
            drop(open);
            self.count_refusal(address);
            return None;
        }
        open.total += 1;
        Some(ConnectionPermit {
            limits: Arc::clone(self),
            counted_address,
            has_proxy_header: is_proxy && proxies.proxy_protocol,
        })
    }

    /// Replaces the trusted proxies for later connections.
    pub(super) fn trust_proxies(&self, proxies: TrustedProxies) {
        self.proxies.replace(proxies);
    }

    /// The number of open connections.
    pub(super) fn open_connections(&self) -> usize {
        self.open().total
    }

    /// The number of connections since the start that were refused.
    pub(super) fn refused_connections(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Waits until no connection is open.
    pub(super) async fn until_empty(&self) {
        loop {
            let mut emptied = pin!(self.emptied.notified());
            emptied.as_mut().enable();
            if self.open_connections() == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// Counts a refusal. Only counts that are powers of two are logged, so that a flood of connections does not
    /// flood the log.
    fn count_refusal(&self, address: IpAddr) {
        let refused = self.refused.fetch_add(1, Ordering::Relaxed) + 1;
        if refused.is_power_of_two() {
            tracing::warn!(%address, refused, "too many connections: new ones are closed at once");
        }
    }

    fn open(&self) -> MutexGuard<'_, OpenConnections> {
        // The counts are correct after a panic elsewhere: no code that changes them can panic.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenConnections {
    /// Counts one more connection of this source, unless it has the most that it may have. `None` has no limit.
    fn count(&mut self, address: Option<IpAddr>, per_address_max: usize) -> bool {
        let Some(address) = address else {
            return true;
        };
        if self.by_address.get(&address).copied().unwrap_or(0) >= per_address_max {
            return false;
        }
        *self.by_address.entry(address).or_insert(0) += 1;
        true
    }
}

/// Returns the key under which a source is counted: an IPv4 address, or the /64 network of an IPv6 address. A host
/// usually has all addresses of a /64 and could otherwise open connections from a new one each time.
pub fn address_or_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [first, second, third, fourth, ..] = address.segments();
            Ipv6Addr::new(first, second, third, fourth, 0, 0, 0, 0).into()
        }
    }
}

/// A handle to a listener's connection counts that outlives the listener.
#[derive(Clone, Debug)]
pub struct ConnectionCounts(Arc<ConnectionLimits>);

impl ConnectionCounts {
    pub(super) fn of(limits: &Arc<ConnectionLimits>) -> Self {
        Self(Arc::clone(limits))
    }

    /// The number of open connections.
    pub fn open(&self) -> usize {
        self.0.open_connections()
    }

    /// The number of connections since the start that were closed at once because too many were open.
    pub fn refused(&self) -> u64 {
        self.0.refused_connections()
    }
}

/// An admitted connection, which is counted until this is dropped.
#[derive(Debug)]
pub(super) struct ConnectionPermit {
    limits: Arc<ConnectionLimits>,
    counted_address: Option<IpAddr>,
    has_proxy_header: bool,
}

impl ConnectionPermit {
    /// Whether the connection is a trusted proxy's that begins with a PROXY header.
    pub(super) fn has_proxy_header(&self) -> bool {
        self.has_proxy_header
    }

    /// Counts a proxy's connection for the client that its header names; `false` if that client has too many.
    pub(super) fn count_for(&mut self, client: IpAddr) -> bool {
        if self.limits.proxies.get().contain(client) {
            return true;
        }
        let address = Some(address_or_network(client));
        let is_counted = (self.limits.open()).count(address, self.limits.per_address_max);
        if is_counted {
            self.counted_address = address;
        } else {
            self.limits.count_refusal(client);
        }
        is_counted
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut open = self.limits.open();
        open.total = open.total.saturating_sub(1);
        if let Some(address) = self.counted_address
            && let Some(count) = open.by_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&address);
            }
        }
        if open.total == 0 {
            self.limits.emptied.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn limits() -> Arc<ConnectionLimits> {
        let proxies = TrustedProxies {
            networks: vec!["10.0.0.0/8".parse().unwrap()],
            proxy_protocol: true,
        };
        Arc::new(ConnectionLimits::new(4, 2, proxies))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_ipv4_address_and_its_mapped_ipv6_form_share_one_limit() {
        let limits = limits();
        let first = limits.admit(address("192.0.2.1")).unwrap();
        let second = limits.admit(address("::ffff:192.0.2.1")).unwrap();
        assert!(limits.admit(address("192.0.2.1")).is_none());
        assert!(limits.admit(address("192.0.2.2")).is_some());
        drop(first);
        assert!(limits.admit(address("192.0.2.1")).is_some());
        drop(second);
        assert_eq!(limits.refused_connections(), 1);
    }

    #[test]
    fn the_addresses_of_an_ipv6_network_share_one_limit() {
        let limits = limits();
        let first = limits.admit(address("2001:db8:0:1::1")).unwrap();
        let _second = limits.admit(address("2001:db8:0:1:ffff::2")).unwrap();
        assert!(limits.admit(address("2001:db8:0:1::3")).is_none());
        let _other_network = limits.admit(address("2001:db8:0:2::1")).unwrap();
        drop(first);
        assert!(limits.admit(address("2001:db8:0:1::3")).is_some());
    }

    #[test]
    fn mapped_ipv4_addresses_have_separate_limits() {
        let limits = limits();
        let held: Vec<_> = ["::ffff:192.0.2.1", "::ffff:192.0.2.2", "::ffff:192.0.2.3"]
            .map(|mapped| limits.admit(address(mapped)))
            .into();
        assert!(held.iter().all(Option::is_some));
    }

    #[test]
    fn trusted_proxies_count_towards_the_total_limit_only() {
        let limits = limits();
        let held: Vec<_> = (0..4)
            .map(|_| limits.admit(address("::ffff:10.1.2.3")).unwrap())
            .collect();
        assert!(limits.admit(address("10.1.2.3")).is_none());
        assert_eq!(limits.open_connections(), 4);
        drop(held);
        assert_eq!(limits.open_connections(), 0);
        assert!(limits.open().by_address.is_empty());
    }

    #[test]
    fn a_proxys_connection_counts_for_the_client_that_its_header_names() {
        let limits = limits();
        let via_proxy = |client: &str| {
            let mut permit = limits.admit(address("10.1.2.3")).unwrap();
            assert!(permit.has_proxy_header());
            permit.count_for(address(client)).then_some(permit)
        };
        let first = via_proxy("192.0.2.1");
        let direct = limits.admit(address("192.0.2.1")).unwrap();
        assert!(!direct.has_proxy_header());
        assert!(via_proxy("::ffff:192.0.2.1").is_none());
        assert_eq!(limits.open_connections(), 2);
        drop(first);
        assert!(via_proxy("192.0.2.1").is_some());
        assert!(via_proxy("10.9.9.9").is_some());
        drop(direct);
        assert_eq!(limits.open_connections(), 0);
        assert!(limits.open().by_address.is_empty());
    }

    #[test]
    fn other_proxies_are_trusted_from_the_next_connection_on() {
        let limits = limits();
        limits.trust_proxies(TrustedProxies::default());
        let permit = limits.admit(address("10.1.2.3")).unwrap();
        assert!(!permit.has_proxy_header());
        assert_eq!(limits.open().by_address.len(), 1);
    }
}

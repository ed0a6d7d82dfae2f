//! How many connections may be open at once, in all and per source address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use tokio::sync::Notify;

/// Counts the open connections of all workers.
#[derive(Debug)]
pub(super) struct ConnectionLimits {
    connections_max: usize,
    per_address_max: usize,
    trusted_proxies: Vec<IpNet>,
    open: Mutex<Open>,
    emptied: Notify,
    refused: AtomicU64,
}

/// Never more entries than open connections.
#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

impl ConnectionLimits {
    pub(super) fn new(
        connections_max: usize,
        per_address_max: usize,
        trusted_proxies: Vec<IpNet>,
    ) -> Self {
        Self {
            connections_max,
            per_address_max,
            trusted_proxies,
            open: Mutex::default(),
            emptied: Notify::new(),
            refused: AtomicU64::new(0),
        }
    }

    /// Lets a connection in, or not. An IPv4 address written as IPv6 is the same address; an IPv6 address is
    /// counted with its neighbours.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<ConnectionPermit> {
        let address = address.to_canonical();
        let is_proxy = self
            .trusted_proxies
            .iter()
            .any(|net| net.contains(&address));
        let counted = (!is_proxy).then(|| neighbourhood(address));
        let mut open = self.open();
        let is_full = open.total >= self.connections_max
            || counted.is_some_and(|address| {
                open.by_address.get(&address).copied().unwrap_or(0) >= self.per_address_max
            });
        if is_full {
            drop(open);
            self.note_refusal(address);
            return None;
        }
        open.total += 1;
        if let Some(address) = counted {
            *open.by_address.entry(address).or_insert(0) += 1;
        }
        Some(ConnectionPermit {
            limits: Arc::clone(self),
            counted,
        })
    }

    /// Connections that are open now.
    pub(super) fn open_connections(&self) -> usize {
        self.open().total
    }

    /// Connections that were closed at once, since the start.
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

    /// Told at powers of two, so that a flood of connections is no flood of lines.
    fn note_refusal(&self, address: IpAddr) {
        let refused = self.refused.fetch_add(1, Ordering::Relaxed) + 1;
        if refused.is_power_of_two() {
            tracing::warn!(%address, refused, "too many connections, closing the new ones at once");
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // Counts stay right after a panic: nothing between two changes of them can panic.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a source is counted as: an IPv4 address by itself, an IPv6 address by its /64. Whoever has one address
/// of a /64 has them all, and could fill the total with connections that each come from another.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [first, second, third, fourth, ..] = address.segments();
            Ipv6Addr::new(first, second, third, fourth, 0, 0, 0, 0).into()
        }
    }
}

/// A look at a listener's connections that outlives the listener.
#[derive(Clone, Debug)]
pub struct ConnectionCounts(Arc<ConnectionLimits>);

impl ConnectionCounts {
    pub(super) fn of(limits: &Arc<ConnectionLimits>) -> Self {
        Self(Arc::clone(limits))
    }

    /// Open now.
    pub fn open(&self) -> usize {
        self.0.open_connections()
    }

    /// Closed at once because too many were open, since the start.
    pub fn refused(&self) -> u64 {
        self.0.refused_connections()
    }
}

/// An open connection's place in the counts.
#[derive(Debug)]
pub(super) struct ConnectionPermit {
    limits: Arc<ConnectionLimits>,
    counted: Option<IpAddr>,
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut open = self.limits.open();
        open.total = open.total.saturating_sub(1);
        if let Some(address) = self.counted
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
        let proxies = vec!["10.0.0.0/8".parse().unwrap()];
        Arc::new(ConnectionLimits::new(4, 2, proxies))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_its_own_cap_however_it_is_written() {
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
    fn the_addresses_of_an_ipv6_network_share_one_cap() {
        let limits = limits();
        let first = limits.admit(address("2001:db8:0:1::1")).unwrap();
        let _second = limits.admit(address("2001:db8:0:1:ffff::2")).unwrap();
        assert!(limits.admit(address("2001:db8:0:1::3")).is_none());
        let _neighbour = limits.admit(address("2001:db8:0:2::1")).unwrap();
        drop(first);
        assert!(limits.admit(address("2001:db8:0:1::3")).is_some());
    }

    #[test]
    fn mapped_ipv4_addresses_are_no_neighbours() {
        let limits = limits();
        let held: Vec<_> = ["::ffff:192.0.2.1", "::ffff:192.0.2.2", "::ffff:192.0.2.3"]
            .map(|mapped| limits.admit(address(mapped)))
            .into();
        assert!(held.iter().all(Option::is_some));
    }

    #[test]
    fn trusted_proxies_have_no_cap_of_their_own_but_share_the_total() {
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
}

//! The rate limit of failed log-ins at the admin API, per source address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::server::address_or_network;

/// Failures that an address may have at once.
const BURST: u32 = 10;
/// Time after which an address may have one more.
const INTERVAL: Duration = Duration::from_secs(6);
/// Most addresses that are remembered. Beyond them, all others share one allowance.
const ADDRESSES_MAX: usize = 10_000;

/// The failed log-ins of late.
#[derive(Debug, Default)]
pub(in crate::ops) struct LoginAttempts {
    /// When the failures of each address are all forgotten.
    forgotten_at: Mutex<HashMap<Source, Instant>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Source {
    /// An IPv4 address, or the /64 network of an IPv6 address.
    Known(IpAddr),
    Others,
}

/// Whether an address may try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowance {
    Left,
    /// Not before this time has passed.
    Exhausted(Duration),
}

impl LoginAttempts {
    /// Returns whether the address may try to log in.
    pub(super) fn allowance(&self, address: IpAddr, now: Instant) -> Allowance {
        let forgotten_at = self.lock();
        let source = source(&forgotten_at, address);
        allowance(forgotten_at.get(&source).copied(), now)
    }

    /// Counts a failure; returns whether the address may try again.
    pub(super) fn failed(&self, address: IpAddr, now: Instant) -> Allowance {
        let mut forgotten_at = self.lock();
        if forgotten_at.len() >= ADDRESSES_MAX {
            forgotten_at.retain(|_, forgotten_at| *forgotten_at > now);
        }
        let source = source(&forgotten_at, address);
        let failures = forgotten_at.entry(source).or_insert(now);
        *failures = (*failures).max(now) + INTERVAL;
        allowance(Some(*failures), now)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Source, Instant>> {
        let locked = self.forgotten_at.lock();
        locked.unwrap_or_else(PoisonError::into_inner)
    }
}

fn source(known: &HashMap<Source, Instant>, address: IpAddr) -> Source {
    let source = Source::Known(address_or_network(address));
    if known.len() < ADDRESSES_MAX || known.contains_key(&source) {
        source
    } else {
        Source::Others
    }
}

fn allowance(forgotten_at: Option<Instant>, now: Instant) -> Allowance {
    let most = now + INTERVAL * (BURST - 1);
    let wait = forgotten_at.map_or(Duration::ZERO, |end| end.saturating_duration_since(most));
    if wait.is_zero() {
        Allowance::Left
    } else {
        Allowance::Exhausted(wait)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn ten_failures_at_once_exhaust_the_allowance_of_their_address_and_one_returns_every_six_seconds()
     {
        let (attempts, began) = (LoginAttempts::default(), Instant::now());
        let (guesser, other) = (address("192.0.2.1"), address("192.0.2.2"));
        for failure in 1..=9 {
            assert_eq!(
                attempts.failed(guesser, began),
                Allowance::Left,
                "{failure}"
            );
        }
        let exhausted = Allowance::Exhausted(INTERVAL);
        assert_eq!(attempts.failed(guesser, began), exhausted);
        assert_eq!(
            attempts.allowance(address("::ffff:192.0.2.1"), began),
            exhausted
        );
        assert_eq!(attempts.allowance(other, began), Allowance::Left);

        let later = began + INTERVAL;
        assert_eq!(attempts.allowance(guesser, later), Allowance::Left);
        assert_eq!(attempts.failed(guesser, later), exhausted);
        let much_later = later + INTERVAL * BURST;
        assert_eq!(attempts.failed(guesser, much_later), Allowance::Left);
    }

    #[test]
    fn the_addresses_of_an_ipv6_network_share_an_allowance() {
        let (attempts, now) = (LoginAttempts::default(), Instant::now());
        for host in 0..10 {
            attempts.failed(address(&format!("2001:db8::{host}")), now);
        }
        let network = attempts.allowance(address("2001:db8::ffff"), now);
        assert_eq!(network, Allowance::Exhausted(INTERVAL));
        let beside = attempts.allowance(address("2001:db8:0:1::1"), now);
        assert_eq!(beside, Allowance::Left);
    }

    #[test]
    fn addresses_beyond_the_bound_share_one_allowance_until_others_are_forgotten() {
        let (attempts, now) = (LoginAttempts::default(), Instant::now());
        let number = |at: usize| IpAddr::from(u32::try_from(at).unwrap().to_be_bytes());
        for at in 0..ADDRESSES_MAX + 10 {
            attempts.failed(number(at), now);
        }
        assert!(attempts.lock().len() <= ADDRESSES_MAX + 1);
        let beyond = attempts.allowance(number(ADDRESSES_MAX + 99), now);
        assert_eq!(beyond, Allowance::Exhausted(INTERVAL));
        assert_eq!(attempts.allowance(number(0), now), Allowance::Left);

        let later = now + INTERVAL * BURST;
        attempts.failed(number(ADDRESSES_MAX + 99), later);
        assert_eq!(attempts.lock().len(), 1);
    }
}

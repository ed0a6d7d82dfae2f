//! Time, size and number: the tables `[budget]`, `[limits]` and `[circuit]`.

use std::num::NonZeroU32;
use std::time::Duration;

use super::bounds;
use super::duration;
use super::section::Section;
use super::size;
use super::value;

/// The table `[budget]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// From a request's head to the answer in the socket.
    pub total: Duration,
}

impl Budget {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let total = section.or("total", Duration::from_secs(3), |value| {
            duration::read(value, &bounds::BUDGET)
        });
        section.finish();
        Self { total }
    }
}

/// The table `[limits]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest request body that is read.
    pub request_body_bytes: usize,
    /// The largest answer that is relayed.
    pub answer_body_bytes: usize,
    /// A request's head must arrive in this time.
    pub head_timeout: Duration,
    /// How long a connection may be idle between two requests.
    pub idle_timeout: Duration,
    /// Connections open at once.
    pub connections: u32,
    /// Connections open at once from one source address that is no trusted proxy.
    pub connections_per_address: u32,
    /// How long SIGTERM waits for calls in flight.
    pub drain: Duration,
}

impl Limits {
    pub(super) fn read(mut section: Section<'_>, budget: &Budget) -> Self {
        let seconds = Duration::from_secs;
        let limits = Self {
            request_body_bytes: section.or("request_body", 64 << 10, |value| {
                size::read(value, &bounds::REQUEST_BODY_BYTES)
            }),
            answer_body_bytes: section.or("answer_body", 4 << 20, |value| {
                size::read(value, &bounds::ANSWER_BODY_BYTES)
            }),
            head_timeout: section.or("head_timeout", seconds(5), |value| {
                duration::read(value, &bounds::HEAD_TIMEOUT)
            }),
            idle_timeout: section.or("idle_timeout", seconds(60), |value| {
                duration::read(value, &bounds::IDLE_TIMEOUT)
            }),
            connections: section.or("connections", 10_000, |value| {
                value::count(value, &bounds::CONNECTIONS)
            }),
            connections_per_address: section.or("connections_per_address", 1_000, |value| {
                value::count(value, &bounds::CONNECTIONS)
            }),
            drain: section.or("drain", seconds(10), |value| {
                duration::read(value, &bounds::DRAIN)
            }),
        };
        if limits.drain < budget.total {
            section.warn(
                "drain",
                "is shorter than `budget.total`: SIGTERM can cut calls in flight",
            );
        }
        section.finish();
        limits
    }
}

/// The table `[circuit]`: the same for every upstream party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircuitLimits {
    /// Transport failures, cut answers and time-outs in a row that open it.
    pub failures: NonZeroU32,
    /// How long it stays open before one call at a time probes.
    pub open_for: Duration,
}

impl CircuitLimits {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        const FAILURES: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);
        let circuit = Self {
            failures: section.or("failures", FAILURES, |value| {
                value::positive(value, &bounds::CIRCUIT_FAILURES)
            }),
            open_for: section.or("open_for", Duration::from_secs(5), |value| {
                duration::read(value, &bounds::CIRCUIT_OPEN_FOR)
            }),
        };
        section.finish();
        circuit
    }
}

//! Limits of time, size and number: the tables `[budget]`, `[limits]` and `[circuit]`.

use std::num::NonZeroU32;
use std::time::Duration;

use super::parse::bounds;
use super::parse::duration;
use super::parse::section::Section;
use super::parse::size;
use super::parse::value;

/// How long Kakao Pay waits for an answer.
const KAKAO_PAY_WAITS: Duration = Duration::from_secs(3);

/// The table `[budget]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The time from a request's head to its answer.
    pub total: Duration,
}

impl Budget {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let total = section.or("total", Duration::from_secs(3), |value| {
            duration::read(value, &bounds::BUDGET)
        });
        if total > KAKAO_PAY_WAITS {
            section.warn(
                "total",
                "is above 3 s, after which Kakao Pay itself gives up: it does not hear answers that come later",
            );
        }
        section.finish();
        Self { total }
    }
}

/// The table `[limits]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The size of the largest request body that is read.
    pub request_body_bytes: usize,
    /// The size of the largest answer body that is relayed.
    pub answer_body_bytes: usize,
    /// The time within which a request's head must arrive.
    pub head_timeout: Duration,
    /// The time after which an idle connection is closed.
    pub idle_timeout: Duration,
    /// The most open connections.
    pub connections: u32,
    /// The most open connections of one source address that is no trusted proxy.
    pub connections_per_address: u32,
    /// The time that a drain waits for calls in flight.
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
            idle_timeout: section.or("idle_timeout", seconds(75), |value| {
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

/// The table `[circuit]`, which applies to every party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircuitLimits {
    /// Consecutive transport failures, truncated answers and time-outs that open a circuit.
    pub failures: NonZeroU32,
    /// The time that a circuit stays open before single calls probe the party.
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

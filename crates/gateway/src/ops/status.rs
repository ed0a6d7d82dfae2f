//! The gateway's status for one scrape or one view of the console.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::rt::task::spawn_blocking;
use ledger::journal::Space;
use ledger::{BillerUndelivered, CacheFigures, Ledger, Timestamp};
use metrics::{
    BillerStatus, CacheStatus, ConnectionStatus, GatewayStatus, JournalStatus, RedisStatus,
    UndeliveredStatus,
};
use protocol::BillerCode;
use tokio::time::timeout;

use crate::expiry;
use crate::logging;
use crate::registry::Registry;
use crate::state::{GatewayState, Parties};
use crate::traces::SpanQueue;

/// Longest wait of a scrape for the disk: a disk that hangs must not hide the other values.
const SCRAPE_WAIT: Duration = Duration::from_millis(500);

/// Reads the values that need the disk or the billers' locks, on a blocking thread, one query at a time. A query that
/// takes too long leaves the previous values in place.
#[derive(Debug, Default)]
pub(super) struct StatusQuery {
    found: Arc<Mutex<SlowValues>>,
    under_way: Arc<AtomicBool>,
}

#[derive(Clone, Debug, Default)]
struct SlowValues {
    space: Option<Space>,
    oldest_unshared: Option<Timestamp>,
    waiting: Vec<BillerUndelivered>,
    bills: Vec<(BillerCode, u64)>,
}

impl StatusQuery {
    async fn run(&self, ledger: &Ledger) -> SlowValues {
        if !self.under_way.swap(true, Ordering::AcqRel) {
            let guard = QueryGuard(Arc::clone(&self.under_way));
            let (found, ledger) = (Arc::clone(&self.found), ledger.clone());
            let query = spawn_blocking(move || {
                let _guard = guard;
                let now = SlowValues::read(&ledger);
                *found.lock().unwrap_or_else(PoisonError::into_inner) = now;
            });
            // A late result is shown by a later scrape.
            let _in_time = timeout(SCRAPE_WAIT, query).await;
        }
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.clone()
    }
}

/// Allows the next query when dropped.
struct QueryGuard(Arc<AtomicBool>);

impl Drop for QueryGuard {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl SlowValues {
    fn read(ledger: &Ledger) -> Self {
        Self {
            space: ledger.journal_space().ok(),
            // The journal itself reports that it cannot be read.
            oldest_unshared: ledger.oldest_unshared().unwrap_or_default(),
            waiting: ledger.undelivered_by_biller().unwrap_or_default(),
            bills: ledger.bills_by_biller().unwrap_or_default(),
        }
    }
}

/// Returns all values of a scrape that are not counted by calls.
pub(super) async fn gather<'a>(
    shared: &GatewayState,
    parties: &'a Parties,
    query: &StatusQuery,
) -> GatewayStatus<'a> {
    let registry = &parties.registry;
    let found = query.run(&shared.ledger).await;
    let now = Timestamp::now();
    GatewayStatus {
        is_ready: shared.unready().is_none(),
        billers: registry.billers().map(|biller| of_biller(biller)).collect(),
        journal: journal(&shared.ledger, found.space),
        bills: bills(registry, &found.bills),
        cache: cache(shared.ledger.cache()),
        undelivered: undelivered(&shared.ledger, registry, &found.waiting, now),
        refused_open: shared.ledger.open_refused(),
        redis: RedisStatus {
            is_up: shared.ledger.is_redis_reachable(),
            is_number_taken: is_number_taken(&shared.ledger),
            unshared_facts: shared.ledger.unshared(),
            unshared_oldest: found.oldest_unshared.map_or(Duration::ZERO, age(now)),
            replication_lag: shared.ledger.replication_lag(),
        },
        connections: connections(shared),
        certificates: expiry::certificates(shared, parties),
        log_lines_dropped: logging::dropped_lines(),
        trace_spans_dropped: shared.traces.get().map_or(0, SpanQueue::dropped_spans),
    }
}

fn of_biller(biller: &crate::registry::RegisteredBiller) -> BillerStatus<'_> {
    BillerStatus {
        code: biller.code(),
        name: &biller.settings.name,
        is_suspended: !biller.is_active(),
        answer_bytes: biller.upstream.party.answer_bytes_in_flight(),
    }
}

/// Without Redis nothing says whether another process has the number.
fn is_number_taken(ledger: &Ledger) -> Option<bool> {
    let has_redis = ledger.is_redis_reachable().is_some();
    has_redis.then(|| ledger.is_node_number_taken())
}

fn journal(ledger: &Ledger, space: Option<Space>) -> JournalStatus {
    JournalStatus {
        is_writable: ledger.is_journal_writable(),
        commits: ledger.journal_commits(),
        backlog_facts: ledger.journal_backlog_facts(),
        size_bytes: space.map(|space| space.journal_bytes),
        disk_free_bytes: space.map(|space| space.free_bytes),
    }
}

fn cache(figures: CacheFigures) -> CacheStatus {
    CacheStatus {
        bytes: u64::try_from(figures.bytes).unwrap_or(u64::MAX),
        hits: figures.hits,
        misses: figures.misses,
    }
}

fn undelivered(
    ledger: &Ledger,
    registry: &Registry,
    waiting: &[BillerUndelivered],
    now: Timestamp,
) -> UndeliveredStatus {
    let events = |one: &BillerUndelivered| i64::try_from(one.events).unwrap_or(i64::MAX);
    let is_known = |one: &&BillerUndelivered| registry.find(one.biller.as_str()).is_some();
    let (known, gone): (Vec<&BillerUndelivered>, Vec<&BillerUndelivered>) =
        waiting.iter().partition(is_known);
    let mut by_biller: Vec<_> = known
        .iter()
        .map(|one| (Some(one.biller), events(one)))
        .collect();
    if !gone.is_empty() {
        by_biller.push((None, gone.iter().map(|one| events(one)).sum()));
    }
    let oldest = waiting.iter().map(|one| one.since).min();
    UndeliveredStatus {
        events: ledger.undelivered(),
        oldest: oldest.map_or(Duration::ZERO, age(now)),
        by_biller,
    }
}

fn bills(registry: &Registry, found: &[(BillerCode, u64)]) -> Vec<(Option<BillerCode>, u64)> {
    let is_known = |(biller, _): &&(BillerCode, u64)| registry.find(biller.as_str()).is_some();
    let (known, gone): (Vec<_>, Vec<_>) = found.iter().partition(is_known);
    let mut bills: Vec<_> = known
        .iter()
        .map(|(biller, bills)| (Some(*biller), *bills))
        .collect();
    if !gone.is_empty() {
        bills.push((None, gone.iter().map(|(_, bills)| *bills).sum()));
    }
    bills
}

fn connections(shared: &GatewayState) -> ConnectionStatus {
    let Some(counts) = shared.connections.get() else {
        return ConnectionStatus::default();
    };
    ConnectionStatus {
        open: u64::try_from(counts.open()).unwrap_or(u64::MAX),
        refused: counts.refused(),
    }
}

/// Returns a function for the age of a time; zero if the clock stepped back.
fn age(now: Timestamp) -> impl Fn(Timestamp) -> Duration {
    move |then| {
        let millis = now.millis().saturating_sub(then.millis());
        Duration::from_millis(u64::try_from(millis).unwrap_or_default())
    }
}

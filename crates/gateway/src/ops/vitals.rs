//! How the gateway stands, gathered for one scrape.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::rt::task::spawn_blocking;
use ledger::journal::Space;
use ledger::{Ledger, Timestamp, Waiting};
use metrics::{
    BillerStatus, ConnectionStatus, GatewayStatus, JournalStatus, RedisStatus, UndeliveredStatus,
};
use tokio::time::timeout;

use crate::gateway::Shared;
use crate::logging;
use crate::registry::Registry;
use crate::traces::SpanQueue;

/// How long a scrape waits for the disk; a disk that hangs must not hide everything else.
const PATIENCE: Duration = Duration::from_millis(500);

/// What is looked up on the disk and in the billers' books, on a thread that may wait: once at a
/// time, and what was found last is shown while it takes too long.
#[derive(Debug, Default)]
pub(super) struct Inquiry {
    found: Arc<Mutex<Found>>,
    under_way: Arc<AtomicBool>,
}

#[derive(Clone, Debug, Default)]
struct Found {
    space: Option<Space>,
    oldest_unshared: Option<Timestamp>,
    waiting: Vec<Waiting>,
}

impl Inquiry {
    async fn made(&self, ledger: &Ledger) -> Found {
        if !self.under_way.swap(true, Ordering::AcqRel) {
            let ends = Ends(Arc::clone(&self.under_way));
            let (found, ledger) = (Arc::clone(&self.found), ledger.clone());
            let inquiry = spawn_blocking(move || {
                let _ends = ends;
                let now = Found::by_asking(&ledger);
                *found.lock().unwrap_or_else(PoisonError::into_inner) = now;
            });
            // What does not come in time is shown by a later scrape.
            let _in_time = timeout(PATIENCE, inquiry).await;
        }
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.clone()
    }
}

/// Another inquiry may begin, however this one ended.
struct Ends(Arc<AtomicBool>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Found {
    fn by_asking(ledger: &Ledger) -> Self {
        Self {
            space: ledger.journal_space().ok(),
            // A journal that cannot be read tells so elsewhere.
            oldest_unshared: ledger.oldest_unshared().unwrap_or_default(),
            waiting: ledger.waiting(),
        }
    }
}

/// Everything that a scrape shows beyond what calls have counted.
pub(super) async fn gather<'a>(
    shared: &Shared,
    registry: &'a Registry,
    inquiry: &Inquiry,
) -> GatewayStatus<'a> {
    let found = inquiry.made(&shared.ledger).await;
    let now = Timestamp::now();
    GatewayStatus {
        is_ready: shared.unready().is_none(),
        billers: registry.billers().map(|biller| of_biller(biller)).collect(),
        journal: journal(&shared.ledger, found.space),
        undelivered: undelivered(&shared.ledger, registry, &found.waiting, now),
        redis: RedisStatus {
            is_up: shared.ledger.is_shared_state_reachable(),
            unshared_facts: shared.ledger.unshared(),
            unshared_oldest: found.oldest_unshared.map_or(Duration::ZERO, age(now)),
        },
        connections: connections(shared),
        log_lines_dropped: logging::lost_lines(),
        trace_spans_dropped: shared.traces.get().map_or(0, SpanQueue::lost_spans),
    }
}

fn of_biller(biller: &crate::registry::RegisteredBiller) -> BillerStatus<'_> {
    BillerStatus {
        code: biller.code(),
        name: &biller.settings.name,
        is_suspended: !biller.is_active(),
    }
}

fn journal(ledger: &Ledger, space: Option<Space>) -> JournalStatus {
    JournalStatus {
        is_writable: ledger.is_journal_writable(),
        commits: ledger.journal_commits(),
        backlog_facts: ledger.owed_facts(),
        size_bytes: space.map(|space| space.journal_bytes),
        disk_free_bytes: space.map(|space| space.free_bytes),
    }
}

fn undelivered(
    ledger: &Ledger,
    registry: &Registry,
    waiting: &[Waiting],
    now: Timestamp,
) -> UndeliveredStatus {
    let events = |one: &Waiting| i64::try_from(one.events).unwrap_or(i64::MAX);
    let is_known = |one: &&Waiting| registry.find(one.biller.as_str()).is_some();
    let (known, gone): (Vec<&Waiting>, Vec<&Waiting>) = waiting.iter().partition(is_known);
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

fn connections(shared: &Shared) -> ConnectionStatus {
    let Some(counts) = shared.connections.get() else {
        return ConnectionStatus::default();
    };
    ConnectionStatus {
        open: u64::try_from(counts.open()).unwrap_or(u64::MAX),
        refused: counts.refused(),
    }
}

/// How long ago something was; nothing where the clock stepped back.
fn age(now: Timestamp) -> impl Fn(Timestamp) -> Duration {
    move |then| {
        let millis = now.millis().saturating_sub(then.millis());
        Duration::from_millis(u64::try_from(millis).unwrap_or_default())
    }
}

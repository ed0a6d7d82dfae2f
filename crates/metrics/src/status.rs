//! The status of the gateway's parts, which is read at each scrape and costs calls nothing.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use protocol::BillerCode;

use crate::certificates::{self, CertificateExpiry};
use crate::exposition::{Exposition, signed, unsigned};
use crate::label::{ApiLabel, Label};
use crate::series::{
    ANSWER_BYTES, BILLER_INFO, BILLER_SUSPENDED, CONNECTIONS_OPEN, CONNECTIONS_REFUSED,
    JOURNAL_BACKLOG_FACTS, JOURNAL_COMMITS, JOURNAL_DISK_FREE, JOURNAL_SIZE, JOURNAL_WRITABLE,
    LEDGER_BILLS, LEDGER_CACHE_BYTES, LEDGER_CACHE_REQUESTS, LOG_LINES_DROPPED, NODE_NUMBER_TAKEN,
    PAY_RESULTS_REFUSED_OPEN, PAYMENTS_UNDELIVERED, READY, REDIS_UP, REPLICATION_LAG,
    TRACE_SPANS_DROPPED, UNDELIVERED_BY_BILLER, UNDELIVERED_OLDEST, UNSHARED_FACTS,
    UNSHARED_OLDEST,
};

/// The most nodes whose lag is exposed; of more, those that this node lacks facts of for the longest time.
const NODES: usize = 64;

/// The status of the gateway. A value that is `None` has no series.
#[derive(Clone, Debug, Default)]
pub struct GatewayStatus<'a> {
    /// Whether the gateway is ready for traffic.
    pub is_ready: bool,
    /// The registered billers.
    pub billers: Vec<BillerStatus<'a>>,
    /// The journal.
    pub journal: JournalStatus,
    /// The ledger's state in memory.
    pub cache: CacheStatus,
    /// The bills of which this node's journal has facts, per biller. `None` stands for billers that are no longer
    /// registered.
    pub bills: Vec<(Option<BillerCode>, u64)>,
    /// The payment events that billers have not accepted.
    pub undelivered: UndeliveredStatus,
    /// Refused pay-results that are kept and open.
    pub refused_open: usize,
    /// Redis, and the facts that are not in it.
    pub redis: RedisStatus,
    /// The connections of the public listener.
    pub connections: ConnectionStatus,
    /// The certificates of all parties whose expiry is known.
    pub certificates: Vec<CertificateExpiry<'a>>,
    /// Log lines lost since the start.
    pub log_lines_dropped: u64,
    /// Spans lost since the start.
    pub trace_spans_dropped: u64,
}

/// The status of a registered biller.
#[derive(Clone, Copy, Debug)]
pub struct BillerStatus<'a> {
    /// The biller's code.
    pub code: BillerCode,
    /// The biller's name, which may be any text.
    pub name: &'a str,
    /// Whether the biller is suspended.
    pub is_suspended: bool,
    /// Bytes of its large answers that are being read or relayed.
    pub answer_bytes: usize,
}

/// The status of the journal.
#[derive(Clone, Copy, Debug, Default)]
pub struct JournalStatus {
    /// Whether the last attempt to write succeeded.
    pub is_writable: bool,
    /// Transactions committed since the start.
    pub commits: u64,
    /// Facts in memory that are not in the journal yet.
    pub backlog_facts: u64,
    /// The size of the file and the write-ahead log; `None` if it is unknown.
    pub size_bytes: Option<u64>,
    /// The free space of the file system; `None` if it is unknown.
    pub disk_free_bytes: Option<u64>,
}

/// The ledger's state in memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct CacheStatus {
    /// Bytes of it.
    pub bytes: u64,
    /// Look-ups since the start that it answered.
    pub hits: u64,
    /// Look-ups since the start that read the journal.
    pub misses: u64,
}

/// The payment events that billers have not accepted and no operator has closed.
#[derive(Clone, Debug, Default)]
pub struct UndeliveredStatus {
    /// The number of events of all billers.
    pub events: i64,
    /// The age of the oldest event; zero if there is none.
    pub oldest: Duration,
    /// The number of events per biller, without billers that have none. `None` stands for billers that
    /// are no longer registered.
    pub by_biller: Vec<(Option<BillerCode>, i64)>,
}

/// The status of Redis.
#[derive(Clone, Debug, Default)]
pub struct RedisStatus {
    /// Whether Redis is reachable; `None` if it is not configured.
    pub is_up: Option<bool>,
    /// Whether another process runs with this node's number; `None` if Redis, which says so, is not configured.
    pub is_number_taken: Option<bool>,
    /// Facts of the journal that are not in Redis yet.
    pub unshared_facts: i64,
    /// The age of the oldest of these facts; zero if there is none.
    pub unshared_oldest: Duration,
    /// Per other node: how long this node has been without a fact that the other one published. Empty without Redis.
    pub replication_lag: Vec<(u32, Duration)>,
}

/// The connections of the public listener.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConnectionStatus {
    /// Open connections.
    pub open: u64,
    /// Connections closed on accept since the start.
    pub refused: u64,
}

impl GatewayStatus<'_> {
    pub(crate) fn expose(&self, exposition: &mut Exposition) {
        exposition.gauge(&READY, &[], flag(self.is_ready));
        for biller in &self.billers {
            biller.expose(exposition);
        }
        self.journal.expose(exposition);
        self.cache.expose(exposition);
        for (biller, bills) in &self.bills {
            let label = biller.as_ref().map(BillerCode::as_str);
            let biller = ("biller", label.unwrap_or(ApiLabel::Unknown.text()));
            exposition.gauge(&LEDGER_BILLS, &[biller], unsigned(*bills));
        }
        self.undelivered.expose(exposition);
        let refused_open = u64::try_from(self.refused_open).unwrap_or(u64::MAX);
        exposition.gauge(&PAY_RESULTS_REFUSED_OPEN, &[], unsigned(refused_open));
        self.redis.expose(exposition);
        exposition.gauge(&CONNECTIONS_OPEN, &[], unsigned(self.connections.open));
        exposition.counter(
            &CONNECTIONS_REFUSED,
            &[],
            unsigned(self.connections.refused),
        );
        certificates::expose(&self.certificates, exposition);
        exposition.counter(&LOG_LINES_DROPPED, &[], unsigned(self.log_lines_dropped));
        exposition.counter(
            &TRACE_SPANS_DROPPED,
            &[],
            unsigned(self.trace_spans_dropped),
        );
    }
}

impl BillerStatus<'_> {
    fn expose(&self, exposition: &mut Exposition) {
        let biller = ("biller", self.code.as_str());
        exposition.gauge(&BILLER_INFO, &[biller, ("name", self.name)], 1.0);
        exposition.gauge(&BILLER_SUSPENDED, &[biller], flag(self.is_suspended));
        exposition.gauge(&ANSWER_BYTES, &[biller], unsigned(self.answer_bytes as u64));
    }
}

impl JournalStatus {
    fn expose(&self, exposition: &mut Exposition) {
        exposition.gauge(&JOURNAL_WRITABLE, &[], flag(self.is_writable));
        exposition.counter(&JOURNAL_COMMITS, &[], unsigned(self.commits));
        exposition.gauge(&JOURNAL_BACKLOG_FACTS, &[], unsigned(self.backlog_facts));
        for (series, bytes) in [
            (JOURNAL_SIZE, self.size_bytes),
            (JOURNAL_DISK_FREE, self.disk_free_bytes),
        ] {
            if let Some(bytes) = bytes {
                exposition.gauge(&series, &[], unsigned(bytes));
            }
        }
    }
}

impl CacheStatus {
    fn expose(&self, exposition: &mut Exposition) {
        exposition.gauge(&LEDGER_CACHE_BYTES, &[], unsigned(self.bytes));
        for (result, requests) in [("hit", self.hits), ("miss", self.misses)] {
            let result = ("result", result);
            exposition.counter(&LEDGER_CACHE_REQUESTS, &[result], unsigned(requests));
        }
    }
}

impl UndeliveredStatus {
    fn expose(&self, exposition: &mut Exposition) {
        exposition.gauge(&PAYMENTS_UNDELIVERED, &[], signed(self.events));
        exposition.gauge(&UNDELIVERED_OLDEST, &[], self.oldest.as_secs_f64());
        for (biller, events) in &self.by_biller {
            let label = biller.as_ref().map(BillerCode::as_str);
            let biller = ("biller", label.unwrap_or(ApiLabel::Unknown.text()));
            exposition.gauge(&UNDELIVERED_BY_BILLER, &[biller], signed(*events));
        }
    }
}

impl RedisStatus {
    fn expose(&self, exposition: &mut Exposition) {
        for (series, is_set) in [
            (REDIS_UP, self.is_up),
            (NODE_NUMBER_TAKEN, self.is_number_taken),
        ] {
            if let Some(is_set) = is_set {
                exposition.gauge(&series, &[], flag(is_set));
            }
        }
        exposition.gauge(&UNSHARED_FACTS, &[], signed(self.unshared_facts));
        exposition.gauge(&UNSHARED_OLDEST, &[], self.unshared_oldest.as_secs_f64());
        for (node, lag) in self.greatest_lags() {
            let node = node.to_string();
            exposition.gauge(&REPLICATION_LAG, &[("node", &node)], lag.as_secs_f64());
        }
    }

    /// Returns at most [`NODES`] nodes, the one with the greatest lag first. A node with several journals, one after the
    /// other, is there once: a series must not be exposed twice.
    fn greatest_lags(&self) -> impl Iterator<Item = (u32, Duration)> {
        let mut by_node: BTreeMap<u32, Duration> = BTreeMap::new();
        for (node, lag) in &self.replication_lag {
            let greatest = by_node.entry(*node).or_default();
            *greatest = (*greatest).max(*lag);
        }
        let mut lags: Vec<(u32, Duration)> = by_node.into_iter().collect();
        lags.sort_by_key(|(_, lag)| Reverse(*lag));
        lags.into_iter().take(NODES)
    }
}

const fn flag(is_set: bool) -> f64 {
    if is_set { 1.0 } else { 0.0 }
}

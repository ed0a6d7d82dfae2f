//! What is asked for at the moment of a scrape, and by nobody in a call's way.

use std::time::Duration;

use protocol::BillerCode;

use crate::exposition::Exposition;
use crate::label::{ApiLabel, Label};
use crate::series::{
    BILLER_INFO, BILLER_SUSPENDED, CONNECTIONS_OPEN, CONNECTIONS_REFUSED, JOURNAL_COMMITS,
    JOURNAL_DISK_FREE, JOURNAL_OWED_FACTS, JOURNAL_SIZE, JOURNAL_WRITABLE, LOG_LINES_DROPPED,
    PAYMENTS_UNDELIVERED, READY, REDIS_UP, TRACE_SPANS_DROPPED, UNDELIVERED_BY_BILLER,
    UNDELIVERED_OLDEST, UNSHARED_FACTS, UNSHARED_OLDEST, signed, whole,
};

/// How the gateway stands. What is `None` or not listed has no series.
#[derive(Clone, Debug, Default)]
pub struct Vitals<'a> {
    /// Whether it wants traffic.
    pub is_ready: bool,
    /// The registered billers.
    pub billers: Vec<BillerVitals<'a>>,
    /// The journal.
    pub journal: JournalVitals,
    /// What billers have not accepted.
    pub undelivered: UndeliveredVitals,
    /// What Redis has not got.
    pub shared: SharedVitals,
    /// The public listener's connections.
    pub connections: ConnectionVitals,
    /// Log lines lost since the start.
    pub log_lines_dropped: u64,
    /// Spans lost since the start.
    pub trace_spans_dropped: u64,
}

/// A registered biller.
#[derive(Clone, Copy, Debug)]
pub struct BillerVitals<'a> {
    /// Its code.
    pub code: BillerCode,
    /// What people call it: any text.
    pub name: &'a str,
    /// Whether it is suspended.
    pub is_suspended: bool,
}

/// The journal.
#[derive(Clone, Copy, Debug, Default)]
pub struct JournalVitals {
    /// Whether the last attempt to write succeeded.
    pub is_writable: bool,
    /// Transactions committed since the start.
    pub commits: u64,
    /// Facts that it could not take yet.
    pub owed_facts: u64,
    /// Its file and write-ahead log; `None` where the file system does not say.
    pub size_bytes: Option<u64>,
    /// What is free where it lies; `None` where the file system does not say.
    pub disk_free_bytes: Option<u64>,
}

/// Payment events that were told and not accepted.
#[derive(Clone, Debug, Default)]
pub struct UndeliveredVitals {
    /// All of them.
    pub events: i64,
    /// Since when the oldest waits; zero for none.
    pub oldest: Duration,
    /// Per biller that has some. `None`: billers of the journal that are not registered any more.
    pub by_biller: Vec<(Option<BillerCode>, i64)>,
}

/// The state that nodes share.
#[derive(Clone, Copy, Debug, Default)]
pub struct SharedVitals {
    /// Whether Redis can be reached; `None` where none is configured.
    pub is_up: Option<bool>,
    /// Facts of the journal that are not in it.
    pub unshared_facts: i64,
    /// Age of the oldest of them; zero for none.
    pub unshared_oldest: Duration,
}

/// The public listener's connections.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConnectionVitals {
    /// Open now.
    pub open: u64,
    /// Closed at once since the start.
    pub refused: u64,
}

impl Vitals<'_> {
    pub(crate) fn expose(&self, exposition: &mut Exposition) {
        READY.show(&[], flag(self.is_ready), exposition);
        for biller in &self.billers {
            biller.expose(exposition);
        }
        self.journal.expose(exposition);
        self.undelivered.expose(exposition);
        self.shared.expose(exposition);
        CONNECTIONS_OPEN.show(&[], whole(self.connections.open), exposition);
        CONNECTIONS_REFUSED.show_counter(&[], whole(self.connections.refused), exposition);
        LOG_LINES_DROPPED.show_counter(&[], whole(self.log_lines_dropped), exposition);
        TRACE_SPANS_DROPPED.show_counter(&[], whole(self.trace_spans_dropped), exposition);
    }
}

impl BillerVitals<'_> {
    fn expose(&self, exposition: &mut Exposition) {
        let biller = ("biller", self.code.as_str());
        BILLER_INFO.show(&[biller, ("name", self.name)], 1.0, exposition);
        BILLER_SUSPENDED.show(&[biller], flag(self.is_suspended), exposition);
    }
}

impl JournalVitals {
    fn expose(&self, exposition: &mut Exposition) {
        JOURNAL_WRITABLE.show(&[], flag(self.is_writable), exposition);
        JOURNAL_COMMITS.show_counter(&[], whole(self.commits), exposition);
        JOURNAL_OWED_FACTS.show(&[], whole(self.owed_facts), exposition);
        for (series, bytes) in [
            (JOURNAL_SIZE, self.size_bytes),
            (JOURNAL_DISK_FREE, self.disk_free_bytes),
        ] {
            if let Some(bytes) = bytes {
                series.show(&[], whole(bytes), exposition);
            }
        }
    }
}

impl UndeliveredVitals {
    fn expose(&self, exposition: &mut Exposition) {
        PAYMENTS_UNDELIVERED.show(&[], signed(self.events), exposition);
        UNDELIVERED_OLDEST.show(&[], self.oldest.as_secs_f64(), exposition);
        for (biller, events) in &self.by_biller {
            let label = biller.as_ref().map(BillerCode::as_str);
            let biller = ("biller", label.unwrap_or(ApiLabel::Unknown.text()));
            UNDELIVERED_BY_BILLER.show(&[biller], signed(*events), exposition);
        }
    }
}

impl SharedVitals {
    fn expose(&self, exposition: &mut Exposition) {
        if let Some(is_up) = self.is_up {
            REDIS_UP.show(&[], flag(is_up), exposition);
        }
        UNSHARED_FACTS.show(&[], signed(self.unshared_facts), exposition);
        UNSHARED_OLDEST.show(&[], self.unshared_oldest.as_secs_f64(), exposition);
    }
}

const fn flag(is_so: bool) -> f64 {
    if is_so { 1.0 } else { 0.0 }
}

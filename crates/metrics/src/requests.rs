//! `relay_requests_total` of one biller and API: a counter per code and status.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use prometheus::IntCounter;

use crate::exposition::Exposition;
use crate::label::{Label, ResCodeLabel, StatusLabel};
use crate::series::REQUESTS;

/// What an upstream can make: pairs of code and status beyond those that the gateway itself may
/// answer, per biller and API. Those that come later are counted as `other`, `other`.
pub(crate) const MAX_PAIRS_OF_UPSTREAMS: usize = 64;

/// A code with its status.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pair {
    pub(crate) res_code: ResCodeLabel,
    pub(crate) status: StatusLabel,
}

impl Pair {
    const OK: Self = Self {
        res_code: ResCodeLabel::Ok,
        status: StatusLabel::OK,
    };

    const OTHER: Self = Self {
        res_code: ResCodeLabel::OTHER,
        status: StatusLabel::OTHER,
    };

    /// Whether the gateway itself may answer it. Few enough to need no other bound, and never
    /// crowded out by what upstreams say: alerts rest on them.
    fn is_our_own(self) -> bool {
        self.res_code.is_of_the_guide() && self.status.is_our_own()
    }
}

/// The counters of one biller and API.
pub(crate) struct Requests {
    api: &'static str,
    biller: Box<str>,
    ok: IntCounter,
    rest: RwLock<Rest>,
}

#[derive(Default)]
struct Rest {
    counters: BTreeMap<Pair, IntCounter>,
    of_upstreams: usize,
}

impl Requests {
    pub(crate) fn new(api: impl Label, biller: &str) -> Self {
        Self {
            ok: REQUESTS.counter(&[
                ("api", api.text()),
                ("biller", biller),
                ("res_code", "OK"),
                ("status", "200"),
            ]),
            api: api.text(),
            biller: biller.into(),
            rest: RwLock::default(),
        }
    }

    pub(crate) fn count(&self, pair: Pair) {
        if pair == Pair::OK {
            self.ok.inc();
            return;
        }
        let known = self.rest.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = known.counters.get(&pair) {
            counter.inc();
            return;
        }
        drop(known);
        self.count_new(pair);
    }

    fn count_new(&self, pair: Pair) {
        let mut rest = self.rest.write().unwrap_or_else(PoisonError::into_inner);
        let bounded = !pair.is_our_own();
        let is_full = rest.of_upstreams >= MAX_PAIRS_OF_UPSTREAMS;
        let pair = if bounded && is_full {
            Pair::OTHER
        } else {
            pair
        };
        if let Some(counter) = rest.counters.get(&pair) {
            counter.inc();
            return;
        }
        // Refused for invalid names only, and these have been taken for `ok`.
        if let Ok(counter) = self.counter(pair) {
            counter.inc();
            rest.counters.insert(pair, counter);
            rest.of_upstreams += usize::from(bounded);
        }
    }

    fn counter(&self, pair: Pair) -> prometheus::Result<IntCounter> {
        REQUESTS.try_counter(&[
            ("api", self.api),
            ("biller", &self.biller),
            ("res_code", pair.res_code.as_str()),
            ("status", &pair.status.to_string()),
        ])
    }

    pub(crate) fn expose(&self, exposition: &mut Exposition) {
        exposition.add(&self.ok);
        let rest = self.rest.read().unwrap_or_else(PoisonError::into_inner);
        rest.counters
            .values()
            .for_each(|counter| exposition.add(counter));
    }
}

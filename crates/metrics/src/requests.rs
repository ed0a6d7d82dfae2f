//! `relay_requests_total` of one biller and API: a counter per code and status.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use crate::cells::Count;
use crate::exposition::Exposition;
use crate::label::{ResCodeLabel, StatusLabel};
use crate::series::{LabelPair, REQUESTS, whole};

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
    pub(crate) const OK: Self = Self {
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

    pub(crate) fn expose(
        self,
        [api, biller]: [LabelPair<'_>; 2],
        counter: &Count,
        exposition: &mut Exposition,
    ) {
        let status = self.status.to_string();
        let res_code = ("res_code", self.res_code.as_str());
        let labels = [api, biller, res_code, ("status", &status)];
        REQUESTS.show_counter(&labels, whole(counter.get()), exposition);
    }
}

/// The counters of one biller and API, but for [`Pair::OK`].
#[derive(Default)]
pub(crate) struct OtherAnswers(RwLock<Counters>);

#[derive(Default)]
struct Counters {
    by_pair: BTreeMap<Pair, Count>,
    of_upstreams: usize,
}

impl OtherAnswers {
    pub(crate) fn count(&self, pair: Pair) {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = known.by_pair.get(&pair) {
            counter.inc();
            return;
        }
        drop(known);
        self.count_new(pair);
    }

    fn count_new(&self, pair: Pair) {
        let mut counters = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let bounded = !pair.is_our_own();
        let is_full = counters.of_upstreams >= MAX_PAIRS_OF_UPSTREAMS;
        let pair = if bounded && is_full {
            Pair::OTHER
        } else {
            pair
        };
        // Another call may have brought it meanwhile, and `OTHER` may be there.
        if !counters.by_pair.contains_key(&pair) {
            counters.of_upstreams += usize::from(bounded);
        }
        counters.by_pair.entry(pair).or_default().inc();
    }

    /// Whether nothing was counted.
    pub(crate) fn is_empty(&self) -> bool {
        let counters = self.0.read().unwrap_or_else(PoisonError::into_inner);
        counters.by_pair.is_empty()
    }

    pub(crate) fn expose(&self, labels: [LabelPair<'_>; 2], exposition: &mut Exposition) {
        let counters = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for (pair, counter) in &counters.by_pair {
            pair.expose(labels, counter, exposition);
        }
    }
}

//! Answered calls, and `relay_requests_total` of one biller and API: a counter per code and status.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use protocol::{Api, ResCode};

use crate::cells::Count;
use crate::exposition::{Exposition, unsigned};
use crate::label::{ResCodeLabel, StatusLabel};
use crate::series::{LabelPair, REQUESTS};
use crate::stages::StageTimes;

/// The status of the gateway's answer to a call that exceeded its budget.
const GATEWAY_TIMEOUT: u16 = 504;

/// The most pairs of code and status per biller and API that only upstreams answer. Further pairs are
/// counted as `other`, `other`.
const MAX_PAIRS_OF_UPSTREAMS: usize = 64;

/// The measurements of one call that the public listener answered.
#[derive(Clone, Copy, Debug)]
pub struct AnsweredCall {
    /// `None` for an unknown route.
    pub api: Option<Api>,
    /// The `res_code` of the answer, which is the gateway's or the upstream's.
    pub res_code: ResCodeLabel,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The time from the request's head to the answer.
    pub total: Duration,
    /// The upstream's part of `total`; `None` if the upstream was not called.
    pub upstream: Option<Duration>,
    /// The parts of `total` by stage.
    pub stages: StageTimes,
}

impl AnsweredCall {
    /// Whether the call timed out at the end of its budget. Its `total` may be slightly below the
    /// budget, as the clock may have been read just before the end.
    pub(crate) fn is_timed_out(&self) -> bool {
        self.status == GATEWAY_TIMEOUT && self.res_code == ResCodeLabel::from(ResCode::E806)
    }
}

/// A code and a status.
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

    /// Whether the gateway's own answers may have this pair. Alerts use these pairs, so answers of
    /// upstreams cannot exhaust their space. They are few and need no other bound.
    fn is_of_gateway(self) -> bool {
        self.res_code.is_in_guide() && self.status.is_of_gateway()
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
        exposition.counter(&REQUESTS, &labels, unsigned(counter.get()));
    }
}

/// The counters of one biller and API, except that of [`Pair::OK`].
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
        let bounded = !pair.is_of_gateway();
        let is_full = counters.of_upstreams >= MAX_PAIRS_OF_UPSTREAMS;
        let pair = if bounded && is_full {
            Pair::OTHER
        } else {
            pair
        };
        // Another thread may have added the pair, and `OTHER` may be present.
        if !counters.by_pair.contains_key(&pair) {
            counters.of_upstreams += usize::from(bounded);
        }
        counters.by_pair.entry(pair).or_default().inc();
    }

    /// Whether no answer was counted.
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

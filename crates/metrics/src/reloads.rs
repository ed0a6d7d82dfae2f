//! The reloads of the configuration.

use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::{IntCounter, IntGauge};

use crate::exposition::Exposition;
use crate::label::{Label, PerLabel, ReloadResult};
use crate::series::{RELOAD_LAST_SUCCESS, RELOADS};

pub(crate) struct Reloads {
    by_result: PerLabel<ReloadResult, IntCounter>,
    last_success: IntGauge,
}

impl Reloads {
    /// Returns zero counters. The start counts as the last success.
    pub(crate) fn new() -> Self {
        let reloads = Self {
            by_result: PerLabel::new(|result: ReloadResult| {
                RELOADS.counter(&[("result", result.text())])
            }),
            last_success: RELOAD_LAST_SUCCESS.gauge(&[]),
        };
        reloads.last_success.set(unix_seconds(SystemTime::now()));
        reloads
    }

    pub(crate) fn count(&self, result: ReloadResult) {
        self.by_result.get(result).inc();
        if result == ReloadResult::Done {
            self.last_success.set(unix_seconds(SystemTime::now()));
        }
    }

    pub(crate) fn expose(&self, exposition: &mut Exposition) {
        self.by_result
            .iter()
            .for_each(|counter| exposition.collector(counter));
        exposition.collector(&self.last_success);
    }
}

fn unix_seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

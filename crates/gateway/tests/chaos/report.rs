//! What is told of a run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::calls::Api;
use crate::evidence::Evidence;
use crate::finding::Finding;
use crate::injector::Injector;
use crate::trouble::Breach;

/// The table of a run.
pub struct Report {
    text: String,
}

impl Report {
    pub fn begin(seed: u64, stream: Duration, store: &str) -> Self {
        let mut report = Self {
            text: String::from("\n"),
        };
        report.row("seed", seed);
        report.row("seconds", stream.as_secs());
        report.row("shared state", store);
        report
    }

    pub fn faults(&mut self, injector: &Injector<'_>) {
        let injected: u64 = injector.injected.values().sum();
        self.row("faults by kind", format!("{injected} in all"));
        for (fault, times) in &injector.injected {
            self.row(&format!("  {fault}"), times);
        }
        self.row(
            "redis slow, or chosen anew, without a fault",
            injector.unprovoked,
        );
        let longest = injector.begun_after.iter().max();
        let longest = longest.copied().unwrap_or_default();
        self.row(
            "restoring began after, at most",
            format!(
                "{:.2} s from when both nodes reached redis",
                longest.as_secs_f64()
            ),
        );
    }

    pub fn calls(&mut self, evidence: &Evidence, bills: u64) {
        self.row("bills", bills);
        let mut calls: BTreeMap<Api, u64> = BTreeMap::new();
        for call in &evidence.calls {
            *calls.entry(call.api).or_default() += 1;
        }
        for api in Api::ALL {
            self.row(
                &format!("calls {}", api.name()),
                calls.get(&api).unwrap_or(&0),
            );
        }
        let upstream_failure = evidence.calls.iter().filter(|call| call.answer().is_none());
        self.row("calls without an answer", upstream_failure.count());
        self.restored(evidence, "redis forgot", |of| of == Breach::Forgot);
        self.restored(evidence, "redis lost the latest", |of| of == Breach::Late);
        self.restored(evidence, "nodes apart", |of| matches!(of, Breach::Apart(_)));
        self.restored(evidence, "node started", |of| {
            matches!(of, Breach::Start(_))
        });
    }

    /// How long it took from the moment at which both nodes reached Redis until it had all again.
    fn restored(&mut self, evidence: &Evidence, what: &str, is_meant: fn(Breach) -> bool) {
        let troubles = evidence.troubles.all().iter();
        let meant = troubles.filter(|trouble| is_meant(trouble.breach));
        let took = meant.map(|trouble| trouble.until.saturating_sub(trouble.in_touch));
        let took: Vec<Duration> = took.collect();
        let longest = took.iter().max().copied().unwrap_or_default();
        let count = u32::try_from(took.len()).unwrap_or(u32::MAX);
        let mean = took
            .iter()
            .sum::<Duration>()
            .checked_div(count)
            .unwrap_or_default();
        self.row(
            &format!("restored: {what}"),
            format!(
                "{count} times, after {:.1} s, at most {:.1} s",
                mean.as_secs_f64(),
                longest.as_secs_f64()
            ),
        );
    }

    pub fn finding(&mut self, finding: &Finding) {
        let Finding {
            name,
            judged,
            excused,
            happened,
            violations,
        } = finding;
        let (count, happened) = (violations.len(), happened.len());
        let excused = format!("excused {excused}, {happened} of them happened");
        self.row(name, format!("{count}  (judged {judged}, {excused})"));
    }

    pub fn into_text(self) -> String {
        self.text
    }

    fn row(&mut self, name: &str, value: impl std::fmt::Display) {
        writeln!(self.text, "| {name:<62} | {value:<62} |").unwrap();
    }
}

//! The report of a run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::calls::Api;
use crate::checks::check_result::CheckResult;
use crate::checks::lost_payments::LostWithRedis;
use crate::faults::incident::IncidentKind;
use crate::faults::injector::Injector;
use crate::records::Records;

/// The table of a run.
pub struct Report {
    text: String,
}

impl Report {
    pub fn begin(seed: u64, duration: Duration, store: &str) -> Self {
        let mut report = Self {
            text: String::from("\n"),
        };
        report.row("seed", seed);
        report.row("seconds", duration.as_secs());
        report.row("shared state", store);
        report
    }

    pub fn faults(&mut self, injector: &Injector<'_>) {
        let injected: u64 = injector.injected.values().sum();
        self.row("faults by kind", format!("{injected} in all"));
        for (fault, times) in &injector.injected {
            self.row(&format!("  {fault}"), times);
        }
        self.row("reads of journals delayed", injector.delayed_reads());
        self.row(
            "redis slow, or another primary, without a fault",
            injector.without_fault,
        );
        let longest = injector.resync_delays.iter().max();
        let longest = longest.copied().unwrap_or_default();
        self.row(
            "resync started after, at most",
            format!(
                "{:.2} s from when all nodes reached redis",
                longest.as_secs_f64()
            ),
        );
    }

    pub fn calls(&mut self, records: &Records, bills: u64) {
        self.row("bills", bills);
        let mut calls: BTreeMap<Api, u64> = BTreeMap::new();
        for call in &records.calls {
            *calls.entry(call.api).or_default() += 1;
        }
        for api in Api::ALL {
            self.row(
                &format!("calls {}", api.name()),
                calls.get(&api).unwrap_or(&0),
            );
        }
        let unanswered = records.calls.iter().filter(|call| call.answer().is_none());
        self.row("calls without an answer", unanswered.count());
        self.restored(records, "redis lost all data", |of| {
            of == IncidentKind::AllDataLost
        });
        self.restored(records, "redis lost its latest writes", |of| {
            of == IncidentKind::LatestWritesLost
        });
        self.restored(records, "node without redis", |of| {
            matches!(of, IncidentKind::RedisUnreachable(_))
        });
        self.restored(records, "node restarted", |of| {
            matches!(of, IncidentKind::NodeRestarted(_))
        });
        self.restored(records, "disk destroyed", |of| {
            matches!(of, IncidentKind::NodeDestroyed(_))
        });
        self.restored(records, "node restored from a backup", |of| {
            matches!(of, IncidentKind::NodeRestored(_))
        });
    }

    /// Adds how long it took from the moment at which all nodes reached Redis until it had all facts.
    fn restored(&mut self, records: &Records, what: &str, is_counted: fn(IncidentKind) -> bool) {
        let incidents = records.incidents.all().iter();
        let counted = incidents.filter(|incident| is_counted(incident.kind));
        let took = counted.map(|incident| incident.until.saturating_sub(incident.reconnected_at));
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

    pub fn lost_with_redis(&mut self, LostWithRedis { reported, lost }: &LostWithRedis) {
        let oldest = lost.iter().max().copied().unwrap_or_default();
        self.row(
            "lost with a disk and redis in the same moment",
            format!(
                "{} of {reported} in question, {} ms before at most",
                lost.len(),
                oldest.as_millis()
            ),
        );
    }

    pub fn result(&mut self, result: &CheckResult) {
        let CheckResult {
            name,
            checked,
            excused,
            excused_violations,
            violations,
        } = result;
        let (count, excused_violations) = (violations.len(), excused_violations.len());
        let excused = format!("excused {excused}, {excused_violations} of them violated");
        self.row(name, format!("{count}  (checked {checked}, {excused})"));
    }

    pub fn into_text(self) -> String {
        self.text
    }

    fn row(&mut self, name: &str, value: impl std::fmt::Display) {
        writeln!(self.text, "| {name:<62} | {value:<62} |").unwrap();
    }
}

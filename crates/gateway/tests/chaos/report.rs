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
        for (fault, times) in &injector.injected {
            self.row(fault, times);
        }
        self.row("redis slow without a fault", injector.slow);
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
        let unanswered = evidence.calls.iter().filter(|call| call.answer().is_none());
        self.row("calls without an answer", unanswered.count());
        let seconds = |is_meant: fn(Breach) -> bool| {
            let troubles = evidence.troubles.all().iter();
            let troubles = troubles.filter(move |trouble| is_meant(trouble.breach));
            let seconds = troubles.map(|trouble| trouble.until.saturating_sub(trouble.from));
            format!("{:.1}", seconds.sum::<Duration>().as_secs_f64())
        };
        self.row(
            "seconds until restored: redis forgot",
            seconds(|of| of == Breach::Forgot),
        );
        self.row(
            "seconds until restored: nodes apart",
            seconds(|of| of == Breach::Apart),
        );
        let started = |of| matches!(of, Breach::Start(_));
        self.row("seconds until restored: node started", seconds(started));
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
        writeln!(self.text, "| {name:<38} | {value:<60} |").unwrap();
    }
}

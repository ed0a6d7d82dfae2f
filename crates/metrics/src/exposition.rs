//! Prometheus' text exposition format.

use std::collections::BTreeMap;

use prometheus::TextEncoder;
use prometheus::core::Collector;
use prometheus::proto::{self, Metric, MetricFamily, MetricType};

use crate::cells::Durations;
use crate::series::{LabelPair, Series};

/// The text of one scrape. It collects single series and groups them by name, because the format requires
/// all series of a name together.
///
/// Labels are in the order of their names. The value of a label may be any text.
#[derive(Default)]
pub(crate) struct Exposition {
    families: BTreeMap<String, MetricFamily>,
}

impl Exposition {
    pub(crate) fn collector(&mut self, collector: &impl Collector) {
        for mut family in collector.collect() {
            if let Some(known) = self.families.get_mut(family.name()) {
                known.mut_metric().append(&mut family.take_metric());
            } else {
                self.families.insert(family.name().to_owned(), family);
            }
        }
    }

    pub(crate) fn gauge(&mut self, series: &Series, labels: &[LabelPair<'_>], value: f64) {
        let mut gauge = proto::Gauge::default();
        gauge.set_value(value);
        let mut metric = labelled(labels);
        metric.set_gauge(gauge);
        self.push(series, MetricType::GAUGE, metric);
    }

    pub(crate) fn counter(&mut self, series: &Series, labels: &[LabelPair<'_>], value: f64) {
        let mut counter = proto::Counter::default();
        counter.set_value(value);
        let mut metric = labelled(labels);
        metric.set_counter(counter);
        self.push(series, MetricType::COUNTER, metric);
    }

    pub(crate) fn histogram<const N: usize>(
        &mut self,
        series: &Series,
        labels: &[LabelPair<'_>],
        bounds: &[f64],
        durations: &Durations<N>,
    ) {
        let mut so_far = 0;
        let mut counts = durations.counts().map(|count| {
            so_far += count;
            so_far
        });
        let bounded = bounds.iter().zip(&mut counts).map(|(bound, cumulative)| {
            let mut bucket = proto::Bucket::default();
            bucket.set_upper_bound(*bound);
            bucket.set_cumulative_count(cumulative);
            bucket
        });
        let mut histogram = proto::Histogram::default();
        histogram.set_bucket(bounded.collect());
        histogram.set_sample_count(counts.last().unwrap_or_default());
        histogram.set_sample_sum(durations.sum().as_secs_f64());
        let mut metric = labelled(labels);
        metric.set_histogram(histogram);
        self.push(series, MetricType::HISTOGRAM, metric);
    }

    fn push(&mut self, series: &Series, kind: MetricType, metric: Metric) {
        if let Some(known) = self.families.get_mut(series.name) {
            known.mut_metric().push(metric);
            return;
        }
        let mut family = MetricFamily::default();
        family.set_name(series.name.to_owned());
        family.set_help(series.help.to_owned());
        family.set_field_type(kind);
        family.set_metric(vec![metric]);
        self.families.insert(series.name.to_owned(), family);
    }

    /// Returns version 0.0.4 of the text format.
    pub(crate) fn text(self) -> String {
        let families: Vec<_> = self.families.into_values().collect();
        // Encoding fails only for a family without a name or without series; none is ever added.
        TextEncoder::new()
            .encode_to_string(&families)
            .unwrap_or_default()
    }
}

fn labelled(labels: &[LabelPair<'_>]) -> Metric {
    let pairs = labels.iter().map(|(name, value)| {
        let mut pair = proto::LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    });
    Metric::from_label(pairs.collect())
}

/// Converts a count to the format's number. It is exact up to 2^53, which no count here reaches.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
pub(crate) const fn unsigned(number: u64) -> f64 {
    number as f64
}

/// As [`unsigned`], for a number that may be negative.
#[expect(clippy::cast_precision_loss, reason = "levels are below 2^53")]
pub(crate) const fn signed(number: i64) -> f64 {
    number as f64
}

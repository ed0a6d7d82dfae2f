//! The text that Prometheus scrapes.

use std::collections::BTreeMap;

use prometheus::TextEncoder;
use prometheus::core::Collector;
use prometheus::proto::{Metric, MetricFamily, MetricType};

use crate::series::Series;

/// Families of series by name, gathered from single series: the format wants each family once,
/// with all its series together.
#[derive(Default)]
pub(crate) struct Exposition {
    families: BTreeMap<String, MetricFamily>,
}

impl Exposition {
    pub(crate) fn add(&mut self, series: &impl Collector) {
        for mut family in series.collect() {
            if let Some(known) = self.families.get_mut(family.name()) {
                known.mut_metric().append(&mut family.take_metric());
            } else {
                self.families.insert(family.name().to_owned(), family);
            }
        }
    }

    /// One series of a family.
    pub(crate) fn put(&mut self, series: &Series, kind: MetricType, metric: Metric) {
        if let Some(known) = self.families.get_mut(series.name()) {
            known.mut_metric().push(metric);
            return;
        }
        let mut family = MetricFamily::default();
        family.set_name(series.name().to_owned());
        family.set_help(series.help().to_owned());
        family.set_field_type(kind);
        family.set_metric(vec![metric]);
        self.families.insert(series.name().to_owned(), family);
    }

    /// Version 0.0.4 of the text format.
    pub(crate) fn text(self) -> String {
        let families: Vec<_> = self.families.into_values().collect();
        // Refuses families without a name or a series, and neither `add` nor `put` takes one.
        TextEncoder::new()
            .encode_to_string(&families)
            .unwrap_or_default()
    }
}

//! A parsed metrics page.

use std::collections::BTreeMap;

use test_support::Gateway;

/// The values by series, in the page's spelling.
#[derive(Debug)]
pub struct Page(pub BTreeMap<String, f64>);

impl Page {
    pub fn of(gateway: &Gateway) -> Self {
        Self::read(&gateway.get_ops("/metrics").text())
    }

    pub fn read(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let read = samples.map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            (series.to_owned(), value.parse().unwrap())
        });
        Self(read.collect())
    }

    #[track_caller]
    pub fn value(&self, series: &str) -> f64 {
        let value = self.0.get(series);
        *value.unwrap_or_else(|| panic!("no {series}"))
    }

    /// Returns the sum of all series with this prefix.
    pub fn sum(&self, beginning: &str) -> f64 {
        let these = self
            .0
            .iter()
            .filter(|(name, _)| name.starts_with(beginning));
        these.map(|(_, value)| value).sum()
    }
}

//! Reads the text format, and refuses what `promtool check metrics` would find fault with.

use std::collections::{BTreeMap, BTreeSet};

/// A scraped page.
pub struct Page {
    /// By name: type and help text.
    pub families: BTreeMap<String, Family>,
    /// By spelling, as `name{label="value"}` with labels in their order: the value.
    pub samples: BTreeMap<String, f64>,
}

/// What a page says of a name.
#[derive(Default)]
pub struct Family {
    pub kind: String,
    pub help: String,
    /// Names of labels, but for the `le` of buckets.
    pub labels: BTreeSet<String>,
}

impl Page {
    /// Reads a page; panics on anything that is not as the format wants it.
    pub fn read(text: &str) -> Self {
        let mut page = Self {
            families: BTreeMap::new(),
            samples: BTreeMap::new(),
        };
        let mut current = String::new();
        assert!(text.ends_with('\n'));
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').unwrap();
                name.clone_into(&mut current);
                let family = Family {
                    help: help.to_owned(),
                    ..Family::default()
                };
                assert!(
                    page.families.insert(current.clone(), family).is_none(),
                    "twice: {name}"
                );
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert_eq!(name, current, "TYPE follows HELP");
                kind.clone_into(&mut page.families.get_mut(name).unwrap().kind);
            } else {
                page.read_sample(line, &current);
            }
        }
        page.families
            .iter()
            .for_each(|(name, family)| check_names(name, family));
        page
    }

    fn read_sample(&mut self, line: &str, current: &str) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let name = series.split('{').next().unwrap();
        let family = self.families.get_mut(current).unwrap();
        let suffix = name
            .strip_prefix(current)
            .unwrap_or_else(|| panic!("{line} under {current}"));
        let is_histogram = family.kind == "histogram";
        assert_eq!(
            ["_bucket", "_sum", "_count"].contains(&suffix),
            is_histogram,
            "{line}"
        );
        let labels = series
            .split_once('{')
            .map_or("", |(_, rest)| rest.strip_suffix('}').unwrap());
        for label in labels.split(',').filter(|label| !label.is_empty()) {
            let (name, value) = label.split_once('=').unwrap();
            assert!(
                value.len() > 2 && value.starts_with('"') && value.ends_with('"'),
                "{line}"
            );
            if !(is_histogram && name == "le") {
                family.labels.insert(name.to_owned());
            }
        }
        let value = value.parse().unwrap();
        assert!(
            self.samples.insert(series.to_owned(), value).is_none(),
            "twice: {series}"
        );
    }

    /// The value of a series that must be there.
    pub fn value(&self, series: &str) -> f64 {
        *self
            .samples
            .get(series)
            .unwrap_or_else(|| panic!("no {series}"))
    }

    /// How many series begin like this.
    pub fn count(&self, beginning: &str) -> usize {
        self.samples
            .keys()
            .filter(|series| series.starts_with(beginning))
            .count()
    }

    /// The sum of all series that begin like this.
    pub fn sum(&self, beginning: &str) -> f64 {
        let these = self
            .samples
            .iter()
            .filter(|(series, _)| series.starts_with(beginning));
        these.map(|(_, value)| value).sum()
    }
}

fn check_names(name: &str, family: &Family) {
    assert!(!family.help.is_empty(), "{name}");
    assert_eq!(family.kind == "counter", name.ends_with("_total"), "{name}");
    let reserved = ["_count", "_sum", "_bucket"];
    assert!(
        !reserved.iter().any(|suffix| name.ends_with(suffix)),
        "{name}"
    );
    let abbreviated = [
        "_ms",
        "_sec",
        "_secs",
        "_s",
        "_milliseconds",
        "_microseconds",
    ];
    assert!(
        !abbreviated.iter().any(|unit| name.ends_with(unit)),
        "{name}"
    );
    assert!(
        name.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
        "{name}"
    );
}

//! The metrics of a running gateway as Prometheus scrapes them, its alerts and dashboards under traffic,
//! and its log.
// The values that are compared are whole numbers, which a float holds exactly.
#![allow(missing_docs, clippy::unwrap_used, clippy::float_cmp)]

mod alerts;
mod console;
mod exposition;
mod log_filter;
mod many_billers;
mod metrics_page;
mod page;
mod panels;
mod prometheus;
mod rules;
mod stages;
mod start_faults;
mod traces;
mod traffic;

/// A name that breaks every format in which it is not escaped.
pub const HOSTILE_NAME: &str = r#"테스트 "아파트" \ 관리비 <b>&amp;</b> {le="0"} 🧾"#;

/// Returns a name as a TOML key.
pub fn named(name: &str) -> String {
    format!("name = {}\n", toml::Value::from(name))
}

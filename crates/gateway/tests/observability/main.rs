//! What operators see of a running gateway: its series as Prometheus takes them, its alerts and
//! dashboards under traffic, its log.
// The values that are compared are whole numbers, which a float holds exactly.
#![allow(missing_docs, clippy::unwrap_used, clippy::float_cmp)]

mod console;
mod exposition;
mod log_filter;
mod many_billers;
mod metrics_page;
mod page;
mod panels;
mod prometheus;
mod rehearsal;
mod rules;
mod stages;
mod traces;
mod traffic;

/// A name that would break what does not escape it.
pub const HOSTILE_NAME: &str = r#"테스트 "아파트" \ 관리비 <b>&amp;</b> {le="0"} 🧾"#;

/// The same as a TOML key.
pub fn named(name: &str) -> String {
    format!("name = {}\n", toml::Value::from(name))
}

//! Bytes that strangers send, against every reader of the gateway that meets them first.
//!
//! Each target is one function that takes any bytes and panics where a promise is broken. What it
//! promises is said by a second reader of the same bytes wherever there is one: `serde_json` beside
//! our scanner, `httparse` and the HTTP library beside the guard, `toml` beside the configuration.
//!
//! The files of `corpus/` are replayed by an ordinary test; `crates/fuzz/run` looks for new ones.

mod answer;
mod checks;
mod configuration;
mod forwarded_for;
mod json;
mod listener;
mod request;
mod second_reader;

pub use answer::answer;
pub use configuration::{biller_file, main_file};
pub use forwarded_for::forwarded_for;
pub use listener::listener;
pub use request::request;

/// A fuzz target's name, which is that of its folder in `corpus/`, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("request", request),
    ("answer", answer),
    ("listener", listener),
    ("forwarded_for", forwarded_for),
    ("main_file", main_file),
    ("biller_file", biller_file),
];

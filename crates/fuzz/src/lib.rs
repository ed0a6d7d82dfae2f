//! Fuzz targets for all parsers of the gateway that read untrusted bytes.
//!
//! Each target is a function that takes any bytes and panics if an invariant is violated, and has its own
//! file. Most targets compare the gateway's parser with a second parser: the JSON scanner with `serde_json`,
//! the framing check with `httparse` and the HTTP library, the configuration with `toml`.
//!
//! A test replays the files of `corpus/`; `crates/fuzz/run` searches for new ones.

mod answer;
mod checks;
mod configuration;
mod forwarded_for;
mod json;
mod listener;
mod request;
mod second_parser;

pub use answer::answer;
pub use configuration::{biller_file, main_file};
pub use forwarded_for::forwarded_for;
pub use listener::listener;
pub use request::request;

/// The name of a fuzz target, which is also its folder in `corpus/`, and its function.
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

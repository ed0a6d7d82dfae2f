//! Every time series of the gateway in one place (contract section 7).
//!
//! - `series.rs` is the table: names, units, help texts. `label.rs` holds the labels: they are enums
//!   or registered billers, so no stranger can make a series.
//! - [`Metrics`] is shared by all workers; [`BillerSeries`] holds what is counted per biller, and is
//!   kept beside the biller so that no call looks it up.
//! - Counting an answer takes no lock, formats no text and looks nothing up by name, unless the
//!   answer is another than `OK`/200.

mod biller;
mod buckets;
mod exposition;
mod label;
mod metrics;
mod per_label;
mod requests;
mod series;

pub use biller::{BillerSeries, InFlight};
pub use label::{LedgerOperation, RejectedReason, ResCodeLabel, Stage};
pub use metrics::{Answered, LedgerTimer, Metrics};

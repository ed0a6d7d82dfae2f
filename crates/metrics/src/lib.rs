//! Every time series of the gateway in one place (contract section 7).
//!
//! - `series.rs` is the table: names, units, help texts. `label.rs` holds the labels: they are enums
//!   or registered billers, so no stranger can make a series.
//! - [`Metrics`] is shared by all workers; [`BillerSeries`] holds what is counted per biller, and is
//!   kept beside the biller so that no call looks it up.
//! - `cells.rs` has the numbers that lie inside what they are counted for; the rest are the library's own.
//! - [`Vitals`] is what a scrape asks for: no call sets a gauge that nobody may ever read.
//! - Counting an answer takes no lock, formats no text and looks nothing up by name, unless the
//!   answer is another than `OK`/200.

mod answered;
mod biller;
mod buckets;
mod cells;
mod certificates;
mod exposition;
mod label;
mod metrics;
mod per_label;
mod reloads;
mod requests;
mod series;
mod stages;
mod vitals;

pub use answered::Answered;
pub use biller::{BillerSeries, InFlight};
pub use certificates::Certificate;
pub use label::{LedgerOperation, RejectedReason, ReloadResult, ResCodeLabel, Stage};
pub use metrics::{LedgerTimer, Metrics};
pub use stages::StageTimes;
pub use vitals::{
    BillerVitals, ConnectionVitals, JournalVitals, SharedVitals, UndeliveredVitals, Vitals,
};

//! The time series of the gateway (contract section 7).
//!
//! - `series.rs` is the table of names and help texts. `label.rs` has the labels. Their values are enums
//!   and registered billers, so a client cannot create series.
//! - [`Metrics`] is shared by all workers. [`BillerSeries`] has the series of one biller. The gateway stores
//!   it with the biller, so that no call looks it up.
//! - `cells.rs` has the counters of these series. All other series use the `prometheus` crate.
//! - [`GatewayStatus`] has the values that are read at each scrape.
//! - Counting an answer formats no text and looks nothing up by name. It takes no lock if the answer is
//!   `OK` with status 200.

mod biller;
mod buckets;
mod cells;
mod certificates;
mod exposition;
mod handshakes;
mod label;
mod ledger;
mod metrics;
mod reloads;
mod requests;
mod series;
mod stages;
mod status;

pub use biller::{BillerSeries, InFlight};
pub use certificates::CertificateExpiry;
pub use handshakes::HandshakeFailures;
pub use label::{
    CertificateUse, HandshakeReason, LedgerOperation, LoginFailure, RejectedReason, ReloadResult,
    ResCodeLabel, Stage,
};
pub use ledger::LedgerTimer;
pub use metrics::Metrics;
pub use requests::AnsweredCall;
pub use stages::StageTimes;
pub use status::{
    BillerStatus, CacheStatus, ConnectionStatus, GatewayStatus, JournalStatus, RedisStatus,
    UndeliveredStatus,
};

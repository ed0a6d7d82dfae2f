//! Traces for an OTLP collector, if `tracing.otlp_endpoint` is set (`docs/logging.md`, "Traces").
//!
//! - A worker that has answered a call puts its [`CallSpans`] into a bounded [`SpanQueue`], without waiting and without
//!   formatting text.
//! - The [`Exporter`]'s task on the main thread formats spans and posts them in batches.
//! - Without a collector there is no queue, and no [`CallSpans`] are created.

mod call_spans;
mod exporter;
mod otlp;
mod queue;

pub use call_spans::{CallSpans, UpstreamTiming};
pub use exporter::Exporter;
pub use queue::SpanQueue;

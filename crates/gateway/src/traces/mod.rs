//! Traces for an OTLP collector, where `tracing.otlp_endpoint` names one (`docs/logging.md`, "Traces").
//!
//! - A worker that has answered a call leaves what it knows of it, [`CallSpans`], in a bounded
//!   [`SpanQueue`] and goes on. It waits for nobody and writes no text.
//! - One task on the main thread, the [`Exporter`]'s, makes spans of it and posts them in batches.
//! - Where there is no collector there is no queue, and nothing is made for it.

mod call_spans;
mod exporter;
mod otlp;
mod queue;

pub use call_spans::{CallSpans, UpstreamTiming};
pub use exporter::Exporter;
pub use queue::SpanQueue;

//! The task that posts spans to the collector.

use std::error::Error;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::HeaderMap;
use actix_web::rt::task::JoinHandle;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::otlp::export_request;
use super::queue::{DroppedSpans, MAX_QUEUED_CALLS};
use super::{CallSpans, SpanQueue};
use crate::config::{BaseUrl, Scheme};
use crate::request_id::{TraceParent, new_span_id, request_id};
use crate::tls::{ClientFiles, client_config};
use crate::upstream::{ApiEndpoint, Circuit, Clients, Origin, Party, Repeat, UpstreamRequest};

/// The most spans of one post.
const MAX_BATCH_SPANS: usize = 512;
const MAX_BATCH_CALLS: usize = MAX_BATCH_SPANS / CallSpans::MAX_COUNT;

/// The longest time that the first span of a batch waits for others.
const BATCH_DELAY: Duration = Duration::from_secs(1);

/// The interval at which the queue is checked meanwhile. A task that waits on the queue itself would be woken by the
/// workers for each call.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The longest time of a post, including the connection.
const POST_TIMEOUT: Duration = Duration::from_secs(2);

/// The largest answer of a collector; a usual answer is a few bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1_024;

/// The path of traces in OTLP/HTTP, below the configured URL.
const PATH: &str = "/v1/traces";

/// The running export task.
#[derive(Debug)]
pub struct Exporter {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Exporter {
    /// Starts the export on the calling thread's runtime and returns its queue.
    ///
    /// # Errors
    /// If the URL is invalid or TLS cannot be set up.
    pub fn start(endpoint: &BaseUrl) -> Result<(SpanQueue, Self), Box<dyn Error>> {
        let tls = match endpoint.scheme() {
            Scheme::Http => None,
            Scheme::Https => Some(client_config(ClientFiles::default())?),
        };
        // This circuit is not used: there is at most one post per second.
        let circuit = Circuit::new(1, Duration::ZERO);
        let origin = Arc::new(Origin::new(endpoint, tls)?);
        let prefix = endpoint.path_prefix();
        let party = Party::new("traces", origin, prefix, MAX_ANSWER_BYTES, circuit);
        let dropped = DroppedSpans::default();
        let (queue, calls) = SpanQueue::bounded(MAX_QUEUED_CALLS, dropped.clone());
        let collector = Collector {
            endpoint: party.endpoint(PATH)?,
            party: Arc::new(party),
            clients: Clients::new(),
            dropped,
            is_failing: false,
        };
        let stop = CancellationToken::new();
        let task = actix_web::rt::spawn(export(calls, collector, stop.clone()));
        Ok((queue, Self { stop, task }))
    }

    /// Posts the queued spans within this time and ends the task.
    pub async fn finish(mut self, within: Duration) {
        self.stop.cancel();
        if timeout(within, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

async fn export(mut calls: Receiver<CallSpans>, mut collector: Collector, stop: CancellationToken) {
    let mut batch = Vec::with_capacity(MAX_BATCH_CALLS);
    loop {
        collect_batch(&mut calls, &mut batch, &stop).await;
        if batch.is_empty() {
            return;
        }
        collector.send(&batch).await;
        batch.clear();
    }
}

/// Waits for a batch; an empty one means the end.
async fn collect_batch(
    calls: &mut Receiver<CallSpans>,
    batch: &mut Vec<CallSpans>,
    stop: &CancellationToken,
) {
    tokio::select! {
        // Queued calls are exported even after the stop.
        biased;
        first = calls.recv() => batch.extend(first),
        () = stop.cancelled() => return,
    }
    let due = Instant::now() + BATCH_DELAY;
    while 1 + calls.len() < MAX_BATCH_CALLS && Instant::now() < due {
        let stopped = timeout(POLL_INTERVAL, stop.cancelled()).await.is_ok();
        if stopped {
            break;
        }
    }
    while batch.len() < MAX_BATCH_CALLS {
        let Ok(call) = calls.try_recv() else {
            break;
        };
        batch.push(call);
    }
}

/// The collector and the connections to it.
struct Collector {
    endpoint: ApiEndpoint,
    party: Arc<Party>,
    clients: Clients,
    dropped: DroppedSpans,
    is_failing: bool,
}

impl Collector {
    /// Posts a batch once. Spans that the collector does not accept are dropped: keeping them would need another bound.
    async fn send(&mut self, batch: &[CallSpans]) {
        match self.post(batch).await {
            Ok(()) => self.succeeded(),
            Err(fault) => {
                self.dropped.add(batch.iter().map(CallSpans::count).sum());
                self.failed(&fault);
            }
        }
    }

    async fn post(&self, batch: &[CallSpans]) -> Result<(), Box<dyn Display>> {
        let body = export_request(batch, new_span_id).map_err(|error| Box::new(error) as _)?;
        let request = UpstreamRequest {
            endpoint: &self.endpoint,
            request_id: &request_id(&HeaderMap::new()),
            // A collector that traces its own requests must not trace the posts.
            traceparent: &TraceParent::unsampled(),
            authorization: None,
            body: &body,
        };
        let deadline = Instant::now() + POST_TIMEOUT;
        let post = self
            .clients
            .call(&self.party, request, deadline, Repeat::Safe);
        match post.await.result {
            Ok(answer) if answer.status.is_success() => Ok(()),
            Ok(answer) => Err(Box::new(answer.status)),
            Err(fault) => Err(Box::new(fault)),
        }
    }

    /// Logs the first of consecutive failures.
    fn failed(&mut self, fault: &dyn Display) {
        if !std::mem::replace(&mut self.is_failing, true) {
            tracing::warn!(%fault, "trace spans are dropped: the collector does not accept them");
        }
    }

    /// Logs the first success after a failure.
    fn succeeded(&mut self) {
        if std::mem::take(&mut self.is_failing) {
            tracing::info!("the collector accepts trace spans again");
        }
    }
}

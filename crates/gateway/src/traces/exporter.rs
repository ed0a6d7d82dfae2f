//! The one task that posts spans to the collector.

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
use super::queue::{LostSpans, MAX_QUEUED_CALLS};
use super::{CallSpans, SpanQueue};
use crate::config::{BaseUrl, Scheme};
use crate::request_id::{TraceParent, new_span_id, request_id};
use crate::tls::{ClientFiles, client_config};
use crate::upstream::{ApiEndpoint, Circuit, Clients, Origin, Party, Repeat, UpstreamRequest};

/// Spans in one post.
const MAX_BATCH_SPANS: usize = 512;
const MAX_BATCH_CALLS: usize = MAX_BATCH_SPANS / CallSpans::MOST;

/// How long the first span of a batch waits for others.
const GATHER: Duration = Duration::from_secs(1);

/// How often the queue is looked at meanwhile. A task that slept on the queue itself would have to be
/// woken by the workers, once for each call.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What a post may take, connecting included.
const POST_TIMEOUT: Duration = Duration::from_secs(2);

/// A collector answers with next to nothing.
const MAX_ANSWER_BYTES: usize = 64 * 1_024;

/// Where OTLP/HTTP takes traces, under the configured URL.
const PATH: &str = "/v1/traces";

/// The running export.
#[derive(Debug)]
pub struct Exporter {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Exporter {
    /// Starts exporting on the calling thread's runtime what is put into the queue.
    ///
    /// # Errors
    /// When the URL cannot be asked, or TLS not be set up.
    pub fn start(endpoint: &BaseUrl) -> Result<(SpanQueue, Self), Box<dyn Error>> {
        let tls = match endpoint.scheme() {
            Scheme::Http => None,
            Scheme::Https => Some(client_config(ClientFiles::default())?),
        };
        // Nobody asks this circuit: a post every second at the most is no burden to anybody.
        let circuit = Circuit::new(1, Duration::ZERO);
        let origin = Arc::new(Origin::new(endpoint, tls)?);
        let prefix = endpoint.path_prefix();
        let party = Party::new("traces", origin, prefix, MAX_ANSWER_BYTES, circuit);
        let lost = LostSpans::default();
        let (queue, calls) = SpanQueue::of(MAX_QUEUED_CALLS, lost.clone());
        let posts = Posts {
            endpoint: party.endpoint(PATH)?,
            party: Arc::new(party),
            clients: Clients::new(),
            lost,
            is_failing: false,
        };
        let stop = CancellationToken::new();
        let task = actix_web::rt::spawn(export(calls, posts, stop.clone()));
        Ok((queue, Self { stop, task }))
    }

    /// Posts what is queued, within this time, and ends.
    pub async fn finish(mut self, within: Duration) {
        self.stop.cancel();
        if timeout(within, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

async fn export(mut calls: Receiver<CallSpans>, mut posts: Posts, stop: CancellationToken) {
    let mut batch = Vec::with_capacity(MAX_BATCH_CALLS);
    loop {
        gather(&mut calls, &mut batch, &stop).await;
        if batch.is_empty() {
            return;
        }
        posts.send(&batch).await;
        batch.clear();
    }
}

/// Waits for a batch; an empty one is the end.
async fn gather(
    calls: &mut Receiver<CallSpans>,
    batch: &mut Vec<CallSpans>,
    stop: &CancellationToken,
) {
    tokio::select! {
        // What has come is exported, also after the end was asked for.
        biased;
        first = calls.recv() => batch.extend(first),
        () = stop.cancelled() => return,
    }
    let due = Instant::now() + GATHER;
    while 1 + calls.len() < MAX_BATCH_CALLS && Instant::now() < due {
        let look = timeout(LOOK_EVERY, stop.cancelled()).await;
        if look.is_ok() {
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

/// The way to the collector.
struct Posts {
    endpoint: ApiEndpoint,
    party: Arc<Party>,
    clients: Clients,
    lost: LostSpans,
    is_failing: bool,
}

impl Posts {
    /// Sends a batch once. What the collector does not take is lost: to keep it for later would put a bound
    /// off, not remove it.
    async fn send(&mut self, batch: &[CallSpans]) {
        match self.post(batch).await {
            Ok(()) => self.succeeded(),
            Err(fault) => {
                self.lost.add(batch.iter().map(CallSpans::count).sum());
                self.failed(&fault);
            }
        }
    }

    async fn post(&self, batch: &[CallSpans]) -> Result<(), Box<dyn Display>> {
        let body = export_request(batch, new_span_id).map_err(|error| Box::new(error) as _)?;
        let request = UpstreamRequest {
            endpoint: &self.endpoint,
            request_id: &request_id(&HeaderMap::new()),
            // A collector that traces itself is not to make a trace of each of ours.
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

    /// The log is told when it begins and when it ends, not of each batch.
    fn failed(&mut self, fault: &dyn Display) {
        if !std::mem::replace(&mut self.is_failing, true) {
            tracing::warn!(%fault, "traces are lost: the collector does not take them");
        }
    }

    fn succeeded(&mut self) {
        if std::mem::take(&mut self.is_failing) {
            tracing::info!("the collector takes traces again");
        }
    }
}

//! The public listener's handler: admission, body, flow, reply; then metrics, log line and trace.

use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use actix_http::{HttpMessage as _, Request};
use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName};
use futures_util::FutureExt;
use metrics::{AnsweredCall, BillerSeries, RejectedReason, Stage};
use protocol::{Api, BillerCode};
use tokio::time::Instant;

use crate::admission;
use crate::admission::body::{self, ReceivedBody};
use crate::call::Call;
use crate::flow;
use crate::logging::CallLine;
use crate::refused::{self, PayResultRoute};
use crate::registry::RegisteredBiller;
use crate::reply::{Problem, Reply};
use crate::request_id::only;
use crate::routes::{self, NamedBiller, Route};
use crate::server::IncomingRequest;
use crate::state::{Parties, Worker};
use crate::traces::CallSpans;

/// Names the biller on the guide's bare paths (contract section 1).
const X_BILLER_CODE: HeaderName = HeaderName::from_static("x-biller-code");

/// Answers one request.
pub fn handle(
    worker: Rc<Worker>,
    mut incoming: IncomingRequest,
) -> impl Future<Output = HttpResponse> + use<> {
    let (headers, started) = (incoming.request.headers(), incoming.head_read_at);
    let call = Call::begin(Rc::clone(&worker), &incoming.connection, headers, started);
    let call = Rc::new(call);
    let subject = Subject::of(&worker, &incoming.request);
    async move {
        let mut received = ReceivedBody::default();
        let answer = answer(&worker, &call, &subject, (&mut incoming, &mut received));
        // A panic in one call must not end the connection's other calls.
        let answered = AssertUnwindSafe(answer)
            .catch_unwind()
            .await
            .unwrap_or_else(|_| {
                tracing::error!(request_id = call.request_id(), "a call panicked");
                Err(Problem::Internal)
            });
        if let Err(problem) = &answered
            && subject.api == Some(Api::PayResult)
            && refused::is_refusal(problem)
        {
            let route = subject.pay_result_route(&incoming.request);
            let refused = refused::note(&call, &route, &mut incoming, received, problem);
            // Boxed, so that a call that is not refused is not as large as one that is.
            Box::pin(refused).await;
        }
        finish(&worker, &call, &subject, answered)
    }
}

/// API and biller that the request's head names; labels of its metrics and its log line.
struct Subject {
    /// The parties at the time of the request; a reload during the call does not change them.
    parties: Arc<Parties>,
    api: Option<Api>,
    biller: Option<Arc<RegisteredBiller>>,
    series: Arc<BillerSeries>,
}

impl Subject {
    fn of(worker: &Worker, request: &Request) -> Self {
        let parties = worker.shared().parties();
        let route = routes::find(request.uri().path());
        let biller = route.and_then(|route| named_biller(&parties, route, request.headers()));
        let series = biller.as_ref().map_or_else(
            || worker.shared().metrics.unknown_biller(),
            |biller| Arc::clone(&biller.series),
        );
        Self {
            parties,
            api: route.map(|route| route.api),
            biller,
            series,
        }
    }
}

impl Subject {
    /// Returns what the head of a refused pay-result says.
    fn pay_result_route(&self, request: &Request) -> PayResultRoute {
        let route = routes::find(request.uri().path());
        let named = route.and_then(|route| code(route, request.headers()));
        PayResultRoute {
            parties: Arc::clone(&self.parties),
            named: named.and_then(BillerCode::parse),
            biller: self.biller.clone(),
            series: Arc::clone(&self.series),
        }
    }
}

fn named_biller(
    parties: &Parties,
    route: Route<'_>,
    headers: &HeaderMap,
) -> Option<Arc<RegisteredBiller>> {
    parties.registry.find(code(route, headers)?).cloned()
}

fn code<'a>(route: Route<'a>, headers: &'a HeaderMap) -> Option<&'a str> {
    match route.biller {
        NamedBiller::InPath(code) => Some(code),
        NamedBiller::InHeader => only(headers, &X_BILLER_CODE)?.to_str().ok(),
    }
}

async fn answer(
    worker: &Worker,
    call: &Rc<Call>,
    subject: &Subject,
    (incoming, received): (&mut IncomingRequest, &mut ReceivedBody),
) -> Result<Reply, Problem> {
    if let Some(fault) = incoming.fault {
        return Err(Problem::EarlyFault(fault));
    }
    // Such a connection could not be opened now, so it is not served, whatever the call asks for.
    if !incoming.connection.is_still_trusted() {
        return Err(Problem::CertificateWithdrawn);
    }
    let api = subject.api.ok_or(Problem::UnknownRoute)?;
    if incoming.request.method() != Method::POST {
        return Err(Problem::WrongMethod);
    }
    let admitted = admission::admit(api, &subject.parties, subject.biller.as_ref(), incoming)?;
    let _gauge = subject.series.enter();
    let limit_bytes = worker.shared().request_body_bytes;
    body::read(incoming, received, limit_bytes, call.deadline())
        .await
        // A framing fault of the body takes precedence over the read error that it caused.
        .map_err(|problem| (incoming.connection.fault()).map_or(problem, Problem::EarlyFault))?;
    call.enter(Stage::Parse);
    flow::run(call, api, &admitted, received.bytes()).await
}

/// Counts, logs and traces the answer, and returns it as an HTTP response.
fn finish(
    worker: &Worker,
    call: &Call,
    subject: &Subject,
    answered: Result<Reply, Problem>,
) -> HttpResponse {
    let metrics = &worker.shared().metrics;
    let reply = answered.unwrap_or_else(|problem| {
        if let Some(reason) = rejected_reason(&problem) {
            metrics.rejected(reason);
        }
        Reply::from(&problem)
    });
    let (total, stages) = call.end(Instant::now());
    metrics.answered(
        &subject.series,
        &AnsweredCall {
            api: subject.api,
            res_code: reply.res_code,
            status: reply.status.as_u16(),
            total,
            upstream: call.upstream(),
            stages,
        },
    );
    CallLine {
        request_id: call.request_id(),
        trace_id: call.trace_id(),
        api: subject.api,
        biller: subject.biller.as_ref().map(|biller| biller.code()),
        res_code: reply.res_code,
        status: reply.status.as_u16(),
        total,
        upstream: call.upstream(),
        outcome: reply.outcome,
        reason: reply.reason,
    }
    .emit();
    if let Some(queue) = worker.shared().traces.get()
        && call.trace().is_sampled()
    {
        queue.push(CallSpans {
            trace: call.trace().clone(),
            request_id: call.request_id_header(),
            api: subject.api,
            biller: subject.biller.as_ref().map(|biller| biller.code()),
            res_code: reply.res_code,
            status: reply.status.as_u16(),
            outcome: reply.outcome,
            ended_at: SystemTime::now(),
            total,
            stages,
            upstream: call.upstream_timing(),
        });
    }
    reply.into_response(call.request_id_header())
}

/// Returns the label of `relay_rejected_total` for this problem; `None` if that counter does not count it.
const fn rejected_reason(problem: &Problem) -> Option<RejectedReason> {
    match problem {
        Problem::AddressNotAllowed(_) => Some(RejectedReason::Address),
        Problem::CertificateNotPinned
        | Problem::CertificateWithdrawn
        | Problem::AuthorizationMissing
        | Problem::AuthorizationWrong
        | Problem::AuthorizationTwice
        | Problem::Suspended => Some(RejectedReason::Authorization),
        Problem::RateLimited { .. } => Some(RejectedReason::Rate),
        Problem::BodyTooLarge
        | Problem::BodyLate
        | Problem::BodyBroken
        | Problem::Body(_)
        | Problem::EarlyFault(_) => Some(RejectedReason::Body),
        Problem::Overload => Some(RejectedReason::Overload),
        Problem::CircuitOpen { .. } => Some(RejectedReason::Circuit),
        _ => None,
    }
}

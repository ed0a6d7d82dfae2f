//! The public listener's one handler: admission, body, flow, reply; counts and logs every answer.

use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use actix_http::{HttpMessage as _, Request};
use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName};
use futures_util::FutureExt;
use ipnet::IpNet;
use metrics::{Answered, BillerSeries, RejectedReason, Stage};
use protocol::{Api, Caller};
use tokio::time::Instant;

use crate::admission::{address, authorization, body};
use crate::call::Call;
use crate::config::Sha256;
use crate::flow::{self, Admitted};
use crate::gateway::{Parties, Worker};
use crate::logging::CallLine;
use crate::registry::RegisteredBiller;
use crate::reply::{Problem, Reply};
use crate::request_id::only;
use crate::routes::{self, NamedBiller, Route};
use crate::server::Arrival;
use crate::traces::CallSpans;

/// Names the biller on the guide's bare paths.
const X_BILLER_CODE: HeaderName = HeaderName::from_static("x-biller-code");

/// Answers one request.
pub fn handle(
    worker: Rc<Worker>,
    mut arrival: Arrival,
) -> impl Future<Output = HttpResponse> + use<> {
    let (headers, started) = (arrival.request.headers(), arrival.head_read_at);
    let call = Call::begin(Rc::clone(&worker), &arrival.connection, headers, started);
    let call = Rc::new(call);
    let subject = Subject::of(&worker, &arrival.request);
    async move {
        let answer = answer(&worker, &call, &subject, &mut arrival);
        // A bug in one call must not take the connection's other calls with it.
        let answered = AssertUnwindSafe(answer)
            .catch_unwind()
            .await
            .unwrap_or_else(|_| {
                tracing::error!(request_id = call.request_id(), "a call panicked");
                Err(Problem::Internal)
            });
        finish(&worker, &call, &subject, answered)
    }
}

/// What a request is about, as far as its head tells: known or not, it is counted under this.
struct Subject {
    /// The parties as they were when the call came, whatever a reload makes of them meanwhile.
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

fn named_biller(
    parties: &Parties,
    route: Route<'_>,
    headers: &HeaderMap,
) -> Option<Arc<RegisteredBiller>> {
    let code = match route.biller {
        NamedBiller::InPath(code) => code,
        NamedBiller::InHeader => only(headers, &X_BILLER_CODE)?.to_str().ok()?,
    };
    parties.registry.find(code).cloned()
}

async fn answer(
    worker: &Worker,
    call: &Rc<Call>,
    subject: &Subject,
    arrival: &mut Arrival,
) -> Result<Reply, Problem> {
    if let Some(fault) = arrival.fault {
        return Err(Problem::EarlyFault(fault));
    }
    let api = subject.api.ok_or(Problem::UnknownRoute)?;
    if arrival.request.method() != Method::POST {
        return Err(Problem::WrongMethod);
    }
    let admitted = admit(api, subject, arrival)?;
    let _gauge = subject.series.enter();
    let limit_bytes = worker.shared().request_body_bytes;
    let body = body::read(arrival, limit_bytes, call.deadline())
        .await
        // Where the body's framing was bad, that is what the caller is told.
        .map_err(|problem| (arrival.connection.fault()).map_or(problem, Problem::EarlyFault))?;
    call.enter(Stage::Parse);
    flow::run(call, api, &admitted, &body).await
}

/// Checks 1 to 3 of the contract, in its order.
fn admit(api: Api, subject: &Subject, arrival: &Arrival) -> Result<Admitted, Problem> {
    match api.caller() {
        Caller::Biller => admit_biller(subject, arrival),
        Caller::KakaoPay => admit_kakao(api, subject, arrival),
    }
}

fn admit_biller(subject: &Subject, arrival: &Arrival) -> Result<Admitted, Problem> {
    // An unknown biller has an empty list, and an empty list admits nobody.
    let biller = subject.biller.as_ref().ok_or(Problem::AddressNotAllowed)?;
    require_source(subject, arrival, &biller.settings.allow_from)?;
    require_certificate(arrival, &biller.settings.client_certificates)?;
    if !biller.is_active() {
        return Err(Problem::AuthorizationWrong);
    }
    let accepted = &biller.settings.authorization_sha256;
    let authorization = authorization::authorize(arrival.request.headers(), accepted)?.clone();
    biller.rate.admit()?;
    Ok(Admitted {
        biller: Arc::clone(biller),
        authorization: Some(authorization),
    })
}

fn admit_kakao(api: Api, subject: &Subject, arrival: &Arrival) -> Result<Admitted, Problem> {
    let kakao = &subject.parties.kakao;
    require_source(subject, arrival, &kakao.allow_from)?;
    require_certificate(arrival, &kakao.client_certificates)?;
    let biller = subject.biller.as_ref().ok_or(Problem::UnknownBiller)?;
    // A suspended biller is unknown, but money that moved is told to it all the same.
    if !biller.is_active() && api != Api::PayResult {
        return Err(Problem::UnknownBiller);
    }
    Ok(Admitted {
        biller: Arc::clone(biller),
        authorization: None,
    })
}

fn require_source(subject: &Subject, arrival: &Arrival, allowed: &[IpNet]) -> Result<(), Problem> {
    let (peer, headers) = (arrival.connection.peer(), arrival.request.headers());
    address::source(peer, headers, &subject.parties.trusted_proxies)
        .filter(|source| address::contains(allowed, *source))
        .map(|_| ())
        .ok_or(Problem::AddressNotAllowed)
}

fn require_certificate(arrival: &Arrival, pinned: &[Sha256]) -> Result<(), Problem> {
    if !arrival.connection.is_still_trusted() {
        return Err(Problem::CertificateWithdrawn);
    }
    let presented = arrival.connection.certificate();
    let is_pinned = |digest: &[u8; 32]| pinned.iter().any(|known| known.as_bytes() == digest);
    if pinned.is_empty() || presented.is_some_and(is_pinned) {
        Ok(())
    } else {
        Err(Problem::CertificateNotPinned)
    }
}

/// Counts, logs and traces the answer, and turns it into bytes.
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
        &Answered {
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
    }
    .emit();
    if let Some(queue) = worker.shared().traces.get()
        && call.trace().is_sampled()
    {
        queue.put(CallSpans {
            trace: call.trace().clone(),
            request_id: call.request_id_header(),
            api: subject.api,
            biller: subject.biller.as_ref().map(|biller| biller.code()),
            res_code: reply.res_code,
            status: reply.status.as_u16(),
            outcome: reply.outcome,
            ended: SystemTime::now(),
            total,
            stages,
            asked: call.asked(),
        });
    }
    reply.into_response(call.request_id_header())
}

/// The reasons that `relay_rejected_total` knows.
const fn rejected_reason(problem: &Problem) -> Option<RejectedReason> {
    match problem {
        Problem::AddressNotAllowed => Some(RejectedReason::Address),
        Problem::CertificateNotPinned
        | Problem::CertificateWithdrawn
        | Problem::AuthorizationMissing
        | Problem::AuthorizationWrong => Some(RejectedReason::Authorization),
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

//! Pay-results that a check refuses: money may have moved (contract section 2, "A pay-result that is refused").
//!
//! Each is counted and logged. One from an address of Kakao Pay's is kept whole, and the bill of which it may report a
//! payment is an error bill until an operator has dealt with it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use ledger::{Ledger, RefusedKept, RefusedPayResult, Timestamp};
use metrics::{BillerSeries, LedgerOperation};
use protocol::{Bill, BillerCode, LenientPayResult};

use crate::admission::body::{self, ReceivedBody};
use crate::admission::{self, address};
use crate::call::Call;
use crate::registry::{RegisteredBiller, Registry};
use crate::reply::Problem;
use crate::server::IncomingRequest;
use crate::state::Parties;

/// The most bytes that are kept of a refused pay-result. One above the limit of requests is kept, too: money may have
/// moved.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// The route of a pay-result: what its head says.
#[derive(Debug)]
pub struct PayResultRoute {
    /// The parties at the time of the request.
    pub parties: Arc<Parties>,
    /// The code that the call names, registered or not.
    pub named: Option<BillerCode>,
    /// The registered biller with that code.
    pub biller: Option<Arc<RegisteredBiller>>,
    /// The biller's series, or those of unknown billers.
    pub series: Arc<BillerSeries>,
}

/// Returns whether a check refused the call: checks 1 to 8, and the framing. The other problems come after a payment
/// was recorded.
pub const fn is_refusal(problem: &Problem) -> bool {
    matches!(problem.reason().check, Some(1..=8)) || matches!(problem, Problem::EarlyFault(_))
}

/// Counts and logs a refused pay-result, and keeps one of Kakao Pay's. When this function returns, the entry is on
/// durable storage, or that it is not was logged as an error.
pub async fn note(
    call: &Call,
    route: &PayResultRoute,
    incoming: &mut IncomingRequest,
    mut received: ReceivedBody,
    problem: &Problem,
) {
    let (code, _) = problem.answer();
    route.series.pay_result_refused(code);
    let source = admission::source(&route.parties, incoming).ok();
    let of_kakao = |source: &IpAddr| address::contains(&route.parties.kakao.allow_from, *source);
    let Some(source) = source.filter(of_kakao) else {
        log_foreign(call, route, source, problem);
        return;
    };
    if may_be_read_on(problem) {
        body::read_on(incoming, &mut received, KEPT_BYTES_MAX, call.deadline()).await;
    }
    let is_whole = received.is_whole();
    let refused = RefusedPayResult {
        biller: route.named,
        body: received.bytes().clone(),
        is_whole,
        res_code: code.code().to_owned(),
        reason: reason(problem),
        source,
        request_id: call.request_id().to_owned(),
    };
    keep(call, route, refused).await;
}

/// Whether the body, or its rest, is unread: check 1 or 2 refused the call, or the body is too large.
const fn may_be_read_on(problem: &Problem) -> bool {
    matches!(problem.reason().check, Some(1 | 2)) || matches!(problem, Problem::BodyTooLarge)
}

async fn keep(call: &Call, route: &PayResultRoute, refused: RefusedPayResult) {
    let registered = route.biller.as_deref();
    let bill = (refused.biller).and_then(|biller| paid_bill(biller, registered, &refused.body));
    let biller = refused
        .biller
        .map_or("-".to_owned(), |code| code.to_string());
    tracing::error!(
        request_id = call.request_id(),
        biller,
        res_code = refused.res_code,
        reason = refused.reason,
        source = %refused.source,
        bytes = refused.body.len(),
        is_whole = refused.is_whole,
        makes_error_bill = bill.is_some(),
        "a pay-result was refused: money may have moved"
    );
    let kept = call
        .ledger()
        .keep_refused(refused, bill.as_ref(), call.now())
        .await;
    match kept {
        RefusedKept::Durable(_) => {}
        RefusedKept::InMemoryOnly(error) => {
            call.metrics().ledger_unavailable(LedgerOperation::Payment);
            call.metrics().refused_pay_result_not_kept();
            tracing::error!(
                request_id = call.request_id(), biller, %error,
                "a refused pay-result is NOT on durable storage: the journal cannot be written"
            );
        }
        RefusedKept::NoRoom => {
            call.metrics().refused_pay_result_not_kept();
            tracing::error!(
                request_id = call.request_id(),
                biller,
                "a refused pay-result is NOT kept: too many are open; close some"
            );
        }
    }
}

/// Returns the bill of which a pay-result may report a payment, by the rules of its biller where that is registered.
fn paid_bill(
    biller: BillerCode,
    registered: Option<&RegisteredBiller>,
    body: &[u8],
) -> Option<Bill> {
    let names = registered.map_or(&[][..], |known| &known.settings.identity_parameters);
    let read = LenientPayResult::read(body, biller, names);
    read.bill.clone().filter(|_| read.may_be_payment())
}

/// Reads the refused pay-results that are open again, by the rules of these billers: one may have come while its
/// biller had no file, or others of its parameters told bills apart. Call it on a thread that may block.
pub fn mark_bills_again(ledger: &Ledger, registry: &Registry) {
    let read = |biller: BillerCode, body: &[u8]| {
        let registered = registry.find(biller.as_str());
        paid_bill(biller, registered.map(Arc::as_ref), body)
    };
    if let Err(error) = ledger.mark_refused_again(read, Timestamp::now()) {
        tracing::error!(%error, "refused pay-results cannot be read again: a bill of one may be payable");
    }
}

/// Says why a pay-result was refused, for operators and the log: nothing of its bytes.
fn reason(problem: &Problem) -> String {
    let reason = problem.reason();
    let member = reason.member.map(|member| format!("; {member}"));
    let rule = reason.rule.map(|rule| format!(": {rule}"));
    [Some(reason.token.to_owned()), member, rule]
        .into_iter()
        .flatten()
        .collect()
}

/// Logs a pay-result from an address that is not Kakao Pay's: one line a second at most.
fn log_foreign(call: &Call, route: &PayResultRoute, source: Option<IpAddr>, problem: &Problem) {
    let Some(left_out) = call.shared().foreign_pay_results.admit(SystemTime::now()) else {
        return;
    };
    let biller = route.named.map_or("-".to_owned(), |code| code.to_string());
    let source = source.map_or("-".to_owned(), |source| source.to_string());
    tracing::error!(
        request_id = call.request_id(),
        biller,
        res_code = problem.answer().0.code(),
        source,
        left_out,
        "a pay-result from an address that is not Kakao Pay's was refused"
    );
}

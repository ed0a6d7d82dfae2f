//! Requests that fail a check, in the order of the checks.

use protocol::ResCode::{E001, E003, E006, E007, E101, E801, E807};
use simulator::Body;

use super::{CUSTOMER as LINKED_CUSTOMER, Dates, Request, Scenario, Step, of};

const CUSTOMER: &str = "0000000012";

/// One character more than the guide allows.
const LONG_ORDINAL: &str = "1234567890123456789012345";

pub(super) fn scenario(dates: &Dates) -> Scenario {
    let notice = of(Body::notice(), CUSTOMER, dates);
    let create = of(Body::link_create(), CUSTOMER, dates).expire_at(&dates.expire_at);
    let unknown_route = Request {
        path: "/kakao/receipt/B0001".to_owned(),
        ..Request::of(&notice)
    };
    let wrong_authorization = Request {
        authorization: Some("KakaoAK somebody-else"),
        ..Request::of(&create)
    };
    let cut_off = Request {
        body: r#"{"data":{"biller_user_key":"0000000012","amount":29"#.to_owned(),
        ..Request::of(&of(Body::prepay(), LINKED_CUSTOMER, dates))
    };
    let no_birth = Request::of(&notice.clone().without("user_birth"));
    let long_ordinal = Request::of(&notice.clone().ordinal(LONG_ORDINAL));
    let short_month = Request::of(&notice.month("2026"));
    let hangul = Request::of(&create.parameter("dong", "가동"));
    let steps = vec![
        Step::refused(unknown_route, 404, E801)
            .highlighting("/kakao/receipt")
            .described(
                "unknown route",
                "None of the guide's five APIs has this path.",
            ),
        Step::refused(wrong_authorization, 401, E003)
            .highlighting("KakaoAK somebody-else")
            .described(
                "wrong Authorization",
                "The configuration of B0001 has another value.",
            ),
        Step::refused(cut_off, 400, E807).described(
            "body that is not JSON",
            "The body ends in the middle of a number.",
        ),
        Step::refused(no_birth, 200, E001).described(
            "missing member",
            "A notice must have the member user_birth.",
        ),
        Step::refused(long_ordinal, 200, E006)
            .highlighting(LONG_ORDINAL)
            .described(
                "member that is too long",
                "An ordinal has at most 24 characters; this one has 25.",
            ),
        Step::refused(short_month, 200, E007)
            .highlighting(r#""2026""#)
            .described(
                "member of the wrong length",
                "billed_year_month has the form YYYYMM, six digits.",
            ),
        Step::refused(hangul, 200, E101)
            .highlighting(r#""가동""#)
            .described(
                "Hangul in parameters",
                "The guide allows letters and digits in parameters, but no Hangul.",
            ),
    ];
    Scenario {
        title: "Invalid requests",
        steps,
    }
}

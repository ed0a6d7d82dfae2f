//! Calls that do not get past the checks, in the order of the checks.

use protocol::ResCode::{E001, E003, E006, E007, E101, E801, E807};
use simulator::Body;

use super::{Scene, of, of_the_bill};
use crate::demo::calendar::Calendar;
use crate::demo::request::Request;
use crate::demo::step::Step;

const CUSTOMER: &str = "0000000012";

/// One character more than the guide allows.
const LONG_ORDINAL: &str = "1234567890123456789012345";

pub(super) fn scene(calendar: &Calendar) -> Scene {
    let notice = of(Body::notice(), CUSTOMER, calendar);
    let create = of(Body::link_create(), CUSTOMER, calendar).expire_at(&calendar.expire_at);
    let on_no_route = Request {
        path: "/kakao/receipt/B0001".to_owned(),
        ..Request::of(&notice)
    };
    let by_a_stranger = Request {
        authorization: Some("KakaoAK somebody-else"),
        ..Request::of(&create)
    };
    let cut_off = Request {
        body: r#"{"data":{"biller_user_key":"0000000012","amount":29"#.to_owned(),
        ..Request::of(&of_the_bill(Body::prepay(), calendar))
    };
    let no_birth = Request::of(&notice.clone().without("user_birth"));
    let long = Request::of(&notice.clone().ordinal(LONG_ORDINAL));
    let odd = Request::of(&notice.month("2026"));
    let hangul = Request::of(&create.parameter("dong", "가동"));
    let steps = vec![
        Step::refused(on_no_route, 404, E801)
            .mark("/kakao/receipt")
            .named("no such route")
            .because("The guide has five APIs, and this is none of them."),
        Step::refused(by_a_stranger, 401, E003)
            .mark("KakaoAK somebody-else")
            .named("a wrong Authorization")
            .because("It is not the one that B0001 is registered with."),
        Step::refused(cut_off, 400, E807)
            .named("a body that is no JSON")
            .because("It ends in the middle of a number."),
        Step::refused(no_birth, 200, E001)
            .named("a required member is missing")
            .because("A notice needs user_birth."),
        Step::refused(long, 200, E006)
            .mark(LONG_ORDINAL)
            .named("a member is too long")
            .because("An ordinal has 24 characters at most; this one has 25."),
        Step::refused(odd, 200, E007)
            .mark(r#""2026""#)
            .named("a member of the wrong length")
            .because("billed_year_month is YYYYMM, six digits."),
        Step::refused(hangul, 200, E101)
            .mark(r#""가동""#)
            .named("Hangul in parameters")
            .because("The guide allows letters and digits there, no Hangul."),
    ];
    Scene {
        title: "Refused at the door",
        steps,
    }
}

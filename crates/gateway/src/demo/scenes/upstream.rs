//! A biller that says no, and one that fails.

use protocol::ResCode::{E501, E806, E808, E809};
use simulator::{Body, Fault};

use super::{Scene, of};
use crate::demo::calendar::Calendar;
use crate::demo::step::Step;

const CUSTOMER: &str = "0000000036";

/// So many bytes of the body come before the line goes dead.
const BYTES_BEFORE_THE_CUT: usize = 20;

pub(super) fn scene(calendar: &Calendar) -> Scene {
    let prepay = of(Body::prepay(), CUSTOMER, calendar);
    let notice = of(Body::notice(), CUSTOMER, calendar);
    let steps = vec![
        Step::relayed(&prepay.clone().amount(1), E501)
            .mark(r#""amount":1"#)
            .named("the biller says no").because("Its own code is relayed as it came, and so is its HTTP status."),
        Step::failing(&notice, Fault::Cut(BYTES_BEFORE_THE_CUT), 502, E809).named("the biller hangs up").because("Twenty bytes into its answer it is gone: half an answer is none."),
        Step::failing(&notice, Fault::Html(500), 500, E808).named("the biller answers HTML").because("The error page of its web server, where JSON should be."),
        Step::failing(&prepay, Fault::HangHead(0), 504, E806).named("the biller hangs").because("It takes the call and says nothing: the caller has its answer in time all the same."),
    ];
    Scene {
        title: "When the biller fails",
        steps,
    }
}

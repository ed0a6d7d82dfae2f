//! A refusal by the biller, and failures of the biller.

use protocol::ResCode::{E501, E806, E808, E809};
use simulator::{Body, Fault};

use super::{Dates, Scenario, Step, of};

const CUSTOMER: &str = "0000000036";

/// Bytes of the body that the biller sends before it closes the connection.
const BYTES_BEFORE_CLOSE: usize = 20;

pub(super) fn scenario(dates: &Dates) -> Scenario {
    let prepay = of(Body::prepay(), CUSTOMER, dates);
    let notice = of(Body::notice(), CUSTOMER, dates);
    let steps = vec![
        Step::relayed(&prepay.clone().amount(1), E501)
            .highlighting(r#""amount":1"#)
            .described(
                "refusal by the biller",
                "The gateway relays the biller's own code and HTTP status unchanged.",
            ),
        Step::failing(&notice, Fault::Cut(BYTES_BEFORE_CLOSE), 502, E809).described(
            "biller closes the connection",
            "It sends twenty bytes of its answer. A part of an answer is not relayed.",
        ),
        Step::failing(&notice, Fault::Html(500), 500, E808).described(
            "biller answers HTML",
            "Its web server sends an error page where JSON is expected.",
        ),
        Step::failing(&prepay, Fault::HangHead(0), 504, E806).described(
            "biller does not answer",
            "It accepts the request and sends nothing. The caller is answered in time.",
        ),
    ];
    Scenario {
        title: "Failures of the biller",
        steps,
    }
}

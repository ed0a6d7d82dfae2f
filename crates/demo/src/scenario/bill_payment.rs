//! A bill from its link over its payment to the cancellation.

use protocol::ResCode::{E403, Ok};
use simulator::Body;

use super::{AMOUNT_WON, CUSTOMER, Dates, Request, Scenario, Step, of, payment};

const PAY_ID: i64 = 2_748_877;

pub(super) fn scenario(dates: &Dates) -> Scenario {
    let create = of(Body::link_create(), CUSTOMER, dates).expire_at(&dates.expire_at);
    let recreate = of(Body::link_recreate(), CUSTOMER, dates).expire_at(&dates.expire_at);
    let notice = of(Body::notice(), CUSTOMER, dates);
    let prepay = of(Body::prepay(), CUSTOMER, dates).amount(AMOUNT_WON);
    let paid = payment(CUSTOMER, PAY_ID, dates);
    let cancelled = of(Body::cancel(), CUSTOMER, dates)
        .amount(AMOUNT_WON)
        .pay_amount(-AMOUNT_WON)
        .pay_id(PAY_ID)
        .paid_at(&dates.cancelled_at);
    let steps = vec![
        Step::relayed(&create, Ok).described(
            "a link for the bill",
            "The biller calls Kakao Pay for the link that it sends to its customer.",
        ),
        Step::relayed(&notice, Ok).described(
            "the bill is shown",
            "The customer has opened the link. Kakao Pay calls the biller for the bill.",
        ),
        Step::relayed(&prepay, Ok).described(
            "prepay of an unpaid bill",
            "The customer has pressed 납부하기. Kakao Pay asks whether it can be paid.",
        ),
        Step::relayed(&paid, Ok)
            .highlighting(r#""pay_type":"P""#)
            .described(
                "the payment",
                "The customer has paid. The journal has that before the biller is called.",
            ),
        Step::replayed(&paid).described(
            "the same payment again",
            "The same request: the gateway repeats the answer of the biller.",
        ),
        Step::refused(Request::of(&prepay), 200, E403).described(
            "prepay of a paid bill",
            "The ledger has the payment: the gateway refuses and calls nobody.",
        ),
        Step::relayed(&cancelled, Ok)
            .highlighting(r#""pay_type":"C""#)
            .described(
                "the cancellation",
                "It cancels the payment with the same pay_id. The bill is unpaid again.",
            ),
        Step::relayed(&prepay, Ok).described(
            "prepay after a cancellation",
            "The bill's payments add up to zero, so the biller is called again.",
        ),
        Step::relayed(&recreate, Ok).described(
            "a new link for the bill",
            "The bill has a link, so the biller may replace it.",
        ),
    ];
    Scenario {
        title: "Payment of a bill",
        steps,
    }
}

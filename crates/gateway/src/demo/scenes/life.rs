//! A bill's life: linked, looked at, paid, paid back, linked again.

use protocol::ResCode::{E403, Ok};
use simulator::Body;

use super::{AMOUNT_WON, CUSTOMER, Scene, of_the_bill, payment};
use crate::demo::calendar::Calendar;
use crate::demo::request::Request;
use crate::demo::step::Step;

const PAY_ID: i64 = 2_748_877;

pub(super) fn scene(calendar: &Calendar) -> Scene {
    let create = of_the_bill(Body::link_create(), calendar).expire_at(&calendar.expire_at);
    let recreate = of_the_bill(Body::link_recreate(), calendar).expire_at(&calendar.expire_at);
    let notice = of_the_bill(Body::notice(), calendar);
    let prepay = of_the_bill(Body::prepay(), calendar).amount(AMOUNT_WON);
    let paid = payment(CUSTOMER, PAY_ID, calendar);
    let cancelled = of_the_bill(Body::cancel(), calendar)
        .amount(AMOUNT_WON)
        .pay_amount(-AMOUNT_WON)
        .pay_id(PAY_ID)
        .paid_at(&calendar.cancelled_at);
    let refused = Request::of(&prepay);
    let steps = vec![
        Step::relayed(&create, Ok)
            .named("a link is made")
            .because("The biller asks Kakao Pay for a link that its customer will open."),
        Step::relayed(&notice, Ok)
            .named("the bill is shown")
            .because("The customer opened the link: Kakao Pay asks the biller what to show."),
        Step::relayed(&prepay, Ok)
            .named("can it be paid? yes")
            .because(
                "The customer presses 납부하기: Kakao Pay asks whether this amount can be paid.",
            ),
        Step::relayed(&paid, Ok)
            .mark(r#""pay_type":"P""#)
            .named("it was paid")
            .because("Money moved. The payment is in the journal before the biller is called."),
        Step::kept(&paid)
            .named("the same message again")
            .because("Byte for byte: the biller's first answer comes from the journal."),
        Step::refused(refused, 200, E403)
            .named("can it be paid? no, it is paid")
            .because("The gateway knows that it is paid, so the biller is spared the question."),
        Step::relayed(&cancelled, Ok)
            .mark(r#""pay_type":"C""#)
            .named("it was paid back")
            .because("A full cancel, under the payment's pay_id: the bill is open again."),
        Step::relayed(&prepay, Ok)
            .named("can it be paid? yes again")
            .because("The sum of its payments is zero: the biller is asked as before."),
        Step::relayed(&recreate, Ok)
            .named("the link is made anew")
            .because("The bill has a link, so it may have a new one."),
    ];
    Scene {
        title: "A bill's life",
        steps,
    }
}

//! What the ledger knows of a bill decides.

use protocol::ResCode::{E005, E811, E812, E817, E818, Ok};
use simulator::Body;

use super::{Scene, of, of_the_bill, payment};
use crate::demo::calendar::Calendar;
use crate::demo::request::Request;
use crate::demo::step::Step;

/// Has two bills this month.
const TWICE_BILLED: &str = "0000000018";

/// Never had a link.
const NEVER_LINKED: &str = "0000000024";

/// Pays twice.
const TWICE_PAID: &str = "0000000030";

pub(super) fn scene(calendar: &Calendar) -> Scene {
    let link =
        |customer| of(Body::link_create(), customer, calendar).expire_at(&calendar.expire_at);
    let again =
        Request::of(&of_the_bill(Body::link_create(), calendar).expire_at(&calendar.expire_at));
    let unknown = of(Body::link_recreate(), NEVER_LINKED, calendar).expire_at(&calendar.expire_at);
    let taken = link(NEVER_LINKED).notice_key("APT-1");
    let steps = vec![
        Step::refused(again, 200, E818)
            .named("a second link for one bill")
            .because("The bill of the first scene has its link already: it can only be made anew."),
        Step::refused(Request::of(&unknown), 200, E812)
            .named("a new link without a first")
            .because("This bill never had one."),
        Step::relayed(&link(TWICE_BILLED).notice_key("APT-1"), Ok)
            .mark(r#""APT-1""#)
            .named("a bill with a notice key")
            .because("Another customer has two bills this month. The first …"),
        Step::relayed(&link(TWICE_BILLED).notice_key("APT-2"), Ok)
            .mark(r#""APT-2""#)
            .named("its neighbour")
            .because("… and the second, which only the notice key tells apart."),
        Step::refused(Request::of(&link(TWICE_BILLED)), 200, E005)
            .named("which of the two?")
            .because("Without its notice key it could be either."),
        Step::refused(Request::of(&taken), 200, E811)
            .mark(r#""APT-1""#)
            .named("a notice key that is taken")
            .because("It belongs to the bill of another customer."),
        Step::relayed(&payment(TWICE_PAID, 3_000_001, calendar), Ok)
            .mark(r#""pay_id":3000001"#)
            .named("a payment")
            .because("One more bill is paid …"),
        Step::relayed(&payment(TWICE_PAID, 3_000_002, calendar), Ok)
            .mark(r#""pay_id":3000002"#)
            .named("and a second one for the same bill")
            .because(
                "… twice: the biller must know, and the bill becomes an error bill (오류 건).",
            ),
        Step::refused(
            Request::of(&of(Body::notice(), TWICE_PAID, calendar)),
            200,
            E817,
        )
        .named("an error bill is asked for")
        .because("Until an operator has cleared it, it is neither shown nor paid."),
    ];
    Scene {
        title: "What the ledger knows",
        steps,
    }
}

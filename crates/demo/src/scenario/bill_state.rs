//! Requests that the gateway refuses because of the bill's state in the ledger.

use protocol::ResCode::{E005, E811, E812, E817, E818, Ok};
use simulator::Body;

use super::{CUSTOMER as LINKED_CUSTOMER, Dates, Request, Scenario, Step, of, payment};

/// A customer with two bills this month.
const TWO_BILLS: &str = "0000000018";

/// A customer whose bill has no link.
const NO_LINK: &str = "0000000024";

/// A customer who pays twice.
const PAYS_TWICE: &str = "0000000030";

pub(super) fn scenario(dates: &Dates) -> Scenario {
    let link = |customer| of(Body::link_create(), customer, dates).expire_at(&dates.expire_at);
    let new_link = of(Body::link_recreate(), NO_LINK, dates).expire_at(&dates.expire_at);
    let taken_key = link(NO_LINK).notice_key("APT-1");
    let error_bill = of(Body::notice(), PAYS_TWICE, dates);
    let steps = vec![
        Step::refused(Request::of(&link(LINKED_CUSTOMER)), 200, E818).described(
            "second link for a bill",
            "The bill of the first scenario has a link, which can only be re-created.",
        ),
        Step::refused(Request::of(&new_link), 200, E812).described(
            "new link where there is none",
            "This bill never had a link.",
        ),
        Step::relayed(&link(TWO_BILLS).notice_key("APT-1"), Ok)
            .highlighting(r#""APT-1""#)
            .described(
                "link with a notice key",
                "Another customer has two bills this month. This is the first one.",
            ),
        Step::relayed(&link(TWO_BILLS).notice_key("APT-2"), Ok)
            .highlighting(r#""APT-2""#)
            .described(
                "link with another notice key",
                "This is the second one. Only the notice keys of the two bills differ.",
            ),
        Step::refused(Request::of(&link(TWO_BILLS)), 200, E005).described(
            "link for one of two bills",
            "Without a notice key the request could mean either bill.",
        ),
        Step::refused(Request::of(&taken_key), 200, E811)
            .highlighting(r#""APT-1""#)
            .described(
                "notice key that is in use",
                "The notice key belongs to the bill of another customer.",
            ),
        Step::relayed(&payment(PAYS_TWICE, 3_000_001, dates), Ok)
            .highlighting(r#""pay_id":3000001"#)
            .described(
                "payment of another bill",
                "A third customer pays the bill once.",
            ),
        Step::relayed(&payment(PAYS_TWICE, 3_000_002, dates), Ok)
            .highlighting(r#""pay_id":3000002"#)
            .described(
                "second payment of that bill",
                "The biller gets it, and the bill becomes an error bill (오류 건).",
            ),
        Step::refused(Request::of(&error_bill), 200, E817).described(
            "notice of an error bill",
            "The bill is neither shown nor paid until an operator has cleared it.",
        ),
    ];
    Scenario {
        title: "State of the bill",
        steps,
    }
}

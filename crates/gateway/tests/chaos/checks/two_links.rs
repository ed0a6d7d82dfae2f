//! No bill gets two links.
//!
//! Contract section 4: a `link_create` is refused with `E818` while the link is made, or being made;
//! one whose outcome is unknown may be relayed again. So after a first create has reached Kakao Pay,
//! a second one must not reach it
//!
//! - ever, if the first caller got `OK`;
//! - before Kakao Pay answered, if it answered anything else (a refusal releases the link, a broken
//!   answer makes it unknown);
//! - before the end of the first call's budget, if Kakao Pay did not answer, or answered `OK` and the
//!   caller did not get it because of a time-out or because its node was killed.
//!
//! The only exceptions: the second call came to the *other* node, and
//!
//! - Redis had lost data (wiped, restarted without its data, failed over to a replica that lagged) and
//!   the journals had not restored it yet; or
//! - the first call's node could not reach Redis in time during the first call, so that it could not
//!   share the outcome, and its resync had not written it to Redis yet; or
//! - the first caller's `OK` came at the end of the budget, and its settling was under way.
//!
//! A node that cannot reach Redis for the second call answers `E801`, so that is no exception. A restart
//! of a gateway is one only if it interrupted the settling after such a late `OK`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::bill::Bill;
use crate::calls::{Api, Call};
use crate::checks::action::Action;
use crate::checks::check_result::CheckResult;
use crate::clock::Moment;
use crate::node::BUDGET;
use crate::party::{IncomingRequest, Response};
use crate::records::Records;

/// The ledger's clock counts whole milliseconds.
const ROUNDING: Duration = Duration::from_millis(5);

/// A create that reached Kakao Pay.
struct Create<'a> {
    call: &'a Call,
    incoming: &'a IncomingRequest,
}

/// The name of the check in the report.
pub const NAME: &str = "two links";

pub fn check(records: &Records) -> CheckResult {
    let mut result = CheckResult::of(NAME);
    let mut bills: BTreeMap<Bill, Vec<Create<'_>>> = BTreeMap::new();
    for incoming in records.received(Api::Create) {
        // Another check reports a request without a call.
        if let Some(call) = records.call_of(incoming) {
            bills
                .entry(call.bill)
                .or_default()
                .push(Create { call, incoming });
        }
    }
    let creates = records.calls.iter().filter(|call| call.api == Api::Create);
    for call in creates {
        let reached = bills.get(&call.bill).map(Vec::as_slice).unwrap_or_default();
        let own = reached.iter().find(|create| create.call.id == call.id);
        let until = own.map_or(call.ended, |create| create.incoming.at);
        let action = Action::of(call).ending(until);
        let is_earlier = |create: &&Create<'_>| {
            create.call.id != call.id && create.incoming.at < until && create.blocks_until() > until
        };
        let blocking: Vec<&Create<'_>> = reached.iter().filter(is_earlier).collect();
        if blocking.is_empty() {
            continue;
        }
        let is_hidden = |create: &&&Create<'_>| create.is_hidden_from(action, records);
        let Some(first) = blocking.iter().find(|create| !is_hidden(create)) else {
            result.excused += 1;
            if own.is_some() {
                let first = &blocking[0].call.id;
                result.excused_violation(call.bill, format!("{} although {first}", call.id));
            }
            continue;
        };
        result.checked += 1;
        if own.is_some() {
            let first = &first.call.id;
            result.violation(call.bill, format!("{} although {first}", call.id));
        }
    }
    result
}

impl Create<'_> {
    /// Returns until when no other create of this bill may reach Kakao Pay.
    fn blocks_until(&self) -> Moment {
        let end_of_budget = self.call.begun + BUDGET.saturating_sub(ROUNDING);
        if self.call.is_ok() {
            return Moment::MAX;
        }
        match self.incoming.response {
            Response::Refuse | Response::Garbage | Response::CutShort | Response::Reset => {
                self.incoming.answered.unwrap_or(end_of_budget)
            }
            Response::Accept(_) | Response::Hang => end_of_budget,
        }
    }

    fn is_hidden_from(&self, later: Action, records: &Records) -> bool {
        let earlier = Action::of(self.call);
        let incidents = &records.incidents;
        if !self.call.is_ok() {
            return incidents.can_hide_from_link(earlier, later);
        }
        // An `OK` at the end of the budget is settled after it is sent.
        let settled = earlier.ending(earlier.settled_by());
        let is_settling = earlier.node != later.node
            && earlier.used_whole_budget()
            && later.from <= settled.until;
        is_settling
            || incidents.can_interrupt(earlier)
            || incidents.can_hide_from_link(settled, later)
    }
}

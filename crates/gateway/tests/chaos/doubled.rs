//! No bill gets two links.
//!
//! Contract section 4: a `link_create` is refused with `E818` while the link is made, or being made;
//! one whose outcome is unknown may be relayed again. So after a first create has reached Kakao Pay,
//! a second one must not
//!
//! - for ever, where the first caller was answered `OK`;
//! - until Kakao Pay had answered, where it answered anything else (refused: it is released; cut off:
//!   it is unknown);
//! - until the first call's budget was over, where Kakao Pay did not answer, or answered `OK` and the
//!   caller did not hear of it: time-out, or its node was killed.
//!
//! The exceptions, as narrow as they are: the second came from *another* node, and
//!
//! - Redis had forgotten (wiped, restarted without its data, failed over to a replica that lagged) and
//!   the journals had not restored it yet; or
//! - the first call's node could not reach Redis in time while it made the first link, so that it
//!   could not share what came of it, and its journal had not brought that to Redis yet; or
//! - the first caller's `OK` came when the budget was over, and its settling was under way.
//!
//! A node that could not reach Redis for the second answers `E801`, so that is no exception. A restart
//! of a gateway is one only where it cut off the settling behind such a late `OK`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::bill::Bill;
use crate::calls::{Api, Call};
use crate::clock::Moment;
use crate::deed::Deed;
use crate::evidence::Evidence;
use crate::finding::Finding;
use crate::node::BUDGET;
use crate::party::{Act, IncomingRequest};

/// The ledger's clock counts whole milliseconds.
const ROUNDING: Duration = Duration::from_millis(5);

/// A create that reached Kakao Pay.
struct Create<'a> {
    call: &'a Call,
    incoming: &'a IncomingRequest,
}

pub fn check(evidence: &Evidence) -> Finding {
    let mut finding = Finding::of("doubled links");
    let mut bills: BTreeMap<Bill, Vec<Create<'_>>> = BTreeMap::new();
    for incoming in evidence.arrivals(Api::Create) {
        // One without a call is told by another check.
        if let Some(call) = evidence.call_of(incoming) {
            bills
                .entry(call.bill)
                .or_default()
                .push(Create { call, incoming });
        }
    }
    let creates = evidence.calls.iter().filter(|call| call.api == Api::Create);
    for call in creates {
        let reached = bills.get(&call.bill).map(Vec::as_slice).unwrap_or_default();
        let own = reached.iter().find(|create| create.call.id == call.id);
        let until = own.map_or(call.ended, |create| create.incoming.at);
        let deed = Deed::of(call).ending(until);
        let is_earlier = |create: &&Create<'_>| {
            create.call.id != call.id && create.incoming.at < until && create.blocks_until() > until
        };
        let blocking: Vec<&Create<'_>> = reached.iter().filter(is_earlier).collect();
        if blocking.is_empty() {
            continue;
        }
        let is_hidden = |create: &&&Create<'_>| create.is_hidden_from(deed, evidence);
        let Some(first) = blocking.iter().find(|create| !is_hidden(create)) else {
            finding.excused += 1;
            if own.is_some() {
                let first = &blocking[0].call.id;
                finding.happened(call.bill, format!("{} although {first}", call.id));
            }
            continue;
        };
        finding.judged += 1;
        if own.is_some() {
            let first = &first.call.id;
            finding.violated(call.bill, format!("{} although {first}", call.id));
        }
    }
    finding
}

impl Create<'_> {
    /// Until when no other create of this bill may reach Kakao Pay.
    fn blocks_until(&self) -> Moment {
        let end_of_budget = self.call.begun + BUDGET.saturating_sub(ROUNDING);
        if self.call.is_ok() {
            return Moment::MAX;
        }
        match self.incoming.act {
            Act::Refuse | Act::Garbage | Act::CutShort | Act::Reset => {
                self.incoming.answered.unwrap_or(end_of_budget)
            }
            Act::Accept(_) | Act::Hang => end_of_budget,
        }
    }

    fn is_hidden_from(&self, later: Deed, evidence: &Evidence) -> bool {
        let earlier = Deed::of(self.call);
        let troubles = &evidence.troubles;
        if !self.call.is_ok() {
            return troubles.hide_from_link(earlier, later);
        }
        // One that came when the budget was over is settled behind its answer.
        let settled = earlier.ending(earlier.settled_by());
        let is_settling = earlier.node != later.node
            && earlier.took_the_whole_budget()
            && later.from <= settled.until;
        is_settling || troubles.cut_off(earlier) || troubles.hide_from_link(settled, later)
    }
}

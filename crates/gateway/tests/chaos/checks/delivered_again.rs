//! No pay-result is delivered again after its biller has accepted it.

use std::collections::BTreeMap;

use crate::calls::Api;
use crate::checks::action::Action;
use crate::checks::check_result::CheckResult;
use crate::checks::visibility::Visibility;
use crate::party::IncomingRequest;
use crate::records::Records;

/// The name of the check in the report.
pub const NAME: &str = "delivered again";

/// Checks that no copy of a pay-result reaches the biller after a caller got the biller's acceptance:
/// never from the node that relayed it, and from the other node only if an incident hid the acceptance.
pub fn check(records: &Records, visibility: &Visibility<'_>) -> CheckResult {
    let mut result = CheckResult::of(NAME);
    let received: BTreeMap<&str, &IncomingRequest> = records
        .received(Api::PayResult)
        .map(|incoming| (incoming.request_id.as_str(), incoming))
        .collect();
    for copy in records
        .calls
        .iter()
        .filter(|call| call.api == Api::PayResult)
    {
        let echo = &copy.echo;
        let mut calls = visibility.calls(echo).iter();
        if !calls.any(|call| call.is_ok() && call.ended < copy.begun) {
            continue;
        }
        let incoming = received.get(copy.id.as_str());
        let until = incoming.map_or(copy.ended, |incoming| incoming.at);
        let is_visible = visibility.acceptance_is_visible(echo, Action::of(copy).ending(until));
        let delivered_again = || format!("{} delivered {echo} again", copy.id);
        match (is_visible, incoming.is_some()) {
            (true, false) => result.checked += 1,
            (true, true) => {
                result.checked += 1;
                result.violation(copy.bill, delivered_again());
            }
            (false, false) => result.excused += 1,
            (false, true) => {
                result.excused += 1;
                result.excused_violation(copy.bill, delivered_again());
            }
        }
    }
    result
}

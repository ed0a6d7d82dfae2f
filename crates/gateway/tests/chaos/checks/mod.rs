//! The checks of the payment guarantees, from the records of a run.

pub mod action;
pub mod audit;
pub mod audit_call;
pub mod bytes_lost;
pub mod check_result;
pub mod delivered_again;
pub mod expected_state;
pub mod lost_payments;
pub mod misrouted;
pub mod two_links;
pub mod visibility;
pub mod wrong_answers;

use audit_call::AuditCall;
use check_result::CheckResult;
use visibility::Visibility;

use crate::faults::incident::Incidents;
use crate::records::Records;
use crate::testbed::Testbed;

/// Checks the records and audits all nodes.
pub fn all(
    testbed: &Testbed,
    (records, incidents): (&Records, Incidents),
    bills: u64,
) -> [CheckResult; 7] {
    let visibility = Visibility::of(records);
    let mut lost_payments = lost_payments::check_journals(records);
    let states = lost_payments::reference_states(records, &visibility, bills, &mut lost_payments);
    let mut delivered_again = delivered_again::check(records, &visibility);
    let mut two_links = two_links::check(records);
    let wrong_answers = wrong_answers::check(records, &visibility);
    let mut misrouted = misrouted::check(records);

    let audit_calls = AuditCall::all(records, &visibility, &states);
    let mut audit = audit::run(testbed, &audit_calls);
    let audit_records = Records::of(testbed, incidents);
    audit.check_received(&audit_records);
    misrouted.add(misrouted::check_answers(&audit_records));
    lost_payments.add(audit.lost_payments);
    delivered_again.add(audit.delivered_again);
    two_links.add(audit.two_links);
    [
        lost_payments,
        delivered_again,
        two_links,
        wrong_answers,
        misrouted,
        bytes_lost::check(records),
        bytes_lost::check_facts(testbed),
    ]
}

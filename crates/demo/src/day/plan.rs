//! The bills of the day, and what happens to each.

use std::time::Duration;

use jiff::Timestamp;

use crate::institution::{APARTMENT, Institution, OTHERS};
use crate::scenario::{korean_second, korean_time_of_day};

/// The bills of one institution.
const BILLS: usize = 20;

/// The first number of a payment; the scenarios and the commands to try have lower ones.
const FIRST_PAY_ID: i64 = 5_000_001;

/// What happens to a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// It gets a link.
    Linked,
    /// Its customer looks at it, too.
    Shown,
    /// The institution does not answer its prepay.
    Late,
    /// It is paid.
    Paid,
    /// It is paid, and the payment is cancelled.
    Cancelled,
    /// A quarter of its payment is cancelled.
    CancelledInPart,
    /// It is paid, and the institution cannot store that.
    NotAccepted,
    /// It is paid, and the institution closes the connection without an answer.
    AnswerLost,
    /// It is paid by a card whose prefix has eight digits where the guide has six.
    LongCardPrefix,
}

/// A bill of the day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PlannedBill {
    pub(super) institution: Institution,
    pub(super) user_key: String,
    pub(super) won: i64,
    pub(super) course: Course,
    pub(super) pay_id: i64,
    /// When it is paid, if it is: between midnight and now.
    pub(super) paid_at: String,
    /// When that is cancelled, if it is: between then and now.
    pub(super) cancelled_at: String,
}

/// Returns the bills in the order of their payments.
pub(super) fn plan(now: Timestamp) -> Vec<PlannedBill> {
    let [first, second] = OTHERS;
    let institutions = [APARTMENT, first, second];
    let since_midnight = korean_time_of_day(now);
    let count = institutions.len() * BILLS;
    let bill = |number: usize| {
        let institution = institutions[number % institutions.len()];
        let of_institution = number / institutions.len();
        // Neither the first nor the last moment of the day until now.
        let before_now = |times: usize| part(since_midnight, count - number, times * (count + 1));
        PlannedBill {
            institution,
            user_key: format!("{:010}", 1_001 + number),
            won: institution.least_won + 1_370 * signed(of_institution),
            course: course(institution.code, of_institution),
            pay_id: FIRST_PAY_ID + signed(number),
            paid_at: korean_second(now - before_now(1)),
            cancelled_at: korean_second(now - before_now(2)),
        }
    };
    (0..count).map(bill).collect()
}

/// Returns what happens to an institution's bill with this number.
fn course(institution: &str, number: usize) -> Course {
    match (institution, number) {
        (_, 0 | 11) => Course::Linked,
        (_, 3 | 14) => Course::Shown,
        (_, 5) => Course::Cancelled,
        (_, 8) => Course::CancelledInPart,
        ("T0001", 6 | 12) => Course::NotAccepted,
        ("T0001", 16) => Course::LongCardPrefix,
        ("W0001", 9 | 10 | 13) => Course::AnswerLost,
        ("W0001", 15) => Course::Late,
        _ => Course::Paid,
    }
}

/// Returns `parts / whole` of a time.
fn part(time: Duration, parts: usize, whole: usize) -> Duration {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    time * count(parts) / count(whole).max(1)
}

fn signed(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn payments_are_in_order_between_midnight_and_now() {
        for now in [
            "2026-11-30T14:59:59Z",
            "2026-11-30T15:00:00Z",
            "2026-12-01T01:30:00Z",
        ] {
            let now: Timestamp = now.parse().unwrap();
            let bills = plan(now);
            let today = korean_second(now)[..8].to_owned();
            let mut before = format!("{today}000000");
            for bill in &bills {
                assert!(bill.paid_at >= before, "{bill:?}");
                assert!(bill.cancelled_at >= bill.paid_at, "{bill:?}");
                assert!(bill.cancelled_at <= korean_second(now), "{bill:?}");
                before.clone_from(&bill.paid_at);
            }
        }
    }

    #[test]
    fn every_course_comes_and_no_customer_comes_twice() {
        let bills = plan(Timestamp::UNIX_EPOCH);
        let customers: BTreeSet<_> = bills.iter().map(|bill| &bill.user_key).collect();
        assert_eq!(customers.len(), 3 * BILLS);
        for course in [
            Course::Linked,
            Course::Shown,
            Course::Late,
            Course::Paid,
            Course::Cancelled,
            Course::CancelledInPart,
            Course::NotAccepted,
            Course::AnswerLost,
            Course::LongCardPrefix,
        ] {
            assert!(bills.iter().any(|bill| bill.course == course), "{course:?}");
        }
    }
}

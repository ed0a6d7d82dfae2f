//! Double payments and payments with two amounts, found in merged states.

use super::replay::{Replay, Report};
use super::{Group, Paid, Payments};
use crate::Stamp;

impl Payments {
    /// Returns the number of payments, cancelled or not.
    pub(crate) fn count(&self) -> usize {
        self.groups.iter().map(|group| group.payments.len()).sum()
    }

    /// Returns the stamp of the latest double payment: one that was first reported when the bill was
    /// paid by others. A cancelled payment makes no double, however late its cancel was reported.
    pub(crate) fn latest_double(&self) -> Option<Stamp> {
        let reported_in = |group| move |paid: &Paid| Report::of(paid, group);
        let groups = self.groups.iter().enumerate();
        let mut reports: Vec<Report> = groups
            .flat_map(|(index, group)| group.payments.iter().filter_map(reported_in(index)))
            .collect();
        reports.sort_unstable_by_key(|report| report.stamp);
        let mut replay = Replay::new(&self.groups);
        let at_one_stamp = reports.chunk_by(|one, next| one.stamp == next.stamp);
        let doubles = at_one_stamp.filter(|reports| replay.has_double(reports));
        doubles.last().map(|reports| reports[0].stamp)
    }

    /// Returns the stamp of the latest payment that both sides have with different amounts: of each
    /// such payment, the later report.
    pub(crate) fn latest_other_amount(&self, other: &Self) -> Option<Stamp> {
        let pairs = self.groups.iter().flat_map(|group| {
            let theirs = other.groups.get(&group.pay_id);
            theirs.into_iter().flat_map(|theirs| group.common(theirs))
        });
        let differing = pairs.filter(|(ours, theirs)| ours.amount != theirs.amount);
        let later = differing
            .filter_map(|(ours, theirs)| Some(ours.first_report?.0.max(theirs.first_report?.0)));
        later.max()
    }
}

impl Group {
    /// Returns the payments that both groups have.
    fn common<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (&'a Paid, &'a Paid)> {
        self.payments
            .iter()
            .filter_map(move |paid| Some((paid, other.payments.get(&paid.paid_at)?)))
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Decimal, PaidAt, PayId, PayType, PaymentEvent};

    use super::*;
    use crate::Timestamp;

    /// `pay_id`, P or C, amount, time of the report, end of the mark (0: never).
    type Report<'a> = (&'a str, PayType, &'a str, i64, i64);

    fn payments(reports: &[Report<'_>]) -> Payments {
        let mut payments = Payments::default();
        for (pay_id, pay_type, amount, at, ends) in reports {
            let event = PaymentEvent {
                pay_id: PayId::parse(pay_id).unwrap(),
                pay_type: *pay_type,
                paid_at: PaidAt::parse("20261124120000").unwrap(),
                pay_amount: Decimal::parse(amount).unwrap(),
            };
            let ends = (*ends > 0).then(|| Timestamp::from_millis(*ends));
            payments.fold_payment(&event, stamp(*at), ends);
        }
        payments
    }

    fn stamp(at: i64) -> Stamp {
        let time = Stamp::time_of(Timestamp::from_millis(at));
        Stamp { time, node: 1 }
    }

    #[test]
    fn payments_that_count_at_the_same_time_are_double() {
        use PayType::{C, P};
        // reports | the double payment
        let table: [(&[Report<'_>], Option<i64>); 8] = [
            (&[("1", P, "5", 10, 0)], None),
            (&[("1", P, "5", 10, 0), ("1", P, "5", 20, 0)], None),
            (&[("2", P, "5", 10, 0), ("1", P, "5", 20, 0)], Some(20)),
            (
                &[
                    ("1", P, "5", 10, 0),
                    ("2", P, "5", 20, 0),
                    ("1", C, "-5", 30, 0),
                ],
                None,
            ),
            (
                &[
                    ("1", P, "5", 10, 0),
                    ("2", P, "5", 20, 0),
                    ("2", C, "-5", 30, 0),
                ],
                None,
            ),
            (
                &[
                    ("1", P, "5", 10, 0),
                    ("2", P, "5", 20, 0),
                    ("2", C, "-4", 30, 0),
                ],
                Some(20),
            ),
            // The mark of the first has ended before the second.
            (&[("1", P, "5", 10, 15), ("2", P, "5", 20, 35)], None),
            (&[("1", P, "5", 10, 25), ("2", P, "5", 20, 35)], Some(20)),
        ];
        for (reports, expected) in table {
            assert_eq!(
                payments(reports).latest_double(),
                expected.map(stamp),
                "{reports:?}"
            );
        }
    }

    #[test]
    fn one_payment_with_two_amounts_is_a_conflict() {
        let one = payments(&[("1", PayType::P, "5", 10, 0)]);
        let other = payments(&[("1", PayType::P, "6", 20, 0)]);
        let same = payments(&[("1", PayType::P, "5", 20, 0)]);
        assert_eq!(one.latest_other_amount(&other), Some(stamp(20)));
        assert_eq!(other.latest_other_amount(&one), Some(stamp(20)));
        assert_eq!(one.latest_other_amount(&same), None);
    }
}

//! Payments that met: each was taken where the other was not known.

use super::sum::Sum;
use super::{Group, Paid, Payments};
use crate::Stamp;

impl Payments {
    /// How many payments there are, cancelled or not.
    pub(crate) fn count(&self) -> usize {
        self.groups.iter().map(|group| group.payments.len()).sum()
    }

    /// When the latest payment was taken of those that came to a bill that others had paid by
    /// then. What was cancelled, however late that became known, met nobody.
    pub(crate) fn doubled(&self) -> Option<Stamp> {
        let taken_of = |group| move |paid: &Paid| Some((paid.first_report?.0, group));
        let mut taken: Vec<(Stamp, &Group)> = self
            .groups
            .iter()
            .flat_map(|group| group.payments.iter().filter_map(taken_of(group)))
            .collect();
        taken.sort_unstable_by_key(|(stamp, _)| *stamp);
        let later = taken.iter().skip(1).rev();
        let mut doubled = later.filter(|(stamp, group)| self.is_double(*stamp, group));
        doubled.next().map(|(stamp, _)| *stamp)
    }

    /// Whether the payment of `group` that was taken at `stamp` counts, and others before it do.
    fn is_double(&self, stamp: Stamp, group: &Group) -> bool {
        let now = stamp.timestamp();
        let taken_before = |paid: &Paid| paid.first_report.is_some_and(|(other, _)| other < stamp);
        let taken_by_then =
            |paid: &Paid| paid.first_report.is_some_and(|(other, _)| other <= stamp);
        let with_it = group.left(now, taken_by_then);
        with_it.exceeds(group.left(now, taken_before))
            && (self.groups.iter())
                .any(|group| group.left(now, taken_before).exceeds(Sum::default()))
    }

    /// When the later of two reports of one payment came, of which the amounts differ.
    pub(crate) fn differing(&self, other: &Self) -> Option<Stamp> {
        let pairs = self.groups.iter().flat_map(|group| {
            let theirs = other.position(&group.pay_id).ok();
            let theirs = theirs.map(|index| &other.groups[index]);
            theirs.into_iter().flat_map(|theirs| group.pairs(theirs))
        });
        let differing = pairs.filter(|(ours, theirs)| ours.amount != theirs.amount);
        let later = differing
            .filter_map(|(ours, theirs)| Some(ours.first_report?.0.max(theirs.first_report?.0)));
        later.max()
    }
}

impl Group {
    /// The payments that both know.
    fn pairs<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (&'a Paid, &'a Paid)> {
        self.payments.iter().filter_map(move |paid| {
            let index = other.paid_position(&paid.paid_at).ok()?;
            Some((paid, &other.payments[index]))
        })
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Decimal, PaidAt, PayType, PaymentEvent};

    use super::*;
    use crate::Timestamp;

    /// `pay_id`, P or C, amount, when it was taken, when its mark ends (0: never).
    type Told<'a> = (&'a str, PayType, &'a str, i64, i64);

    fn payments(told: &[Told<'_>]) -> Payments {
        let mut payments = Payments::default();
        for (pay_id, pay_type, amount, at, ends) in told {
            let event = PaymentEvent {
                pay_id: Decimal::parse(pay_id).unwrap(),
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
    fn payments_that_count_at_the_same_time_have_met() {
        use PayType::{C, P};
        // what Kakao Pay reported | the payment that was one too many
        let table: [(&[Told<'_>], Option<i64>); 8] = [
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
            // The mark of the first had ended when the second was taken.
            (&[("1", P, "5", 10, 15), ("2", P, "5", 20, 35)], None),
            (&[("1", P, "5", 10, 25), ("2", P, "5", 20, 35)], Some(20)),
        ];
        for (told, expected) in table {
            assert_eq!(payments(told).doubled(), expected.map(stamp), "{told:?}");
        }
    }

    #[test]
    fn one_payment_with_two_amounts_differs() {
        let one = payments(&[("1", PayType::P, "5", 10, 0)]);
        let other = payments(&[("1", PayType::P, "6", 20, 0)]);
        let same = payments(&[("1", PayType::P, "5", 20, 0)]);
        assert_eq!(one.differing(&other), Some(stamp(20)));
        assert_eq!(other.differing(&one), Some(stamp(20)));
        assert_eq!(one.differing(&same), None);
    }
}

//! A reference model of contract section 4, as simple as possible: lists and linear look-ups, without
//! facts, fold, stamps or store.

use std::collections::BTreeMap;

use ledger::{DeliveryState, KeptAnswer, LinkRefusal, PaymentEffect};
use protocol::{Bill, PayType, PaymentEvent};

/// Milliseconds of a day.
const DAY: i64 = 24 * 60 * 60 * 1_000;

/// Kakao Pay's answer to a `link_create`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// `OK`, with the end of the link in milliseconds.
    Linked(i64),
    Refused,
    Unknown,
}

#[derive(Debug, Default)]
pub struct Reference {
    bills: Vec<Known>,
    /// Bodies of accepted pay-results, and the answers.
    accepted: Vec<(Vec<u8>, KeptAnswer)>,
}

#[derive(Debug)]
struct Known {
    bill: Bill,
    link: Link,
    /// When the link in force ends.
    ends: Option<i64>,
    payments: Vec<Payment>,
    cancels: Vec<ReportedEvent>,
    error_bill: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    No,
    Reserved {
        attempt: usize,
        until: i64,
        was_unknown: bool,
    },
    Unknown,
    Linked,
}

#[derive(Debug)]
struct Payment {
    reported: ReportedEvent,
    mark_ends: Option<i64>,
}

#[derive(Debug)]
struct ReportedEvent {
    event: PaymentEvent,
    delivery: Option<DeliveryState>,
}

impl Known {
    fn link(&self, now: i64) -> Link {
        match self.link {
            Link::Reserved { until, .. } if now >= until => Link::Unknown,
            link => link,
        }
    }

    fn is_registered(&self, now: i64) -> bool {
        self.link(now) != Link::No
    }

    fn is_paid(&self, now: i64) -> bool {
        let mut sums = BTreeMap::<String, i64>::new();
        let ended = |payment: &&Payment| payment.mark_ends.is_some_and(|end| end <= now);
        for payment in self.payments.iter().filter(|payment| !ended(payment)) {
            *sums.entry(payment.reported.pay_id()).or_default() += payment.reported.amount();
        }
        for cancel in &self.cancels {
            // A cancel of an ended or unknown payment does not reduce others.
            if let Some(sum) = sums.get_mut(&cancel.pay_id()) {
                *sum -= cancel.amount();
            }
        }
        sums.values().any(|sum| *sum > 0)
    }
}

impl Known {
    fn reported(&mut self) -> Vec<&mut ReportedEvent> {
        let payments = self
            .payments
            .iter_mut()
            .map(|payment| &mut payment.reported);
        payments.chain(&mut self.cancels).collect()
    }
}

impl ReportedEvent {
    fn pay_id(&self) -> String {
        self.event.pay_id.to_string()
    }

    fn amount(&self) -> i64 {
        self.event.pay_amount.abs().units()
    }

    /// Returns whether it is the same event; partial cancels are distinguished by their amounts.
    fn is(&self, event: &PaymentEvent) -> bool {
        (self.event.pay_type, self.event.pay_id) == (event.pay_type, event.pay_id)
            && self.event.paid_at == event.paid_at
            && (event.pay_type == PayType::P
                || self.event.pay_amount.abs() == event.pay_amount.abs())
    }
}

impl Reference {
    pub fn view(&mut self, bill: &Bill, now: i64) -> (bool, bool) {
        let known = self.known(bill);
        (known.error_bill, known.is_paid(now))
    }

    /// The caller chooses the number of the attempt.
    pub fn reserve(
        &mut self,
        bill: &Bill,
        attempt: usize,
        now: i64,
        until: i64,
    ) -> Result<(), LinkRefusal> {
        if self.known(bill).error_bill {
            return Err(LinkRefusal::ErrorBill);
        }
        let key = bill.biller_notice_key();
        let same_key = |other: &&Known| other.bill.biller_notice_key() == key;
        let mut registered = self.bills.iter().filter(|other| other.is_registered(now));
        if !key.is_empty() && registered.any(|other| same_key(&other) && other.bill != *bill) {
            return Err(LinkRefusal::NoticeKeyTaken);
        }
        if key.is_empty() && self.alike(bill, now).len() >= 2 {
            return Err(LinkRefusal::NoticeKeyNeeded);
        }
        let known = self.known(bill);
        let was_unknown = match known.link(now) {
            Link::Linked | Link::Reserved { .. } => return Err(LinkRefusal::AlreadyLinked),
            Link::Unknown => true,
            Link::No => false,
        };
        known.link = Link::Reserved {
            attempt,
            until,
            was_unknown,
        };
        Ok(())
    }

    pub fn settle(&mut self, bill: &Bill, settled: usize, outcome: Outcome) {
        let known = self.known(bill);
        known.link = match (known.link, outcome) {
            (_, Outcome::Linked(ends)) => {
                known.ends = Some(ends);
                Link::Linked
            }
            (
                Link::Reserved {
                    attempt,
                    was_unknown,
                    ..
                },
                outcome,
            ) if attempt == settled => {
                if was_unknown || outcome == Outcome::Unknown {
                    Link::Unknown
                } else {
                    Link::No
                }
            }
            // Another attempt is under way, and its outcome decides.
            (link, _) => link,
        };
    }

    pub fn find_for_recreate(&mut self, bill: &Bill, now: i64) -> Result<Bill, LinkRefusal> {
        let mut found = bill.clone();
        if bill.biller_notice_key().is_empty() {
            let alike = self.alike(bill, now);
            if alike.len() >= 2 {
                return Err(LinkRefusal::NoticeKeyNeeded);
            }
            found = alike.into_iter().next().unwrap_or(found);
        }
        if self.known(bill).error_bill || self.known(&found).error_bill {
            return Err(LinkRefusal::ErrorBill);
        }
        match self.known(&found).link(now) {
            Link::Linked | Link::Unknown => Ok(found),
            Link::No | Link::Reserved { .. } => Err(LinkRefusal::NotRegistered),
        }
    }

    pub fn relink(&mut self, bill: &Bill, ends: i64) {
        let known = self.known(bill);
        known.link = Link::Linked;
        known.ends = Some(ends);
    }

    /// Returns the kept answer to an accepted pay-result with the same bytes.
    pub fn kept(&self, body: &[u8]) -> Option<&KeptAnswer> {
        let mut kept = self.accepted.iter();
        kept.find(|(accepted, _)| accepted == body)
            .map(|(_, answer)| answer)
    }

    pub fn take(&mut self, bill: &Bill, event: &PaymentEvent, now: i64) -> PaymentEffect {
        let known = self.known(bill);
        let paid = known.is_paid(now);
        let reported = ReportedEvent {
            event: event.clone(),
            delivery: None,
        };
        if event.pay_type == PayType::C {
            if known.cancels.iter().any(|found| found.is(event)) {
                return PaymentEffect::Repeated;
            }
            known.cancels.push(reported);
            return PaymentEffect::New;
        }
        let mut payments = known.payments.iter_mut();
        if let Some(found) = payments.find(|found| found.reported.is(event)) {
            if found.reported.amount() == reported.amount() {
                return PaymentEffect::Repeated;
            }
            if found.reported.amount() < reported.amount() {
                found.reported.event.pay_amount = reported.event.pay_amount;
            }
            known.error_bill = true;
            return PaymentEffect::OtherAmount;
        }
        let in_force = known.ends.filter(|end| *end > now);
        known.payments.push(Payment {
            reported,
            mark_ends: bill
                .has_only_user_key()
                .then(|| in_force.unwrap_or(now + DAY)),
        });
        if paid {
            known.error_bill = true;
            return PaymentEffect::Double;
        }
        PaymentEffect::New
    }

    pub fn deliver(
        &mut self,
        bill: &Bill,
        event: &PaymentEvent,
        delivery: DeliveryState,
        answer: Option<(&[u8], &KeptAnswer)>,
    ) {
        let open = |found: &ReportedEvent| found.delivery != Some(DeliveryState::Accepted);
        let reported = self.known(bill).reported();
        if let Some(found) = reported
            .into_iter()
            .find(|found| found.is(event) && open(found))
        {
            let was_sent = found
                .delivery
                .is_some_and(|earlier| earlier != DeliveryState::Pending);
            // A copy that was not sent does not change the delivery of an earlier one.
            if !(was_sent && delivery == DeliveryState::Pending) {
                found.delivery = Some(delivery);
            }
        }
        if let Some((body, answer)) = answer {
            self.accepted.push((body.to_vec(), answer.clone()));
        }
    }

    /// Returns the delivery of one event.
    pub fn delivery(&mut self, bill: &Bill, event: &PaymentEvent) -> Option<DeliveryState> {
        let reported = self.known(bill).reported();
        let found = reported.into_iter().find(|found| found.is(event))?;
        found.delivery
    }

    pub fn classify(&mut self, bill: &Bill, error_bill: bool) {
        self.known(bill).error_bill = error_bill;
    }

    /// Returns the registered bills that differ in the notice key only.
    fn alike(&self, bill: &Bill, now: i64) -> Vec<Bill> {
        let parts = |bill: &Bill| {
            let identity: Vec<(String, String)> = bill
                .identity_parameters()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            (
                bill.biller_user_key().to_owned(),
                bill.billed_year_month().to_owned(),
                bill.ordinal().to_owned(),
                identity,
            )
        };
        let registered = self.bills.iter().filter(|known| known.is_registered(now));
        registered
            .filter(|known| parts(&known.bill) == parts(bill))
            .map(|known| known.bill.clone())
            .collect()
    }

    fn known(&mut self, bill: &Bill) -> &mut Known {
        if let Some(at) = self.bills.iter().position(|known| known.bill == *bill) {
            return &mut self.bills[at];
        }
        self.bills.push(Known {
            bill: bill.clone(),
            link: Link::No,
            ends: None,
            payments: Vec::new(),
            cancels: Vec::new(),
            error_bill: false,
        });
        let last = self.bills.len() - 1;
        &mut self.bills[last]
    }
}

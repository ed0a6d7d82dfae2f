//! Contract section 4 once more, as simply as it can be said: lists, and look-ups that go through
//! all of them. Knows no facts, no fold, no stamps and no store.

use std::collections::BTreeMap;

use ledger::{DeliveryState, KeptAnswer, LinkRefusal, PaymentEffect};
use protocol::{Bill, PayType, PaymentEvent};

/// Milliseconds of a day.
const DAY: i64 = 24 * 60 * 60 * 1_000;

/// What Kakao Pay made of a `link_create`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// `OK`; the link ends then, in milliseconds.
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
    cancels: Vec<Told>,
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
    told: Told,
    mark_ends: Option<i64>,
}

#[derive(Debug)]
struct Told {
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
            *sums.entry(payment.told.pay_id()).or_default() += payment.told.amount();
        }
        for cancel in &self.cancels {
            // A cancel of an ended payment, or of none that is known, takes nothing from others.
            if let Some(sum) = sums.get_mut(&cancel.pay_id()) {
                *sum -= cancel.amount();
            }
        }
        sums.values().any(|sum| *sum > 0)
    }
}

impl Known {
    fn told(&mut self) -> Vec<&mut Told> {
        let payments = self.payments.iter_mut().map(|payment| &mut payment.told);
        payments.chain(&mut self.cancels).collect()
    }
}

impl Told {
    fn pay_id(&self) -> String {
        self.event.pay_id.to_string()
    }

    fn amount(&self) -> i64 {
        self.event.pay_amount.abs().units()
    }

    /// Whether it is the same event; parts of a cancel are told by their amounts.
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

    /// The attempt is a number that the caller draws.
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
            // Another attempt is at it meanwhile, and its outcome will tell.
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

    /// The kept answer to a pay-result that was accepted, byte for byte the same.
    pub fn kept(&self, body: &[u8]) -> Option<&KeptAnswer> {
        let mut kept = self.accepted.iter();
        kept.find(|(accepted, _)| accepted == body)
            .map(|(_, answer)| answer)
    }

    pub fn take(&mut self, bill: &Bill, event: &PaymentEvent, now: i64) -> PaymentEffect {
        let known = self.known(bill);
        let paid = known.is_paid(now);
        let told = Told {
            event: event.clone(),
            delivery: None,
        };
        if event.pay_type == PayType::C {
            if known.cancels.iter().any(|held| held.is(event)) {
                return PaymentEffect::Repeated;
            }
            known.cancels.push(told);
            return PaymentEffect::New;
        }
        let mut payments = known.payments.iter_mut();
        if let Some(held) = payments.find(|held| held.told.is(event)) {
            if held.told.amount() == told.amount() {
                return PaymentEffect::Repeated;
            }
            if held.told.amount() < told.amount() {
                held.told.event.pay_amount = told.event.pay_amount;
            }
            known.error_bill = true;
            return PaymentEffect::OtherAmount;
        }
        let in_force = known.ends.filter(|end| *end > now);
        known.payments.push(Payment {
            told,
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
        let open = |held: &Told| held.delivery != Some(DeliveryState::Accepted);
        let told = self.known(bill).told();
        if let Some(held) = told.into_iter().find(|held| held.is(event) && open(held)) {
            let was_sent = held
                .delivery
                .is_some_and(|earlier| earlier != DeliveryState::Pending);
            // A copy that was not sent takes nothing back of what an earlier one may have told.
            if !(was_sent && delivery == DeliveryState::Pending) {
                held.delivery = Some(delivery);
            }
        }
        if let Some((body, answer)) = answer {
            self.accepted.push((body.to_vec(), answer.clone()));
        }
    }

    /// How the biller took one event.
    pub fn delivery(&mut self, bill: &Bill, event: &PaymentEvent) -> Option<DeliveryState> {
        let told = self.known(bill).told();
        let held = told.into_iter().find(|held| held.is(event))?;
        held.delivery
    }

    pub fn classify(&mut self, bill: &Bill, error_bill: bool) {
        self.known(bill).error_bill = error_bill;
    }

    /// Registered bills that share everything but the notice key.
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

//! A day's data: the calls of three institutions and of Kakao Pay since midnight in Korea, made at once.
//!
//! What operators look for in the morning is in it: pay-results that were not accepted, one that was refused, a late
//! call, cancels. Calls arrive now; `paid_at` is spread over the day.

mod plan;

use std::error::Error;

use jiff::Timestamp;
use simulator::{Bill, Body, Caller, Fault, Rule};

use self::plan::{Course, PlannedBill, plan};
use crate::environment::Environment;
use crate::scenario::{AUTHORIZATION_HEADER, Dates};

/// An undelivered pay-result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Undelivered {
    /// The institution's code.
    pub(crate) biller: &'static str,
    /// The customer's key.
    pub(crate) user_key: String,
    /// The number of the payment.
    pub(crate) pay_id: i64,
}

/// What the day has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Day {
    /// `billed_year_month` of all bills.
    pub(crate) month: String,
    /// The number of bills.
    pub(crate) bills: usize,
    /// The number of payments.
    pub(crate) payments: usize,
    /// Their sum, in won.
    pub(crate) won: i64,
    /// The number of cancels.
    pub(crate) cancels: usize,
    /// The number of calls without an answer in time.
    pub(crate) late: usize,
    /// The number of pay-results that broke a rule of the guide.
    pub(crate) refused: usize,
    /// The pay-results that their institutions have not accepted.
    pub(crate) undelivered: Vec<Undelivered>,
}

/// Makes the calls of the day.
///
/// # Errors
/// If an answer is not the expected one.
pub(crate) fn make(environment: &Environment, now: Timestamp) -> Result<Day, Box<dyn Error>> {
    let mut calls = Calls {
        caller: Caller::connect(environment.gateway.public)?,
        environment,
        dates: Dates::at(now),
    };
    let mut day = Day {
        month: calls.dates.month.clone(),
        ..Day::default()
    };
    for bill in plan(now) {
        day.bills += 1;
        calls.make(&bill, &mut day)?;
    }
    Ok(day)
}

/// The calls about the bills.
struct Calls<'a> {
    caller: Caller,
    environment: &'a Environment,
    dates: Dates,
}

impl Calls<'_> {
    /// Makes a bill's calls and counts them.
    fn make(&mut self, bill: &PlannedBill, day: &mut Day) -> Result<(), Box<dyn Error>> {
        let biller = self.environment.biller(bill.institution.code);
        biller.set_bill(Bill {
            title: bill.institution.title.to_owned(),
            ..Bill::of(&bill.user_key).amount(bill.won)
        });
        let link = self.of(bill, Body::link_create());
        self.call(bill, &link.expire_at(&self.dates.expire_at.clone()), "OK")?;
        if bill.course == Course::Linked {
            return Ok(());
        }
        self.call(bill, &self.of(bill, Body::notice()), "OK")?;
        let prepay = self.of(bill, Body::prepay()).amount(bill.won);
        match bill.course {
            Course::Shown => return Ok(()),
            Course::Late => {
                biller.inject(Rule::new(Fault::HangHead(0)).times(1));
                day.late += 1;
                return self.call(bill, &prepay, "E806");
            }
            _ => self.call(bill, &prepay, "OK")?,
        }
        self.pay(bill, day)
    }

    /// Makes the pay-results of a bill.
    fn pay(&mut self, bill: &PlannedBill, day: &mut Day) -> Result<(), Box<dyn Error>> {
        let biller = self.environment.biller(bill.institution.code);
        let event = |body: Body, won: i64, at: &str| {
            let body = self.of(bill, body).pay_id(bill.pay_id).paid_at(at);
            body.amount(bill.won).pay_amount(won)
        };
        let payment = event(Body::pay_result(), bill.won, &bill.paid_at);
        let cancel = |won: i64| event(Body::cancel(), -won, &bill.cancelled_at);
        let (expected, cancel) = match bill.course {
            Course::Cancelled => ("OK", Some(cancel(bill.won))),
            Course::CancelledInPart => ("OK", Some(cancel(bill.won / 4))),
            Course::NotAccepted => {
                biller.inject(Rule::new(Fault::ResCode("E902".to_owned())).times(1));
                ("E902", None)
            }
            Course::AnswerLost => {
                biller.inject(Rule::new(Fault::Close(0)).times(1));
                ("E809", None)
            }
            Course::LongCardPrefix => {
                day.refused += 1;
                let payment = payment.member("pay_detail1", "\"12345678\"");
                return self.call(bill, &payment, "E006");
            }
            _ => ("OK", None),
        };
        day.payments += 1;
        day.won += bill.won;
        if expected != "OK" {
            day.undelivered.push(Undelivered {
                biller: bill.institution.code,
                user_key: bill.user_key.clone(),
                pay_id: bill.pay_id,
            });
        }
        self.call(bill, &payment, expected)?;
        if let Some(cancel) = cancel {
            day.cancels += 1;
            self.call(bill, &cancel, "OK")?;
        }
        Ok(())
    }

    /// Returns a body for this bill.
    fn of(&self, bill: &PlannedBill, body: Body) -> Body {
        body.user_key(&bill.user_key).month(&self.dates.month)
    }

    fn call(
        &mut self,
        bill: &PlannedBill,
        body: &Body,
        expected: &str,
    ) -> Result<(), Box<dyn Error>> {
        let path = body.path(bill.institution.code);
        let authorization = bill.institution.authorization;
        let headers = [(AUTHORIZATION_HEADER, authorization)];
        // Kakao Pay sends no authorization.
        let headers = if path.starts_with("/kakao/") {
            &[][..]
        } else {
            &headers
        };
        let reply = self.caller.post(&path, headers, body.json())?;
        let code = reply.res_code();
        if code == expected {
            return Ok(());
        }
        let status = reply.status;
        Err(format!("a day's data: {path} was answered {status} `{code}`, not {expected}").into())
    }
}

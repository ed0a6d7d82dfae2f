//! Payments and cancels, and their pay-results.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use test_support::pay_result;

use crate::bill::about;

/// One event of a pay-result, with the guide's names: its members, some in a spelling of their own.
#[derive(Clone, Debug)]
#[allow(clippy::struct_field_names)]
pub struct Pay {
    pay_type: &'static str,
    pub pay_id: u64,
    won: i64,
    paid_at: u64,
    spelled: Vec<(&'static str, &'static str)>,
}

impl Pay {
    /// A payment under a number of its own, a second after the one before.
    pub fn new(won: i64) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let pay_id = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            pay_type: "P",
            pay_id,
            won,
            paid_at: 20_261_124_120_000 + pay_id / 60 * 100 + pay_id % 60,
            spelled: Vec::new(),
        }
    }

    pub fn cancel(&self, won: i64) -> Self {
        let cancel = Self {
            pay_type: "C",
            won,
            ..self.clone()
        };
        cancel.at(20_261_125_080_000 + self.pay_id % 60)
    }

    pub fn payment(&self, won: i64) -> Self {
        Self {
            pay_type: "P",
            won,
            ..self.clone()
        }
    }

    pub fn at(self, paid_at: u64) -> Self {
        Self { paid_at, ..self }
    }

    pub fn of(&self, won: i64) -> Self {
        Self {
            won,
            ..self.clone()
        }
    }

    /// Returns the same event with a member's JSON as given.
    pub fn spelled(mut self, member: &'static str, json: &'static str) -> Self {
        self.spelled.push((member, json));
        self
    }

    fn body(&self, bill: &Value) -> Value {
        let mut body = pay_result("", self.pay_type, self.pay_id, self.won);
        body["data"]["paid_at"] = self.paid_at.to_string().into();
        about(bill, body)
    }

    /// Returns the bytes as they are sent.
    pub fn sent(&self, bill: &Value) -> String {
        let body = self.body(bill);
        let mut sent = body.to_string();
        for (member, json) in &self.spelled {
            let value = &body["data"][member];
            let usual = format!("\"{member}\":{value}");
            sent = sent.replace(&usual, &format!("\"{member}\":{json}"));
        }
        sent
    }
}

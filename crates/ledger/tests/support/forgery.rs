//! Values in Redis as somebody forges them who has its password: the format that gateways write, by hand.

use ledger::redis::Key;
use protocol::Bill;
use test_support::RedisServer;

/// A stamp: hybrid time and node.
pub type Forged = (i64, u64);

/// What is forged of one bill's links: open attempt with the end of its lease, closed attempt.
#[derive(Clone, Copy, Debug, Default)]
pub struct ForgedLink {
    pub open: Option<(Forged, i64)>,
    pub closed: Option<Forged>,
}

/// A cancel under a payment's `pay_id`: the payment's time and amount, then the cancel's.
#[derive(Clone, Copy, Debug)]
pub struct ForgedCancel {
    pub pay_id: i64,
    pub paid_at: u64,
    pub won: i64,
}

/// Writes values of bills into a Redis.
pub struct Forger<'a> {
    pub server: &'a RedisServer,
    pub prefix: &'a str,
}

impl Forger<'_> {
    /// Replaces what Redis holds of the bill by an error bill with this stamp.
    pub fn classify(&self, bill: &Bill, stamp: Forged) {
        let mut value = head(ForgedLink::default());
        value.push(0); // no payments
        value.push(1);
        push_stamp(&mut value, stamp);
        value.push(1); // an error bill
        push_text(&mut value, "forged");
        push_text(&mut value, "nobody");
        self.write(bill, &value);
    }

    /// Replaces what Redis holds of the bill by a link.
    pub fn link(&self, bill: &Bill, link: ForgedLink) {
        let mut value = head(link);
        value.extend([0, 0]); // no payments, no classification
        self.write(bill, &value);
    }

    /// Replaces what Redis holds of the bill by a cancel.
    pub fn cancel(&self, bill: &Bill, cancel: ForgedCancel) {
        let mut value = head(ForgedLink::default());
        value.push(1);
        push_number(&mut value, 1); // one group
        push_signed(&mut value, cancel.pay_id);
        push_signed(&mut value, 0);
        push_number(&mut value, 0); // no payments
        push_number(&mut value, 1); // one cancel
        push_number(&mut value, cancel.paid_at);
        push_signed(&mut value, cancel.won);
        push_signed(&mut value, 0);
        value.extend([0, 0]); // no delivery, no classification
        self.write(bill, &value);
    }

    fn write(&self, bill: &Bill, value: &[u8]) {
        let key = Key {
            kind: "b",
            name: bill.key().as_bytes(),
        };
        let key = [
            format!("{}:{{{}}}:{}:", self.prefix, bill.biller_code(), key.kind).as_bytes(),
            key.name,
        ]
        .concat();
        let mut command = redis::cmd("SET");
        command.arg(key).arg(value);
        self.server.send(&command).unwrap();
    }
}

/// The version, and the bill's links.
fn head(link: ForgedLink) -> Vec<u8> {
    let mut value = Vec::new();
    push_number(&mut value, 1);
    value.push(0); // never linked
    value.push(u8::from(link.open.is_some()));
    if let Some((attempt, until)) = link.open {
        push_stamp(&mut value, attempt);
        push_signed(&mut value, until);
    }
    value.push(u8::from(link.closed.is_some()));
    if let Some(attempt) = link.closed {
        push_stamp(&mut value, attempt);
    }
    value.push(0); // not unknown
    value
}

fn push_stamp(value: &mut Vec<u8>, (time, node): Forged) {
    push_signed(value, time);
    push_number(value, node);
}

fn push_text(value: &mut Vec<u8>, text: &str) {
    push_number(value, text.len() as u64);
    value.extend_from_slice(text.as_bytes());
}

fn push_signed(value: &mut Vec<u8>, number: i64) {
    push_number(value, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

fn push_number(value: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        value.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    value.push((number & 0x7f) as u8);
}

//! Many payments, each of a bill of its own.

use std::path::Path;

use bytes::Bytes;
use futures_util::future::join_all;
use ledger::journal::Reader;
use ledger::{Fact, MessageDigest};
use protocol::{Bill, BillerCode};

use super::{Node, pay};

/// The bill of a payment.
pub fn bill_of(number: usize) -> Bill {
    let biller = BillerCode::parse("B0001").unwrap();
    Bill::from_parts(biller, &number.to_string(), "202611", "", "", &[])
}

/// Pays these bills with pay-results of so many bytes, and waits until the journal has them.
pub async fn pay_all(node: &Node, numbers: std::ops::Range<usize>, bytes: usize) {
    let payments = numbers.map(|number| async move {
        let body = incompressible(number, bytes);
        let event = pay(&number.to_string(), "20000");
        let message = MessageDigest::of(&body);
        let recorded = node.record(&bill_of(number), &event, &body, message).await;
        assert!(matches!(recorded.durability, ledger::Durability::Durable));
    });
    join_all(payments).await;
}

/// So many bytes that take as many in the journal, others for each number.
pub fn incompressible(number: usize, bytes: usize) -> Bytes {
    let mut state = number as u64 | 1 << 63;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()
    };
    let mut body: Vec<u8> = std::iter::repeat_with(&mut next)
        .take(bytes / 8 + 1)
        .flatten()
        .collect();
    body.truncate(bytes);
    body.into()
}

/// Every fact of the journal in a folder, with its number.
pub fn facts_in(directory: &Path) -> Vec<(i64, Fact)> {
    let reader = Reader::read_only(directory).unwrap();
    reader.facts_after(0, usize::MAX).unwrap()
}

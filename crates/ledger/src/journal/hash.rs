//! Short hashes, for indexes.

use protocol::{Bill, BillerCode};
use sha2::{Digest, Sha256};

/// The hash of a bill: the upper half is that of its customer, so that one index finds both.
pub(super) fn bill_hash(bill: &Bill) -> i64 {
    let notice = bill.biller_notice_key();
    joined(customer_hash(bill.biller_code(), bill.biller_user_key()), {
        let rest = Sha256::new()
            .chain_update(bill.key_without_notice_key())
            .chain_update([0])
            .chain_update(notice);
        first_32_bits(&rest.finalize())
    })
}

/// The hash that bills share which differ in their notice keys only.
pub(super) fn group_hash(bill: &Bill) -> i64 {
    joined(
        customer_hash(bill.biller_code(), bill.biller_user_key()),
        first_32_bits(&Sha256::digest(bill.key_without_notice_key())),
    )
}

/// The least and the greatest hash of a customer's bills.
pub(super) fn customer_span(biller: BillerCode, biller_user_key: &str) -> (i64, i64) {
    let customer = customer_hash(biller, biller_user_key);
    (joined(customer, 0), joined(customer, u32::MAX))
}

fn customer_hash(biller: BillerCode, biller_user_key: &str) -> u32 {
    let customer = Sha256::new()
        .chain_update(biller.as_str())
        .chain_update([0])
        .chain_update(biller_user_key);
    first_32_bits(&customer.finalize())
}

fn first_32_bits(digest: &[u8]) -> u32 {
    digest
        .first_chunk()
        .map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

fn joined(upper: u32, lower: u32) -> i64 {
    (u64::from(upper) << 32 | u64::from(lower)).cast_signed()
}

/// What `message_by_digest` has of a digest.
pub(super) fn beginning(digest: &[u8; 32]) -> &[u8] {
    digest.first_chunk::<8>().map_or(&[], |first| first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bills_of_one_customer_lie_together_and_each_has_a_hash_of_its_own() {
        let biller = BillerCode::parse("B0001").unwrap();
        let bill = |user: &str, notice: &str| {
            Bill::from_parts(biller, user, "202611", "", notice, &[("site", "7")])
        };
        let (least, greatest) = customer_span(biller, "1");
        let hashes = ["", "a", "b"].map(|notice| bill_hash(&bill("1", notice)));
        assert!(hashes.iter().all(|hash| (least..=greatest).contains(hash)));
        assert!(hashes[0] != hashes[1] && hashes[1] != hashes[2]);
        assert_eq!(group_hash(&bill("1", "a")), group_hash(&bill("1", "b")));
        assert!(!(least..=greatest).contains(&bill_hash(&bill("2", "a"))));
    }
}

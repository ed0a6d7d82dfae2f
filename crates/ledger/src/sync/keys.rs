//! The keys under which Redis holds what is known of a bill.

use protocol::Bill;

use crate::Digests;
use crate::shared::Key;

/// Kinds of keys.
pub(super) const FAMILY: &str = "f";
pub(super) const NOTICE_KEY: &str = "n";
pub(super) const MESSAGE: &str = "m";
/// By canonical form: the digest of the pay-result that was accepted.
pub(super) const CANONICAL: &str = "c";

/// The keys of a subject, in the order in which values are read and written.
pub(super) fn keys<'a>(bill: &'a Bill, message: Option<&'a Digests>) -> Vec<Key<'a>> {
    let mut keys = vec![Key {
        kind: FAMILY,
        name: bill.group_key().as_bytes(),
    }];
    if !bill.biller_notice_key().is_empty() {
        keys.push(Key {
            kind: NOTICE_KEY,
            name: bill.biller_notice_key().as_bytes(),
        });
    }
    if let Some(message) = message {
        keys.push(Key {
            kind: MESSAGE,
            name: message.bytes.as_bytes(),
        });
        keys.extend(message.canonical.as_ref().map(|canonical| Key {
            kind: CANONICAL,
            name: canonical.as_bytes(),
        }));
    }
    keys
}

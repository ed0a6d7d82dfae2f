//! A bill has these keys in Redis: one for its state, and those of the questions that it is a part of the answer of.

use protocol::Bill;

use crate::Digests;
use crate::redis::Key;

/// The kind of key of a bill's state.
pub(super) const BILL: &str = "b";
/// Of the registered bills that differ in their notice keys only.
pub(super) const GROUP: &str = "g";
/// Of the registered bills with one notice key.
pub(super) const NOTICE_KEY: &str = "k";
/// Of the paid bills with identity parameters.
pub(super) const IDENTITIES: &str = "i";
/// Of an accepted pay-result.
pub(super) const MESSAGE: &str = "m";
/// Of a canonical form: it holds the digest of the pay-result that was accepted.
pub(super) const CANONICAL: &str = "c";
/// Of a bill group, as nodes of before read and write it.
pub(super) const OLD_GROUP: &str = "f";
/// Of the links under a notice key, as nodes of before read and write them.
pub(super) const OLD_NOTICE_KEY: &str = "n";

/// A `KeySet` says which values of a bill are read and written, beside its state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeySet {
    /// Those that answer questions about links.
    pub(super) has_links: bool,
    /// Those of nodes of before.
    pub(super) has_old: bool,
}

/// Returns the keys of a bill, in the order in which values are read and written.
pub(super) fn keys<'a>(
    bill: &'a Bill,
    message: Option<&'a Digests>,
    key_set: KeySet,
) -> Vec<Key<'a>> {
    let key = |kind, name: &'a str| Key {
        kind,
        name: name.as_bytes(),
    };
    let notice_key = Some(bill.biller_notice_key()).filter(|key| !key.is_empty());
    let mut keys = vec![key(BILL, bill.key())];
    if key_set.has_links {
        keys.push(key(GROUP, bill.key_without_notice_key()));
        keys.extend(notice_key.map(|notice_key| key(NOTICE_KEY, notice_key)));
    }
    if bill.identity_parameters().next().is_some() {
        keys.push(identities(bill));
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
    if key_set.has_old {
        keys.push(key(OLD_GROUP, bill.group_key()));
        let old = notice_key.filter(|_| key_set.has_links);
        keys.extend(old.map(|notice_key| key(OLD_NOTICE_KEY, notice_key)));
    }
    keys
}

/// Returns the key of the paid bills that may differ from this one in their identity parameters only.
pub(super) fn identities(bill: &Bill) -> Key<'_> {
    let name = match bill.biller_notice_key() {
        "" => bill.group_key(),
        // A notice key belongs to one bill.
        _ => bill.notice_key_part(),
    };
    Key {
        kind: IDENTITIES,
        name: name.as_bytes(),
    }
}

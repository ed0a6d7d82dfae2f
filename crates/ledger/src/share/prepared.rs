//! A compare-and-swap of one subject: its keys, what they must hold, and what they shall.

use std::time::Duration;

use protocol::Bill;

use super::{Held, Subject, answer};
use crate::Digests;
use crate::codec;
use crate::shared::{Change, Key};

/// Kinds of keys.
const FAMILY: &str = "f";
const NOTICE_KEY: &str = "n";
pub(super) const MESSAGE: &str = "m";
/// By canonical form: the digest of the pay-result that was accepted.
const CANONICAL: &str = "c";

/// How long Redis keeps a value that says nothing but that links were refused: longer than the journals keep such facts,
/// so that it lacks nothing of theirs.
const REFUSED_LINKS_KEPT: Duration = Duration::from_mins(15);

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

/// The new values of a subject's keys, beside what they must hold.
pub(super) struct Prepared<'a> {
    keys: Vec<Key<'a>>,
    expected: Vec<Option<&'a [u8]>>,
    new: Vec<Vec<u8>>,
    /// Whether the new value says nothing but that links were refused.
    is_nothing: Vec<bool>,
}

impl<'a> Prepared<'a> {
    pub(super) fn new(subject: Subject<'a>, held: &'a Held, joined: &Held) -> Self {
        let keys = keys(subject.bill, subject.accepted.map(|(message, _)| message));
        let mut new = vec![codec::to_bytes(&joined.family)];
        let mut is_nothing = vec![joined.family.is_settled_to_nothing()];
        if !subject.bill.biller_notice_key().is_empty() {
            new.push(codec::to_bytes(&joined.owners));
            is_nothing.push(!joined.owners.is_empty() && joined.owners.is_settled_to_nothing());
        }
        let expected = held.values(keys.len());
        if let Some((message, answer)) = subject.accepted {
            // What was kept first stays.
            let kept = |at: usize| expected.get(at).copied().flatten().map(<[u8]>::to_vec);
            new.push(kept(new.len()).unwrap_or_else(|| answer::value_of(answer)));
            if message.canonical.is_some() {
                new.push(kept(new.len()).unwrap_or_else(|| codec::to_bytes(&message.bytes)));
            }
        }
        is_nothing.resize(keys.len(), false);
        Self {
            keys,
            expected,
            new,
            is_nothing,
        }
    }

    /// All keys of the subject, or none where nothing would change.
    pub(super) fn changes(&self, keep: Duration) -> Vec<Change<'_>> {
        let news = self.new.iter().zip(&self.expected);
        if news
            .clone()
            .all(|(new, expected)| *expected == Some(new.as_slice()))
        {
            return Vec::new();
        }
        let keys = self.keys.iter().zip(&self.is_nothing);
        keys.zip(news)
            .map(|((key, is_nothing), (new, expected))| Change {
                key: *key,
                expected: *expected,
                new,
                expires_in: Some(if *is_nothing {
                    keep.min(REFUSED_LINKS_KEPT)
                } else {
                    keep
                }),
            })
            .collect()
    }
}

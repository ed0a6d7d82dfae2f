//! A compare-and-swap of one subject: its keys, what they must hold, and what they shall.

use std::time::Duration;

use protocol::Bill;

use super::seal::Seal;
use super::{Held, Subject, answer};
use crate::MessageDigest;
use crate::codec;
use crate::shared::{Change, Key};

/// Kinds of keys.
pub(super) const FAMILY: &str = "f";
pub(super) const NOTICE_KEY: &str = "n";
pub(super) const MESSAGE: &str = "m";

/// The keys of a subject, in the order in which values are read and written.
pub(super) fn keys<'a>(bill: &'a Bill, message: Option<&'a MessageDigest>) -> Vec<Key<'a>> {
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
            name: message.as_bytes(),
        });
    }
    keys
}

/// The new values of a subject's keys, beside what they must hold.
pub(super) struct Prepared<'a> {
    keys: Vec<Key<'a>>,
    expected: Vec<Option<&'a [u8]>>,
    new: Vec<Vec<u8>>,
}

impl<'a> Prepared<'a> {
    pub(super) fn new(subject: Subject<'a>, held: &'a Held, joined: &Held, seal: &Seal) -> Self {
        let keys = keys(subject.bill, subject.accepted.map(|(message, _)| message));
        let mut new = vec![codec::to_bytes(&joined.family)];
        if !subject.bill.biller_notice_key().is_empty() {
            new.push(codec::to_bytes(&joined.owners));
        }
        let expected = held.values(keys.len());
        if let Some((_, answer)) = subject.accepted {
            new.push(answer::value_of(answer));
        }
        let biller = subject.bill.biller_code();
        let closed = keys.iter().zip(new);
        let closed = closed.map(|(key, value)| seal.close(biller.as_str(), *key, value));
        let mut new: Vec<Vec<u8>> = closed.collect();
        let has_answer = held.accepted.is_some() || held.is_apart;
        if let (true, Some(_)) = (has_answer, subject.accepted)
            && let Some(kept) = expected.last().copied().flatten()
            && let Some(last) = new.last_mut()
        {
            // The first answer that was kept stays.
            *last = kept.to_vec();
        }
        Self {
            keys,
            expected,
            new,
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
        self.keys
            .iter()
            .zip(news)
            .map(|(key, (new, expected))| Change {
                key: *key,
                expected: *expected,
                new,
                expires_in: Some(keep),
            })
            .collect()
    }
}

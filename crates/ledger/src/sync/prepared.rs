//! A [`Prepared`] swap is that of one subject: its keys, what they must hold, and their new values.

use std::time::Duration;

use super::keys::{CANONICAL, MESSAGE, keys};
use super::seal::Seal;
use super::{Held, Keep, Subject, answer};
use crate::redis::{Change, Key};
use crate::state::codec;

/// Redis keeps a value that holds only refused links for this time: longer than the journals keep such facts, so that
/// it lacks nothing of theirs.
const REFUSED_LINKS_KEPT: Duration = Duration::from_mins(15);

/// A `Prepared` swap holds the new values of a subject's keys, beside what they must hold.
pub(super) struct Prepared<'a> {
    keys: Vec<Key<'a>>,
    expected: Vec<Option<&'a [u8]>>,
    new: Vec<Vec<u8>>,
    /// Whether the new value holds only refused links.
    is_nothing: Vec<bool>,
    /// Whether one of the subject's bills was paid.
    is_paid: bool,
}

impl<'a> Prepared<'a> {
    pub(super) fn new(subject: Subject<'a>, held: &'a Held, joined: &Held, seal: &Seal) -> Self {
        let keys = keys(subject.bill, subject.accepted.map(|(message, _)| message));
        let mut new = vec![codec::to_bytes(&joined.family)];
        let mut is_nothing = vec![joined.family.is_settled_to_nothing()];
        if !subject.bill.biller_notice_key().is_empty() {
            new.push(codec::to_bytes(&joined.owners));
            is_nothing.push(!joined.owners.is_empty() && joined.owners.is_settled_to_nothing());
        }
        let expected = held.values(keys.len());
        if let Some((message, answer)) = subject.accepted {
            new.push(answer::value_of(answer));
            if message.canonical.is_some() {
                new.push(codec::to_bytes(&message.bytes));
            }
        }
        let biller = subject.bill.biller_code();
        let closed = keys.iter().zip(new);
        let closed = closed.map(|(key, value)| seal.close(biller.as_str(), *key, value));
        let mut new: Vec<Vec<u8>> = closed.collect();
        for ((key, value), kept) in keys.iter().zip(&mut new).zip(&expected) {
            let stays = match key.kind {
                MESSAGE => held.accepted.is_some() || held.is_separate,
                CANONICAL => held.accepted_as.is_some(),
                _ => false,
            };
            if let Some(kept) = kept.filter(|_| stays) {
                // What was kept first stays.
                *value = kept.to_vec();
            }
        }
        is_nothing.resize(keys.len(), false);
        Self {
            keys,
            expected,
            new,
            is_nothing,
            is_paid: joined.family.has_payments(),
        }
    }

    /// Returns all keys of the subject, or none where nothing would change.
    pub(super) fn changes(&self, keep: Keep) -> Vec<Change<'_>> {
        let keep = if self.is_paid {
            keep.paid_bills
        } else {
            keep.unpaid_bills
        };
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

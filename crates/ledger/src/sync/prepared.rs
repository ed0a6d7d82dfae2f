//! A [`Prepared`] swap is that of one subject: its keys, what they must hold, and their new values.

use std::time::Duration;

use super::keys::{
    BILL, CANONICAL, GROUP, IDENTITIES, MESSAGE, NOTICE_KEY, OLD_GROUP, OLD_NOTICE_KEY, keys,
};
use super::seal::Seal;
use super::{Held, Keep, Subject, answer};
use crate::BillState;
use crate::redis::{Change, Key};
use crate::state::bill_state::BillValue;
use crate::state::codec::to_bytes;

/// Redis keeps a value that holds only refused links for this time: longer than the journals keep such facts, so that
/// it lacks nothing of theirs.
const REFUSED_LINKS_KEPT: Duration = Duration::from_mins(15);

/// What nodes of before need is kept for twice the time in which they must be replaced.
const OLD_VALUES_KEPT: Duration = Duration::from_hours(48);

/// A `Prepared` swap holds the new values of a subject's keys, beside what they must hold.
pub(super) struct Prepared<'a> {
    changes: Vec<PreparedChange<'a>>,
}

struct PreparedChange<'a> {
    key: Key<'a>,
    expected: Option<&'a [u8]>,
    new: Vec<u8>,
    /// `None`: until it is written again.
    kept: Option<Duration>,
}

impl<'a> Prepared<'a> {
    pub(super) fn new(
        subject: Subject<'a>,
        held: &'a Held,
        joined: &Held,
        (seal, keep): (&Seal, Keep),
    ) -> Self {
        let message = subject.accepted.map(|(message, _)| message);
        let keys = keys(subject.bill, message, held.key_set);
        let expected = held.values(keys.len());
        let biller = subject.bill.biller_code();
        let change = |(key, expected): (Key<'a>, Option<&'a [u8]>)| {
            // What was kept first stays.
            let kept = expected.filter(|_| stays(key, held, joined));
            let new = match kept {
                Some(kept) => kept.to_vec(),
                None => seal.close(biller.as_str(), key, content(key, subject, joined)),
            };
            PreparedChange {
                key,
                expected,
                new,
                kept: kept_for(key, joined, keep),
            }
        };
        Self {
            changes: keys.into_iter().zip(expected).map(change).collect(),
        }
    }

    /// Returns all keys of the subject, or none where nothing would change.
    pub(super) fn changes(&self) -> Vec<Change<'_>> {
        let is_same = |one: &PreparedChange<'_>| one.expected == Some(one.new.as_slice());
        if self.changes.iter().all(is_same) {
            return Vec::new();
        }
        self.changes.iter().map(PreparedChange::change).collect()
    }
}

impl PreparedChange<'_> {
    fn change(&self) -> Change<'_> {
        Change {
            key: self.key,
            expected: self.expected,
            new: &self.new,
            expires_in: self.kept,
        }
    }
}

/// Returns whether a key keeps what it holds.
fn stays(key: Key<'_>, held: &Held, joined: &Held) -> bool {
    match key.kind {
        MESSAGE => held.accepted.is_some() || held.is_separate,
        CANONICAL => held.accepted_as.is_some(),
        OLD_GROUP => joined.old.is_too_large(),
        _ => false,
    }
}

/// Returns what a key holds from now on.
fn content(key: Key<'_>, subject: Subject<'_>, joined: &Held) -> Vec<u8> {
    match (key.kind, subject.accepted) {
        (BILL, _) => match &joined.state {
            Some(state) => to_bytes(&BillValue(state)),
            None => to_bytes(&BillValue(&BillState::default())),
        },
        (GROUP, _) => to_bytes(&joined.in_group),
        (NOTICE_KEY, _) => to_bytes(&joined.with_notice_key),
        (IDENTITIES, _) => to_bytes(&joined.identities),
        (OLD_GROUP, _) => to_bytes(&joined.old.group),
        (OLD_NOTICE_KEY, _) => to_bytes(&joined.old.owners),
        (CANONICAL, Some((message, _))) => to_bytes(&message.bytes),
        (_, Some((_, answer))) => answer::value_of(answer),
        (_, None) => Vec::new(),
    }
}

/// Returns for how long a key is kept that is not written again.
fn kept_for(key: Key<'_>, joined: &Held, keep: Keep) -> Option<Duration> {
    let state = joined.state.as_ref();
    let is_of_links = matches!(key.kind, BILL | GROUP | NOTICE_KEY);
    if is_of_links && state.is_some_and(|state| state.link().is_under_way()) {
        // A server that evicts what expires must not let go of what keeps two links from being made.
        return None;
    }
    let is_nothing = match key.kind {
        BILL => state.is_none_or(BillState::is_settled_to_nothing),
        GROUP => joined.in_group.is_empty(),
        NOTICE_KEY => joined.with_notice_key.is_empty(),
        IDENTITIES => joined.identities.is_empty(),
        _ => false,
    };
    let is_unpaid = state.is_none_or(|state| state.payments().is_none());
    let kept = match key.kind {
        OLD_GROUP | OLD_NOTICE_KEY => return Some(OLD_VALUES_KEPT),
        _ if is_nothing => REFUSED_LINKS_KEPT.min(keep.unpaid_bills),
        BILL if is_unpaid => keep.unpaid_bills,
        // An answer about several bills lasts as long as the longest of them.
        _ => keep.paid_bills,
    };
    Some(kept.min(keep.values))
}

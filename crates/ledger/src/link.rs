//! The link part of a bill's state: registered or not, and until when.

use protocol::KoreanTime;

use crate::{Stamp, Timestamp};

/// How a bill's link stands at one moment (contract section 4, "Links").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Never made, or every attempt came to nothing.
    Unregistered,
    /// A `link_create` is being relayed at this moment.
    Reserved,
    /// An attempt ended without a known outcome: the next `link_create` is relayed again.
    Unknown,
    /// Kakao Pay made it.
    Linked,
}

impl LinkState {
    /// Linked, reserved or unknown.
    pub const fn is_registered(self) -> bool {
        !matches!(self, Self::Unregistered)
    }
}

/// All link facts of a bill, folded. Every member only ever grows, so order does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    linked: Option<(Stamp, KoreanTime)>,
    open: Option<(Stamp, Timestamp)>,
    closed: Option<Stamp>,
    unknown: bool,
}

impl Link {
    pub(crate) fn reserve(&mut self, attempt: Stamp, until: Timestamp, after_unknown: bool) {
        self.open = self.open.max(Some((attempt, until)));
        self.unknown |= after_unknown;
    }

    pub(crate) fn release(&mut self, attempt: Stamp, after_unknown: bool) {
        self.closed = self.closed.max(Some(attempt));
        self.unknown |= after_unknown;
    }

    pub(crate) fn leave_unknown(&mut self, attempt: Stamp) {
        self.closed = self.closed.max(Some(attempt));
        self.unknown = true;
    }

    pub(crate) fn link(&mut self, attempt: Stamp, stamp: Stamp, expire_at: KoreanTime) {
        self.closed = self.closed.max(Some(attempt));
        self.relink(stamp, expire_at);
    }

    pub(crate) fn relink(&mut self, stamp: Stamp, expire_at: KoreanTime) {
        if self.linked.as_ref().is_none_or(|(last, _)| *last < stamp) {
            self.linked = Some((stamp, expire_at));
        }
    }

    /// How the link stands at `now`.
    pub fn state(&self, now: Timestamp) -> LinkState {
        let open = self
            .open
            .filter(|(attempt, _)| Some(*attempt) > self.closed)
            .map(|(_, until)| until);
        match (&self.linked, open) {
            (Some(_), _) => LinkState::Linked,
            (None, Some(until)) if now < until => LinkState::Reserved,
            (None, Some(_)) => LinkState::Unknown,
            (None, None) if self.unknown => LinkState::Unknown,
            (None, None) => LinkState::Unregistered,
        }
    }

    /// When the link in force ends; `None` where none was ever made.
    pub fn expire_at(&self) -> Option<&KoreanTime> {
        self.linked.as_ref().map(|(_, expire_at)| expire_at)
    }
}

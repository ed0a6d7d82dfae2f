//! The link of a bill: whether it is registered, and until when.

use std::time::Duration;

use protocol::KoreanTime;

use crate::state::codec::{Decoder, Encode, Unreadable};
use crate::{Fact, FactKind, Stamp, Timestamp};

/// The state of a link at one moment (contract section 4, "Links").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// No link was made, and no attempt is open or unknown.
    Unregistered,
    /// A `link_create` is being relayed.
    Reserved,
    /// The outcome of an attempt is not known: the next `link_create` is relayed again.
    Unknown,
    /// Kakao Pay made the link.
    Linked,
}

impl LinkState {
    /// Returns whether the link is linked, reserved or unknown.
    pub const fn is_registered(self) -> bool {
        !matches!(self, Self::Unregistered)
    }
}

/// How long a link stays registered, whatever the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Registration {
    /// It is not.
    None,
    /// As long as this attempt is under way, or its outcome is not known.
    UnderWay(Stamp),
    /// For good.
    Lasting,
}

/// No lease is longer: a call's budget is at most a minute. A reservation that claims more is none that a gateway
/// made at this time, and blocks nothing.
const LEASE_MAX: Duration = Duration::from_mins(2);

/// The fold of the link facts of a bill. Every member only grows, so the order of facts is
/// irrelevant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    linked: Option<(Stamp, KoreanTime)>,
    open: Option<(Stamp, Timestamp)>,
    closed: Option<Stamp>,
    unknown: bool,
}

impl Link {
    /// Adds one fact; a fact of another kind changes nothing.
    pub(crate) fn fold(&mut self, fact: &Fact) {
        let stamp = fact.stamp;
        match &fact.kind {
            FactKind::Reserved {
                until,
                after_unknown,
            } => self.reserve(stamp, *until, *after_unknown),
            FactKind::Released {
                attempt,
                after_unknown,
            } => self.release(*attempt, *after_unknown),
            FactKind::Uncertain { attempt } => self.leave_unknown(*attempt),
            FactKind::Linked { attempt, expire_at } => self.link(*attempt, stamp, *expire_at),
            FactKind::Relinked { expire_at } => self.relink(stamp, *expire_at),
            FactKind::Payment { .. }
            | FactKind::Delivery { .. }
            | FactKind::DeliveryClosed { .. }
            | FactKind::PayResultRefused { .. }
            | FactKind::RefusalClosed { .. }
            | FactKind::Classified { .. }
            | FactKind::Cleared { .. } => {}
        }
    }

    fn reserve(&mut self, attempt: Stamp, until: Timestamp, after_unknown: bool) {
        self.open = self.open.max(Some((attempt, until)));
        self.unknown |= after_unknown;
    }

    fn release(&mut self, attempt: Stamp, after_unknown: bool) {
        self.closed = self.closed.max(Some(attempt));
        self.unknown |= after_unknown;
    }

    fn leave_unknown(&mut self, attempt: Stamp) {
        self.closed = self.closed.max(Some(attempt));
        self.unknown = true;
    }

    fn link(&mut self, attempt: Stamp, stamp: Stamp, expire_at: KoreanTime) {
        self.closed = self.closed.max(Some(attempt));
        self.relink(stamp, expire_at);
    }

    fn relink(&mut self, stamp: Stamp, expire_at: KoreanTime) {
        if self.linked.as_ref().is_none_or(|(last, _)| *last < stamp) {
            self.linked = Some((stamp, expire_at));
        }
    }

    /// Merges the link of another node (CRDT merge).
    pub(crate) fn merge(&mut self, other: &Self) {
        self.open = self.open.max(other.open);
        self.closed = self.closed.max(other.closed);
        self.unknown |= other.unknown;
        if let Some((stamp, expire_at)) = &other.linked {
            self.relink(*stamp, *expire_at);
        }
    }

    /// Returns the state of the link at `now`.
    pub fn state(&self, now: Timestamp) -> LinkState {
        let open = self
            .open
            .filter(|(attempt, _)| !self.has_ended(*attempt))
            .map(|(_, until)| until);
        match (&self.linked, open) {
            (Some(_), _) => LinkState::Linked,
            (None, Some(until)) if now < until && until <= now.plus(LEASE_MAX) => {
                LinkState::Reserved
            }
            (None, Some(_)) => LinkState::Unknown,
            (None, None) if self.unknown => LinkState::Unknown,
            (None, None) => LinkState::Unregistered,
        }
    }

    /// Returns how long the link stays registered.
    pub(crate) fn registration(&self) -> Registration {
        if self.linked.is_some() || self.unknown {
            return Registration::Lasting;
        }
        match self.open {
            Some((attempt, _)) if !self.has_ended(attempt) => Registration::UnderWay(attempt),
            _ => Registration::None,
        }
    }

    /// Returns whether an attempt is under way, as far as is known.
    pub(crate) fn is_under_way(&self) -> bool {
        self.open
            .is_some_and(|(attempt, _)| !self.has_ended(attempt))
    }

    /// Returns whether the outcome of an attempt is known.
    pub(crate) fn has_ended(&self, attempt: Stamp) -> bool {
        self.closed >= Some(attempt)
    }

    /// Returns whether no link fact was folded.
    pub(crate) fn is_unheard_of(&self) -> bool {
        *self == Self::default()
    }

    /// Returns whether all attempts ended without a link: nothing is registered, whatever the time.
    pub(crate) fn is_settled_to_nothing(&self) -> bool {
        self.registration() == Registration::None
    }

    /// Returns the latest stamp of the link facts; the default stamp where there is none.
    pub(crate) fn latest(&self) -> Stamp {
        let linked = self.linked.as_ref().map(|(stamp, _)| *stamp);
        let open = self.open.map(|(attempt, _)| attempt);
        linked.max(open).max(self.closed).unwrap_or_default()
    }

    /// Returns the end of the latest link; `None` where none was made.
    pub fn expire_at(&self) -> Option<&KoreanTime> {
        self.linked.as_ref().map(|(_, expire_at)| expire_at)
    }
}

impl Encode for Link {
    fn encode(&self, out: &mut Vec<u8>) {
        self.linked.encode(out);
        self.open.encode(out);
        self.closed.encode(out);
        self.unknown.encode(out);
    }
}

impl Link {
    pub(crate) fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            linked: decoder.option(|decoder| Ok((decoder.stamp()?, decoder.korean_time()?)))?,
            open: decoder.option(|decoder| Ok((decoder.stamp()?, decoder.timestamp()?)))?,
            closed: decoder.option(Decoder::stamp)?,
            unknown: decoder.flag()?,
        })
    }
}

//! Calls and their phases.

use crate::Stamp;
use crate::note::{Message, Note};
use crate::state::{Place, Read};
use crate::table::StateNumber;

/// Rows of the journal: the first and the last.
pub(crate) type Span = (i64, i64);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Call {
    pub(crate) kind: Kind,
    /// The node that got it.
    pub(crate) place: Place,
    /// When the node got it, by the node's clock; for a `link_create` by Redis's.
    pub(crate) now: i64,
    pub(crate) phase: Phase,
    /// Only of a `link_create`.
    pub(crate) attempt: Option<Attempt>,
    /// Only of a pay-result: why it must not be delivered again.
    pub(crate) forbidden: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Create,
    PayResult(Message),
}

/// A reservation that a swap made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Attempt {
    pub(crate) stamp: Stamp,
    pub(crate) after_unknown: bool,
    /// The budget's end, by Redis's clock.
    pub(crate) until: i64,
    /// For the invariants: a wipe took it out of Redis, and its node has not written it again.
    pub(crate) wiped: bool,
    /// For the invariants: its outcome at its node.
    pub(crate) outcome: Option<Outcome>,
    /// For the invariants: the outcome is in Redis.
    pub(crate) outcome_shared: bool,
}

impl Attempt {
    /// Whether it can still block another creation.
    const fn may_matter(&self) -> bool {
        matches!(self.outcome, None | Some(Outcome::Ok))
    }

    /// Whether it blocks another creation that is decided at `now`.
    pub(crate) fn keeps_out(&self, now: i64) -> bool {
        match self.outcome {
            None => now < self.until,
            Some(Outcome::Ok) => now < self.until || self.outcome_shared,
            Some(Outcome::Refused | Outcome::Unknown) => false,
        }
    }
}

/// The answer of the called party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// Linked, or accepted.
    Ok,
    /// Only of a `link_create`: Kakao Pay refused it.
    Refused,
    /// The outcome is unknown.
    Unknown,
}

/// The next step of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// The call has not begun.
    Coming,
    /// Redis is read.
    Reading,
    /// Redis has answered (`None`: out of reach); the decision follows.
    Deciding(Option<Read>),
    /// A reservation is being sent to Redis.
    Reserving {
        read: Read,
        joined: StateNumber,
        note: Note,
    },
    /// Redis has the reservation, the node has no answer yet.
    Reserved(Note),
    /// The first entry is queued for the journal.
    Committing(Option<Read>),
    /// A payment is in the journal and is to be shared, from what was read.
    Committed { read: Read, rows: Span },
    /// A payment is being sent to Redis.
    Swapping {
        read: Read,
        joined: StateNumber,
        rows: Span,
    },
    /// All facts are written; the party is called.
    Recorded,
    /// The party has the call.
    Sent,
    /// The party has answered.
    Answered(Outcome),
    /// The second entry is queued for the journal.
    Settling,
    /// The second entry is in the journal; Redis is read.
    Settled { rows: Span },
    /// The outcome is being sent to Redis.
    SettledSwapping {
        read: Read,
        joined: StateNumber,
        rows: Span,
    },
    /// The caller has its answer.
    Done,
    /// The node was killed.
    Dead,
}

impl Phase {
    /// For traces.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Coming => "is not there yet",
            Self::Reading => "asks Redis",
            Self::Deciding(Some(_)) => "has Redis's answer",
            Self::Deciding(None) => "goes on without Redis",
            Self::Reserving { .. } => "swaps its reservation",
            Self::Reserved(_) => "has its reservation in Redis",
            Self::Committing(_) => "is folded and waits for the journal",
            Self::Committed { .. } => "is in the journal",
            Self::Swapping { .. } => "swaps its payment",
            Self::Recorded => "may be sent",
            Self::Sent => "is sent",
            Self::Answered(_) => "is answered",
            Self::Settling => "is settled and waits for the journal",
            Self::Settled { .. } => "is settled in the journal",
            Self::SettledSwapping { .. } => "swaps what came of it",
            Self::Done => "is done",
            Self::Dead => "died",
        }
    }

    /// What was read of the bill, if anything was.
    #[allow(
        clippy::option_option,
        reason = "nothing was read, or it was read that there is nothing"
    )]
    pub(crate) const fn read(self) -> Option<Option<StateNumber>> {
        match self {
            Self::Deciding(Some(read))
            | Self::Committing(Some(read))
            | Self::Reserving { read, .. }
            | Self::Committed { read, .. }
            | Self::Swapping { read, .. }
            | Self::SettledSwapping { read, .. } => Some(read.bill_group),
            _ => None,
        }
    }

    /// A swap is being sent.
    pub(crate) const fn is_swap(self) -> bool {
        matches!(
            self,
            Self::Reserving { .. } | Self::Swapping { .. } | Self::SettledSwapping { .. }
        )
    }

    /// The next step but one is a swap.
    pub(crate) const fn leads_to_swap(self) -> bool {
        matches!(
            self,
            Self::Deciding(_) | Self::Committed { .. } | Self::Settled { .. }
        )
    }

    /// Between this step and the one before it, no other step can make a difference but to what a
    /// merge may miss, or to what was not delivered before a crash. The fine scenarios search there too.
    pub(crate) const fn is_in_between(self) -> bool {
        self.is_swap() || matches!(self, Self::Reserved(_) | Self::Recorded)
    }
}

impl Call {
    pub(crate) const fn new(kind: Kind) -> Self {
        Self {
            kind,
            place: 0,
            now: 0,
            phase: Phase::Coming,
            attempt: None,
            forbidden: None,
        }
    }

    pub(crate) const fn is_under_way(&self) -> bool {
        !matches!(self.phase, Phase::Coming | Phase::Done | Phase::Dead)
    }

    /// Ends the call and drops what no later step and no invariant needs.
    pub(crate) fn end(&mut self, phase: Phase) {
        self.phase = phase;
        self.now = 0;
        self.forbidden = None;
        self.attempt = self.attempt.filter(Attempt::may_matter);
        if self.attempt.is_none() {
            self.place = 0;
        }
    }

    /// Returns the answer that is written to Redis when the call is settled.
    pub(crate) fn accepted(&self, answers: crate::note::Messages) -> Option<Message> {
        match self.kind {
            Kind::PayResult(message) if answers.has(message) => Some(message),
            Kind::PayResult(_) | Kind::Create => None,
        }
    }
}

//! Calls, and where each of them is.

use crate::Stamp;
use crate::note::{Message, Note};
use crate::state::{Place, Read};
use crate::table::Known;

/// Rows of the journal: first and last.
pub(crate) type Span = (i64, i64);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Call {
    pub(crate) kind: Kind,
    /// Where it came in.
    pub(crate) place: Place,
    /// When it came in, by that node's clock; a `link_create` by Redis's.
    pub(crate) now: i64,
    pub(crate) phase: Phase,
    /// Of a `link_create`.
    pub(crate) attempt: Option<Attempt>,
    /// Of a pay-result: it must not be told again, and why.
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
    /// For the invariants: what its node knows of its outcome.
    pub(crate) outcome: Option<Outcome>,
    /// For the invariants: the outcome is in Redis.
    pub(crate) outcome_shared: bool,
}

impl Attempt {
    /// Whether it can still keep another creation out.
    const fn may_matter(&self) -> bool {
        matches!(self.outcome, None | Some(Outcome::Ok))
    }

    /// Whether it keeps another creation out that is decided at `now`.
    pub(crate) fn keeps_out(&self, now: i64) -> bool {
        match self.outcome {
            None => now < self.until,
            Some(Outcome::Ok) => now < self.until || self.outcome_shared,
            Some(Outcome::Refused | Outcome::Unknown) => false,
        }
    }
}

/// What the party that was asked made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// Linked, or accepted.
    Ok,
    /// Only of a `link_create`: Kakao Pay refused it.
    Refused,
    /// Nobody knows.
    Unknown,
}

/// The step that comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// Not there yet.
    Coming,
    /// Redis is asked.
    Reading,
    /// Redis has answered (`None`: out of reach); the decision is taken.
    Deciding(Option<Read>),
    /// A reservation is on its way to Redis.
    Reserving {
        read: Read,
        joined: Known,
        note: Note,
    },
    /// Redis has the reservation, the node does not know it yet.
    Reserved(Note),
    /// The first entry is queued for the journal.
    Committing(Option<Read>),
    /// A payment is in the journal; it is to be shared, beginning with what was read.
    Committed { read: Read, rows: Span },
    /// A payment is on its way to Redis.
    Swapping {
        read: Read,
        joined: Known,
        rows: Span,
    },
    /// All is written down; the party is told.
    Recorded,
    /// The party has it.
    Told,
    /// The party has answered.
    Answered(Outcome),
    /// The second entry is queued for the journal.
    Settling,
    /// The second entry is in the journal; Redis is asked.
    Settled { rows: Span },
    /// What came of the call is on its way to Redis.
    SettledSwapping {
        read: Read,
        joined: Known,
        rows: Span,
    },
    /// The caller has its answer.
    Done,
    /// The node died.
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
            Self::Recorded => "may be told",
            Self::Told => "is told",
            Self::Answered(_) => "is answered",
            Self::Settling => "is settled and waits for the journal",
            Self::Settled { .. } => "is settled in the journal",
            Self::SettledSwapping { .. } => "swaps what came of it",
            Self::Done => "is done",
            Self::Dead => "died",
        }
    }

    /// A swap is on its way.
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
    /// join may miss, or to what was not told before a crash. The fine scenarios look there too.
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

    /// Ends it; what no step and no invariant asks for any more is let go.
    pub(crate) fn end(&mut self, phase: Phase) {
        self.phase = phase;
        self.now = 0;
        self.forbidden = None;
        self.attempt = self.attempt.filter(Attempt::may_matter);
        if self.attempt.is_none() {
            self.place = 0;
        }
    }

    /// The answer that goes to Redis when the call is settled.
    pub(crate) fn accepted(&self, answers: crate::note::Messages) -> Option<Message> {
        match self.kind {
            Kind::PayResult(message) if answers.has(message) => Some(message),
            Kind::PayResult(_) | Kind::Create => None,
        }
    }
}

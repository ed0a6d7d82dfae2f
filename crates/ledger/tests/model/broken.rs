//! Deliberate faults of the model, to show that the search finds them.

/// The fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// A payment is delivered before it is in the journal.
    RelayBeforeTheCommit,
    /// Whether a link may be created is decided from Redis alone.
    DecideWithoutLocalKnowledge,
    /// A node's state overwrites the remote state.
    ShareWithoutJoining,
    /// A swap does not compare the remote state.
    SwapWithoutComparing,
    /// Conflicts of a merge are not reported.
    LeaveConflictsUnreported,
    /// Each node compares reservations with its own clock.
    JudgeByOwnClock,
    /// A node's stamps do not stay ahead of those that it has read.
    StampWithoutObserving,
    /// Rows that were read before a rewind are marked after it.
    MarkAcrossRewinds,
    /// A wiped Redis is treated as one that was unreachable.
    NoRewind,
    /// A restart does not settle interrupted calls.
    LeaveInterruptedOpen,
    /// Refused creations are forgotten before Redis has their end.
    ForgetUnshared,
    /// A restart loses which pay-results were accepted.
    LoseAnswers,
}

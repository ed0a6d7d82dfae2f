//! Steps that can be broken on purpose, to show that the search would find it.

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// A biller is told before the payment is in the journal.
    RelayBeforeTheCommit,
    /// Whether a link may be made is decided on Redis alone.
    DecideWithoutLocalKnowledge,
    /// What a node knows is written over what Redis holds.
    ShareWithoutJoining,
    /// A swap does not look at what Redis holds.
    SwapWithoutComparing,
    /// Payments that met in a join are not told.
    LeaveMeetingsUntold,
    /// Each node judges reservations by its own clock.
    JudgeByOwnClock,
    /// A node's stamps do not come after those that it has read.
    StampWithoutLooking,
    /// What was read before a rewind is marked after it.
    MarkAcrossRewinds,
    /// A wiped Redis is not told from one that was away.
    NoRewind,
    /// A restart does not settle what was cut off.
    LeaveCutOffOpen,
    /// A restart forgets which pay-results were accepted.
    ForgetAnswers,
}

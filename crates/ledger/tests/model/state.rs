//! The state of the model.

use crate::call::Call;
use crate::note::{Message, Messages, Note, What};
use crate::share::Marks;
use crate::table::{NOTHING, StateNumber};

/// One of the two nodes.
pub(crate) type Place = usize;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// Time goes in ticks; a call's budget is a whole number of them.
    pub(crate) tick: u8,
    pub(crate) redis: Redis,
    pub(crate) nodes: [Node; 2],
    pub(crate) calls: Vec<Call>,
    /// Faults that may still come.
    pub(crate) left: Faults,
    pub(crate) seen: Seen,
}

/// The remaining numbers of faults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Faults {
    pub(crate) crashes: u8,
    pub(crate) wipes: u8,
    pub(crate) outages: u8,
    pub(crate) ticks: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Redis {
    pub(crate) up: bool,
    /// Another after a wipe.
    pub(crate) identity: u8,
    pub(crate) bill_group: Option<StateNumber>,
    pub(crate) answers: Messages,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    pub(crate) up: bool,
    /// Durable; everything else is lost in a crash.
    pub(crate) journal: Journal,
    pub(crate) queue: Vec<Entry>,
    pub(crate) memory: StateNumber,
    pub(crate) accepted: Messages,
    pub(crate) under_way: Messages,
    /// Time of the last stamp.
    pub(crate) clock: i64,
    pub(crate) marks: Marks,
    pub(crate) shared_with: u8,
    pub(crate) resync: Resync,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Journal {
    /// Row 1 is the first.
    pub(crate) rows: Vec<Note>,
    pub(crate) answers: Messages,
    pub(crate) shared_up_to: i64,
    pub(crate) shared_with: u8,
}

/// What is queued for the journal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    pub(crate) notes: Vec<Note>,
    pub(crate) answer: Option<Message>,
    /// The call that waits for the commit.
    pub(crate) waits: Option<u8>,
}

/// What one read of Redis saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Read {
    pub(crate) bill_group: Option<StateNumber>,
    pub(crate) answer: bool,
    /// The epoch of the reader's marks when it asked.
    pub(crate) epoch: u8,
}

/// The resync's step of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Resync {
    Idle,
    Swapping {
        row: i64,
        read: Read,
        joined: StateNumber,
        answer: Option<Message>,
    },
}

/// Observations for the invariants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Seen {
    /// Pay-results that were delivered.
    pub(crate) delivered: Messages,
    /// Pay-results of which a share step succeeded since the last wipe.
    pub(crate) shared: Messages,
    /// A creation ended in another way than refused.
    pub(crate) not_refused: bool,
    /// A step that must never be taken was taken.
    pub(crate) wrong: Option<&'static str>,
}

impl Journal {
    /// The rows that were not deleted.
    pub(crate) fn facts(&self) -> impl Iterator<Item = &Note> {
        let is_fact = |note: &&Note| note.what != What::Forgotten;
        self.rows.iter().filter(is_fact)
    }
}

impl Node {
    pub(crate) fn new() -> Self {
        Self {
            up: true,
            journal: Journal {
                shared_with: 1,
                ..Journal::default()
            },
            queue: Vec::new(),
            memory: NOTHING,
            accepted: Messages::default(),
            under_way: Messages::default(),
            clock: 0,
            marks: Marks::default(),
            shared_with: 1,
            resync: Resync::Idle,
        }
    }

    /// Rows of the journal that are not marked as shared.
    pub(crate) fn unshared(&self) -> impl Iterator<Item = i64> {
        let last = i64::try_from(self.journal.rows.len()).unwrap();
        (self.marks.up_to() + 1..=last).filter(|row| !self.marks.is_shared(*row))
    }

    /// Whether the journal has the cursor as it stands.
    pub(crate) fn is_cursor_written(&self) -> bool {
        let written = (self.journal.shared_up_to, self.journal.shared_with);
        written == (self.marks.up_to(), self.shared_with)
    }

    /// What one row of the journal says.
    pub(crate) fn row(&self, row: i64) -> Note {
        self.journal.rows[usize::try_from(row - 1).unwrap()]
    }

    /// Every fact of this node: in its journal or queued for it.
    pub(crate) fn facts(&self) -> impl Iterator<Item = &Note> {
        let queued = self.queue.iter().flat_map(|entry| &entry.notes);
        self.journal.facts().chain(queued)
    }
}

impl Redis {
    pub(crate) fn new() -> Self {
        Self {
            up: true,
            identity: 1,
            bill_group: None,
            answers: Messages::default(),
        }
    }

    pub(crate) fn read(&self, message: Option<Message>, epoch: u8) -> Read {
        Read {
            epoch,
            bill_group: self.bill_group,
            answer: message.is_some_and(|message| self.answers.has(message)),
        }
    }
}

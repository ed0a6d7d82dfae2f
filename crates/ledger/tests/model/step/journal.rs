//! The writer of the journal: one entry at a time, so that a crash can come between any two.

use super::Model;
use crate::call::{Kind, Phase};
use crate::journal::Rows;
use crate::state::{Place, State};

impl Model {
    pub(super) fn commit(state: &mut State, place: Place) {
        let node = &mut state.nodes[place];
        let entry = node.queue.remove(0);
        let first = i64::try_from(node.journal.rows.len()).unwrap() + 1;
        node.journal.rows.extend(&entry.notes);
        let last = i64::try_from(node.journal.rows.len()).unwrap();
        if let Some(message) = entry.answer {
            node.journal.answers.insert(message);
        }
        let Some(waits) = entry.waits else {
            // No call waits for it.
            return;
        };
        node.marks.journalled(Rows { first, last });
        let call = &mut state.calls[usize::from(waits)];
        call.phase = match (call.phase, call.kind) {
            (Phase::Committing(_), Kind::Create) | (Phase::Committing(None), _) => Phase::Recorded,
            (Phase::Committing(Some(read)), Kind::PayResult(_)) => Phase::Committed {
                read,
                rows: (first, last),
            },
            (Phase::Settling, _) => Phase::Settled {
                rows: (first, last),
            },
            // Only with a deliberate fault.
            (phase, _) => phase,
        };
    }
}

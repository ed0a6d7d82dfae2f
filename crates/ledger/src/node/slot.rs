//! One bill in memory.

use protocol::Bill;

use crate::{BillState, HeapBytes};

/// The state of one bill as far as this node has it in memory.
#[derive(Debug)]
pub(super) struct BillSlot {
    pub(super) bill: Bill,
    pub(super) state: BillState,
    /// Whether `state` has every fact of the bill: those of the journal and those that are queued for it.
    pub(super) is_complete: bool,
    /// Facts that the journal has not committed, loads under way, and calls that need the state.
    pub(super) pins: u32,
    /// Whether the state was used since eviction last passed by.
    pub(super) is_recent: bool,
    /// Whether the slot is in the order of eviction.
    pub(super) is_listed: bool,
    /// What the slot was last counted for.
    pub(super) counted_bytes: usize,
}

/// What a slot takes in the tables of its book: its place, the byte beside it, spare places, its number in the order of
/// eviction.
const PLACE_BYTES: usize = 32;

impl BillSlot {
    pub(super) fn new(bill: Bill) -> Self {
        Self {
            bill,
            state: BillState::default(),
            is_complete: false,
            pins: 0,
            is_recent: false,
            is_listed: false,
            counted_bytes: 0,
        }
    }

    /// Returns the bytes that the slot takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + PLACE_BYTES + self.bill.heap_bytes() + self.state.heap_bytes()
    }
}

//! The bills of one biller in memory: found by their hash, and evicted when they were not used lately.

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::HashTable;
use protocol::Bill;

use super::cache::Cache;
use super::hash::hash_of;
use super::slot::BillSlot;

/// Slots that one eviction looks at, at most, for each that it is asked for.
const LOOKS_PER_EVICTION: usize = 8;

/// The slots of a book.
#[derive(Debug)]
pub(super) struct Slots {
    cache: Arc<Cache>,
    table: HashTable<Box<BillSlot>>,
    /// The hashes of slots without pins, in the order in which eviction looks at them.
    order: VecDeque<u64>,
    bytes: usize,
}

impl Slots {
    pub(super) const fn new(cache: Arc<Cache>) -> Self {
        Self {
            cache,
            table: HashTable::new(),
            order: VecDeque::new(),
            bytes: 0,
        }
    }

    /// Takes a pin of a bill away. Without pins it may be evicted, and a state that is not complete is dropped: the
    /// journal has all of it. Returns whether it has no pin any more.
    pub(super) fn unpin(&mut self, bill: &Bill) -> bool {
        let Ok(mut entry) = self
            .table
            .find_entry(hash_of(bill), |slot| slot.bill == *bill)
        else {
            return false;
        };
        let slot = entry.get_mut();
        slot.pins = slot.pins.saturating_sub(1);
        let (before, is_free) = (slot.counted_bytes, slot.pins == 0);
        slot.counted_bytes = slot.bytes();
        let after = slot.counted_bytes;
        let stays = slot.is_complete && after <= self.cache.bound();
        if is_free && !stays {
            let _ = entry.remove();
            self.recount(before, 0);
        } else {
            if is_free && !slot.is_listed {
                slot.is_listed = true;
                self.order.push_back(hash_of(bill));
            }
            self.recount(before, after);
        }
        is_free
    }

    /// Drops a bill that is known to be empty and has no pin.
    pub(super) fn drop_empty(&mut self, bill: &Bill) {
        if let Ok(entry) = self.table.find_entry(hash_of(bill), |slot| {
            slot.bill == *bill && slot.pins == 0 && slot.state.is_empty()
        }) {
            let (slot, _) = entry.remove();
            self.recount(slot.counted_bytes, 0);
        }
    }

    /// Evicts states that were not used lately, at most `most`.
    pub(super) fn evict(&mut self, most: usize) {
        let mut evicted = 0;
        for _ in 0..most * LOOKS_PER_EVICTION {
            let Some(hash) = self.order.pop_front() else {
                break;
            };
            let Ok(mut entry) = self
                .table
                .find_entry(hash, |slot| slot.is_listed && hash_matches(slot, hash))
            else {
                continue;
            };
            let slot = entry.get_mut();
            if slot.pins > 0 {
                // It is listed again when its last pin goes.
                slot.is_listed = false;
            } else if slot.is_recent {
                slot.is_recent = false;
                self.order.push_back(hash);
            } else {
                let (slot, _) = entry.remove();
                self.recount(slot.counted_bytes, 0);
                evicted += 1;
                if evicted == most {
                    break;
                }
            }
        }
    }

    /// Returns what the states take, in bytes.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    fn recount(&mut self, before: usize, after: usize) {
        self.bytes = (self.bytes + after).saturating_sub(before);
        self.cache.recount(before, after);
    }

    /// Returns the slot of a bill, where there is one.
    pub(super) fn find(&self, bill: &Bill) -> Option<&BillSlot> {
        let slot = self.table.find(hash_of(bill), |slot| slot.bill == *bill);
        slot.map(AsRef::as_ref)
    }

    pub(super) fn find_mut(&mut self, bill: &Bill) -> Option<&mut BillSlot> {
        let slot = self
            .table
            .find_mut(hash_of(bill), |slot| slot.bill == *bill);
        slot.map(AsMut::as_mut)
    }

    /// Returns the slot of a bill, made where it is missing.
    pub(super) fn slot(&mut self, bill: &Bill) -> &mut BillSlot {
        let entry = self.table.entry(
            hash_of(bill),
            |slot| slot.bill == *bill,
            |slot| hash_of(&slot.bill),
        );
        entry
            .or_insert_with(|| Box::new(BillSlot::new(bill.clone())))
            .into_mut()
    }
}

fn hash_matches(slot: &BillSlot, wanted: u64) -> bool {
    hash_of(&slot.bill) == wanted
}

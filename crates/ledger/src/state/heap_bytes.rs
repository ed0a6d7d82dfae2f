//! The bytes that values take on the heap, as the program's allocator (mimalloc) counts them.

use protocol::Bill;

/// A value that knows how many bytes it owns on the heap.
pub trait HeapBytes {
    /// Returns the allocated bytes that the value owns, without its own struct: capacities, not lengths, each rounded
    /// up to the allocator's size class. The cost does not depend on the size of the value.
    fn heap_bytes(&self) -> usize;
}

impl HeapBytes for Bill {
    fn heap_bytes(&self) -> usize {
        allocated(self.text_bytes())
    }
}

impl HeapBytes for String {
    fn heap_bytes(&self) -> usize {
        allocated(self.capacity())
    }
}

impl<T: HeapBytes> HeapBytes for Option<Box<T>> {
    fn heap_bytes(&self) -> usize {
        let inside = |inside: &T| allocated(size_of::<T>()) + inside.heap_bytes();
        self.as_deref().map_or(0, inside)
    }
}

/// Returns the bytes that the entries of a vector take, without what the entries own.
pub(crate) const fn of_entries<T>(entries: &Vec<T>) -> usize {
    allocated(entries.capacity().saturating_mul(size_of::<T>()))
}

/// Returns the size of the block in which mimalloc puts `bytes`: multiples of 16 up to 64, then four sizes per power of
/// two.
pub(crate) const fn allocated(bytes: usize) -> usize {
    match bytes {
        0 => 0,
        1..=8 => 8,
        9..=64 => bytes.next_multiple_of(16),
        // Sizes of which the next one would overflow cannot be allocated.
        _ => {
            let step = 1 << ((bytes - 1).ilog2() - 2);
            match bytes.checked_next_multiple_of(step) {
                Some(size) => size,
                None => bytes,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_up_to_those_of_the_allocator() {
        // asked for | taken
        let table = [
            (0, 0),
            (1, 8),
            (8, 8),
            (9, 16),
            (24, 32),
            (64, 64),
            (65, 80),
            (96, 96),
            (113, 128),
            (129, 160),
            (160, 160),
            (257, 320),
            (1_024, 1_024),
            (1_025, 1_280),
            (usize::MAX, usize::MAX),
        ];
        for (asked, taken) in table {
            assert_eq!(allocated(asked), taken, "{asked}");
        }
    }
}

//! A [`Slot`] is one of the 16,384 parts of a Cluster's keys.

/// A `Slot` is a number from 0 to 16,383. Every key of a biller is in the slot of its hash tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot(pub(crate) u16);

impl Slot {
    /// The number of slots.
    pub(crate) const COUNT: u16 = 16_384;

    /// Returns the slot of the keys with this hash tag.
    pub(crate) fn of(tag: &str) -> Self {
        let crc = tag.bytes().fold(0_u16, |crc, byte| {
            let index = usize::from(crc >> 8) ^ usize::from(byte);
            (crc << 8) ^ TABLE[index & 0xff]
        });
        Self(crc % Self::COUNT)
    }
}

/// The table of CRC-16/XMODEM (polynomial 0x1021), for a byte at a time.
const TABLE: [u16; 256] = table();

const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte: u16 = 0;
    while byte < 256 {
        let mut crc = byte << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x1021
            };
            bit += 1;
        }
        table[byte as usize] = crc;
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the algorithm, and what `CLUSTER KEYSLOT` answers.
    #[test]
    fn a_tag_is_in_the_slot_that_redis_computes() {
        for (tag, slot) in [
            ("123456789", 0x31c3),
            ("foo", 12_182),
            ("user1000", 3_443),
            ("", 0),
        ] {
            assert_eq!(Slot::of(tag), Slot(slot), "{tag}");
        }
    }
}

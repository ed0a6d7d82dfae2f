//! A UTF-8 check that is fast for ASCII and Hangul.

/// Whether the bytes are UTF-8. The result is that of [`std::str::from_utf8`], which checks Korean
/// text, and the ASCII in it, byte by byte. This function checks up to eight bytes of ASCII, or one or
/// two characters of three bytes, at a time.
pub(super) fn is_utf8(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(word) = rest.first_chunk() {
        let word = u64::from_le_bytes(*word);
        let ascii = (word & HIGHEST_BITS).trailing_zeros() / 8;
        let step = if ascii > 0 {
            ascii as usize
        } else if is_character(word) {
            // Two in a row are common.
            if is_character(word >> 24) { 6 } else { 3 }
        } else {
            break;
        };
        rest = rest.get(step..).unwrap_or_default();
    }
    std::str::from_utf8(rest).is_ok()
}

const HIGHEST_BITS: u64 = u64::from_le_bytes([0x80; 8]);

/// Whether the three lowest bytes, lowest first, are one character (RFC 3629 section 4, `UTF8-3`).
const fn is_character(word: u64) -> bool {
    // These bits show an overlong encoding (0) and a surrogate (0x200D).
    let distinguishing = word & 0x00_20_0F;
    word & 0xC0_C0_F0 == 0x80_80_E0 && distinguishing != 0 && distinguishing != 0x00_20_0D
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn three_bytes_are_checked_as_by_the_standard_library() {
        for first in 0xC0..=0xFF_u8 {
            for second in 0..=0xFF {
                for third in [0x00, 0x22, 0x7F, 0x80, 0x9F, 0xA0, 0xBF, 0xC0, 0xE0, 0xFF] {
                    let bytes = [first, second, third];
                    assert_eq!(
                        is_utf8(&bytes),
                        std::str::from_utf8(&bytes).is_ok(),
                        "{bytes:x?}"
                    );
                    let wide = [b"0123456", &bytes[..], b"0123456789"].concat();
                    assert_eq!(
                        is_utf8(&wide),
                        std::str::from_utf8(&wide).is_ok(),
                        "{bytes:x?}"
                    );
                }
            }
        }
    }

    proptest! {
        #[test]
        fn changed_texts_are_checked_as_by_the_standard_library(
            text in "[ -~가-힣é😀]{0,40}",
            cut in any::<prop::sample::Index>(),
            byte: u8,
        ) {
            let mut bytes = text.into_bytes();
            prop_assert!(is_utf8(&bytes));
            let at = cut.index(bytes.len() + 1);
            prop_assert_eq!(is_utf8(&bytes[..at]), std::str::from_utf8(&bytes[..at]).is_ok());
            if let Some(slot) = bytes.get_mut(at) {
                *slot = byte;
            }
            prop_assert_eq!(is_utf8(&bytes), std::str::from_utf8(&bytes).is_ok());
        }
    }
}

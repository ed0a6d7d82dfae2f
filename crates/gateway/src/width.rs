//! How many columns a text takes on a terminal.

/// Columns of one character: Hangul, ideographs and full-width forms take two, marks that join what
/// stands before them none.
pub(super) const fn columns(letter: char) -> usize {
    match letter as u32 {
        0x0300..=0x036f | 0x1160..=0x11ff | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0x4dbf
        | 0x4e00..=0xa4cf
        | 0xa960..=0xa97c
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff01..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// Columns of a text on one line.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// The text, or as much of its beginning as fits into so many columns with an ellipsis after it.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if width(text) <= limit {
        return text.to_owned();
    }
    let mut left = limit.saturating_sub(1);
    let mut kept = String::new();
    for letter in text.chars() {
        let taken = columns(letter);
        if taken > left {
            break;
        }
        left -= taken;
        kept.push(letter);
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn korean_is_twice_as_wide_as_latin() {
        for (text, expected) in [
            ("", 0),
            ("bill", 4),
            ("청구서", 6),
            ("납부 결과 전달", 14),
            ("ㅎㅏㄴ", 6),
            ("\u{1112}\u{1161}\u{11ab}", 2),
            ("A → B ✓ ▏", 9),
            ("（全角）", 8),
        ] {
            assert_eq!(width(text), expected, "{text}");
        }
    }

    #[test]
    fn a_cut_text_never_takes_more_columns_than_it_may() {
        for (text, limit, expected) in [
            ("청구서", 6, "청구서"),
            ("청구서", 5, "청구…"),
            ("청구서", 4, "청…"),
            ("abc", 2, "a…"),
            ("abc", 1, "…"),
        ] {
            assert_eq!(cut(text, limit), expected);
            assert!(width(&cut(text, limit)) <= limit);
        }
    }
}

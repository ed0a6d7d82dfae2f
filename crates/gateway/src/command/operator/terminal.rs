//! Texts that cannot control the terminal they are printed on, nor falsify how they look.

use std::fmt::Write as _;

use serde_json::Value;

/// Returns whether a character controls a terminal, is invisible, or changes the direction of text.
fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Returns the text with a replacement character for each harmful one.
pub(in crate::command) fn harmless(text: &str) -> String {
    text.replace(is_harmful, "\u{fffd}")
}

/// Returns a value as indented JSON in which harmful characters are escaped: the value that is read back is the same.
pub(super) fn json(value: &Value) -> String {
    let text = format!("{value:#}");
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        // Line ends outside of strings are the writer's; inside they are escaped already.
        if letter != '\n' && is_harmful(letter) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(letter);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn json_is_harmless_and_reads_back_the_same(text: String, name in "\\PC*|[\\x00-\\x9f\\u{200b}-\\u{206f}\\u{e0001}]{0,9}") {
            let value = serde_json::json!({ &name: [text, name, 1] });
            let printed = json(&value);
            prop_assert!(!printed.chars().any(|letter| letter != '\n' && is_harmful(letter)));
            prop_assert_eq!(serde_json::from_str::<Value>(&printed).ok(), Some(value));
        }
    }
}

//! Line breaks in long texts.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Breaks JSON into lines of at most this width.
///
/// Lines end after commas outside strings, so the lines are the same JSON. Only a line without such a
/// comma is wider.
pub(super) fn wrap_json(json: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for piece in pieces(json) {
        let last = lines.last().map_or(0, |line| line.width());
        match lines.last_mut() {
            Some(line) if last == 0 || last + piece.width() <= columns => line.push_str(piece),
            _ => lines.push(piece.to_owned()),
        }
    }
    lines
}

/// Breaks a text into lines of at most this width: after a slash or a comma where there is one in the second
/// half of a line, otherwise where the line is full.
pub(super) fn wrap_text(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for letter in text.chars() {
        if line.width() + letter.width().unwrap_or(1) > columns {
            let end = line.rfind(['/', ',']).map_or(0, |at| at + 1);
            let rest = if end > line.len() / 2 {
                line.split_off(end)
            } else {
                String::new()
            };
            lines.push(std::mem::replace(&mut line, rest));
        }
        line.push(letter);
    }
    lines.push(line);
    lines
}

/// Breaks a text between words into lines of at most this width. Only a longer word is wider.
pub(super) fn wrap_words(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.width() + 1 + word.width() <= columns => line.extend([" ", word]),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Splits the text after each comma outside strings.
fn pieces(json: &str) -> Vec<&str> {
    let (mut in_string, mut escaped) = (false, false);
    let is_separator = |letter| {
        match letter {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ => return letter == ',' && !in_string,
        }
        false
    };
    json.split_inclusive(is_separator).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_broken_only_after_commas_outside_strings() {
        let json = r#"{"a":"1,2","b":"x\",y","c":[3,4]}"#;
        assert_eq!(
            wrap_json(json, 12),
            [r#"{"a":"1,2","#, r#""b":"x\",y","#, r#""c":[3,4]}"#]
        );
        assert_eq!(wrap_json(json, 100), [json]);
        assert_eq!(wrap_json(json, 1).concat(), json);
    }

    #[test]
    fn words_are_kept_whole() {
        assert_eq!(wrap_words("a bc 청구 d", 4), ["a bc", "청구", "d"]);
        assert_eq!(wrap_words("abcdef a b", 3), ["abcdef", "a b"]);
        assert_eq!(wrap_words("", 3), [""]);
    }

    #[test]
    fn text_is_broken_after_a_slash_or_comma_in_the_second_half_of_a_line() {
        assert_eq!(wrap_text("청구서12", 4), ["청구", "서12"]);
        assert_eq!(wrap_text("/a/bcdef", 6), ["/a/bcd", "ef"]);
        assert_eq!(wrap_text("abc/defgh", 6), ["abc/", "defgh"]);
        assert_eq!(wrap_text("", 4), [""]);
    }
}

//! JSON over several lines, changed in nothing but white space.

use crate::width::{columns, width};

/// The text in lines of at most so many columns. Lines end after commas that stand outside strings,
/// so it stays the same JSON; only a piece that is too long by itself is longer.
pub(super) fn wrap(json: &str, limit: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for piece in pieces(json) {
        let last = lines.last().map_or(0, |line| width(line));
        match lines.last_mut() {
            Some(line) if last == 0 || last + width(piece) <= limit => line.push_str(piece),
            _ => lines.push(piece.to_owned()),
        }
    }
    lines
}

/// The text cut into lines of at most so many columns: after a slash or a comma where there is one
/// in the line's second half, else wherever the line is full.
pub(super) fn chop(text: &str, limit: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for letter in text.chars() {
        if width(&line) + columns(letter) > limit {
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

/// The text, split after each comma outside strings.
fn pieces(json: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut begin, mut in_string, mut escaped) = (0, false, false);
    for (at, letter) in json.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            ',' if !in_string => {
                pieces.push(&json[begin..=at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(&json[begin..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_after_commas_between_members_only() {
        let json = r#"{"a":"1,2","b":"x\",y","c":[3,4]}"#;
        assert_eq!(
            wrap(json, 12),
            [r#"{"a":"1,2","#, r#""b":"x\",y","#, r#""c":[3,4]}"#]
        );
        assert_eq!(wrap(json, 100), [json]);
        assert_eq!(wrap(json, 1).concat(), json);
    }

    #[test]
    fn a_text_is_chopped_after_slashes_and_commas_if_that_fills_the_line() {
        assert_eq!(chop("청구서12", 4), ["청구", "서12"]);
        assert_eq!(chop("/a/bcdef", 6), ["/a/bcd", "ef"]);
        assert_eq!(chop("abc/defgh", 6), ["abc/", "defgh"]);
        assert_eq!(chop("", 4), [""]);
    }
}

//! How foreign text is repeated in a fault, and which known word it may have meant.

use super::bounds;

/// Foreign text on one line: control characters escaped, long text cut.
pub(super) fn excerpt(text: &str) -> String {
    let cut: String = text.chars().take(bounds::QUOTED_CHARS).collect();
    let ellipsis = if cut.len() < text.len() { "…" } else { "" };
    format!("{}{ellipsis}", cut.escape_debug())
}

/// The known word that `word` most likely is a slip of: at most a third of it is different.
pub(super) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    if word.chars().count() > bounds::QUOTED_CHARS {
        return None;
    }
    known
        .iter()
        .map(|candidate| (distance(word, candidate), *candidate))
        .filter(|(distance, candidate)| distance * 3 <= candidate.len().max(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions and replacements between two words; capitals are equal to small letters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().map(|c| c.to_ascii_lowercase()).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().map(|c| c.to_ascii_lowercase()).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_finds_the_word_that_was_meant() {
        let known = ["public", "ops", "trusted_proxies", "tls", "request_body"];
        let table = [
            ("publik", Some("public")),
            ("Public", Some("public")),
            ("request-body", Some("request_body")),
            ("requestbody", Some("request_body")),
            ("trusted_proxy", Some("trusted_proxies")),
            ("op", Some("ops")),
            ("color", None),
            ("", None),
            ("청구서", None),
        ];
        for (word, meant) in table {
            assert_eq!(nearest(word, &known), meant, "{word}");
        }
    }

    #[test]
    fn foreign_text_stays_on_one_line_and_short() {
        assert_eq!(excerpt("a\nb\u{1b}"), r"a\nb\u{1b}");
        assert_eq!(excerpt(&"가".repeat(41)), format!("{}…", "가".repeat(40)));
    }
}

//! Foreign text in messages: its printable form, and the known word that it resembles.

use super::bounds;

/// Returns the text on one line, with control characters escaped and long text cut.
pub(in crate::config) fn excerpt(text: &str) -> String {
    let cut: String = text.chars().take(bounds::QUOTED_CHARS).collect();
    let ellipsis = if cut.len() < text.len() { "…" } else { "" };
    format!("{}{ellipsis}", cut.escape_debug())
}

/// Returns the known word that `word` most likely stands for: at most a third of it differs, in any case of
/// letters.
pub(in crate::config) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    if word.chars().count() > bounds::QUOTED_CHARS {
        return None;
    }
    let word = word.to_ascii_lowercase();
    known
        .iter()
        .map(|candidate| {
            let distance = strsim::levenshtein(&word, &candidate.to_ascii_lowercase());
            (distance, *candidate)
        })
        .filter(|(distance, candidate)| distance * 3 <= candidate.len().max(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
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

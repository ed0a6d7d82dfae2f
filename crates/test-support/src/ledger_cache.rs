//! The size of the ledger's cache in tests, so that every suite can be run with several sizes.

/// The variable that holds the size, in bytes.
const VARIABLE: &str = "RELAY_TEST_LEDGER_CACHE";

/// Returns the size of the ledger's cache that `RELAY_TEST_LEDGER_CACHE` names; `None`: the default size.
pub fn ledger_cache_bytes() -> Option<usize> {
    let text = std::env::var(VARIABLE).ok()?;
    let bytes = text.parse();
    Some(bytes.unwrap_or_else(|_| panic!("{VARIABLE} is no number of bytes: {text}")))
}

/// Returns a gateway's main file with the size that `RELAY_TEST_LEDGER_CACHE` names, unless the file has its own.
pub fn with_ledger_cache(main: String) -> String {
    match ledger_cache_bytes() {
        Some(bytes) => with_cache(main, bytes),
        None => main,
    }
}

fn with_cache(main: String, bytes: usize) -> String {
    const TABLE: &str = "[ledger]\n";
    let cache = format!("cache = {bytes}\n");
    if main.lines().any(|line| line.starts_with("cache =")) {
        main
    } else if main.contains(TABLE) {
        main.replacen(TABLE, &format!("{TABLE}{cache}"), 1)
    } else {
        // At the end, so that no other line moves.
        format!("{main}{TABLE}{cache}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_in_the_table_of_the_ledger_unless_the_file_has_one() {
        for (main, expected) in [
            ("[kakao]\n", "[kakao]\n[ledger]\ncache = 7\n"),
            (
                "[ledger]\npath = 'p'\n",
                "[ledger]\ncache = 7\npath = 'p'\n",
            ),
            (
                "[ledger.redis]\nurl = 'u'\n",
                "[ledger.redis]\nurl = 'u'\n[ledger]\ncache = 7\n",
            ),
            ("[ledger]\ncache = \"0\"\n", "[ledger]\ncache = \"0\"\n"),
        ] {
            assert_eq!(with_cache(main.to_owned(), 7), expected);
        }
    }
}

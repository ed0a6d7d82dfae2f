//! Bodies of pay-results and answers as they lie in a journal.

use lz4_flex::block::decompress_with_dict;

/// What compressed bodies refer to.
const COMMON: &[u8] = include_bytes!("../../ledger/src/journal/packed_common.txt");

/// Returns a body as it came; `length` is its column `unpacked`.
pub fn unpacked(body: Vec<u8>, length: Option<i64>) -> Vec<u8> {
    let Some(length) = length else {
        return body;
    };
    let length = usize::try_from(length).unwrap();
    decompress_with_dict(&body, length, COMMON).unwrap()
}

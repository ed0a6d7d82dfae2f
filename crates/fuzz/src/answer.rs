//! The fuzz target of upstreams' answers.

use protocol::{AnswerCode, LabelCode, answer_res_code};

use crate::json::{Members, text};

/// Checks that `answer_res_code` accepts the bodies that `serde_json` reads as one object, and finds the same
/// `res_code`.
pub fn answer(body: &[u8]) {
    let ours = answer_res_code(body).ok();
    assert_eq!(ours, by_serde_json(body), "answer_res_code | serde_json");
}

fn by_serde_json(body: &[u8]) -> Option<AnswerCode> {
    let body = std::str::from_utf8(body).ok()?;
    // One byte-order mark is allowed in an answer.
    let members = Members::of(body.strip_prefix('\u{feff}').unwrap_or(body))?;
    let [spelled] = members.values("res_code")[..] else {
        return Some(AnswerCode::None);
    };
    Some(match text(spelled).as_deref() {
        Some("OK") => AnswerCode::Ok,
        Some(code) => AnswerCode::Other(LabelCode::new(code)),
        // A string with a lone surrogate is still a string.
        None if spelled.starts_with('"') => AnswerCode::Other(LabelCode::OTHER),
        None => AnswerCode::None,
    })
}

//! What of two answers is the same: times of a start, ages and what is forgotten soon are left out.

use serde_json::{Value, json};

/// Collects every place at which two answers differ.
pub fn compare(place: &str, expected: &Value, found: &Value, differences: &mut Vec<String>) {
    let is_same_length = |expected: usize, found: usize| expected == found;
    match (expected, found) {
        (Value::Array(expected), Value::Array(found))
            if is_same_length(expected.len(), found.len()) =>
        {
            for (at, (expected, found)) in expected.iter().zip(found).enumerate() {
                compare(&format!("{place}/{at}"), expected, found, differences);
            }
        }
        (Value::Object(expected), Value::Object(found))
            if is_same_length(expected.len(), found.len()) =>
        {
            for (name, expected) in expected {
                let found = &found.get(name).unwrap_or(&Value::Null);
                compare(&format!("{place}/{name}"), expected, found, differences);
            }
        }
        _ if expected != found => {
            let short = |value: &Value| value.to_string().chars().take(300).collect::<String>();
            let (expected, found) = (short(expected), short(found));
            differences.push(format!("{place}: expected {expected}, found {found}"));
        }
        _ => {}
    }
}

/// Returns a bill's state and facts, or the bills of its user key where nothing is known of it; nothing of a bill whose
/// link creations were all refused, because that is forgotten soon.
pub fn comparable_history(shown: &Value) -> Value {
    let facts = shown["story"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let is_refused_link = |fact: &Value| fact["kind"] == "reserved" || fact["kind"] == "released";
    let is_linkless = shown["state"]["link"] == "unregistered";
    if is_linkless && !facts.is_empty() && facts.iter().all(is_refused_link) {
        return json!({ "bills_of_this_user_key": [] });
    }
    if shown["error"].is_null() {
        return json!({ "state": shown["state"], "story": shown["story"] });
    }
    let mut alike = shown["bills_of_this_user_key"].as_array().unwrap().clone();
    alike.sort_by_key(Value::to_string);
    json!({ "bills_of_this_user_key": alike })
}

/// Members that change with time, or that say the same everywhere.
const LEFT_OUT: [&str; 6] = [
    "age_seconds",
    "hint",
    "node",
    "known_by",
    "left_off",
    "biller_name",
];

/// Replaces times of facts that the start itself made, and leaves some members out.
pub fn keep_comparable(value: &mut Value, written_at: &str) {
    match value {
        Value::Array(members) => {
            for member in members {
                keep_comparable(member, written_at);
            }
        }
        Value::Object(members) => {
            members.retain(|name, _| !LEFT_OUT.contains(&name.as_str()));
            for (name, member) in members.iter_mut() {
                if name != "written_at" {
                    keep_comparable(member, written_at);
                }
            }
            // A stamp has the time of its fact.
            if members.get("time").is_some_and(|time| time == "later") {
                members.insert("stamp".to_owned(), "later".into());
            }
        }
        Value::String(text) if is_time(text) && text.as_str() > written_at => {
            "later".clone_into(text);
        }
        _ => {}
    }
}

/// Whether a text is a time as the admin API shows it: all have one width and one zone, so they compare as texts.
fn is_time(text: &str) -> bool {
    text.len() == "2026-11-24T08:59:59.007+09:00".len() && text.ends_with("+09:00")
}

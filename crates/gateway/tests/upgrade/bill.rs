//! A bill as operators name it, and the calls about it.

use serde_json::{Value, json};
use test_support::{link, notice, prepay};

/// A bill of `B0001` without anything but its user key.
pub fn bill(user_key: &str) -> Value {
    json!({
        "biller": "B0001", "user_key": user_key, "month": "", "ordinal": "", "notice_key": "", "parameters": {},
    })
}

/// A bill of `B0001` for November.
pub fn monthly(user_key: &str) -> Value {
    with(bill(user_key), "month", "202611")
}

/// Returns the same bill with one part set.
pub fn with(mut bill: Value, part: &str, value: impl Into<Value>) -> Value {
    bill[part] = value.into();
    bill
}

/// Returns the route of an API for the bill's biller, from that of `B0001`.
pub fn route(route: &str, bill: &Value) -> String {
    route.replace("B0001", bill["biller"].as_str().unwrap())
}

/// Returns a call's body with the members of a bill, those that are not empty.
pub fn about(bill: &Value, mut body: Value) -> Value {
    let data = &mut body["data"];
    data["biller_user_key"] = bill["user_key"].clone();
    for (part, member) in [
        ("month", "billed_year_month"),
        ("ordinal", "ordinal"),
        ("notice_key", "biller_notice_key"),
        ("parameters", "parameters"),
    ] {
        if bill[part] != "" && bill[part] != json!({}) {
            data[member] = bill[part].clone();
        }
    }
    body
}

pub fn link_until(bill: &Value, expire_at: &str) -> String {
    let mut body = about(bill, link(""));
    body["data"]["expire_at"] = expire_at.into();
    body.to_string()
}

pub fn notice_of(bill: &Value) -> String {
    about(bill, notice("")).to_string()
}

pub fn prepay_of(bill: &Value) -> String {
    about(bill, prepay("")).to_string()
}

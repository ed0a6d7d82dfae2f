//! A call during its processing, with its body parsed once.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::call::Call;

/// A call that is being answered.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) call: Arc<Call>,
    json: OnceLock<Option<Value>>,
}

impl Request {
    pub(crate) fn new(call: Arc<Call>) -> Self {
        Self {
            call,
            json: OnceLock::new(),
        }
    }

    /// Returns the request's path without the query.
    pub(crate) fn path(&self) -> &str {
        self.call.api_path.split('?').next().unwrap_or_default()
    }

    /// Returns the `data` member of the body if it is an object.
    pub(crate) fn data(&self) -> Option<&Value> {
        let parsed = self
            .json
            .get_or_init(|| serde_json::from_slice(&self.call.body).ok());
        parsed.as_ref()?.get("data").filter(|data| data.is_object())
    }

    /// Returns a string member of `data`, or `""` if it is absent or not a string.
    pub(crate) fn text(&self, member: &str) -> &str {
        self.data()
            .and_then(|data| data.get(member)?.as_str())
            .unwrap_or_default()
    }

    /// Returns a member of `data` that is a whole number in any JSON form. `2e4` is 20000.
    pub(crate) fn whole_number(&self, member: &str) -> Option<i64> {
        let number = self.data()?.get(member)?.as_number()?;
        number.as_i64().or_else(|| whole(number.as_f64()?))
    }
}

fn whole(value: f64) -> Option<i64> {
    // Above 2^53 a float does not represent every integer.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() != 0.0 || value.abs() > EXACT {
        return None;
    }
    // The digits are exact below this limit, and the text of a whole number has no fraction.
    format!("{value:.0}").parse().ok()
}

#[cfg(test)]
pub(crate) fn example(api_path: &str, body: &str) -> Request {
    Request::new(Arc::new(Call {
        sequence: 1,
        connection: 1,
        nth_on_connection: 1,
        method: "POST".to_owned(),
        api_path: api_path.to_owned(),
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
        received_at: std::time::Instant::now(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_by_value() {
        let request = example(
            "/",
            r#"{"data":{"a":20000,"b":2e4,"c":-2.0,"d":1.5,"e":"1"}}"#,
        );
        let number = |member| request.whole_number(member);
        assert_eq!(
            (number("a"), number("b"), number("c")),
            (Some(20_000), Some(20_000), Some(-2))
        );
        assert_eq!((number("d"), number("e"), number("f")), (None, None, None));
    }

    #[test]
    fn a_body_without_a_data_object_has_no_members() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"data":null}"#,
            r#"{"data":1}"#,
            "{\"data\":{}",
        ] {
            let request = example("/", body);
            assert!(request.data().is_none(), "{body}");
            assert_eq!(request.text("biller_user_key"), "");
        }
    }
}

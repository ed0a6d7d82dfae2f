//! A builder of request bodies for the five APIs.

use crate::answer::quoted;

/// A request body. The values of its members are JSON texts, so a number can have any form, and a member
/// can be duplicated. A new body has the guide's required members with the values of the guide's examples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The API's path, without a biller.
    route: &'static str,
    members: Vec<(String, String)>,
    parameters: Vec<(String, String)>,
}

impl Body {
    /// A body of the link creation (guide section 3.1).
    pub fn link_create() -> Self {
        Self::of("/external/inquiry-payment/one-time/url").expire_at("20301231235959")
    }

    /// A body of the link re-creation (guide section 4.1).
    pub fn link_recreate() -> Self {
        Self::of("/external/inquiry-payment/one-time/url/re").expire_at("20301231235959")
    }

    /// A body of the notice (guide section 5.1).
    pub fn notice() -> Self {
        Self::of("/kakao/notice").member("user_birth", "\"19900301\"")
    }

    /// A body of the prepay (guide section 6.1) with the guide's amount of 29,000 won.
    pub fn prepay() -> Self {
        Self::of("/kakao/prepay").amount(29_000)
    }

    /// A body of the pay-result (guide section 7.1): a payment of 29,000 won.
    pub fn pay_result() -> Self {
        Self::of("/kakao/pay-result")
            .member("pay_by", "\"MONEY\"")
            .member("pay_type", "\"P\"")
            .member("pay_detail1", "\"\"")
            .member("pay_detail2", "\"\"")
            .amount(29_000)
            .pay_amount(29_000)
            .member("pay_fee_type", "\"BEFORE\"")
            .member("pay_fee", "150")
            .member("pay_fee_tax", "15")
            .paid_at("20261101120000")
            .pay_id(2_748_877)
    }

    /// A body of the pay-result (guide section 7.1): a cancel of the payment of 29,000 won.
    pub fn cancel() -> Self {
        Self::pay_result()
            .member("pay_type", "\"C\"")
            .pay_amount(-29_000)
            .paid_at("20261102120000")
    }

    fn of(route: &'static str) -> Self {
        let empty = Self {
            route,
            members: Vec::new(),
            parameters: Vec::new(),
        };
        empty.user_key("0000000001")
    }

    /// Sets `biller_user_key`.
    #[must_use]
    pub fn user_key(self, value: &str) -> Self {
        self.member("biller_user_key", &quoted(value))
    }

    /// Sets `billed_year_month`.
    #[must_use]
    pub fn month(self, value: &str) -> Self {
        self.member("billed_year_month", &quoted(value))
    }

    /// Sets `ordinal`.
    #[must_use]
    pub fn ordinal(self, value: &str) -> Self {
        self.member("ordinal", &quoted(value))
    }

    /// Sets `biller_notice_key`.
    #[must_use]
    pub fn notice_key(self, value: &str) -> Self {
        self.member("biller_notice_key", &quoted(value))
    }

    /// Sets `expire_at`.
    #[must_use]
    pub fn expire_at(self, value: &str) -> Self {
        self.member("expire_at", &quoted(value))
    }

    /// Sets `amount`, in won.
    #[must_use]
    pub fn amount(self, won: i64) -> Self {
        self.member("amount", &won.to_string())
    }

    /// Sets `pay_amount`, in won; it is negative for a cancel.
    #[must_use]
    pub fn pay_amount(self, won: i64) -> Self {
        self.member("pay_amount", &won.to_string())
    }

    /// Sets `pay_id`.
    #[must_use]
    pub fn pay_id(self, number: i64) -> Self {
        self.member("pay_id", &number.to_string())
    }

    /// Sets `paid_at`.
    #[must_use]
    pub fn paid_at(self, value: &str) -> Self {
        self.member("paid_at", &quoted(value))
    }

    /// Adds a string member of `parameters`.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), quoted(value)));
        self
    }

    /// Sets any member of `data` to a JSON text. It replaces a member with the same name.
    #[must_use]
    pub fn member(mut self, name: &str, json: &str) -> Self {
        match self.members.iter_mut().find(|(other, _)| other == name) {
            Some((_, value)) => json.clone_into(value),
            None => self.members.push((name.to_owned(), json.to_owned())),
        }
        self
    }

    /// Adds a member of `data`, even if a member has the same name.
    #[must_use]
    pub fn another(mut self, name: &str, json: &str) -> Self {
        self.members.push((name.to_owned(), json.to_owned()));
        self
    }

    /// Removes a member of `data`.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.members.retain(|(other, _)| other != name);
        self
    }

    /// Returns the body as JSON.
    pub fn json(&self) -> String {
        let mut members: Vec<String> = self.members.iter().map(member_json).collect();
        if !self.parameters.is_empty() {
            let parameters: Vec<_> = self.parameters.iter().map(member_json).collect();
            members.push(format!(r#""parameters":{{{}}}"#, parameters.join(",")));
        }
        format!(r#"{{"data":{{{}}}}}"#, members.join(","))
    }

    /// Returns the API's path with the biller's code, as on the gateway.
    pub fn path(&self, biller_code: &str) -> String {
        format!("{}/{biller_code}", self.route)
    }

    /// Returns the API's path without the biller's code, as on the biller, and on the gateway with
    /// `X-Biller-Code`.
    pub fn bare_path(&self) -> &'static str {
        self.route
    }
}

fn member_json((name, json): &(String, String)) -> String {
    format!("{}:{json}", quoted(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_its_members_in_order() {
        let body = Body::link_create()
            .user_key("K\"1")
            .month("202611")
            .parameter("some", "1");
        assert_eq!(
            body.json(),
            r#"{"data":{"biller_user_key":"K\"1","expire_at":"20301231235959","billed_year_month":"202611","parameters":{"some":"1"}}}"#
        );
        assert_eq!(
            body.path("B0001"),
            "/external/inquiry-payment/one-time/url/B0001"
        );
    }

    #[test]
    fn members_are_replaced_removed_and_doubled() {
        let body = Body::prepay()
            .member("amount", "2.9e4")
            .another("amount", "1");
        assert_eq!(
            body.json(),
            r#"{"data":{"biller_user_key":"0000000001","amount":2.9e4,"amount":1}}"#
        );
        assert_eq!(
            body.without("amount").json(),
            r#"{"data":{"biller_user_key":"0000000001"}}"#
        );
    }

    #[test]
    fn a_pay_result_has_the_members_of_the_guides_example() {
        let names = |text: &str| {
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            value["data"]
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };
        let body = Body::pay_result().parameter("pay_rqt_seq", "KT00000001");
        assert_eq!(names(&body.json()), names(crate::guide::PAY_RESULT));
    }

    #[test]
    fn a_cancel_takes_the_payment_back_under_its_number() {
        let value: serde_json::Value = serde_json::from_str(&Body::cancel().json()).unwrap();
        assert_eq!(value["data"]["pay_type"], "C");
        assert_eq!(value["data"]["pay_amount"], -29_000);
        assert_eq!(value["data"]["pay_id"], 2_748_877);
    }
}

//! The author of a journal: it makes the calls, as parties and as an operator, and keeps what can be asked afterwards.

use jiff::{SignedDuration, Timestamp, tz};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::{Action, CREATE, Caller, Gateway, PAY_RESULT, RECREATE, Reply, request, until};

use crate::answers::{Answers, Parties, get_admin, post_admin};
use crate::bill::{link_until, route};
use crate::pay::Pay;

/// Makes the calls, and keeps what can be asked afterwards.
pub struct Author {
    gateway: Gateway,
    parties: Parties,
    soon: String,
    bills: Vec<Value>,
    pay_results: Vec<Value>,
    /// The id of the next calls; none: the gateway gives them one each.
    pub request_id: Option<&'static str>,
    under_way: Vec<Caller>,
}

impl Author {
    pub fn new(gateway: Gateway, parties: Parties) -> Self {
        Self {
            gateway,
            parties,
            soon: korean(SignedDuration::from_secs(20)),
            bills: Vec::new(),
            pay_results: Vec::new(),
            request_id: None,
            under_way: Vec::new(),
        }
    }

    pub fn questions(&self) -> Answers {
        let now = tz::offset(9).to_datetime(Timestamp::now());
        let written_at = format!("{now:.3}+09:00");
        Answers::none(&written_at, &self.bills, &self.pay_results)
    }

    /// Kills the gateway, whatever is under way, once `soon` has passed; returns the folder of its files.
    pub fn kill(self) -> TempDir {
        until(|| korean(SignedDuration::ZERO) > self.soon);
        self.gateway.kill()
    }

    /// A time that has passed when the journal is done.
    pub fn soon(&self) -> String {
        self.soon.clone()
    }

    pub fn kakao_says(&self, action: Action) {
        self.parties.kakao.now(move |_| action.clone());
    }

    pub fn biller_says(&self, action: Action) {
        self.parties.biller.now(move |_| action.clone());
    }

    /// Adds a bill to those that are asked about.
    pub fn remember(&mut self, bill: &Value) {
        if !self.bills.contains(bill) {
            self.bills.push(bill.clone());
        }
    }

    pub fn create(&mut self, bill: &Value, expire_at: &str) {
        self.remember(bill);
        self.post(&route(CREATE, bill), &link_until(bill, expire_at));
    }

    pub fn recreate(&mut self, bill: &Value, expire_at: &str) {
        self.remember(bill);
        self.post(&route(RECREATE, bill), &link_until(bill, expire_at));
    }

    /// Reports a payment or cancel; returns it.
    pub fn pay(&mut self, bill: &Value, pay: &Pay) -> Pay {
        self.remember(bill);
        let body = pay.sent(bill);
        self.pay_results
            .push(json!({ "biller": bill["biller"], "body": body }));
        self.send(bill, pay);
        pay.clone()
    }

    /// Sends a pay-result as it is.
    pub fn send(&mut self, bill: &Value, pay: &Pay) {
        let body = pay.sent(bill);
        self.post(&route(PAY_RESULT, bill), &body);
    }

    pub fn send_raw(&mut self, path: &str, body: &str) {
        self.post(path, body);
    }

    fn post(&mut self, path: &str, body: &str) -> Reply {
        let mut headers = vec![("Authorization", test_support::AUTHORIZATION)];
        if !path.starts_with("/external/") {
            headers.clear();
        }
        headers.extend(self.request_id.map(|id| ("X-Request-Id", id)));
        self.gateway.caller().post_with(path, &headers, body)
    }

    /// Classifies or clears a bill.
    pub fn act(&mut self, action: &str, bill: &Value, reason: &str) {
        self.remember(bill);
        let mut named = bill.clone();
        named["reason"] = reason.into();
        self.admin(action, named);
    }

    pub fn redeliver(&self, pay: &Pay) {
        self.admin(
            "payments/redeliver",
            json!({ "biller": "B0001", "pay_id": pay.pay_id.to_string() }),
        );
    }

    pub fn close(&self, pay: &Pay) {
        self.admin(
            "payments/close",
            json!({ "biller": "B0001", "pay_id": pay.pay_id.to_string(), "reason": "booked by hand" }),
        );
    }

    /// Ends the refused pay-result that came last.
    pub fn end_refusal(&self, action: &str, reason: &str) {
        let listed = get_admin(&self.gateway, "/admin/payments/refused?state=open");
        let open = listed["refused"].as_array().unwrap();
        let last = open
            .iter()
            .max_by_key(|one| one["last_at"].as_str())
            .unwrap();
        let mut named = json!({ "id": last["id"] });
        if !reason.is_empty() {
            named["reason"] = reason.into();
        }
        self.admin(&format!("payments/refused/{action}"), named);
    }

    fn admin(&self, action: &str, mut body: Value) {
        if action != "payments/redeliver" {
            body["operator"] = "kim".into();
        }
        let answer = post_admin(&self.gateway, &format!("/admin/{action}"), &body);
        assert_eq!(answer["error"], Value::Null, "{action} {body}: {answer}");
    }

    pub fn begin_create(&mut self, bill: &Value, expire_at: &str) {
        self.remember(bill);
        self.begin(&route(CREATE, bill), &link_until(bill, expire_at));
    }

    pub fn begin_pay(&mut self, bill: &Value, pay: &Pay) {
        self.remember(bill);
        let body = pay.sent(bill);
        self.begin(&route(PAY_RESULT, bill), &body);
        self.pay_results
            .push(json!({ "biller": bill["biller"], "body": body }));
    }

    fn begin(&mut self, path: &str, body: &str) {
        let before = (self.parties.kakao.count(), self.parties.biller.count());
        let mut caller = self.gateway.caller();
        let headers = [("Authorization", test_support::AUTHORIZATION)];
        caller.send(&request("POST", path, &headers, body.as_bytes()));
        until(|| (self.parties.kakao.count(), self.parties.biller.count()) != before);
        self.under_way.push(caller);
    }
}

/// Returns a time from now, fourteen digits in Korean time.
fn korean(from_now: SignedDuration) -> String {
    let time = tz::offset(9).to_datetime(Timestamp::now() + from_now);
    time.strftime("%Y%m%d%H%M%S").to_string()
}

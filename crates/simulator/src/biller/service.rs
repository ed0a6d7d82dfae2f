//! The answers of a simulated biller.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::bill::Bill;
use super::catalogue::Catalogue;
use super::notice;
use super::options::Personality;
use super::payment::{PayType, Payment};
use crate::answer::{Answer, message};
use crate::history::History;
use crate::request::Request;
use crate::server::Service;

/// The most payments that are stored; older ones are removed.
const MAX_PAYMENTS: usize = 1_000_000;

/// A biller's behaviour and data.
#[derive(Debug)]
pub(crate) struct BillerService {
    code: String,
    personality: Personality,
    catalogue: Catalogue,
    payments: Mutex<History<Payment>>,
}

impl Service for BillerService {
    fn answer(&self, request: &Request) -> Answer {
        type Flow = fn(&BillerService, &Request) -> Result<Answer, &'static str>;
        let flows: [(&str, Flow); 3] = [
            ("/kakao/notice", Self::notice),
            ("/kakao/prepay", Self::prepay),
            ("/kakao/pay-result", Self::pay_result),
        ];
        let Some((_, flow)) = flows
            .iter()
            .find(|(path, _)| request.path().ends_with(path))
        else {
            return Answer::html(404);
        };
        if request.call.method != "POST" {
            return Answer::html(405).with_header("Allow", "POST");
        }
        if request.data().is_none() {
            return match self.personality {
                Personality::Guide => Answer::code("E008"),
                Personality::Municipal => empty_body(),
            };
        }
        flow(self, request).unwrap_or_else(|res_code| self.code_answer(res_code))
    }
}

impl BillerService {
    pub(crate) fn new(code: String, personality: Personality) -> Self {
        let payments = Mutex::new(History::with_limit(MAX_PAYMENTS));
        Self {
            code,
            personality,
            catalogue: Catalogue::default(),
            payments,
        }
    }

    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    pub(crate) fn payments(&self) -> Vec<Payment> {
        self.lock().iter().cloned().collect()
    }

    fn notice(&self, request: &Request) -> Result<Answer, &'static str> {
        let bill = self.bill(request)?;
        let is_municipal = self.personality == Personality::Municipal;
        let has_other_birth =
            !bill.user_birth.is_empty() && request.text("user_birth") != bill.user_birth;
        if is_municipal && has_other_birth {
            return Err("E404");
        }
        Ok(notice::answer(&bill, request))
    }

    fn prepay(&self, request: &Request) -> Result<Answer, &'static str> {
        let bill = self.bill(request)?;
        let amount = request.whole_number("amount").ok_or("E001")?;
        if amount != bill.amount_won {
            return Err("E501");
        }
        Ok(self.code_answer("OK"))
    }

    fn pay_result(&self, request: &Request) -> Result<Answer, &'static str> {
        let payment = match Payment::read(request) {
            Ok(payment) => payment,
            Err(_) if self.personality == Personality::Municipal => return Ok(empty_body()),
            Err(res_code) => return Err(res_code),
        };
        let mut payments = self.lock();
        if self.personality == Personality::Municipal {
            self.catalogue.find(request).ok_or("E902")?;
            let is_paid = || payments.iter().any(|other| other.pay_id == payment.pay_id);
            if payment.pay_type == PayType::Cancel && !is_paid() {
                return Err("E901");
            }
        }
        payments.push(payment);
        Ok(self.code_answer("OK"))
    }

    /// Returns the bill that the request identifies, or the code of the answer if there is none.
    fn bill(&self, request: &Request) -> Result<Bill, &'static str> {
        if request.text("biller_user_key").is_empty() {
            return Err("E001");
        }
        let bill = self.catalogue.find(request);
        match self.personality {
            Personality::Guide => bill.ok_or("E502"),
            Personality::Municipal => {
                let parameters = request.data().and_then(|data| data.get("parameters"));
                let named = parameters.and_then(|named| named.get("biller_code")?.as_str());
                bill.filter(|_| named.is_none_or(|code| code == self.code))
                    .ok_or("E402")
            }
        }
    }

    fn code_answer(&self, res_code: &str) -> Answer {
        match self.personality {
            Personality::Guide => Answer::code(res_code),
            Personality::Municipal => {
                let message = message(res_code);
                Answer::json(
                    200,
                    format!(r#"{{"res_code":"{res_code}","message":"{message}"}}"#),
                )
            }
        }
    }

    /// A poisoned lock is ignored: each change is one push, so the list is consistent.
    fn lock(&self) -> MutexGuard<'_, History<Payment>> {
        self.payments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer of a biller's web framework after an exception in the biller's code: an empty body at HTTP 200.
fn empty_body() -> Answer {
    Answer::json(200, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::example;

    /// Returns the answer's code, or its status if it has no code.
    fn code(service: &BillerService, path: &str, data: &str) -> String {
        let answer = service.answer(&example(path, &format!(r#"{{"data":{data}}}"#)));
        match serde_json::from_slice::<serde_json::Value>(&answer.body) {
            Ok(value) => value["res_code"].as_str().unwrap().to_owned(),
            Err(_) => format!("{} with {} bytes", answer.status, answer.body.len()),
        }
    }

    const EMPTY: &str = "200 with 0 bytes";
    const PAID: &str = r#"{"biller_user_key":"1","pay_type":"P","paid_at":"20261101000000","pay_id":7,"pay_amount":29000}"#;
    const CANCELLED: &str = r#"{"biller_user_key":"1","pay_type":"C","paid_at":"20261102000000","pay_id":7,"pay_amount":-29000}"#;
    const UNKNOWN: &str = r#"{"biller_user_key":"no-bill","pay_type":"P","paid_at":"20261101000000","pay_id":9,"pay_amount":1}"#;

    /// `path | data | by the guide | by a municipality`.
    type Row = (&'static str, &'static str, &'static str, &'static str);

    fn both_answer(rows: &[Row]) -> [Vec<Payment>; 2] {
        let guide = BillerService::new("B0001".to_owned(), Personality::Guide);
        let municipal = BillerService::new("B0001".to_owned(), Personality::Municipal);
        for (path, data, by_guide, by_municipality) in rows {
            assert_eq!(&code(&guide, path, data), by_guide, "{path} {data}");
            assert_eq!(
                &code(&municipal, path, data),
                by_municipality,
                "{path} {data}"
            );
        }
        [guide.payments(), municipal.payments()]
    }

    #[test]
    fn each_personality_has_its_codes_for_a_bill() {
        let (notice, prepay) = ("/kakao/notice", "/kakao/prepay");
        let elsewhere =
            r#"{"biller_user_key":"1","amount":29000,"parameters":{"biller_code":"B2"}}"#;
        both_answer(&[
            (
                prepay,
                r#"{"biller_user_key":"1","amount":29000}"#,
                "OK",
                "OK",
            ),
            (
                "/base/kakao/prepay",
                r#"{"biller_user_key":"1","amount":2.9e4}"#,
                "OK",
                "OK",
            ),
            (
                prepay,
                r#"{"biller_user_key":"1","amount":1}"#,
                "E501",
                "E501",
            ),
            (prepay, r#"{"biller_user_key":"1"}"#, "E001", "E001"),
            (
                prepay,
                r#"{"biller_user_key":"no-bill","amount":1}"#,
                "E502",
                "E402",
            ),
            (prepay, elsewhere, "OK", "E402"),
            (
                notice,
                r#"{"biller_user_key":"1","user_birth":"19900301"}"#,
                "OK",
                "OK",
            ),
            (
                notice,
                r#"{"biller_user_key":"1","user_birth":"20000101"}"#,
                "OK",
                "E404",
            ),
            (notice, r#"{"biller_user_key":"no-bill"}"#, "E502", "E402"),
            (notice, "{}", "E001", "E001"),
            (notice, "null", "E008", EMPTY),
        ]);
    }

    #[test]
    fn each_personality_has_its_rules_for_payments() {
        let path = "/kakao/pay-result";
        let [guide, municipal] = both_answer(&[
            (path, CANCELLED, "OK", "E901"),
            (path, PAID, "OK", "OK"),
            (path, PAID, "OK", "OK"),
            (path, UNKNOWN, "OK", "E902"),
            (path, r#"{"biller_user_key":"1"}"#, "E001", EMPTY),
            (path, CANCELLED, "OK", "OK"),
        ]);
        let amounts = |payments: &[Payment]| -> Vec<_> {
            payments
                .iter()
                .map(|payment| payment.pay_amount_won)
                .collect()
        };
        assert_eq!(amounts(&guide), [-29_000, 29_000, 29_000, 1, -29_000]);
        assert_eq!(amounts(&municipal), [29_000, 29_000, -29_000]);
    }

    #[test]
    fn a_municipality_leaves_data_out() {
        let municipal = BillerService::new("B0001".to_owned(), Personality::Municipal);
        let body = r#"{"data":{"biller_user_key":"1","amount":29000}}"#;
        let answer = municipal.answer(&example("/kakao/prepay", body));
        assert_eq!(
            answer.body,
            r#"{"res_code":"OK","message":"성공"}"#.as_bytes()
        );
    }

    #[test]
    fn other_routes_are_a_web_servers_own_pages() {
        let guide = BillerService::new("B0001".to_owned(), Personality::Guide);
        assert_eq!(guide.answer(&example("/", "{}")).status, 404);
        assert_eq!(
            guide.answer(&example("/kakao/prepay/B0001", "{}")).status,
            404
        );
    }
}

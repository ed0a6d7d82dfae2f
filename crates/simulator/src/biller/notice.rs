//! The answer to `/kakao/notice` (guide section 5.2).

use std::fmt::Write as _;

use super::bill::{Bill, Detail};
use crate::answer::{Answer, message, quoted};
use crate::request::Request;

const BANK_ACCOUNTS: &str = r#"[{"bank_code":"090","account_no":"79790000000001","holder_name":"테스트기관","sender_name":"홍길동","account_type":"VIRTUAL"}]"#;

/// Returns the answer with the bill. It has the optional members of the bill's identity that the request had.
pub(super) fn answer(bill: &Bill, request: &Request) -> Answer {
    let mut identity = String::new();
    for member in [
        "biller_user_key",
        "billed_year_month",
        "ordinal",
        "biller_notice_key",
    ] {
        let value = request.text(member);
        if !value.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(identity, r#""{member}":{},"#, quoted(value));
        }
    }
    let details: Vec<_> = bill
        .details
        .iter()
        .copied()
        .map(Detail::json)
        .map(str::trim)
        .collect();
    let body = format!(
        r#"{{"res_code":"OK","message":"{ok}","data":{{"result":{{"settlement_code":"S1",{identity}"title":{title},"amount":{amount},"tax_free_amount":0,"vat_amount":{vat},"expire_type":"D1","pay_expire_date":{until},"bank_accounts":{BANK_ACCOUNTS},"details":[{details}]}}}}}}"#,
        ok = message("OK"),
        title = quoted(&bill.title),
        amount = bill.amount_won,
        vat = bill.amount_won / 11,
        until = quoted(&bill.pay_expire_date),
        details = details.join(","),
    );
    Answer::json(200, body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::example;

    #[test]
    fn the_answer_has_all_members_of_the_guides_table() {
        let body = r#"{"data":{"biller_user_key":"K\"6","ordinal":"2","user_birth":"19900301"}}"#;
        let answer = answer(&Bill::of("K\"6"), &example("/kakao/notice", body));
        let value: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(value["res_code"], "OK");
        let result = &value["data"]["result"];
        assert_eq!(result["biller_user_key"], "K\"6");
        assert_eq!(result["ordinal"], "2");
        assert_eq!(result.get("billed_year_month"), None);
        assert_eq!(result["amount"], 29_500);
        assert_eq!(result["vat_amount"], 2_681);
        assert_eq!(result["bank_accounts"][0]["account_type"], "VIRTUAL");
        let details = result["details"].as_array().unwrap();
        let item_types: Vec<_> = details.iter().map(|block| &block["item_type"]).collect();
        assert_eq!(item_types, ["KEY_VALUE", "TEXT", "TABLE", "GRAPH"]);
    }
}

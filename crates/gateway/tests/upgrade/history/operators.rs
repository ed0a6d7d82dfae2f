//! What operators do: error bills, closing by hand, refused pay-results.

use test_support::{Action, PAY_RESULT};

use super::{FOREVER, refusal};
use crate::author::Author;
use crate::bill::monthly;
use crate::pay::Pay;

pub fn error_bills(author: &mut Author) {
    for user_key in ["classified", "cleared", "classified-again"] {
        author.create(&monthly(user_key), FOREVER);
        author.act("bills/classify", &monthly(user_key), "paid twice, 티켓 31");
    }
    author.act(
        "bills/classify",
        &monthly("classified-unknown"),
        "before its link",
    );
    for user_key in ["cleared", "classified-again"] {
        author.act("bills/clear", &monthly(user_key), "refunded");
    }
    author.act("bills/classify", &monthly("classified-again"), "once more");
}

pub fn closed_by_hand(author: &mut Author) {
    for user_key in ["closed", "closed-then-accepted", "closed-with-cancel"] {
        author.biller_says(refusal());
        let pay = author.pay(&monthly(user_key), &Pay::new(20_000));
        if user_key == "closed-with-cancel" {
            author.pay(&monthly(user_key), &pay.cancel(5_000));
        }
        author.close(&pay);
        author.biller_says(Action::ok());
        if user_key == "closed-then-accepted" {
            author.send(&monthly(user_key), &pay);
        }
    }
}

pub fn refused_pay_results(author: &mut Author) {
    let wide = |pay: Pay| pay.spelled("pay_detail1", r#""12345678""#);
    for user_key in [
        "refusal-open",
        "refusal-closed",
        "refusal-delivered",
        "refusal-delivered-in-vain",
    ] {
        let sent = author.pay(&monthly(user_key), &wide(Pay::new(20_000)));
        match user_key {
            "refusal-closed" => author.end_refusal("close", "a test of Kakao Pay's"),
            "refusal-delivered" => author.end_refusal("deliver", ""),
            "refusal-delivered-in-vain" => {
                author.biller_says(refusal());
                author.end_refusal("deliver", "");
                author.biller_says(Action::ok());
            }
            _ => author.send(&monthly(user_key), &sent),
        }
    }
    // Two of one bill, one of them closed.
    author.pay(&monthly("refusal-twice"), &wide(Pay::new(20_000)));
    author.end_refusal("close", "one of two");
    author.pay(&monthly("refusal-twice"), &wide(Pay::new(20_000)));
    // No bill can be read from these.
    author.send_raw(PAY_RESULT, r#"{"data":{"pay_id":1}}"#);
    author.send_raw(PAY_RESULT, "no JSON");
    author.send_raw(
        "/kakao/pay-result/NOBODY",
        r#"{"data":{"biller_user_key":"nobody"}}"#,
    );
}

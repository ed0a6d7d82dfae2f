//! The five calls about a bill of `B0001`: paths, authorization, and bodies that pass every check.

use serde_json::{Value, json};

pub const CREATE: &str = "/external/inquiry-payment/one-time/url/B0001";
pub const RECREATE: &str = "/external/inquiry-payment/one-time/url/re/B0001";
pub const NOTICE: &str = "/kakao/notice/B0001";
pub const PREPAY: &str = "/kakao/prepay/B0001";
pub const PAY_RESULT: &str = "/kakao/pay-result/B0001";

/// The `Authorization` value of billers.
pub const AUTHORIZATION: &str = "KakaoAK test-of-B0001";

pub fn link(user_key: &str) -> Value {
    json!({"data": {"biller_user_key": user_key, "expire_at": "20991231235959"}})
}

pub fn notice(user_key: &str) -> Value {
    json!({"data": {"biller_user_key": user_key, "user_birth": "19900301"}})
}

pub fn prepay(user_key: &str) -> Value {
    json!({"data": {"biller_user_key": user_key, "amount": 20000}})
}

pub fn pay_result(user_key: &str, pay_type: &str, pay_id: u64, pay_amount: i64) -> Value {
    json!({"data": {
        "biller_user_key": user_key, "pay_by": "MONEY", "pay_type": pay_type,
        "pay_detail1": "", "pay_detail2": "", "amount": 20000, "pay_amount": pay_amount,
        "pay_fee_type": "BEFORE", "pay_fee": 150, "pay_fee_tax": 15,
        "paid_at": "20261124120000", "pay_id": pay_id
    }})
}

/// Returns the same body with one member of `data` set.
pub fn with(mut body: Value, member: &str, value: Value) -> Value {
    body["data"][member] = value;
    body
}

/// Returns the same body without one member of `data`.
pub fn without(mut body: Value, member: &str) -> Value {
    body["data"].as_object_mut().unwrap().remove(member);
    body
}

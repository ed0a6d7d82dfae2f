//! The Kakao Pay bill API guide (v0.1.3) as code, without input and output.
//!
//! - [`Api`] lists the five calls, [`ResCode`] the response codes with the guide's exact messages.
//! - [`LinkCreate`], [`LinkRecreate`], [`Notice`], [`Prepay`] and [`PayResult`] are the requests. Only
//!   their `parse` constructs them, so every value has passed the contract's checks 5 to 8. Their
//!   `MEMBERS` is the guide's table of [`Member`]s.
//! - [`Bill`] is the identity of a bill, the key of the ledger's records.
//! - [`answer_res_code`] reads the `res_code` of an upstream's answer.
//!
//! The JSON scanner is this crate's own, because the contract requires what general JSON readers do not
//! provide: duplicate members are refused, numbers keep their exact value, and the memory for a body is
//! bounded by its length.

mod answer;
mod answer_detail;
mod api;
mod bill;
mod biller_code;
mod code;
mod decimal;
mod json;
mod korean_time;
mod payment;
mod request;

pub use answer::{AnswerCode, LabelCode, NotAnObject, answer_res_code};
pub use answer_detail::AnswerDetail;
pub use api::{Api, Caller};
pub use bill::Bill;
pub use biller_code::BillerCode;
pub use code::ResCode;
pub use decimal::{Decimal, PayId, TooWide};
pub use korean_time::KoreanTime;
pub use payment::{PaidAt, PayType, PaymentEvent};
pub use request::{
    CanonicalDigest, Check, JsonType, LenientPayResult, LinkCreate, LinkRecreate, Member, Notice,
    PayResult, Prepay, Refusal, Rules, Width,
};

//! The Kakao Pay bill API guide (v0.1.3) as code, with no input or output.
//!
//! - [`Api`] names the five calls, [`ResCode`] the response codes with the guide's exact messages.
//! - [`LinkCreate`], [`LinkRecreate`], [`Notice`], [`Prepay`] and [`PayResult`] are made from a
//!   request's body by their `parse`, and only by it: a value of theirs has passed the contract's
//!   checks 5 to 8. Beside each stands the guide's table of its [`Member`]s.
//! - [`Bill`] is what the ledger keys its records by.
//! - [`answer_res_code`] reads all that the gateway needs of an upstream's answer.
//!
//! Bodies are read with a strict scanner of our own, since the contract asks for what general JSON
//! readers do not give: members twice are refused, numbers keep their exact value, and the memory
//! that a body takes is bounded by its length.

mod answer;
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
pub use api::{Api, Caller};
pub use bill::Bill;
pub use biller_code::BillerCode;
pub use code::ResCode;
pub use decimal::{Decimal, TooWide};
pub use korean_time::KoreanTime;
pub use payment::{PaidAt, PayType, PaymentEvent};
pub use request::{
    Check, JsonType, LinkCreate, LinkRecreate, Member, Notice, PayResult, Prepay, Refusal, Rules,
    Width,
};

//! The calls that a journal of the release is made of: every kind of fact, and every way in which a call can end.

mod links;
mod operators;
mod payments;

use std::sync::Arc;

use test_support::{Action, Gate};

use crate::author::Author;
use crate::bill::monthly;
use crate::pay::Pay;

const FOREVER: &str = "20991231235959";

/// Every step that leaves the gateway in good order.
pub fn play(author: &mut Author) {
    links::links(author);
    links::bills_of_one_group(author);
    payments::deliveries(author);
    payments::answers_of_billers(author);
    payments::cancels(author);
    payments::double_payments(author);
    payments::spellings(author);
    payments::marks(author);
    operators::error_bills(author);
    operators::closed_by_hand(author);
    operators::refused_pay_results(author);
    links::identity_parameters(author);
}

/// A link call and a pay-result that are under way when the gateway is killed.
pub fn leave_calls_under_way(author: &mut Author) {
    let gate = Arc::new(Gate::default());
    let never = Action::Wait(gate, Box::new(Action::ok()));
    author.kakao_says(never.clone());
    author.biller_says(never);
    author.begin_create(&monthly("link-cut-off"), FOREVER);
    author.begin_pay(&monthly("paid-cut-off"), &Pay::new(20_000));
}
/// An answer of Kakao Pay or a biller that refuses the call.
fn refusal() -> Action {
    Action::json(200, r#"{"res_code":"E902","message":"저장 실패"}"#)
}

/// No answer before the end of the budget.
fn hang() -> Action {
    Action::SendAndHang(Vec::new())
}

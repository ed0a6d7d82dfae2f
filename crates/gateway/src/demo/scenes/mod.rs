//! What is played: a bill's life, then every code that the agency itself answers.

mod door;
mod known;
mod life;
mod upstream;

use simulator::{Bill, Body};

use super::calendar::Calendar;
use super::step::Step;

/// The customer whose bill's life is told; the simulated biller gives its bills all four kinds of
/// details.
const CUSTOMER: &str = "0000000006";

/// What the customer owes, in won: the total that the bill's details show.
const AMOUNT_WON: i64 = 201_403;

/// Steps that belong together.
#[derive(Debug)]
pub(super) struct Scene {
    /// What they are about.
    pub(super) title: &'static str,
    /// In the order in which they are played.
    pub(super) steps: Vec<Step>,
}

/// The scenes, in their order; later ones build on earlier ones.
pub(super) fn all(calendar: &Calendar) -> Vec<Scene> {
    vec![
        life::scene(calendar),
        door::scene(calendar),
        known::scene(calendar),
        upstream::scene(calendar),
    ]
}

/// The bill whose life is told.
pub(super) fn bill() -> Bill {
    Bill {
        title: "아파트 관리비".to_owned(),
        ..Bill::of(CUSTOMER).amount(AMOUNT_WON)
    }
}

/// A request about a customer's bill of this month.
fn of(body: Body, customer: &str, calendar: &Calendar) -> Body {
    body.user_key(customer).month(&calendar.month)
}

/// A request about the bill whose life is told.
fn of_the_bill(body: Body, calendar: &Calendar) -> Body {
    of(body, CUSTOMER, calendar)
}

/// A payment of the whole bill.
fn payment(customer: &str, pay_id: i64, calendar: &Calendar) -> Body {
    of(Body::pay_result(), customer, calendar)
        .amount(AMOUNT_WON)
        .pay_amount(AMOUNT_WON)
        .pay_id(pay_id)
        .paid_at(&calendar.paid_at)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use protocol::{Api, ResCode};

    use super::super::request::Request;
    use super::super::step::AnswerBy;
    use super::*;
    use crate::width::width;

    /// E008 is Kakao Pay's, the rest are the biller's.
    const OTHERS_CODES: [ResCode; 6] = [
        ResCode::Ok,
        ResCode::E008,
        ResCode::E501,
        ResCode::E502,
        ResCode::E506,
        ResCode::E601,
    ];

    fn steps() -> Vec<Step> {
        let calendar = Calendar::at(Timestamp::UNIX_EPOCH);
        all(&calendar)
            .into_iter()
            .flat_map(|scene| scene.steps)
            .collect()
    }

    #[test]
    fn every_code_that_the_agency_answers_itself_is_played() {
        let steps = steps();
        let own: Vec<_> = steps
            .iter()
            .filter(|step| step.expected.by == AnswerBy::Gateway)
            .map(|step| step.expected.code)
            .collect();
        for code in ResCode::ALL {
            let others = OTHERS_CODES.contains(code);
            assert_ne!(own.contains(code), others, "{code}");
        }
    }

    #[test]
    fn every_api_is_played_and_an_unknown_route() {
        let steps = steps();
        for api in Api::ALL.map(Some).into_iter().chain([None]) {
            assert!(steps.iter().any(|step| step.api() == api), "{api:?}");
        }
    }

    #[test]
    fn every_step_is_told_in_its_line_and_marks_what_it_sends() {
        for step in steps() {
            assert!(
                !step.name.is_empty() && width(step.name) <= 36,
                "{}",
                step.name
            );
            assert!(
                !step.story.is_empty() && width(step.story) <= 92,
                "{}",
                step.story
            );
            let Request {
                path,
                authorization,
                body,
            } = &step.request;
            let sent = [path, authorization.unwrap_or_default(), body];
            assert!(
                sent.iter().any(|sent| sent.contains(step.mark)),
                "{}",
                step.name
            );
        }
    }

    #[test]
    fn no_step_is_refused_for_how_it_is_spelled_unless_it_should_be() {
        for step in steps() {
            let is_json = serde_json::from_str::<serde_json::Value>(&step.request.body).is_ok();
            assert_eq!(
                is_json,
                step.expected.code != ResCode::E807,
                "{}",
                step.name
            );
        }
    }
}

//! The scenarios: the payment of a bill, then every code that the gateway answers itself.

mod bill_payment;
mod bill_state;
mod biller_failures;
mod dates;
mod invalid_requests;
mod request;
mod step;

use simulator::{Bill, Body};

pub(crate) use self::dates::{Dates, korean_second, korean_time_of_day};
pub(crate) use self::request::{AUTHORIZATION, AUTHORIZATION_HEADER, BILLER, Request};
pub(crate) use self::step::{AnswerSource, Step, korean_name};

/// The customer of the first scenario's bill. The simulated biller gives its bills all four types of details.
const CUSTOMER: &str = "0000000006";

/// The amount of that bill, in won: the total in the bill's details.
const AMOUNT_WON: i64 = 201_403;

/// Steps about one subject.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// The heading.
    pub(crate) title: &'static str,
    /// The steps, in the order in which they are run.
    pub(crate) steps: Vec<Step>,
}

/// Returns the scenarios in their order; later ones depend on earlier ones.
pub(crate) fn all(dates: &Dates) -> Vec<Scenario> {
    vec![
        bill_payment::scenario(dates),
        invalid_requests::scenario(dates),
        bill_state::scenario(dates),
        biller_failures::scenario(dates),
    ]
}

/// Returns the bill of the first scenario.
pub(crate) fn bill() -> Bill {
    Bill {
        title: "아파트 관리비".to_owned(),
        ..Bill::of(CUSTOMER).amount(AMOUNT_WON)
    }
}

/// Returns a request body for a customer's bill of this month.
fn of(body: Body, customer: &str, dates: &Dates) -> Body {
    body.user_key(customer).month(&dates.month)
}

/// Returns a pay-result body for the whole amount.
fn payment(customer: &str, pay_id: i64, dates: &Dates) -> Body {
    of(Body::pay_result(), customer, dates)
        .amount(AMOUNT_WON)
        .pay_amount(AMOUNT_WON)
        .pay_id(pay_id)
        .paid_at(&dates.paid_at)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use protocol::{Api, ResCode};
    use unicode_width::UnicodeWidthStr as _;

    use super::*;

    /// E008 is Kakao Pay's code, the rest are the biller's.
    const OTHERS_CODES: [ResCode; 6] = [
        ResCode::Ok,
        ResCode::E008,
        ResCode::E501,
        ResCode::E502,
        ResCode::E506,
        ResCode::E601,
    ];

    fn steps() -> Vec<Step> {
        let dates = Dates::at(Timestamp::UNIX_EPOCH);
        let scenarios = all(&dates).into_iter();
        scenarios.flat_map(|scenario| scenario.steps).collect()
    }

    #[test]
    fn every_code_that_the_gateway_answers_itself_is_expected() {
        let steps = steps();
        let own: Vec<_> = steps
            .iter()
            .filter(|step| step.expected.source == AnswerSource::Gateway)
            .map(|step| step.expected.code)
            .collect();
        for code in ResCode::ALL {
            let others = OTHERS_CODES.contains(code);
            assert_ne!(own.contains(code), others, "{code}");
        }
    }

    #[test]
    fn every_api_and_an_unknown_route_are_called() {
        let steps = steps();
        for api in Api::ALL.map(Some).into_iter().chain([None]) {
            assert!(steps.iter().any(|step| step.api() == api), "{api:?}");
        }
    }

    #[test]
    fn every_description_fits_and_every_highlight_is_part_of_the_request() {
        for step in steps() {
            let name = step.name;
            assert!((1..=28).contains(&name.width()), "{name}");
            let explanation = step.explanation;
            assert!((1..=74).contains(&explanation.width()), "{explanation}");
            let Request {
                path,
                authorization,
                body,
            } = &step.request;
            let sent = [path, authorization.unwrap_or_default(), body];
            let is_sent = sent.iter().any(|sent| sent.contains(step.highlight));
            assert!(is_sent, "{name}");
        }
    }

    #[test]
    fn every_body_is_json_except_that_of_e807() {
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

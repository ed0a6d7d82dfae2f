//! The result of one step, and how it differs from what is expected.

use std::io;

use protocol::Api;
use simulator::{Caller, Reply, Rule};

use crate::environment::Environment;
use crate::scenario::{AUTHORIZATION_HEADER, AnswerSource, Step};

/// The header of an answer from the journal.
pub(crate) const REPLAYED_HEADER: &str = "X-Relay-Replayed";

/// A request, its reply and the upstream's counts of calls.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// The step that was run.
    pub(crate) step: Step,
    /// The reply.
    pub(crate) reply: io::Result<Reply>,
    /// The upstream's count of calls before; on an unknown route the sum of both parties' counts.
    pub(crate) calls_before: u64,
    /// The same count after the reply.
    pub(crate) calls_after: u64,
    /// How the result differs from what is expected; empty when it does not.
    pub(crate) differences: Vec<String>,
}

impl Exchange {
    /// Makes the call and compares its result with what the step expects.
    ///
    /// The answer of `previous`, the exchange before this one, is the one that a replayed answer must equal.
    pub(crate) fn run(environment: &Environment, step: Step, previous: Option<&Self>) -> Self {
        if let Some(fault) = &step.fault {
            environment.biller.inject(Rule::new(fault.clone()));
        }
        let counts = || {
            let upstream = environment.upstream_calls(step.api());
            (upstream, environment.upstream_calls(None))
        };
        let (calls_before, total_before) = counts();
        let reply = call(environment, &step);
        let (calls_after, total_after) = counts();
        environment.biller.clear_rules();
        let mut exchange = Self {
            step,
            reply,
            calls_before,
            calls_after,
            differences: Vec::new(),
        };
        let mut differences = exchange.result_differences(previous);
        if total_after - total_before != exchange.calls() {
            differences.push("the other party was called too".to_owned());
        }
        if let Some(api) = exchange.step.api() {
            differences.extend(exchange.forwarding_differences(environment, api));
        }
        exchange.differences = differences;
        exchange
    }

    /// Returns the number of calls to the upstream.
    pub(crate) const fn calls(&self) -> u64 {
        self.calls_after - self.calls_before
    }

    /// Returns whether the result is the expected one.
    pub(crate) fn is_as_expected(&self) -> bool {
        self.differences.is_empty()
    }

    /// Compares the reply and the number of calls to the upstream.
    fn result_differences(&self, previous: Option<&Self>) -> Vec<String> {
        let mut differences = match &self.reply {
            Ok(reply) => self.reply_differences(reply, previous),
            Err(error) => vec![format!("no answer: {error}")],
        };
        let (calls, expected) = (self.calls(), self.step.expected.upstream_calls);
        if calls != expected {
            differences.push(format!(
                "the upstream was called {calls} times, not {expected} times"
            ));
        }
        differences
    }

    fn reply_differences(&self, reply: &Reply, previous: Option<&Self>) -> Vec<String> {
        let expected = &self.step.expected;
        let mut differences = Vec::new();
        if reply.status != expected.status {
            differences.push(format!(
                "the status is {}, not {}",
                reply.status, expected.status
            ));
        }
        let (found, code) = (reply.res_code(), expected.code.code());
        if found != code {
            differences.push(format!("res_code is `{found}`, not {code}"));
        }
        let is_replayed = reply.header(REPLAYED_HEADER) == Some("true");
        match (is_replayed, expected.source == AnswerSource::Journal) {
            (false, true) => differences.push(format!("{REPLAYED_HEADER} is missing")),
            (true, false) => differences.push("the answer is a replayed one".to_owned()),
            _ => {}
        }
        match expected.source {
            AnswerSource::Gateway if reply.json() != self.own_answer() => {
                differences
                    .push("the body is not the gateway's with the guide's message".to_owned());
            }
            AnswerSource::Journal if body_of(previous) != Some(&reply.body) => {
                differences.push("the body is not that of the first answer".to_owned());
            }
            _ => {}
        }
        differences
    }

    /// Returns the gateway's own answer with the expected code (contract section 3).
    fn own_answer(&self) -> serde_json::Value {
        let code = self.step.expected.code;
        serde_json::json!({ "res_code": code.code(), "message": code.message(), "data": null })
    }

    /// Compares what the upstream received with the request: the bytes of the body, and the `Authorization`
    /// header, which only a biller sends.
    fn forwarding_differences(&self, environment: &Environment, api: Api) -> Vec<String> {
        let mut differences = Vec::new();
        for call in environment.upstream_calls_after(api, self.calls_before) {
            if call.body != self.step.request.body.as_bytes() {
                differences.push("the upstream received another body".to_owned());
            }
            if call.header(AUTHORIZATION_HEADER) != self.step.request.authorization {
                differences.push(format!(
                    "the upstream received another {AUTHORIZATION_HEADER}"
                ));
            }
        }
        differences
    }
}

fn call(environment: &Environment, step: &Step) -> io::Result<Reply> {
    let request = &step.request;
    let mut caller = Caller::connect(environment.gateway.public)?;
    caller.post(&request.path, &request.headers(), &request.body)
}

fn body_of(exchange: Option<&Exchange>) -> Option<&Vec<u8>> {
    exchange?.reply.as_ref().ok().map(|reply| &reply.body)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use protocol::ResCode;
    use simulator::Body;

    use super::*;
    use crate::scenario::Request;

    const OK: &str = r#"{"res_code":"OK","message":"성공","data":null}"#;

    /// Returns an exchange with this reply and this number of calls to the upstream.
    fn exchange(
        step: Step,
        status: u16,
        body: &str,
        replayed: Option<&str>,
        calls: u64,
    ) -> Exchange {
        let header = |value: &str| (REPLAYED_HEADER.to_owned(), value.to_owned());
        let reply = Reply {
            status,
            headers: replayed.map(header).into_iter().collect(),
            body: body.as_bytes().to_vec(),
            elapsed: Duration::from_millis(1),
        };
        Exchange {
            step,
            reply: Ok(reply),
            calls_before: 7,
            calls_after: 7 + calls,
            differences: Vec::new(),
        }
    }

    /// Returns the differences after an exchange with the answer [`OK`].
    fn differences(exchange: &Exchange) -> Vec<String> {
        let body = Body::pay_result();
        let first = self::exchange(Step::relayed(&body, ResCode::Ok), 200, OK, None, 1);
        exchange.result_differences(Some(&first))
    }

    #[test]
    fn an_expected_result_has_no_difference() {
        let paid =
            "{\"res_code\":\"E403\",\"message\":\"납부 가능 금액이 없습니다.\",\"data\":null}";
        let refused = Step::refused(Request::of(&Body::prepay()), 200, ResCode::E403);
        let relayed = Step::relayed(&Body::prepay(), ResCode::Ok);
        let repeated = Step::replayed(&Body::pay_result());
        for exchange in [
            exchange(relayed, 200, OK, None, 1),
            exchange(refused, 200, paid, None, 0),
            exchange(repeated, 200, OK, Some("true"), 0),
        ] {
            assert_eq!(differences(&exchange), [""; 0]);
        }
    }

    #[test]
    fn every_difference_is_reported() {
        let refused = || Step::refused(Request::of(&Body::prepay()), 200, ResCode::E403);
        let relayed = Step::relayed(&Body::prepay(), ResCode::Ok);
        let repeated = Step::replayed(&Body::pay_result());
        let foreign = r#"{"res_code":"E403","message":"not the guide's","data":null}"#;
        for (exchange, expected) in [
            (
                exchange(refused(), 502, OK, None, 2),
                &[
                    "the status is 502, not 200",
                    "res_code is `OK`, not E403",
                    "the body is not the gateway's with the guide's message",
                    "the upstream was called 2 times, not 0 times",
                ][..],
            ),
            (
                exchange(refused(), 200, foreign, None, 0),
                &["the body is not the gateway's with the guide's message"],
            ),
            (
                exchange(relayed, 200, OK, Some("true"), 0),
                &[
                    "the answer is a replayed one",
                    "the upstream was called 0 times, not 1 times",
                ],
            ),
            (
                exchange(repeated, 200, &OK.replace("성공", "성공!"), None, 0),
                &[
                    "X-Relay-Replayed is missing",
                    "the body is not that of the first answer",
                ],
            ),
        ] {
            assert_eq!(differences(&exchange), expected);
        }
    }
}

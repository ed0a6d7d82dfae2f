//! A step as it was played: the answer, who was called, and what was not as it should be.

use std::io;

use protocol::Api;
use simulator::{Caller, Reply, Rule};

use super::request::AUTHORIZATION_HEADER;
use super::stage::Stage;
use super::step::{AnswerBy, Step};

/// Says that an answer is a kept one.
const REPLAYED_HEADER: &str = "X-Relay-Replayed";

/// One performance of a step.
#[derive(Debug)]
pub(super) struct Take {
    /// What was played.
    pub(super) step: Step,
    /// What came back.
    pub(super) reply: io::Result<Reply>,
    /// The upstream's count of calls before; both parties' on an unknown route.
    pub(super) calls_before: u64,
    /// The same count after.
    pub(super) calls_after: u64,
    /// What was not as it should be; empty: all was.
    pub(super) differences: Vec<String>,
}

impl Take {
    /// Makes the call and looks at what came of it. `previous` is the take before this one, whose
    /// answer is the one that was kept.
    pub(super) fn play(stage: &Stage, step: Step, previous: Option<&Self>) -> Self {
        if let Some(fault) = &step.fault {
            stage.biller().inject(Rule::new(fault.clone()));
        }
        let calls = || {
            step.api().map_or_else(
                || stage.calls_total(),
                |api| stage.upstream(api).calls_total(),
            )
        };
        let (calls_before, total_before) = (calls(), stage.calls_total());
        let reply = call(stage, &step);
        let (calls_after, total_after) = (calls(), stage.calls_total());
        stage.biller().clear_rules();
        let mut take = Self {
            step,
            reply,
            calls_before,
            calls_after,
            differences: Vec::new(),
        };
        let mut differences = take.in_the_answer(previous);
        differences.extend(take.in_the_calls());
        if total_after - total_before != take.calls() {
            differences.push("somebody else was called too".to_owned());
        }
        if let Some(api) = take.step.api() {
            differences.extend(take.on_the_way(stage, api));
        }
        take.differences = differences;
        take
    }

    /// How often the upstream was called.
    pub(super) const fn calls(&self) -> u64 {
        self.calls_after - self.calls_before
    }

    /// Whether all was as it should be.
    pub(super) fn is_as_expected(&self) -> bool {
        self.differences.is_empty()
    }

    fn in_the_answer(&self, previous: Option<&Self>) -> Vec<String> {
        let reply = match &self.reply {
            Ok(reply) => reply,
            Err(error) => return vec![format!("no answer: {error}")],
        };
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
        match (is_replayed, expected.by == AnswerBy::Memory) {
            (false, true) => differences.push(format!("{REPLAYED_HEADER} is missing")),
            (true, false) => differences.push("the answer is a kept one".to_owned()),
            _ => {}
        }
        match expected.by {
            AnswerBy::Gateway if reply.json() != self.own_answer() => {
                differences
                    .push("the body is not the gateway's with the guide's message".to_owned());
            }
            AnswerBy::Memory if body_of(previous) != Some(&reply.body) => {
                differences.push("the body is not that of the first answer".to_owned());
            }
            _ => {}
        }
        differences
    }

    /// What the gateway itself answers with the expected code (contract section 3).
    fn own_answer(&self) -> serde_json::Value {
        let code = self.step.expected.code;
        serde_json::json!({ "res_code": code.code(), "message": code.message(), "data": null })
    }

    fn in_the_calls(&self) -> Option<String> {
        let (calls, expected) = (self.calls(), self.step.expected.upstream_calls);
        (calls != expected)
            .then(|| format!("the upstream was called {calls} times, not {expected} times"))
    }

    /// Whether the upstream was told what the caller said: the body byte for byte, and the
    /// `Authorization` where it is Kakao Pay's to see.
    fn on_the_way(&self, stage: &Stage, api: Api) -> Vec<String> {
        let mut differences = Vec::new();
        for call in stage.upstream(api).calls_since(self.calls_before) {
            if call.body != self.step.request.body.as_bytes() {
                differences.push("the body did not arrive byte for byte".to_owned());
            }
            if call.header(AUTHORIZATION_HEADER) != self.step.request.authorization {
                differences.push(format!(
                    "{AUTHORIZATION_HEADER} did not arrive as it should"
                ));
            }
        }
        differences
    }
}

fn call(stage: &Stage, step: &Step) -> io::Result<Reply> {
    let request = &step.request;
    let mut caller = Caller::connect(stage.public())?;
    caller.post(&request.path, &request.headers(), &request.body)
}

fn body_of(take: Option<&Take>) -> Option<&Vec<u8>> {
    take?.reply.as_ref().ok().map(|reply| &reply.body)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use protocol::ResCode;
    use simulator::Body;

    use super::super::request::Request;
    use super::*;

    const OK: &str = r#"{"res_code":"OK","message":"성공","data":null}"#;

    /// A take of this step with this answer, and as many calls as came to the upstream.
    fn take(step: Step, status: u16, body: &str, replayed: Option<&str>, calls: u64) -> Take {
        let header = |value: &str| (REPLAYED_HEADER.to_owned(), value.to_owned());
        let reply = Reply {
            status,
            headers: replayed.map(header).into_iter().collect(),
            body: body.as_bytes().to_vec(),
            elapsed: Duration::from_millis(1),
        };
        Take {
            step,
            reply: Ok(reply),
            calls_before: 7,
            calls_after: 7 + calls,
            differences: Vec::new(),
        }
    }

    /// What is not as it should be, after a take whose answer was [`OK`].
    fn differences(take: &Take) -> Vec<String> {
        let body = Body::pay_result();
        let first = self::take(Step::relayed(&body, ResCode::Ok), 200, OK, None, 1);
        let mut differences = take.in_the_answer(Some(&first));
        differences.extend(take.in_the_calls());
        differences
    }

    #[test]
    fn what_is_as_it_should_be_has_no_difference() {
        let paid =
            "{\"res_code\":\"E403\",\"message\":\"납부 가능 금액이 없습니다.\",\"data\":null}";
        let refused = Step::refused(Request::of(&Body::prepay()), 200, ResCode::E403);
        let relayed = Step::relayed(&Body::prepay(), ResCode::Ok);
        for take in [
            take(relayed, 200, OK, None, 1),
            take(refused, 200, paid, None, 0),
            take(Step::kept(&Body::pay_result()), 200, OK, Some("true"), 0),
        ] {
            assert_eq!(differences(&take), [""; 0]);
        }
    }

    #[test]
    fn everything_that_is_otherwise_is_told() {
        let refused = || Step::refused(Request::of(&Body::prepay()), 200, ResCode::E403);
        let kept = || Step::kept(&Body::pay_result());
        let foreign = r#"{"res_code":"E403","message":"not the guide's","data":null}"#;
        for (take, expected) in [
            (
                take(refused(), 502, OK, None, 2),
                &[
                    "the status is 502, not 200",
                    "res_code is `OK`, not E403",
                    "the body is not the gateway's with the guide's message",
                    "the upstream was called 2 times, not 0 times",
                ][..],
            ),
            (
                take(refused(), 200, foreign, None, 0),
                &["the body is not the gateway's with the guide's message"],
            ),
            (
                take(
                    Step::relayed(&Body::prepay(), ResCode::Ok),
                    200,
                    OK,
                    Some("true"),
                    0,
                ),
                &[
                    "the answer is a kept one",
                    "the upstream was called 0 times, not 1 times",
                ],
            ),
            (
                take(kept(), 200, &OK.replace("성공", "성공!"), None, 0),
                &[
                    "X-Relay-Replayed is missing",
                    "the body is not that of the first answer",
                ],
            ),
        ] {
            assert_eq!(differences(&take), expected);
        }
    }
}

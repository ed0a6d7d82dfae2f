//! Every call reaches its own party, and every answer its own caller.

use protocol::ResCode;

use crate::bill::BILLERS;
use crate::calls::{Answer, Api, Call};
use crate::checks::check_result::CheckResult;
use crate::records::{ReceivedRequest, Records};

/// Checks that no party received a call for another one, and that no caller got another's answer.
pub fn check(records: &Records) -> CheckResult {
    let mut result = CheckResult::of("misrouted");
    for received in &records.received {
        result.checked += 1;
        if let Err(why) = at_its_party(records, received) {
            let (party, incoming) = (received.party, &received.incoming);
            result.violation(incoming.bill, format!("{why} at {party}: {incoming:?}"));
        }
    }
    result.add(check_answers(records));
    result
}

/// Checks that no caller got another's answer.
pub fn check_answers(records: &Records) -> CheckResult {
    let mut result = CheckResult::of("misrouted");
    for call in &records.calls {
        let Some(answer) = call.answer() else {
            continue;
        };
        result.checked += 1;
        if !(is_from_its_party(call, answer) || is_from_the_gateway(answer)) {
            result.violation(call.bill, format!("{} got {answer:?}", call.id));
        } else if answer.request_id != call.id {
            result.violation(call.bill, format!("{} got another request id", call.id));
        }
    }
    result
}

fn at_its_party(records: &Records, received: &ReceivedRequest) -> Result<(), &'static str> {
    let incoming = &received.incoming;
    let bill = incoming.bill.ok_or("no bill")?;
    let api = incoming.api.ok_or("an unknown path")?;
    let party = match api {
        Api::Create | Api::Recreate => "KAKAO",
        Api::Notice | Api::Prepay | Api::PayResult => BILLERS[bill.biller()],
    };
    if party != received.party {
        return Err("another party's call");
    }
    if party == "KAKAO" && incoming.path_biller != bill.biller_code() {
        return Err("another biller's path");
    }
    let call = records
        .call_of(incoming)
        .ok_or("a call that was not made")?;
    if (call.bill, call.api, &call.echo) != (bill, api, &incoming.echo) {
        return Err("another call's body");
    }
    Ok(())
}

/// A party answers with its name and the echo. A truncated or unreadable answer is never relayed.
fn is_from_its_party(call: &Call, answer: &Answer) -> bool {
    let party = match call.api {
        Api::Create | Api::Recreate => "KAKAO",
        Api::Notice | Api::Prepay | Api::PayResult => call.bill.biller_code(),
    };
    answer.message == format!("{party} {}", call.echo)
}

/// The gateway's own answers carry the guide's text for their code.
fn is_from_the_gateway(answer: &Answer) -> bool {
    let known = ResCode::ALL
        .iter()
        .find(|code| code.code() == answer.res_code);
    known.is_some_and(|code| *code != ResCode::Ok && code.message() == answer.message)
}

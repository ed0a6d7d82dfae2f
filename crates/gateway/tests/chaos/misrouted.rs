//! Everything goes to whom it is for.

use protocol::ResCode;

use crate::bill::BILLERS;
use crate::calls::{Answer, Api, Call};
use crate::evidence::{Evidence, Seen};
use crate::finding::Finding;

/// Checks that no party saw a call that is not for it, and no caller got another's answer.
pub fn check(evidence: &Evidence) -> Finding {
    let mut finding = Finding::of("misrouted");
    for seen in &evidence.seen {
        finding.judged += 1;
        if let Err(why) = at_its_party(evidence, seen) {
            let (party, incoming) = (seen.party, &seen.incoming);
            finding.violated(incoming.bill, format!("{why} at {party}: {incoming:?}"));
        }
    }
    finding.add(check_answers(evidence));
    finding
}

/// Checks that no caller got another's answer.
pub fn check_answers(evidence: &Evidence) -> Finding {
    let mut finding = Finding::of("misrouted");
    for call in &evidence.calls {
        let Some(answer) = call.answer() else {
            continue;
        };
        finding.judged += 1;
        if !(is_from_its_party(call, answer) || is_from_the_gateway(answer)) {
            finding.violated(call.bill, format!("{} got {answer:?}", call.id));
        } else if answer.request_id != call.id {
            finding.violated(call.bill, format!("{} got another's name", call.id));
        }
    }
    finding
}

fn at_its_party(evidence: &Evidence, seen: &Seen) -> Result<(), &'static str> {
    let incoming = &seen.incoming;
    let bill = incoming.bill.ok_or("no bill")?;
    let api = incoming.api.ok_or("no path of its own")?;
    let party = match api {
        Api::Create | Api::Recreate => "KAKAO",
        Api::Notice | Api::Prepay | Api::PayResult => BILLERS[bill.biller()],
    };
    if party != seen.party {
        return Err("another party's call");
    }
    if party == "KAKAO" && incoming.path_biller != bill.biller_code() {
        return Err("another biller's path");
    }
    let call = evidence
        .call_of(incoming)
        .ok_or("a call that nobody made")?;
    if (call.bill, call.api, &call.echo) != (bill, api, &incoming.echo) {
        return Err("another call's body");
    }
    Ok(())
}

/// A party says its own name and repeats the echo. What is cut short or garbage is never relayed.
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

//! Framing attacks: each is refused, or read in one way only. What counts is what the upstreams received.

use test_support::{Caller, Gateway, Setup, Upstream};

use crate::attacks::{self, Attack, BODY, SMUGGLED};

/// Every answer up to the close.
fn statuses(gateway: &Gateway, attack: &Attack) -> Vec<u16> {
    let mut caller: Caller = gateway.caller();
    // Refused in the middle, perhaps: the rest may not arrive.
    let _sent = caller.try_send(attack.bytes.as_bytes());
    caller.finish_sending();
    let mut statuses = Vec::new();
    while let Ok(reply) = caller.try_reply() {
        statuses.push(reply.status);
    }
    statuses
}

#[test]
fn every_framing_attack_is_refused_or_read_in_one_way_and_never_becomes_two_requests() {
    assert_eq!(BODY.len(), 57);
    let (named, hidden) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new("http://127.0.0.1:1", &named.url())
        .biller("B0002", &hidden.url(), "")
        .start();
    for attack in attacks::all() {
        let before = named.count();
        assert_eq!(
            statuses(&gateway, &attack),
            attack.statuses,
            "{}",
            attack.name
        );
        let calls = &named.calls()[before..];
        assert_eq!(calls.len(), attack.calls, "{}: {calls:?}", attack.name);
        for call in calls {
            assert_eq!(String::from_utf8_lossy(&call.body), BODY, "{}", attack.name);
            assert_eq!(call.header("content-length"), Some("57"), "{}", attack.name);
            assert_eq!(call.header("transfer-encoding"), None, "{}", attack.name);
        }
        assert_eq!(
            hidden.count(),
            0,
            "{}: a request got through in another",
            attack.name
        );
    }
    // What hid in the others is a request where it may be one.
    let mut caller = gateway.caller();
    caller.send(SMUGGLED.as_bytes());
    assert_eq!((caller.reply().status, hidden.count()), (200, 1));
}

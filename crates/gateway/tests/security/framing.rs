//! Framing attacks: each is refused or read in one way only. The tests compare what the upstreams received.

use test_support::{Caller, Gateway, Setup, Upstream};

use crate::attacks::{self, Attack, BODY, SMUGGLED};

/// Returns the statuses of all answers until the close.
fn statuses(gateway: &Gateway, attack: &Attack) -> Vec<u16> {
    let mut caller: Caller = gateway.caller();
    // The gateway may close the connection before it has read everything.
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
    // The hidden request is valid when it is sent openly.
    let mut caller = gateway.caller();
    caller.send(SMUGGLED.as_bytes());
    assert_eq!((caller.reply().status, hidden.count()), (200, 1));
}

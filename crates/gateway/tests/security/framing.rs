//! Framing tricks: each is refused, or read in one way only. What counts is what the upstreams received.

use crate::support::{Caller, Gateway, Setup, Upstream};
use crate::tricks::{self, BODY, SMUGGLED, Trick};

/// Every answer up to the close.
fn statuses(gateway: &Gateway, trick: &Trick) -> Vec<u16> {
    let mut caller: Caller = gateway.caller();
    // Refused in the middle, perhaps: the rest may not arrive.
    let _sent = caller.try_send(trick.bytes.as_bytes());
    caller.finish_sending();
    let mut statuses = Vec::new();
    while let Ok(reply) = caller.try_reply() {
        statuses.push(reply.status);
    }
    statuses
}

#[test]
fn every_framing_trick_is_refused_or_read_in_one_way_and_never_becomes_two_requests() {
    assert_eq!(BODY.len(), 57);
    let (named, hidden) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new("http://127.0.0.1:1", &named.url())
        .biller("B0002", &hidden.url(), "")
        .start();
    for trick in tricks::all() {
        let before = named.count();
        assert_eq!(statuses(&gateway, &trick), trick.statuses, "{}", trick.name);
        let calls = &named.calls()[before..];
        assert_eq!(calls.len(), trick.calls, "{}: {calls:?}", trick.name);
        for call in calls {
            assert_eq!(String::from_utf8_lossy(&call.body), BODY, "{}", trick.name);
            assert_eq!(call.header("content-length"), Some("57"), "{}", trick.name);
            assert_eq!(call.header("transfer-encoding"), None, "{}", trick.name);
        }
        assert_eq!(
            hidden.count(),
            0,
            "{}: a request got through in another",
            trick.name
        );
    }
    // What hid in the others is a request where it may be one.
    let mut caller = gateway.caller();
    caller.send(SMUGGLED.as_bytes());
    assert_eq!((caller.reply().status, hidden.count()), (200, 1));
}

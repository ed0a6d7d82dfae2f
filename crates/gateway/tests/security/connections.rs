//! Limits on the number and the time of connections.

use std::io::Read;
use std::net::IpAddr;
use std::time::Instant;

use test_support::{Caller, NOTICE, Setup, Upstream, notice};

use crate::tls_client::dial;

fn from(address: &str) -> IpAddr {
    address.parse().unwrap()
}

#[test]
fn connections_beyond_the_limits_are_closed_and_counted_without_effect_on_others() {
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .with("[limits]\nconnections = 5\nconnections_per_address = 2")
        .start();
    let enter = |address: &str| {
        let mut caller = Caller::over(dial(gateway.public(), Some(from(address))));
        let reply = caller.post_with(NOTICE, &[], notice("u").to_string());
        assert_eq!(reply.status, 200, "{address}");
        caller
    };
    let assert_closed = |address: &str| {
        let mut socket = dial(gateway.public(), Some(from(address)));
        assert_eq!(socket.read(&mut [0]).unwrap_or(0), 0, "{address}");
    };
    // address | connections that it gets
    let mut open: Vec<_> = ["127.0.0.1", "127.0.0.1", "127.0.0.2"].map(enter).into();
    assert_closed("127.0.0.1");
    open.extend(["127.0.0.2", "127.0.0.3"].map(enter));
    // The total limit is reached and applies to every address.
    assert_closed("127.0.0.4");
    assert_eq!(gateway.metric("relay_connections_open"), 5);
    assert_eq!(gateway.metric("relay_connections_refused_total"), 2);
    // The open connections are still served.
    for caller in &mut open {
        let reply = caller.post_with(NOTICE, &[], notice("u").to_string());
        assert_eq!(reply.status, 200);
    }
    assert_eq!(upstream.count(), 10);
}

#[test]
fn a_connection_is_closed_in_time_whatever_its_caller_does() {
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .with("[limits]\nidle_timeout = \"300ms\"\nhead_timeout = \"300ms\"")
        .start();
    let whole = test_support::request("POST", NOTICE, &[], b"{}");
    // what the caller sends before it stops | the answer before the close
    let table: [(&str, Vec<u8>, &[u16]); 5] = [
        ("nothing", Vec::new(), &[]),
        ("one byte", b"P".to_vec(), &[408]),
        (
            "half a head",
            b"POST /kakao/notice/B0001 HTTP/1.1\r\nHost: a\r\n".to_vec(),
            &[408],
        ),
        ("a call", whole.clone(), &[200]),
        (
            "a call and half a head",
            [whole.as_slice(), b"POST /k"].concat(),
            &[200, 408],
        ),
    ];
    for (name, bytes, statuses) in table {
        let mut caller = gateway.caller();
        let began = Instant::now();
        caller.send(&bytes);
        for status in statuses {
            assert_eq!(caller.reply().status, *status, "{name}");
        }
        assert!(caller.is_closed(), "{name}");
        assert!(
            began.elapsed().as_secs() < 5,
            "{name}: {:?}",
            began.elapsed()
        );
    }
    let counted = |status: u16| {
        gateway.metric(&format!(
            "relay_requests_total{{api=\"unknown\",biller=\"unknown\",res_code=\"E801\",status=\"{status}\"}}"
        ))
    };
    assert_eq!(counted(408), 3);
}

//! HTTP/2 is spoken nowhere, though a crate for it is linked (`docs/advisories.md`).

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use test_support::Setup;

/// What an HTTP/2 client sends first: the preface, and an empty SETTINGS frame (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";

/// Sends bytes and returns all that comes back until the other side closes.
fn answer(address: SocketAddr, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    socket.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).expect("text, and no frames")
}

#[test]
fn the_preface_of_http_2_is_a_bad_request_on_both_listeners() {
    let gateway = Setup::new("http://127.0.0.1:1", "http://127.0.0.1:1").start();
    for address in [gateway.public(), gateway.ops()] {
        let answer = answer(address, PREFACE);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{address}: {answer:?}");
    }
}

#[test]
fn the_ops_listener_does_not_change_to_http_2() {
    let gateway = Setup::new("http://127.0.0.1:1", "http://127.0.0.1:1").start();
    let request = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\
                   Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n";
    let answer = answer(gateway.ops(), request.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
}

//! A real gateway process with raw upstreams around it; every test goes through sockets.
#![allow(
    dead_code,
    unused_imports,
    missing_docs,
    clippy::unwrap_used,
    clippy::missing_panics_doc
)]

pub mod bodies;
pub mod caller;
pub mod process;
pub mod upstream;

pub use bodies::{link, notice, pay_result, prepay};
pub use caller::{Caller, Reply};
pub use process::{Gateway, Setup};
pub use upstream::{Action, Seen, Upstream};

/// What the billers of the tests authorize themselves with.
pub const AUTHORIZATION: &str = "KakaoAK test-of-B0001";

/// `{"res_code":"OK",…}` as an upstream says it.
pub const OK: &str = r#"{"res_code":"OK","message":"성공","data":null}"#;

/// Asserts that the gateway itself answered: status, code and the guide's exact message.
#[track_caller]
pub fn assert_own(reply: &Reply, status: u16, code: protocol::ResCode) {
    let expected = format!(
        r#"{{"res_code":"{}","message":"{}","data":null}}"#,
        code.code(),
        code.message()
    );
    assert_eq!((reply.status, reply.text()), (status, expected));
    assert_eq!(
        reply.header("content-type"),
        Some("application/json;charset=utf-8")
    );
}

//! A node's ops listener, as operators, a balancer and a metrics server call it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use simulator::{Caller, Reply};

/// The operators' token.
pub const TOKEN: &str = "operators-only";

#[derive(Clone, Copy, Debug)]
pub struct Ops(SocketAddr);

impl Ops {
    pub const fn at(address: SocketAddr) -> Self {
        Self(address)
    }

    /// Returns whether a balancer would send calls to the node.
    pub fn is_ready(self) -> bool {
        let answered = self.call("GET /health/ready", "");
        // A list that was wiped does not have it any more.
        answered.is_some_and(|reply| matches!(reply.status, 200 | 404))
    }

    /// Strikes a node off the list of nodes by its number. Returns whether that was done: it is not while it may run.
    pub fn forget_node(self, number: u32) -> bool {
        let body = format!(r#"{{"node":{number}}}"#);
        let answered = self.call("POST /admin/nodes/forget", &body);
        answered.is_some_and(|reply| reply.status == 200)
    }

    /// Returns every series with an integer value.
    pub fn metrics(self) -> BTreeMap<String, u64> {
        let page = self.call("GET /metrics", "").unwrap().text();
        let series = page.lines().filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        series.collect()
    }

    /// Makes a call with the token; `None` where no answer comes.
    fn call(self, route: &str, body: &str) -> Option<Reply> {
        let length = body.len();
        let mut caller = Caller::connect(self.0).ok()?;
        let call = format!(
            "{route} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        caller.send_raw(call.as_bytes()).ok()?;
        caller.read_reply().ok()
    }
}

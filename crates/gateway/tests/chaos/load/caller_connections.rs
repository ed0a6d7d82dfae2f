//! A caller's connections: one to each node, opened again after a failure.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use simulator::{Caller, Reply};

use crate::calls::{Answer, CallOutcome};
use crate::node::{AUTHORIZATION, NODES, Node};

/// Far longer than a budget: after this time no answer will come.
const TIMEOUT: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub struct CallerConnections<'a> {
    nodes: &'a [Node; NODES],
    open: [Option<(SocketAddr, Caller)>; NODES],
}

impl<'a> CallerConnections<'a> {
    pub fn to(nodes: &'a [Node; NODES]) -> Self {
        Self {
            nodes,
            open: [const { None }; NODES],
        }
    }

    /// Sends a POST as the party that calls this path.
    pub fn post(&mut self, node: usize, path: &str, request_id: &str, body: &str) -> CallOutcome {
        let Some(mut caller) = self.caller(node) else {
            return CallOutcome::NotSent;
        };
        let headers = [
            ("X-Request-Id", request_id),
            ("Authorization", AUTHORIZATION),
        ];
        let is_biller = path.starts_with("/external/");
        let headers = if is_biller {
            &headers[..]
        } else {
            &headers[..1]
        };
        match caller.1.post(path, headers, body) {
            Ok(reply) => {
                let closes = reply.header("connection") == Some("close");
                self.open[node] = (!closes).then_some(caller);
                CallOutcome::Answered(answer(&reply))
            }
            Err(_) => CallOutcome::NoAnswer,
        }
    }

    fn caller(&mut self, node: usize) -> Option<(SocketAddr, Caller)> {
        let address = self.nodes[node].addresses()?.public;
        let known = self.open[node].take();
        if let Some(caller) = known.filter(|(known, _)| *known == address) {
            return Some(caller);
        }
        let mut caller = Caller::connect(address).ok()?;
        caller.set_timeout(Some(TIMEOUT)).ok()?;
        Some((address, caller))
    }
}

fn answer(reply: &Reply) -> Answer {
    let body = reply.json();
    let member = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let header = |name| reply.header(name).unwrap_or_default();
    Answer {
        status: reply.status,
        res_code: member("res_code"),
        message: match &body {
            // The body is no JSON, which neither the parties nor the gateway send.
            Value::Null => reply.text(),
            _ => member("message"),
        },
        request_id: header("x-request-id").to_owned(),
        replayed: header("x-relay-replayed") == "true",
    }
}

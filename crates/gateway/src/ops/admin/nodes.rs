//! The nodes that share a Redis.

use actix_web::{HttpResponse, web};
use ledger::{NotForgotten, RegisteredNode, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::bills::answer;
use super::context::AdminContext;
use super::refusal::Refusal;
use super::shown;

const AWAY: &str = "Redis is out of reach: the list of nodes is there";

/// Body of `POST /admin/nodes/forget`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with node")]
pub(super) struct ForgetRequest {
    node: u32,
}

/// `GET /admin/nodes`.
pub(super) async fn list(context: AdminContext) -> Result<HttpResponse, Refusal> {
    let (ledger, now) = (context.ledger(), Timestamp::now());
    let registered = ledger
        .nodes()
        .await
        .map_err(|_| Refusal::out_of_reach(AWAY))?;
    let is_shared = registered.is_some();
    let registered = registered.unwrap_or_default();
    let shown = |node| shown_node(node, &registered, (ledger.node(), now));
    let nodes: Vec<Value> = registered.iter().map(shown).collect();
    Ok(answer(
        &json!({ "nodes": nodes, "node": ledger.node(), "shared": is_shared }),
    ))
}

fn shown_node(
    node: &RegisteredNode,
    all: &[RegisteredNode],
    (own, now): (u32, Timestamp),
) -> Value {
    let wanted = node.replica.iter().flat_map(|replica| &replica.wanted);
    json!({
        "node": node.node,
        "running": node.is_running(now),
        "this_node": node.node == own,
        "machine": node.machine,
        "process": node.process,
        "since": shown::time(node.since),
        "seen": shown::time(node.seen),
        "unshared_facts": node.unshared,
        "missing_facts": node.lacks(all),
        "asks_for": wanted.map(ToString::to_string).collect::<Vec<_>>(),
        "format": node.format,
    })
}

/// `POST /admin/nodes/forget`.
pub(super) async fn forget(
    context: AdminContext,
    request: web::Json<ForgetRequest>,
) -> Result<HttpResponse, Refusal> {
    let number = request.node;
    match context.ledger().forget_node(number, Timestamp::now()).await {
        Ok(()) => {
            tracing::info!(node = number, "an operator struck a node off");
            Ok(answer(&json!({ "node": number, "forgotten": true })))
        }
        Err(NotForgotten::Alone) => Err(Refusal::conflict(
            "no_redis",
            "this node shares no Redis: there are no others",
        )),
        Err(NotForgotten::Unknown) => Err(Refusal::not_found(
            "unknown_node",
            format!("no node {number} is on the list"),
        )),
        Err(NotForgotten::Runs) => Err(Refusal::conflict(
            "node_runs",
            format!("node {number} runs: stop it first; it is silent for 15 seconds then"),
        )),
        Err(NotForgotten::OutOfReach) => Err(Refusal::out_of_reach(AWAY)),
    }
}

//! `GET /`: the console, a status page for operators. It shows values of `/metrics`, no secrets, and offers no
//! actions.

use std::fmt::Write as _;
use std::time::Duration;

use actix_web::{HttpResponse, web};
use metrics::{BillerStatus, GatewayStatus};

use super::status::{StatusQuery, gather};
use crate::registry::Registry;
use crate::state::GatewayState;
use crate::upstream::CircuitState;

const STYLE: &str = include_str!("console.css");

/// Most billers on the page; the others are only counted.
const BILLERS: usize = 500;

/// Serves the page, which reloads itself every five seconds.
pub(super) async fn show(
    shared: web::Data<GatewayState>,
    query: web::Data<StatusQuery>,
) -> HttpResponse {
    let parties = shared.parties();
    let status = gather(&shared, &parties, &query).await;
    let kakao = parties.kakao.upstream.party.circuit().state();
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'",
        ))
        .insert_header(("Cache-Control", "no-store"))
        .body(page(&status, &parties.registry, (kakao, shared.unready())))
}

fn page(
    status: &GatewayStatus<'_>,
    registry: &Registry,
    (kakao, unready): (CircuitState, Option<&str>),
) -> String {
    let mut billers: Vec<&BillerStatus<'_>> = status.billers.iter().collect();
    billers.sort_by_key(|biller| biller.code);
    let mut rows = String::new();
    for biller in billers.iter().take(BILLERS) {
        let registered = registry.find(biller.code.as_str());
        let circuit = registered.map(|known| known.upstream.party.circuit().state());
        let waiting = status.undelivered.by_biller.iter();
        let waiting = waiting.filter(|(code, _)| *code == Some(biller.code));
        let waiting: i64 = waiting.map(|(_, events)| events).sum();
        let activity = if biller.is_suspended {
            "suspended"
        } else {
            "active"
        };
        // Writing into a string never fails.
        let _ = writeln!(
            rows,
            "<tr><td><code>{}</code><td>{}<td>{}<td>{}<td class=n>{waiting}",
            biller.code,
            escaped(biller.name),
            mark(activity, !biller.is_suspended),
            circuit.map_or_else(String::new, circuit_mark),
        );
    }
    if let Some(more) = billers.len().checked_sub(BILLERS + 1) {
        let _ = writeln!(rows, "<tr><td colspan=5>and {} more", more + 1);
    }
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta http-equiv=refresh content=5>\
         <meta name=viewport content='width=device-width'><title>Relay gateway</title>\
         <style>{STYLE}</style><h1>Relay gateway <small>{version}</small></h1>\
         <p class=lead>{ready}</p><dl>{facts}</dl>\
         <table><caption>Institutions (청구기관)</caption>\
         <thead><tr><th>code<th>name<th>status<th>circuit<th class=n>undelivered</thead>\n{rows}</table>\
         <footer><a href=/metrics>metrics</a> <a href=/health/ready>readiness</a> \
         operators' commands: <code>gateway payments list</code>, <code>gateway ledger verify</code>\
         </footer></html>",
        version = env!("CARGO_PKG_VERSION"),
        ready = unready.map_or_else(|| mark("ready", true), |why| mark(why, false)),
        facts = facts(status, kakao),
    )
}

fn facts(status: &GatewayStatus<'_>, kakao: CircuitState) -> String {
    let journal = &status.journal;
    let size = |bytes: Option<u64>| bytes.map_or_else(|| "unknown".to_owned(), mebibytes);
    let undelivered = &status.undelivered;
    let redis = match status.redis.is_up {
        None => "none: one node, embedded".to_owned(),
        Some(is_up) => mark(if is_up { "reached" } else { "out of reach" }, is_up),
    };
    let unshared = &status.redis;
    let counted = |number| count(number, number == 0);
    let facts = [
        ("circuit to Kakao Pay", circuit_mark(kakao)),
        (
            "journal",
            mark(
                if journal.is_writable {
                    "writable"
                } else {
                    "NOT writable"
                },
                journal.is_writable,
            ),
        ),
        (
            "journal's size, free disk",
            format!(
                "{}, {}",
                size(journal.size_bytes),
                size(journal.disk_free_bytes)
            ),
        ),
        ("facts in memory only", counted(journal.backlog_facts)),
        ("Redis", redis),
        (
            "facts not in Redis",
            format!(
                "{} {}",
                count(unshared.unshared_facts, true),
                since(unshared.unshared_oldest)
            ),
        ),
        (
            "undelivered pay-results",
            format!(
                "{} {}",
                count(undelivered.events, undelivered.events == 0),
                since(undelivered.oldest)
            ),
        ),
        (
            "refused pay-results open",
            count(status.refused_open, status.refused_open == 0),
        ),
        (
            "connections open, refused",
            format!(
                "{}, {}",
                status.connections.open, status.connections.refused
            ),
        ),
        ("log lines lost", counted(status.log_lines_dropped)),
    ];
    let mut text = String::new();
    for (name, value) in facts {
        // Writing into a string never fails.
        let _ = write!(text, "<div><dt>{name}<dd>{value}</div>");
    }
    text
}

fn circuit_mark(state: CircuitState) -> String {
    match state {
        CircuitState::Closed => mark("closed", true),
        CircuitState::HalfOpen => mark("half-open", false),
        CircuitState::Open => mark("open", false),
    }
}

fn count(number: impl std::fmt::Display, is_good: bool) -> String {
    if is_good {
        number.to_string()
    } else {
        mark(&number.to_string(), false)
    }
}

fn mark(text: &str, is_good: bool) -> String {
    let class = if is_good { "good" } else { "bad" };
    format!("<b class={class}>{}</b>", escaped(text))
}

fn since(age: Duration) -> String {
    if age.is_zero() {
        String::new()
    } else {
        format!("<small>oldest {} s</small>", age.as_secs())
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

/// Escapes text for an HTML element or attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

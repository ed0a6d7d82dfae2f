//! The ledger: status, verification, and rewriting the state in Redis.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use actix_web::HttpResponse;
use ledger::journal::{Audit, AuditProgress, Finding};
use ledger::{Rebuild, RedisDifference};
use serde_json::{Value, json};

use super::bills::answer;
use super::context::AdminContext;
use super::refusal::Refusal;
use super::turn::Turn;

/// One verification at a time: each reads the whole journal.
static VERIFYING: AtomicBool = AtomicBool::new(false);

/// How far the last one came.
static VERIFIED: Mutex<Option<AuditProgress>> = Mutex::new(None);

/// Sets how far the verification is.
fn set_verified(progress: Option<AuditProgress>) {
    *VERIFIED.lock().unwrap_or_else(PoisonError::into_inner) = progress;
}

/// How far the running verification is.
fn verification() -> Option<Value> {
    let progress = *VERIFIED.lock().unwrap_or_else(PoisonError::into_inner);
    let AuditProgress { what, done, of } =
        progress.filter(|_| VERIFYING.load(Ordering::Acquire))?;
    Some(json!({ "what": what, "done": done, "of": of }))
}

/// `GET /admin/ledger`.
pub(super) async fn status(context: AdminContext) -> HttpResponse {
    let ledger = context.ledger();
    answer(&json!({
        "node": ledger.node(),
        "journal_writable": ledger.is_journal_writable(),
        "undelivered_payments": ledger.undelivered(),
        "shared_state": shared_state(ledger.is_redis_reachable()),
        "unshared_facts": ledger.unshared(),
        "backup": ledger.backup_progress().map(|backup| {
            json!({ "what": backup.what, "done": backup.done_bytes, "of": backup.of_bytes })
        }),
        "verification": verification(),
    }))
}

const fn shared_state(reachable: Option<bool>) -> &'static str {
    match reachable {
        None => "none",
        Some(true) => "reached",
        Some(false) => "out_of_reach",
    }
}

/// `POST /admin/ledger/verify`.
pub(super) async fn verify(context: AdminContext) -> Result<HttpResponse, Refusal> {
    let taken = ("verifying", "a verification is under way; wait for it");
    let _turn = Turn::take(&VERIFYING, taken)?;
    let began = Instant::now();
    set_verified(None);
    let watch = |progress| set_verified(Some(progress));
    let verified = context.ledger().verify_watched(watch).await?;
    let is_shared_sound = match &verified.redis {
        None => true,
        Some(Ok(difference)) => difference.is_none(),
        Some(Err(_)) => false,
    };
    let audit = &verified.audit;
    let is_sound = audit.findings.is_empty() && audit.unchecked.is_empty() && is_shared_sound;
    log_verification(&verified);
    Ok(answer(&json!({
        "sound": is_sound,
        "journal": audit_as_json(&verified.audit),
        "state_compared": true,
        "shared": verified.redis.map(|shared| difference(shared.ok())),
        "unshared_facts": context.ledger().unshared(),
        "node": context.ledger().node(),
        "took_ms": u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    })))
}

/// Logs what a verification found, and what it could not compare.
fn log_verification(verified: &ledger::Verification) {
    let findings = verified.audit.findings.kept.len() as u64 + verified.audit.findings.left_off;
    if findings > 0 {
        tracing::error!(findings, "the journal's verification has findings");
    }
    match &verified.redis {
        None => {}
        Some(Ok(difference)) if difference.is_none() => {}
        Some(Ok(difference)) => tracing::error!(
            missing = difference.missing,
            behind = difference.behind,
            unreadable = difference.unreadable,
            answers_missing = difference.answers_missing,
            "Redis differs from this node's journal"
        ),
        Some(Err(out)) => tracing::warn!(
            reason = ?out,
            "the journal was verified, but Redis was out of reach and was not compared with it"
        ),
    }
}

/// Returns the audit of a journal as JSON.
pub(crate) fn audit_as_json(audit: &Audit) -> Value {
    let findings: Vec<Value> = audit.findings.kept.iter().map(finding).collect();
    json!({
        "rows": audit.rows,
        "bills": audit.bills,
        "payments": audit.payments,
        "findings": findings,
        "findings_left_off": audit.findings.left_off,
        "unchecked": audit.unchecked,
    })
}

fn finding(finding: &Finding) -> Value {
    json!({ "kind": finding.name(), "row": finding.row(), "what": finding.to_string() })
}

fn difference(difference: Option<RedisDifference>) -> Value {
    match difference {
        None => json!({ "reached": false }),
        Some(difference) => json!({
            "reached": true,
            "missing": difference.missing,
            "behind": difference.behind,
            "unreadable": difference.unreadable,
            "answers_missing": difference.answers_missing,
        }),
    }
}

/// `POST /admin/ledger/rebuild`.
pub(super) async fn rebuild(context: AdminContext) -> Result<HttpResponse, Refusal> {
    match context.ledger().rebuild() {
        Rebuild::Started(facts) => {
            tracing::info!(facts, "an operator started rewriting the state in Redis");
            Ok(answer(&json!({
                "begun": true,
                "facts": facts,
                "node": context.ledger().node(),
            })))
        }
        Rebuild::NoRedis => Err(Refusal::conflict(
            "no_shared_state",
            "there is no [ledger.redis]: the journal is the only store",
        )),
        Rebuild::OutOfReach => Err(Refusal::out_of_reach(
            "Redis is out of reach; it is rewritten automatically once it is back",
        )),
    }
}

//! The upkeep of the ledger: backups, and what the retention would forget.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use actix_web::{HttpResponse, web};
use ledger::{DueNow, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::bills::answer;
use super::context::AdminContext;
use super::refusal::Refusal;
use super::shown;
use super::turn::Turn;

/// One preview at a time: each may read much of the journal.
static PREVIEWING: AtomicBool = AtomicBool::new(false);

/// Body of `POST /admin/ledger/backup`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with to")]
pub(super) struct BackupRequest {
    to: PathBuf,
}

/// `POST /admin/ledger/backup`: writes a copy of the journal to a new file; answers when it is whole.
pub(super) async fn backup(
    context: AdminContext,
    request: web::Json<BackupRequest>,
) -> Result<HttpResponse, Refusal> {
    let to = &request.to;
    if !to.is_absolute() {
        return Err(Refusal::bad_request(
            "to must be an absolute path: it names a file of the gateway's machine",
        ));
    }
    let file = to.display().to_string();
    tracing::info!(file, "an operator started a backup of the journal");
    let report = context.ledger().backup(to).await.map_err(|error| {
        tracing::error!(file, %error, "the journal was not backed up");
        Refusal::conflict("no_backup", format!("there is no backup: {error}"))
    })?;
    let took_ms = u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        file,
        bytes = report.bytes,
        facts = report.facts,
        took_ms,
        "the journal was backed up"
    );
    Ok(answer(&json!({
        "file": file,
        "bytes": report.bytes,
        "facts": report.facts,
        "node": context.ledger().node(),
        "took_ms": took_ms,
    })))
}

/// `GET /admin/ledger/retention`: what would be forgotten now.
pub(super) async fn retention(context: AdminContext) -> Result<HttpResponse, Refusal> {
    let taken = ("previewing", "another preview is under way; wait for it");
    let _turn = Turn::take(&PREVIEWING, taken)?;
    let preview = context.ledger().retention_preview(Timestamp::now()).await?;
    Ok(answer(&json!({
        "unpaid_bills": due(preview.unpaid_bills),
        "paid_bills": due(preview.paid_bills),
        "bodies": due(preview.bodies),
        "node": context.ledger().node(),
    })))
}

fn due(due: DueNow) -> Value {
    json!({
        "complete": due.is_complete,
        "count": due.count,
        "before": shown::time(due.before),
        "oldest": due.oldest.map(shown::time),
    })
}

//! One call.

use tokio::time::{Instant, timeout_at};

use super::answer::{Answer, Fault, Report, Sent};
use super::connection::Connection;
use super::pool::Pool;
use super::progress::Progress;
use super::reading::{Unread, read};
use super::{Party, Repeat, UpstreamRequest};

/// Sends and reads, at most twice, from `begin`, which is now, until the deadline.
pub(super) async fn call(
    pool: &Pool,
    party: &Party,
    request: &UpstreamRequest,
    (begin, deadline): (Instant, Instant),
    repeat: Repeat,
) -> Report {
    let progress = Progress::default();
    let result = if begin < deadline {
        let attempts = attempts(pool, party, request, begin, repeat, &progress);
        timeout_at(deadline, attempts)
            .await
            .unwrap_or_else(|_elapsed| {
                Err(Fault::TimedOut {
                    sent: progress.sent(),
                })
            })
    } else {
        Err(Fault::TimedOut {
            sent: Sent::NotSent,
        })
    };
    let ended = progress.answered_at().unwrap_or_else(Instant::now);
    Report {
        result,
        upstream: ended.saturating_duration_since(begin),
        ended,
        connect: progress.connect(),
        attempts: progress.attempts(),
    }
}

/// A pooled connection may turn out closed: then once more, over a new one.
async fn attempts(
    pool: &Pool,
    party: &Party,
    request: &UpstreamRequest,
    begin: Instant,
    repeat: Repeat,
    progress: &Progress,
) -> Result<Answer, Fault> {
    let bytes = request.to_bytes();
    progress.begin_attempt();
    if let Some(connection) = pool.take(begin).await {
        match exchange(pool, party, connection, &bytes, progress).await {
            Err(Unread {
                is_silent: true, ..
            }) if repeat == Repeat::Safe || progress.sent() == Sent::NotSent => {}
            result => return result.map_err(|unread| unread.fault),
        }
        progress.begin_attempt();
    }
    let dialled = progress.dialling(pool.dial().open()).await;
    let connection = dialled.map_err(|unreached| match progress.sent() {
        Sent::NotSent => Fault::NotReached(unreached),
        sent @ Sent::MaybeSent => Fault::Closed { sent },
    })?;
    exchange(pool, party, connection, &bytes, progress)
        .await
        .map_err(|unread| unread.fault)
}

async fn exchange(
    pool: &Pool,
    party: &Party,
    mut connection: Connection,
    request: &[u8],
    progress: &Progress,
) -> Result<Answer, Unread> {
    if connection.write(request, progress).await.is_err() {
        let sent = progress.sent();
        return Err(Unread {
            fault: Fault::Closed { sent },
            is_silent: true,
        });
    }
    let whole = read(&mut connection, party.answer_limit_bytes(), progress).await?;
    let now = Instant::now();
    progress.set_answered(now);
    if let Some(idle) = whole.kept_for {
        connection.keep_for(idle, now);
        pool.put(connection);
    }
    Ok(whole.answer)
}

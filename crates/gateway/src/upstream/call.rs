//! One call.

use std::rc::Rc;

use tokio::time::{Instant, timeout_at};

use super::Repeat;
use super::answer::{Answer, Report, Sent, UpstreamFault};
use super::connection::UpstreamConnection;
use super::pool::Pool;
use super::progress::Progress;
use super::read_answer::{ReadFailure, WholeAnswer, read};

/// What goes out, and how much may come back.
pub(super) struct Exchange {
    /// Head and body.
    pub(super) request: Vec<u8>,
    /// Of the answer's body.
    pub(super) answer_max_bytes: usize,
    pub(super) repeat: Repeat,
}

/// Sends and reads, at most twice, from `begin`, which is now, until the deadline.
pub(super) async fn call(
    pool: Rc<Pool>,
    asked: Exchange,
    (begin, deadline): (Instant, Instant),
) -> Report {
    let progress = Progress::default();
    let result = if begin < deadline {
        timeout_at(deadline, attempts(&pool, &asked, begin, &progress))
            .await
            .unwrap_or_else(|_elapsed| {
                Err(UpstreamFault::TimedOut {
                    sent: progress.sent(),
                })
            })
    } else {
        Err(UpstreamFault::TimedOut {
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
    asked: &Exchange,
    begin: Instant,
    progress: &Progress,
) -> Result<Answer, UpstreamFault> {
    progress.begin_attempt();
    if let Some(mut connection) = pool.take(begin).await {
        match exchange(&mut connection, asked, progress).await {
            Ok(whole) => return Ok(settle(pool, connection, whole, progress)),
            Err(ReadFailure {
                is_silent: true, ..
            }) if asked.repeat == Repeat::Safe || progress.sent() == Sent::NotSent => {}
            Err(unread) => return Err(unread.fault),
        }
        drop(connection);
        progress.begin_attempt();
    }
    // Boxed, so that a call over a pooled connection is not as large as one that dials.
    let dialled = Box::pin(progress.dialling(pool.dial().open())).await;
    let mut connection = dialled.map_err(|unreached| match progress.sent() {
        Sent::NotSent => UpstreamFault::NotReached(unreached),
        sent @ Sent::MaybeSent => UpstreamFault::Closed { sent },
    })?;
    match exchange(&mut connection, asked, progress).await {
        Ok(whole) => Ok(settle(pool, connection, whole, progress)),
        Err(unread) => Err(unread.fault),
    }
}

async fn exchange(
    connection: &mut UpstreamConnection,
    asked: &Exchange,
    progress: &Progress,
) -> Result<WholeAnswer, ReadFailure> {
    if connection.write(&asked.request, progress).await.is_err() {
        let sent = progress.sent();
        return Err(ReadFailure {
            fault: UpstreamFault::Closed { sent },
            is_silent: true,
        });
    }
    read(connection, asked.answer_max_bytes, progress).await
}

/// The answer is whole: its connection waits for the next call, where there may be one.
fn settle(
    pool: &Pool,
    mut connection: UpstreamConnection,
    whole: WholeAnswer,
    progress: &Progress,
) -> Answer {
    let now = Instant::now();
    progress.set_answered(now);
    if let Some(idle) = whole.kept_for {
        connection.keep_for(idle, now);
        pool.put(connection);
    }
    whole.answer
}

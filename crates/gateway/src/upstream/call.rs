//! One call to a party, in one or two attempts.

use std::rc::Rc;

use tokio::time::{Instant, timeout_at};

use super::answer::{Answer, CallReport, Sent, UpstreamFault};
use super::connection::UpstreamConnection;
use super::pool::Pool;
use super::progress::CallProgress;
use super::read_answer::{ReadFailure, WholeAnswer, read};
use super::request::{Exchange, Repeat};

/// Sends the request and reads the answer, at most twice, from `begin`, which is now, until the deadline.
pub(super) async fn call(pool: Rc<Pool>, exchange: Exchange, begin: Instant) -> CallReport {
    let progress = CallProgress::default();
    let result = if begin < exchange.deadline {
        let sent = send(&pool, &exchange, begin, &progress);
        timeout_at(exchange.deadline, sent)
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
    let ended_at = progress.answered_at().unwrap_or_else(Instant::now);
    CallReport {
        result,
        duration: ended_at.saturating_duration_since(begin),
        ended_at,
        connect_duration: progress.connect_duration(),
        attempts: progress.attempts(),
    }
}

/// Sends the request over a pooled connection if there is one. If the party has closed that one and the request
/// may be repeated, or if there was none, sends it over a new connection.
async fn send(
    pool: &Pool,
    exchange: &Exchange,
    begin: Instant,
    progress: &CallProgress,
) -> Result<Answer, UpstreamFault> {
    progress.begin_attempt();
    if let Some(mut connection) = pool.take(exchange.repeat, begin).await {
        match send_and_read(&mut connection, exchange, progress).await {
            Ok(whole) => return Ok(finish(pool, connection, whole, progress)),
            Err(failure) => {
                if failure.is_before_first_byte {
                    pool.learn_closed(connection.idle_time(begin), begin);
                }
                let may_repeat =
                    exchange.repeat == Repeat::Safe || progress.sent() == Sent::NotSent;
                if !(failure.is_before_first_byte && may_repeat) {
                    return Err(failure.fault);
                }
            }
        }
        drop(connection);
        progress.begin_attempt();
    }
    // Boxed, so that the future of every call does not hold the room for opening a connection.
    let opened = Box::pin(progress.time_connecting(pool.dialer().open())).await;
    let mut connection = opened.map_err(|failure| match progress.sent() {
        Sent::NotSent => UpstreamFault::NotReached(failure),
        sent @ Sent::MaybeSent => UpstreamFault::Closed { sent },
    })?;
    match send_and_read(&mut connection, exchange, progress).await {
        Ok(whole) => Ok(finish(pool, connection, whole, progress)),
        Err(failure) => Err(failure.fault),
    }
}

async fn send_and_read(
    connection: &mut UpstreamConnection,
    exchange: &Exchange,
    progress: &CallProgress,
) -> Result<WholeAnswer, ReadFailure> {
    if connection.write(&exchange.request, progress).await.is_err() {
        let sent = progress.sent();
        return Err(ReadFailure {
            fault: UpstreamFault::Closed { sent },
            is_before_first_byte: true,
        });
    }
    read(connection, exchange, progress).await
}

/// Records the whole answer and returns its connection to the pool if it can be kept.
fn finish(
    pool: &Pool,
    mut connection: UpstreamConnection,
    whole: WholeAnswer,
    progress: &CallProgress,
) -> Answer {
    let now = Instant::now();
    progress.set_answered(now);
    if let Some(idle) = whole.keep_alive {
        connection.keep_for(idle, now);
        pool.put(connection);
    }
    whole.answer
}

//! Delivering again: on an operator's word, and by the gateway itself where a biller's file says
//! `redeliver = "backoff"`.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::task::JoinHandle;
use ledger::{Cancellation, EventDelivery, JournalError, Ledger, SkipCancelled, Timestamp};
use protocol::{BillerCode, PayType};
use tokio::time::MissedTickBehavior;

use crate::call::Call;
use crate::config::Redeliver;
use crate::flow::redeliver::{Redelivered, redeliver};
use crate::registry::RegisteredBiller;
use crate::state::Worker;

/// How often the gateway looks for what is due.
const EVERY: Duration = Duration::from_secs(5);

/// Pay-results of one biller that are delivered in one go, one after another.
const ROUND: usize = 50;

/// Pay-results that are looked at for that: some turn out to be cancelled, or accepted, elsewhere.
const LOOKED_AT: usize = 1_000;

/// Pauses between two attempts grow from the first to the second,
const SHORTEST_PAUSE: Duration = Duration::from_mins(1);
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// and after this time a payment is left to an operator.
const GIVE_UP_AFTER: Duration = Duration::from_hours(24);

/// Tells the biller of one event again, unless it is to be left alone; the attempt is brought to its
/// end even when nobody waits for it any more, and a stop waits for it.
///
/// # Errors
/// When the journal cannot be read.
pub async fn deliver_again(
    worker: &Rc<Worker>,
    biller: &RegisteredBiller,
    one: &EventDelivery,
    skip: SkipCancelled,
) -> Result<Redelivered, JournalError> {
    let _awaited = worker.shared().redeliveries.token();
    let ledger = &worker.shared().ledger;
    let mut delivery_attempts = ledger.delivery_attempts(std::slice::from_ref(one)).await?;
    let Some(attempts) = delivery_attempts.pop().flatten() else {
        return Ok(Redelivered::NotKept);
    };
    let call = Call::internal(Rc::clone(worker));
    let outcome = redeliver(&call, biller, one, attempts.last_message, skip).await?;
    if let Redelivered::Told(told) = &outcome {
        tracing::info!(
            request_id = call.request_id(),
            biller = biller.code().as_str(),
            pay_id = %one.event.pay_id,
            attempt = attempts.count + 1,
            state = told.state.name(),
            res_code = told.res_code,
            "a pay-result was delivered again"
        );
    }
    Ok(outcome)
}

/// Begins to deliver again what is due, on the calling thread's runtime; ends with the drain.
pub fn start(worker: Rc<Worker>) -> JoinHandle<()> {
    actix_web::rt::spawn(async move {
        let mut rounds: HashMap<BillerCode, JoinHandle<()>> = HashMap::new();
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if worker.shared().is_draining() {
                return;
            }
            rounds.retain(|_, round| !round.is_finished());
            if worker.shared().ledger.undelivered() == 0 {
                continue;
            }
            let registry = worker.shared().registry();
            for biller in registry.billers() {
                let wants = biller.settings.redeliver == Redeliver::Backoff;
                // A biller that hangs holds up its own rounds, nobody else's.
                if wants && !rounds.contains_key(&biller.code()) {
                    let round = round(Rc::clone(&worker), Arc::clone(biller));
                    rounds.insert(biller.code(), actix_web::rt::spawn(round));
                }
            }
        }
    })
}

/// Delivers what is due of one biller; ends early where the biller does not answer.
async fn round(worker: Rc<Worker>, biller: Arc<RegisteredBiller>) {
    let ledger = worker.shared().ledger.clone();
    let code = biller.code();
    let due = actix_web::rt::task::spawn_blocking(move || due(&ledger, code)).await;
    let mut told_now = 0;
    for one in due.unwrap_or_default() {
        if worker.shared().is_draining() || told_now == ROUND {
            return;
        }
        match deliver_again(&worker, &biller, &one, SkipCancelled::AnyPart).await {
            Ok(Redelivered::Told(told)) if told.is_silence => return,
            Ok(Redelivered::Told(_)) => told_now += 1,
            Ok(Redelivered::OutOfReach) => return,
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, "a pay-result cannot be delivered again");
                return;
            }
        }
    }
}

fn due(ledger: &Ledger, biller: BillerCode) -> Vec<EventDelivery> {
    let now = Timestamp::now();
    let mut due = ledger.undelivered_payments(Some(biller));
    due.retain(|one| is_due(one, now));
    // The one that has waited longest since its last attempt; none keeps the others from theirs.
    due.sort_by_key(|one| one.last_attempt);
    due.truncate(LOOKED_AT);
    due
}

/// Whether it is time for another attempt. The pauses double without anybody counting: each is as
/// long as all the time before it. Cancels, and payments of which anything was cancelled, are left
/// to Kakao Pay and to operators: in another order than they happened they could mislead a biller.
fn is_due(one: &EventDelivery, now: Timestamp) -> bool {
    let Some(reported_at) = one.reported_at else {
        return false;
    };
    if one.event.pay_type != PayType::P || one.cancelled != Cancellation::No {
        return false;
    }
    let pause = between(reported_at, one.last_attempt).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
    between(reported_at, now) <= GIVE_UP_AFTER && between(one.last_attempt, now) >= pause
}

/// Nothing where the clock stepped back.
fn between(earlier: Timestamp, later: Timestamp) -> Duration {
    let millis = later.millis().saturating_sub(earlier.millis());
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ledger::DeliveryState;
    use protocol::{Bill, Decimal, PaidAt, PaymentEvent};

    use super::*;

    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;

    /// One that was taken at second 0 and last tried at `last_attempt`, in seconds.
    fn tried(last_attempt: i64) -> EventDelivery {
        EventDelivery {
            bill: Bill::from_parts(BillerCode::parse("B").unwrap(), "u", "", "", "", &[]),
            event: PaymentEvent {
                pay_id: Decimal::parse("1").unwrap(),
                pay_type: PayType::P,
                paid_at: PaidAt::parse("20261124120000").unwrap(),
                pay_amount: Decimal::parse("20000").unwrap(),
            },
            state: DeliveryState::Refused,
            last_attempt: Timestamp::from_seconds(last_attempt),
            reported_at: Some(Timestamp::from_seconds(0)),
            cancelled: Cancellation::No,
        }
    }

    #[test]
    fn pauses_double_from_a_minute_to_an_hour_for_a_day() {
        let mut attempts = vec![0];
        for second in 1..=26 * HOUR {
            let last = *attempts.last().unwrap();
            if is_due(&tried(last), Timestamp::from_seconds(second)) {
                attempts.push(second);
            }
        }
        let minutes: Vec<i64> = attempts.iter().map(|second| second / MINUTE).collect();
        assert_eq!(minutes[..9], [0, 1, 2, 4, 8, 16, 32, 64, 124]);
        assert!(minutes[8..].windows(2).all(|pair| pair[1] - pair[0] == 60));
        assert_eq!(minutes.last(), Some(&1384));
    }

    #[test]
    fn cancelled_payments_and_cancels_are_left_alone() {
        let later = Timestamp::from_seconds(HOUR);
        assert!(is_due(&tried(0), later));
        for cancelled in [Cancellation::InPart, Cancellation::Fully] {
            let one = EventDelivery {
                cancelled,
                ..tried(0)
            };
            assert!(!is_due(&one, later), "{cancelled:?}");
        }
        let mut cancel = tried(0);
        cancel.event.pay_type = PayType::C;
        assert!(!is_due(&cancel, later));
        cancel.reported_at = None;
        assert!(!is_due(&cancel, later));
        assert!(!is_due(&tried(0), Timestamp::from_seconds(-HOUR)));
    }
}

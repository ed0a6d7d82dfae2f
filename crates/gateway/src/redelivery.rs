//! Redelivery of undelivered pay-results: by an operator, or periodically for billers with `redeliver = "backoff"`.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::task::JoinHandle;
use ledger::{Cancellation, EventDelivery, JournalError, Ledger, Timestamp};
use protocol::{BillerCode, PayType};
use tokio::time::MissedTickBehavior;

use crate::call::Call;
use crate::config::Redeliver;
use crate::flow::redeliver::{Redelivered, RedeliveryRules, redeliver};
use crate::registry::RegisteredBiller;
use crate::state::Worker;

/// Interval between two searches for due pay-results.
const EVERY: Duration = Duration::from_secs(5);

/// Most pay-results of one biller that one round delivers, one after another.
const ROUND: usize = 50;

/// Most pay-results that one round considers; some turn out to be cancelled, or accepted on another node.
const LOOKED_AT: usize = 1_000;

/// Bounds of the pause between two attempts, which doubles.
const SHORTEST_PAUSE: Duration = Duration::from_mins(1);
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// Age at which a pay-result is left to operators.
const GIVE_UP_AFTER: Duration = Duration::from_hours(24);

/// Delivers one pay-result again; a shutdown waits for it.
///
/// # Errors
/// If the journal cannot be read.
pub async fn deliver_again(
    worker: &Rc<Worker>,
    biller: &RegisteredBiller,
    one: &EventDelivery,
    rules: RedeliveryRules,
) -> Result<Redelivered, JournalError> {
    let _awaited = worker.shared().redeliveries.token();
    let ledger = &worker.shared().ledger;
    let mut delivery_attempts = ledger.delivery_attempts(std::slice::from_ref(one)).await?;
    let Some(attempts) = delivery_attempts.pop().flatten() else {
        return Ok(Redelivered::NotKept);
    };
    let call = Call::internal(Rc::clone(worker));
    let outcome = redeliver(&call, biller, one, attempts.last_message, rules).await?;
    if let Redelivered::Attempted(attempt) = &outcome {
        tracing::info!(
            request_id = call.request_id(),
            biller = biller.code().as_str(),
            pay_id = %one.event.pay_id,
            attempt = attempts.count + 1,
            state = attempt.state.name(),
            res_code = attempt.res_code,
            "a pay-result was delivered again"
        );
    }
    Ok(outcome)
}

/// Starts the periodic redelivery on the calling thread's runtime; it ends with the drain.
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
                // One round per biller, so that a biller that hangs delays only its own.
                if wants && !rounds.contains_key(&biller.code()) {
                    let round = round(Rc::clone(&worker), Arc::clone(biller));
                    rounds.insert(biller.code(), actix_web::rt::spawn(round));
                }
            }
        }
    })
}

/// Delivers the due pay-results of one biller; stops at the first missing answer.
async fn round(worker: Rc<Worker>, biller: Arc<RegisteredBiller>) {
    let ledger = worker.shared().ledger.clone();
    let code = biller.code();
    let due = actix_web::rt::task::spawn_blocking(move || due(&ledger, code)).await;
    let mut attempts_made = 0;
    for one in due.unwrap_or_default() {
        if worker.shared().is_draining() || attempts_made == ROUND {
            return;
        }
        match deliver_again(&worker, &biller, &one, RedeliveryRules::AUTOMATIC).await {
            Ok(Redelivered::Attempted(attempt)) if attempt.is_unanswered => return,
            Ok(Redelivered::Attempted(_)) => attempts_made += 1,
            Ok(Redelivered::OutOfReach) => return,
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, "a pay-result cannot be delivered again");
                return;
            }
        }
    }
}

/// Returns the pay-results of a biller that are due and fall to this node.
fn due(ledger: &Ledger, biller: BillerCode) -> Vec<EventDelivery> {
    let now = Timestamp::now();
    let mut due = ledger
        .undelivered_payments(Some(biller))
        .unwrap_or_else(|error| {
            tracing::error!(%error, "undelivered pay-results cannot be listed");
            Vec::new()
        });
    due.retain(|one| is_due(one, now));
    // The oldest attempt first, so that every pay-result gets its turn.
    due.sort_by_key(|one| one.last_attempt);
    match ledger.own_turns(due) {
        Ok(own) => own.take(LOOKED_AT).collect(),
        Err(error) => {
            tracing::error!(%error, "undelivered pay-results cannot be listed");
            Vec::new()
        }
    }
}

/// Returns whether another attempt is due. The pause before it is as long as all the time before the last
/// attempt, so pauses double. Cancels, and payments that were cancelled in any part, are left to operators: a biller
/// could book them in the wrong order.
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

/// Returns the time between two stamps; zero if the clock stepped back.
fn between(earlier: Timestamp, later: Timestamp) -> Duration {
    let millis = later.millis().saturating_sub(earlier.millis());
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ledger::DeliveryState;
    use protocol::{Bill, Decimal, PaidAt, PayId, PaymentEvent};

    use super::*;

    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;

    /// Returns a pay-result that came at second 0 and was last attempted at second `last_attempt`.
    fn tried(last_attempt: i64) -> EventDelivery {
        EventDelivery {
            bill: Bill::from_parts(BillerCode::parse("B").unwrap(), "u", "", "", "", &[]),
            event: PaymentEvent {
                pay_id: PayId::parse("1").unwrap(),
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
    fn cancelled_payments_and_cancels_are_not_redelivered() {
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

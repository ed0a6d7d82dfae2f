//! The load of a round: callers that each have a bill linked and paid, then take the next one.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::bill::{Bill, PayEvent};
use crate::calls::{Api, CallOutcome};
use crate::load::caller_connections::CallerConnections;
use crate::load::request::Request;
use crate::load::stop::{Stop, StopGuard};
use crate::node::NODES;
use crate::random::Random;
use crate::testbed::Testbed;

const CALLERS: usize = 12;

/// How often a pay-result is sent without an answer before the caller gives up.
const TRIES: usize = 40;

/// The pause between two tries.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// A bill whose pay-result a node answered.
#[derive(Clone, Copy, Debug)]
pub struct PaidBill {
    pub bill: Bill,
    /// The biller accepted it.
    pub is_accepted: bool,
    /// A caller got a link.
    pub is_linked: bool,
}

impl PaidBill {
    /// Returns its pay-result, the same bytes each time.
    pub fn pay_result(bill: Bill, node: usize, id: String) -> Request {
        let event = PayEvent {
            pay_type: "P",
            pay_id: bill.0 * 10,
            paid_at: 20_261_124_120_000,
            amount: 20_000,
        };
        Request::pay_result(bill, node, id, (0, &event))
    }
}

/// The bills of all rounds.
#[derive(Debug, Default)]
pub struct RoundLoad {
    next: AtomicU64,
    paid: Mutex<Vec<PaidBill>>,
}

impl RoundLoad {
    /// Pays one bill after the other until `during` has returned; returns those that were paid.
    pub fn run(&self, testbed: &Testbed, during: impl FnOnce()) -> Vec<PaidBill> {
        let stop = Stop::default();
        thread::scope(|scope| {
            let _stop_guard = StopGuard::of(&stop);
            for _ in 0..CALLERS {
                scope.spawn(|| {
                    while !stop.is_set() {
                        let bill = Bill(self.next.fetch_add(1, Ordering::Relaxed));
                        let paid = pay(testbed, bill);
                        self.paid.lock().unwrap().extend(paid);
                    }
                });
            }
            during();
        });
        std::mem::take(&mut self.paid.lock().unwrap())
    }
}

/// Makes a link of a bill and reports its payment, until some node answers.
fn pay(testbed: &Testbed, bill: Bill) -> Option<PaidBill> {
    let mut random = Random::of(testbed.seed, &format!("round bill {}", bill.0));
    let mut connections = CallerConnections::to(&testbed.nodes);
    let link = Request::without_event(
        bill,
        Api::Create,
        random.index(NODES),
        format!("b{}.link", bill.0),
    );
    let link = link.send(testbed, &mut connections);
    for attempt in 0..TRIES {
        let id = format!("b{}.c{attempt}", bill.0);
        let request = PaidBill::pay_result(bill, random.index(NODES), id);
        if let CallOutcome::Answered(answer) = request.send(testbed, &mut connections) {
            return Some(PaidBill {
                bill,
                is_accepted: answer.is_ok(),
                is_linked: matches!(link, CallOutcome::Answered(link) if link.is_ok()),
            });
        }
        thread::sleep(RETRY_PAUSE);
    }
    None
}

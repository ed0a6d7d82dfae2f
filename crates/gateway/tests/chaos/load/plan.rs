//! The calls for one bill; the same seed gives the same plan.

use std::time::Duration;

use crate::bill::{Bill, PayEvent};
use crate::node::NODES;
use crate::random::Random;

/// The amount of a bill in won.
const AMOUNT: i64 = 20_000;

/// One call or several concurrent ones.
#[derive(Clone, Debug)]
pub enum Step {
    /// A `link_create` on this node.
    Create(usize),
    /// A `link_create` on two nodes concurrently.
    CreateOnTwo([usize; 2]),
    Recreate(usize),
    Notice(usize),
    Prepay(usize),
    /// Reports an event to these nodes in turn until it is answered.
    Report {
        event: usize,
        nodes: Vec<usize>,
    },
    /// Sends a copy of an event's report to this node.
    Copy {
        event: usize,
        node: usize,
    },
    /// Sends two copies of an event's report to the same node concurrently.
    TwoCopies {
        event: usize,
        node: usize,
    },
    /// Reports two payments concurrently, each on another node.
    Race {
        events: [usize; 2],
        nodes: [usize; 2],
    },
    Pause(Duration),
}

/// What the payments of a bill amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// At most one payment in force at any time.
    Plain,
    /// A payment, its full cancel (or more than that), then another payment: no double payment, but it
    /// looks like one to a node that does not see the cancel.
    PaidAgain,
    /// Two payments: an error bill (`E817`).
    Double,
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub bill: Bill,
    pub intent: Intent,
    pub events: Vec<PayEvent>,
    pub steps: Vec<Step>,
}

impl Plan {
    pub fn of(seed: u64, bill: Bill) -> Self {
        let mut draft = Draft {
            random: Random::of(seed, &format!("bill {}", bill.0)),
            plan: Self {
                bill,
                intent: Intent::Plain,
                events: Vec::new(),
                steps: Vec::new(),
            },
        };
        draft.links();
        draft.payments();
        draft.afterwards();
        draft.plan
    }

    /// Returns the echo of the event's pay-result, which is the same in every copy.
    pub fn echo(bill: Bill, event: usize) -> String {
        format!("b{}.e{event}", bill.0)
    }
}

struct Draft {
    random: Random,
    plan: Plan,
}

impl Draft {
    fn links(&mut self) {
        for _ in 0..self.random.below(4) {
            let node = self.node();
            let step = match self.random.below(10) {
                0..=2 => Step::CreateOnTwo(self.two_nodes()),
                3..=6 => Step::Create(node),
                7 | 8 => Step::Recreate(node),
                _ => Step::Notice(node),
            };
            self.push(step);
        }
    }

    fn payments(&mut self) {
        match self.random.below(100) {
            0..=9 => {}
            10..=39 => {
                self.pay(AMOUNT);
            }
            40..=59 => {
                let paid = self.pay(AMOUNT);
                self.cancel(paid, 5_000);
            }
            60..=74 => {
                let paid = self.pay(AMOUNT);
                self.cancel(paid, 5_000);
                self.cancel(paid, AMOUNT - 5_000);
            }
            75..=79 => {
                self.plan.intent = Intent::PaidAgain;
                let paid = self.pay(AMOUNT);
                self.cancel(paid, AMOUNT);
                self.pay(AMOUNT);
            }
            // A cancel does not reduce another payment, however large it is, ...
            80 | 81 => {
                self.plan.intent = Intent::PaidAgain;
                let paid = self.pay(AMOUNT);
                self.cancel(paid, 3 * AMOUNT);
                self.pay(AMOUNT);
            }
            // ... even if its own payment was never reported, ...
            82 | 83 => {
                let unreported = self.plan.bill.0 * 10 + 9;
                self.cancel(unreported, 3 * AMOUNT);
                self.pay(AMOUNT);
            }
            // ... or is reported after it.
            84 => {
                let paid = self.plan.bill.0 * 10 + 1;
                self.cancel(paid, AMOUNT);
                self.pay(AMOUNT);
            }
            85..=92 => {
                self.plan.intent = Intent::Double;
                self.pay(AMOUNT);
                self.pay(AMOUNT);
            }
            _ => {
                self.plan.intent = Intent::Double;
                let events = [self.event("P", None, AMOUNT), self.event("P", None, AMOUNT)];
                let nodes = self.two_nodes();
                self.push(Step::Race { events, nodes });
            }
        }
    }

    /// Adds copies and other calls after a pause.
    fn afterwards(&mut self) {
        for _ in 0..self.random.below(5) {
            let pause = self.random.milliseconds(0, 1_200);
            self.plan.steps.push(Step::Pause(pause));
            let node = self.node();
            let step = match (self.random.below(7), self.plan.events.len()) {
                (0, _) | (_, 0) => Step::Create(node),
                (1 | 2, _) => Step::Prepay(node),
                (3, _) => Step::Notice(node),
                (_, events) => Step::Copy {
                    event: self.random.index(events),
                    node,
                },
            };
            self.plan.steps.push(step);
        }
    }

    /// Adds a payment with its copies and returns its `pay_id`.
    fn pay(&mut self, amount: i64) -> u64 {
        let event = self.event("P", None, amount);
        self.report(event);
        self.plan.events[event].pay_id
    }

    fn cancel(&mut self, pay_id: u64, amount: i64) {
        let event = self.event("C", Some(pay_id), amount);
        self.report(event);
    }

    fn report(&mut self, event: usize) {
        let nodes = (0..5).map(|_| self.node()).collect();
        self.push(Step::Report { event, nodes });
        for _ in 0..self.random.below(3) {
            let node = self.node();
            let step = match self.random.below(9) {
                0 => Step::TwoCopies { event, node },
                1..=3 => Step::Prepay(node),
                _ => Step::Copy { event, node },
            };
            self.push(step);
        }
    }

    fn event(&mut self, pay_type: &'static str, pay_id: Option<u64>, amount: i64) -> usize {
        let number = self.plan.events.len();
        self.plan.events.push(PayEvent {
            pay_type,
            pay_id: pay_id.unwrap_or(self.plan.bill.0 * 10 + number as u64),
            paid_at: 20_261_124_120_000 + number as u64,
            amount,
        });
        number
    }

    fn push(&mut self, step: Step) {
        self.plan.steps.push(step);
        let pause = self.random.milliseconds(0, 250);
        self.plan.steps.push(Step::Pause(pause));
    }

    fn node(&mut self) -> usize {
        self.random.index(NODES)
    }

    fn two_nodes(&mut self) -> [usize; 2] {
        let one = self.node();
        let other = one + 1 + self.random.index(NODES - 1);
        [one, other % NODES]
    }
}

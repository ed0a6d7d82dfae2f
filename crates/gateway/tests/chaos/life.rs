//! One bill's plan, carried out.

use std::thread;
use std::time::Duration;

use crate::calls::{Api, CircuitOutcome};
use crate::line::Line;
use crate::plan::{Plan, Step};
use crate::sending::Sending;
use crate::world::World;

/// How often a pay-result is sent that nobody answers, before the caller gives up.
const TRIES: usize = 40;

/// Between two tries.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Whether a bill's plan goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    GoesOn,
    /// A pay-result was never answered: what comes after it makes no sense.
    GaveUp,
}

pub struct Life<'a> {
    world: &'a World,
    plan: &'a Plan,
    line: Line<'a>,
    sent: u64,
}

impl<'a> Life<'a> {
    pub fn of(world: &'a World, plan: &'a Plan) -> Self {
        Self {
            world,
            plan,
            line: Line::to(&world.nodes),
            sent: 0,
        }
    }

    /// Ends when every call of the step has ended.
    pub fn take(&mut self, step: &Step) -> Progress {
        match step {
            Step::Pause(time) => thread::sleep(*time),
            Step::Create(node) => self.ask(Api::Create, *node),
            Step::Recreate(node) => self.ask(Api::Recreate, *node),
            Step::Notice(node) => self.ask(Api::Notice, *node),
            Step::Prepay(node) => self.ask(Api::Prepay, *node),
            Step::CreateOnBoth => {
                let sendings = [0, 1].map(|node| self.question(Api::Create, node));
                self.at_once(sendings);
            }
            Step::Report { event, nodes } => return self.report(*event, nodes),
            Step::Copy { event, node } => {
                self.tell(*event, *node);
            }
            Step::TwoCopies { event, node } => {
                let sendings = [0, 1].map(|_| self.pay_result(*event, *node));
                self.at_once(sendings);
            }
            Step::Race { events } => {
                let sendings = [0, 1].map(|node| self.pay_result(events[node], node));
                return self.at_once(sendings);
            }
        }
        Progress::GoesOn
    }

    /// Kakao Pay reports until it is answered.
    fn report(&mut self, event: usize, nodes: &[usize]) -> Progress {
        for attempt in 0..TRIES {
            match self.tell(event, nodes[attempt % nodes.len()]) {
                CircuitOutcome::Answered(_) => return Progress::GoesOn,
                CircuitOutcome::NotSent | CircuitOutcome::Silence => thread::sleep(TRY_AGAIN_AFTER),
            }
        }
        Progress::GaveUp
    }

    fn ask(&mut self, api: Api, node: usize) {
        self.question(api, node).send(self.world, &mut self.line);
    }

    fn tell(&mut self, event: usize, node: usize) -> CircuitOutcome {
        self.pay_result(event, node)
            .send(self.world, &mut self.line)
    }

    fn at_once(&mut self, [one, other]: [Sending; 2]) -> Progress {
        let (world, line) = (self.world, &mut self.line);
        let outcomes = thread::scope(|scope| {
            let other = scope.spawn(|| other.send(world, &mut Line::to(&world.nodes)));
            [one.send(world, line), other.join().unwrap()]
        });
        let answered = |outcome: &CircuitOutcome| matches!(outcome, CircuitOutcome::Answered(_));
        if outcomes.iter().all(answered) {
            Progress::GoesOn
        } else {
            Progress::GaveUp
        }
    }

    fn question(&mut self, api: Api, node: usize) -> Sending {
        Sending::question(self.plan.bill, api, node, self.next_id())
    }

    fn pay_result(&mut self, event: usize, node: usize) -> Sending {
        let id = self.next_id();
        Sending::pay_result(self.plan.bill, node, id, (event, &self.plan.events[event]))
    }

    fn next_id(&mut self) -> String {
        self.sent += 1;
        format!("b{}.c{}", self.plan.bill.0, self.sent)
    }
}

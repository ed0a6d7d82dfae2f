//! Executes the plan of one bill.

use std::thread;
use std::time::Duration;

use crate::calls::{Api, CallOutcome};
use crate::load::caller_connections::CallerConnections;
use crate::load::plan::{Plan, Step};
use crate::load::request::Request;
use crate::testbed::Testbed;

/// How often a pay-result is sent without an answer before the caller gives up.
const TRIES: usize = 40;

/// The pause between two tries.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// Whether a plan continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Continues,
    /// A pay-result was never answered, so the later steps do not apply.
    Abandoned,
}

pub struct PlanExecution<'a> {
    testbed: &'a Testbed,
    plan: &'a Plan,
    connections: CallerConnections<'a>,
    sent: u64,
}

impl<'a> PlanExecution<'a> {
    pub fn of(testbed: &'a Testbed, plan: &'a Plan) -> Self {
        Self {
            testbed,
            plan,
            connections: CallerConnections::to(&testbed.nodes),
            sent: 0,
        }
    }

    /// Returns when every call of the step has ended.
    pub fn execute(&mut self, step: &Step) -> Progress {
        match step {
            Step::Pause(time) => thread::sleep(*time),
            Step::Create(node) => self.call(Api::Create, *node),
            Step::Recreate(node) => self.call(Api::Recreate, *node),
            Step::Notice(node) => self.call(Api::Notice, *node),
            Step::Prepay(node) => self.call(Api::Prepay, *node),
            Step::CreateOnTwo(nodes) => {
                let requests = nodes.map(|node| self.request(Api::Create, node));
                self.at_once(requests);
            }
            Step::Report { event, nodes } => return self.report(*event, nodes),
            Step::Copy { event, node } => {
                self.report_once(*event, *node);
            }
            Step::TwoCopies { event, node } => {
                let requests = [0, 1].map(|_| self.pay_result(*event, *node));
                self.at_once(requests);
            }
            Step::Race { events, nodes } => {
                let requests = [0, 1].map(|at| self.pay_result(events[at], nodes[at]));
                return self.at_once(requests);
            }
        }
        Progress::Continues
    }

    /// Reports an event as Kakao Pay does: until it is answered.
    fn report(&mut self, event: usize, nodes: &[usize]) -> Progress {
        for attempt in 0..TRIES {
            match self.report_once(event, nodes[attempt % nodes.len()]) {
                CallOutcome::Answered(_) => return Progress::Continues,
                CallOutcome::NotSent | CallOutcome::NoAnswer => thread::sleep(RETRY_PAUSE),
            }
        }
        Progress::Abandoned
    }

    fn call(&mut self, api: Api, node: usize) {
        self.request(api, node)
            .send(self.testbed, &mut self.connections);
    }

    fn report_once(&mut self, event: usize, node: usize) -> CallOutcome {
        self.pay_result(event, node)
            .send(self.testbed, &mut self.connections)
    }

    fn at_once(&mut self, [one, other]: [Request; 2]) -> Progress {
        let (testbed, connections) = (self.testbed, &mut self.connections);
        let outcomes = thread::scope(|scope| {
            let other =
                scope.spawn(|| other.send(testbed, &mut CallerConnections::to(&testbed.nodes)));
            [one.send(testbed, connections), other.join().unwrap()]
        });
        let answered = |outcome: &CallOutcome| matches!(outcome, CallOutcome::Answered(_));
        if outcomes.iter().all(answered) {
            Progress::Continues
        } else {
            Progress::Abandoned
        }
    }

    fn request(&mut self, api: Api, node: usize) -> Request {
        Request::without_event(self.plan.bill, api, node, self.next_id())
    }

    fn pay_result(&mut self, event: usize, node: usize) -> Request {
        let id = self.next_id();
        Request::pay_result(self.plan.bill, node, id, (event, &self.plan.events[event]))
    }

    fn next_id(&mut self) -> String {
        self.sent += 1;
        format!("b{}.c{}", self.plan.bill.0, self.sent)
    }
}

//! A request that has not been sent yet.

use crate::bill::{Bill, PayEvent};
use crate::calls::{Api, Call, CallOutcome};
use crate::load::caller_connections::CallerConnections;
use crate::load::plan::Plan;
use crate::testbed::Testbed;

#[derive(Clone, Debug)]
pub struct Request {
    bill: Bill,
    api: Api,
    node: usize,
    id: String,
    echo: String,
    body: String,
}

impl Request {
    /// Returns a link call, a notice or a prepay; its echo is its id.
    pub fn without_event(bill: Bill, api: Api, node: usize, id: String) -> Self {
        let body = match api {
            Api::Create | Api::Recreate => bill.link(&id),
            Api::Notice => bill.notice(&id),
            Api::Prepay | Api::PayResult => bill.prepay(&id),
        };
        Self {
            bill,
            api,
            node,
            echo: id.clone(),
            id,
            body,
        }
    }

    /// Returns a pay-result. Its echo is the event's name, so that every copy has the same bytes.
    pub fn pay_result(bill: Bill, node: usize, id: String, event: (usize, &PayEvent)) -> Self {
        let (number, event) = event;
        let echo = Plan::echo(bill, number);
        Self {
            bill,
            api: Api::PayResult,
            node,
            id,
            body: bill.pay_result(&echo, event),
            echo,
        }
    }

    /// Sends the request and logs the call.
    pub fn send(self, testbed: &Testbed, connections: &mut CallerConnections<'_>) -> CallOutcome {
        testbed.calls.during(|begun| {
            let path = self.api.path(self.bill);
            let outcome = connections.post(self.node, &path, &self.id, &self.body);
            Call {
                id: self.id,
                api: self.api,
                bill: self.bill,
                echo: self.echo,
                node: self.node,
                begun,
                ended: testbed.clock.now(),
                outcome,
            }
        })
    }
}

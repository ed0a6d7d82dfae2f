//! One call, before it is made.

use crate::bill::{Bill, PayEvent};
use crate::calls::{Api, Call, CircuitOutcome};
use crate::line::Line;
use crate::plan::Plan;
use crate::world::World;

#[derive(Clone, Debug)]
pub struct Sending {
    bill: Bill,
    api: Api,
    node: usize,
    id: String,
    echo: String,
    body: String,
}

impl Sending {
    /// A link call, a notice or a prepay; it is echoed by its own name.
    pub fn question(bill: Bill, api: Api, node: usize, id: String) -> Self {
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

    /// A pay-result. Every copy has the same bytes, and so is echoed by the event's name.
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

    /// Makes the call, and writes it down.
    pub fn send(self, world: &World, line: &mut Line<'_>) -> CircuitOutcome {
        world.calls.during(|begun| {
            let path = self.api.path(self.bill);
            let outcome = line.post(self.node, &path, &self.id, &self.body);
            Call {
                id: self.id,
                api: self.api,
                bill: self.bill,
                echo: self.echo,
                node: self.node,
                begun,
                ended: world.clock.now(),
                outcome,
            }
        })
    }
}

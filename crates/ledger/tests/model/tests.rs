//! The scenarios.

use crate::broken::Broken;
use crate::call::Kind::{self, Create, PayResult};
use crate::note::{cancel, pay};
use crate::scenario::Scenario;
use crate::search::search;
use crate::state::Faults;
use crate::step::Model;

const BOUND: usize = 3_000_000;

fn hold(name: &str, scenario: Scenario) {
    let found = search(&Model::new(scenario), BOUND);
    println!("{name}: {found}");
}

#[test]
fn sizes() {
    let f = |c, w, o, t| Faults { crashes: c, wipes: w, outages: o, ticks: t };
    for (name, s) in [
        ("creates", Scenario::new(&[Create, Create], &[])),
        ("copies", Scenario::new(&[PayResult(0), PayResult(0)], &[pay("1")])),
        ("cancel", Scenario::new(&[PayResult(0), PayResult(1)], &[pay("1"), cancel("1")])),
        ("create+pay", Scenario::new(&[Create, PayResult(0)], &[pay("1")])),
        ("3 copies", Scenario::new(&[PayResult(0), PayResult(0), PayResult(0)], &[pay("1")])),
        ("pay cancel copy", Scenario::new(&[PayResult(0), PayResult(1), PayResult(0)], &[pay("1"), cancel("1")])),
        ("3 creates", Scenario::new(&[Create, Create, Create], &[])),
    ] {
        for x in [f(0,0,0,0), f(1,0,0,0), f(0,1,0,0), f(0,0,1,0), f(1,1,0,0), f(1,0,1,0), f(0,1,1,0)] {
            hold(&format!("{name} {x:?}"), s.clone().with(x));
        }
    }
}

//! The scenarios.

use crate::broken::Broken;
use crate::call::Kind::{self, Create, PayResult};
use crate::note::{cancel, pay};
use crate::scenario::Scenario;
use crate::search::search;
use crate::state::Faults;
use crate::step::Model;

/// No scenario of the ordinary run has more states.
const BOUND: usize = 5_000_000;

fn hold(name: &str, scenario: Scenario) {
    let found = search(&Model::new(scenario), BOUND);
    println!("{name}: {found}");
    assert!(found.violation.is_none(), "{name}: {found}");
}

const SOME: Faults = Faults {
    crashes: 2,
    wipes: 1,
    outages: 1,
    ticks: 0,
};

fn creates() -> Scenario {
    Scenario::new(&[Create, Create], &[])
}
fn copies() -> Scenario {
    Scenario::new(&[PayResult(0), PayResult(0)], &[pay("1")])
}

#[test]
fn size_creates() {
    hold(
        "creates",
        creates().with(Faults {
            ticks: 1,
            ..Faults::default()
        }),
    );
    hold(
        "creates crash",
        creates().with(Faults {
            ticks: 1,
            crashes: 1,
            ..Faults::default()
        }),
    );
    hold(
        "creates crash wipe",
        creates().with(Faults {
            ticks: 1,
            crashes: 1,
            wipes: 1,
            ..Faults::default()
        }),
    );
    hold(
        "creates wipe out",
        creates().with(Faults {
            ticks: 1,
            crashes: 0,
            wipes: 1,
            outages: 1,
        }),
    );
}

#[test]
fn size_copies() {
    hold("copies", copies());
    hold(
        "copies crash",
        copies().with(Faults {
            crashes: 1,
            ..Faults::default()
        }),
    );
    hold(
        "copies crash wipe",
        copies().with(Faults {
            crashes: 1,
            wipes: 1,
            ..Faults::default()
        }),
    );
    hold(
        "copies out wipe",
        copies().with(Faults {
            outages: 1,
            wipes: 1,
            ..Faults::default()
        }),
    );
}

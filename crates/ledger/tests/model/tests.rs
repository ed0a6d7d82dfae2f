//! The searches of all scenarios.

use crate::broken::Broken;
use crate::call::Kind::{Create, PayResult};
use crate::note::{cancel, pay};
use crate::scenario::Scenario;
use crate::search::search;
use crate::state::Faults;
use crate::step::Model;

/// States of one search at most; some 300 bytes each, while their level is searched.
const BOUND: usize = 20_000_000;

/// No faults and no passing of time.
const NONE: Faults = Faults {
    crashes: 0,
    wipes: 0,
    outages: 0,
    ticks: 0,
};

fn creates() -> Scenario {
    Scenario::new(&[Create, Create], &[])
}

fn copies() -> Scenario {
    Scenario::new(&[PayResult(0), PayResult(0)], &[pay("1")])
}

fn payment_and_cancel() -> Scenario {
    let events = [pay("1"), cancel("1")];
    Scenario::new(&[PayResult(0), PayResult(1)], &events)
}

fn create_and_payment() -> Scenario {
    Scenario::new(&[Create, PayResult(0)], &[pay("1")])
}

fn two_payments() -> Scenario {
    let mut scenario = Scenario::new(&[PayResult(0), PayResult(1)], &[pay("1"), pay("2")]);
    scenario.doubles_are_reported = true;
    scenario.calls_first = true;
    scenario
}

fn forgetting(mut scenario: Scenario) -> Scenario {
    scenario.forgets = true;
    scenario
}

fn fine(mut scenario: Scenario) -> Scenario {
    scenario.fine = true;
    scenario
}

#[track_caller]
fn hold(name: &str, scenarios: impl IntoIterator<Item = Scenario>) {
    for scenario in scenarios {
        let faults = scenario.faults;
        let found = search(&Model::new(scenario), BOUND);
        println!("{name}, {faults:?}: {found}");
        assert!(found.violation.is_none(), "{name}, {faults:?}: {found}");
    }
}

fn each(scenario: &Scenario, faults: &[Faults]) -> Vec<Scenario> {
    let with = |faults: &Faults| scenario.clone().with(*faults);
    faults.iter().map(with).collect()
}

#[test]
fn two_creations_of_one_bill_never_both_reach_kakao_pay() {
    let faults = [
        Faults {
            crashes: 1,
            outages: 1,
            ..NONE
        },
        Faults { wipes: 1, ..NONE },
        Faults { ticks: 1, ..NONE },
    ];
    hold("two creations", each(&creates(), &faults));
}

#[test]
fn creations_that_were_refused_are_forgotten_without_a_trace() {
    let faults = [
        NONE,
        Faults { wipes: 1, ..NONE },
        Faults { ticks: 1, ..NONE },
        Faults { crashes: 1, ..NONE },
    ];
    let scenario = forgetting(creates());
    hold("two creations, forgotten", each(&scenario, &faults));
}

#[test]
fn a_pay_result_that_was_accepted_is_not_delivered_again() {
    let faults = [
        Faults {
            crashes: 1,
            wipes: 1,
            ..NONE
        },
        Faults {
            crashes: 1,
            outages: 1,
            ..NONE
        },
        Faults {
            wipes: 1,
            outages: 1,
            ..NONE
        },
    ];
    hold("a pay-result and its copy", each(&copies(), &faults));
}

#[test]
fn a_payment_and_its_cancel_are_never_lost() {
    let faults = [
        Faults { crashes: 1, ..NONE },
        Faults { wipes: 1, ..NONE },
        Faults { outages: 1, ..NONE },
    ];
    hold(
        "a payment and its cancel",
        each(&payment_and_cancel(), &faults),
    );
}

#[test]
fn links_and_payments_of_one_bill_do_not_disturb_each_other() {
    let faults = [Faults { crashes: 1, ..NONE }, Faults { outages: 1, ..NONE }];
    hold(
        "a creation and a payment",
        each(&create_and_payment(), &faults),
    );
}

#[test]
fn two_payments_in_conflict_on_nodes_that_reach_redis_make_an_error_bill() {
    hold("two payments", [two_payments(), fine(two_payments())]);
}

#[test]
#[ignore = "minutes, and gigabytes of memory"]
fn all_invariants_with_more_faults_at_once() {
    let all = Faults {
        crashes: 1,
        wipes: 1,
        outages: 1,
        ticks: 0,
    };
    hold(
        "a pay-result and its copy",
        [copies().with(Faults { crashes: 2, ..all })],
    );
    hold("two creations", [creates().with(all)]);
    let three = Scenario::new(&[Create, Create, Create], &[]);
    hold("three creations, forgotten", [forgetting(three)]);
    hold(
        "two creations, and time",
        [creates().with(Faults {
            crashes: 1,
            ticks: 2,
            ..NONE
        })],
    );
    hold("a payment and its cancel", [payment_and_cancel().with(all)]);
    let faults = [
        Faults {
            crashes: 1,
            wipes: 1,
            ..NONE
        },
        Faults {
            wipes: 1,
            outages: 1,
            ..NONE
        },
    ];
    hold(
        "a creation and a payment",
        each(&create_and_payment(), &faults),
    );
    let three = Scenario::new(&[PayResult(0); 3], &[pay("1")]);
    hold("three copies", each(&three, &faults));
    let faults = [Faults { crashes: 1, ..NONE }, Faults { outages: 1, ..NONE }];
    hold("copies, finely", each(&fine(copies()), &faults));
    hold("cancel, finely", each(&fine(payment_and_cancel()), &faults));
}

#[test]
fn a_deliberate_fault_is_found() {
    let wipe = Faults { wipes: 1, ..NONE };
    let crash = Faults { crashes: 1, ..NONE };
    let outage = Faults { outages: 1, ..NONE };
    // fault of the model | scenario that finds it | violated invariant
    let table = [
        (Broken::RelayBeforeTheCommit, copies(), "(a)"),
        (Broken::ShareWithoutJoining, payment_and_cancel(), "(c)"),
        (Broken::SwapWithoutComparing, payment_and_cancel(), "(c)"),
        (Broken::SwapWithoutComparing, creates(), "(d)"),
        (
            Broken::DecideWithoutLocalKnowledge,
            creates().with(wipe),
            "(d)",
        ),
        (Broken::NoRewind, copies().with(wipe), "(b)"),
        (Broken::MarkAcrossRewinds, fine(copies()).with(wipe), "(b)"),
        (
            Broken::LeaveConflictsUnreported,
            two_payments().with(outage),
            "two payments are in conflict",
        ),
        (
            Broken::JudgeByOwnClock,
            creates_by_clocks_that_differ(),
            "(d)",
        ),
        (
            Broken::StampWithoutObserving,
            creates_by_clocks_that_differ(),
            "(d)",
        ),
        (Broken::LeaveInterruptedOpen, copies().with(crash), "(e)"),
        (Broken::LoseAnswers, copies().with(crash), "(b)"),
        (Broken::ForgetUnshared, forgetting(creates()), "(f)"),
    ];
    for (broken, scenario, invariant) in table {
        let found = search(&Model::broken(scenario, broken), BOUND);
        println!("{broken:?}: {found}");
        let violation = found.violation.map(|violation| violation.what);
        let names = violation
            .as_ref()
            .is_some_and(|what| what.starts_with(invariant));
        assert!(names, "{broken:?}: {violation:?}");
    }
}

#[test]
fn two_payments_in_conflict_after_a_resync_make_an_error_bill() {
    let faults = [
        Faults { outages: 1, ..NONE },
        Faults { crashes: 1, ..NONE },
        Faults { wipes: 1, ..NONE },
    ];
    hold("two payments", each(&two_payments(), &faults));
}

/// Three creations on two nodes, of which the second's clock is behind by as much as a
/// call's budget.
fn creates_by_clocks_that_differ() -> Scenario {
    let mut scenario = Scenario::new(&[Create, Create, Create], &[]);
    scenario.behind = [0, 1];
    scenario
}

#[test]
fn a_clock_that_is_behind_lets_no_two_creations_through() {
    hold("three creations", [creates_by_clocks_that_differ()]);
}

#[test]
fn what_was_shared_before_a_wipe_is_never_marked_after_it() {
    let wipe = Faults { wipes: 1, ..NONE };
    hold("copies, finely", [fine(copies()).with(wipe)]);
}

//! Checks the payment guarantees with real processes under faults: three gateways with a journal each, one
//! Redis between them, Kakao Pay and three billers that refuse, hang and disconnect, and callers that
//! send everything twice. Every process can be killed. Afterwards no pay-result may be lost, none may
//! have been delivered again after its biller accepted it, no bill may have two links, no call may have
//! been answered or relayed against its bill's state, nothing may have been misrouted, and what Redis
//! lacked must have been restored in time.
//!
//! `CHAOS_SEED` repeats a plan of calls, refusals and faults (their timing depends on the machine);
//! `CHAOS_SECONDS` makes a run longer, `CHAOS_ROUNDS` says how many nodes are destroyed one after the other; `CHAOS_VERBOSE` also prints the violations in excused cases;
//! `CHAOS_GATEWAY` names another built gateway to run; `RELAY_TEST_LEDGER_CACHE` gives the ledgers' caches a size.
#![allow(clippy::print_stdout, missing_docs, clippy::unwrap_used)]

mod bill;
mod calls;
mod checks;
mod clock;
mod cluster;
mod faults;
mod journal;
mod load;
mod node;
mod ops;
mod party;
mod random;
mod records;
mod report;
mod rounds;
mod run;
mod sentinel;
mod settings;
mod store;
mod testbed;

use cluster::Cluster;
use faults::Faults;
use settings::Settings;
use store::Standalone;
use test_support::redis::{Network, Persistence, Watched};

#[test]
fn payment_guarantees_hold_while_redis_keeps_its_data() {
    let settings = Settings::from_environment();
    let keeps = if settings.seed.is_multiple_of(2) {
        Persistence::EveryWrite
    } else {
        Persistence::EverySecond
    };
    let store = Standalone::start(keeps);
    run::run(
        settings,
        Box::new(store),
        Faults::of_one_redis(settings.seed),
    );
}

#[test]
fn payment_guarantees_hold_while_journals_are_slow_upgraded_and_restored() {
    let settings = Settings::from_environment();
    let store = Standalone::start(Persistence::EveryWrite);
    run::run(
        settings,
        Box::new(store),
        Faults::of_journals(settings.seed),
    );
}

#[test]
fn payment_guarantees_hold_while_redis_loses_all_data_in_each_crash() {
    let settings = Settings::from_environment();
    let store = Standalone::start(Persistence::Nothing);
    run::run(
        settings,
        Box::new(store),
        Faults::of_one_redis(settings.seed),
    );
}

#[test]
fn payment_guarantees_hold_while_disks_are_destroyed_and_streams_and_values_dropped() {
    let settings = Settings::from_environment();
    let store = Standalone::start(Persistence::EveryWrite);
    run::run(settings, Box::new(store), Faults::of_disks(settings.seed));
}

#[test]
fn nothing_is_lost_with_a_node_and_its_disk_in_many_rounds() {
    let seed = Settings::from_environment().seed;
    let store = Standalone::start(Persistence::EveryWrite);
    rounds::run((seed, rounds::rounds_from_environment()), Box::new(store));
}

#[test]
fn payment_guarantees_hold_when_sentinels_promote_a_lagging_replica() {
    let settings = Settings::from_environment().shortened();
    let faults = Faults::of_sentinels(settings.seed);
    run::run(settings, Box::new(Watched::start(Network::Proxied)), faults);
}

#[test]
fn payment_guarantees_hold_when_a_cluster_loses_a_master() {
    let settings = Settings::from_environment().shortened();
    let faults = Faults::of_a_cluster(settings.seed);
    run::run(settings, Box::new(Cluster::start()), faults);
}

//! The promise, put to the proof: two gateways with a journal each, one Redis between them, Kakao Pay
//! and three billers that refuse, hang and break off; callers who send everything twice; and whatever
//! can be killed is killed. Then it must be so that no pay-result was lost, none was told again after
//! its biller had accepted it, no bill got two links, none was asked for or turned away otherwise than
//! it stood, nothing went to somebody else, and what Redis lacked came back in time.
//!
//! `CHAOS_SEED` repeats a plan of calls, refusals and faults (what meets what is up to the machine);
//! `CHAOS_SECONDS` makes a run longer; `CHAOS_TELL` also tells of what happened where the contract
//! promises nothing; `CHAOS_GATEWAY` names another built gateway to put to the proof.
#![allow(clippy::print_stdout, missing_docs, clippy::unwrap_used)]

mod beginning;
mod bill;
mod blow;
mod calls;
mod clock;
mod cluster;
mod deed;
mod doubled;
mod evidence;
mod faults;
mod finding;
mod injector;
mod inquest;
mod journal;
mod knowledge;
mod life;
mod line;
mod lost;
mod misjudged;
mod misrouted;
mod node;
mod party;
mod plan;
mod question;
mod random;
mod recovery;
mod report;
mod run;
mod sending;
mod sentinel;
mod settings;
mod stand;
mod store;
mod stream;
mod told_twice;
mod trouble;
mod world;

use cluster::Cluster;
use faults::Faults;
use settings::Settings;
use store::Standalone;
use test_support::redis::{Network, Persistence, Watched};

#[test]
fn the_promise_holds_whatever_fails_while_redis_keeps_its_data() {
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
fn the_promise_holds_whatever_fails_while_redis_forgets_all_with_each_crash() {
    let settings = Settings::from_environment();
    let store = Standalone::start(Persistence::Nothing);
    run::run(
        settings,
        Box::new(store),
        Faults::of_one_redis(settings.seed),
    );
}

#[test]
fn the_promise_holds_when_sentinels_choose_a_replica_that_lags_behind() {
    let settings = Settings::from_environment().shortened();
    let faults = Faults::of_sentinels(settings.seed);
    run::run(settings, Box::new(Watched::start(Network::Proxied)), faults);
}

#[test]
fn the_promise_holds_when_a_cluster_loses_a_master() {
    let settings = Settings::from_environment().shortened();
    let faults = Faults::of_a_cluster(settings.seed);
    run::run(settings, Box::new(Cluster::start()), faults);
}

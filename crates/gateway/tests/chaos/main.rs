//! The promise, put to the proof: two gateways with a journal each, one Redis between them, Kakao Pay
//! and three billers that refuse, hang and break off; callers who send everything twice; and whatever
//! can be killed is killed. Then it must be so that no pay-result was lost, none was told again after
//! its biller had accepted it, no bill got two links, and nothing went to somebody else.
//!
//! `CHAOS_SEED` repeats a plan of calls, refusals and faults (what meets what is up to the machine);
//! `CHAOS_SECONDS` makes a run longer; `CHAOS_TELL` also tells of what happened where the contract
//! promises nothing; `CHAOS_GATEWAY` names another built gateway to put to the proof.
#![allow(clippy::print_stdout, missing_docs, clippy::unwrap_used)]

mod bill;
mod calls;
mod clock;
mod cluster;
mod doubled;
mod evidence;
mod faults;
mod finding;
mod injector;
mod inquest;
mod journal;
mod life;
mod line;
mod lost;
mod misrouted;
mod node;
mod party;
mod passage;
mod plan;
mod random;
mod recovery;
mod redis_server;
mod report;
mod run;
mod sending;
mod sentinel;
mod settings;
mod store;
mod stream;
mod told_twice;
mod trouble;
mod world;

use std::time::Duration;

use cluster::Cluster;
use faults::{Fault, Faults, Strike};
use redis_server::Keeps;
use sentinel::Watched;
use settings::Settings;
use store::{Blow, Standalone};

#[test]
fn the_promise_holds_whatever_fails_while_redis_keeps_its_data() {
    let settings = Settings::from_environment();
    let keeps = if settings.seed.is_multiple_of(2) {
        Keeps::Everything
    } else {
        Keeps::AllButASecond
    };
    let store = Standalone::start(keeps);
    run::run(settings, Box::new(store), Faults::of(settings.seed));
}

#[test]
fn the_promise_holds_whatever_fails_while_redis_forgets_all_with_each_crash() {
    let settings = Settings::from_environment();
    let store = Standalone::start(Keeps::Nothing);
    run::run(settings, Box::new(store), Faults::of(settings.seed));
}

#[test]
fn the_promise_holds_when_sentinels_choose_a_replica_that_lags_behind() {
    let lags = [700, 1_500, 300].map(Duration::from_millis);
    let strikes = beside_killed_nodes(lags.map(Blow::FailOver));
    run::run(
        Settings::from_environment().halved(),
        Box::new(Watched::start()),
        strikes,
    );
}

#[test]
fn the_promise_holds_when_a_cluster_loses_a_master() {
    let strikes = beside_killed_nodes([2, 0, 1].map(|master| Blow::LoseMaster {
        master,
        time: Duration::from_millis(1_200),
    }));
    run::run(
        Settings::from_environment().halved(),
        Box::new(Cluster::start()),
        strikes,
    );
}

/// Blows one after the other, again and again, and now and then a gateway is killed behind one.
fn beside_killed_nodes(blows: [Blow; 3]) -> impl Iterator<Item = Strike> {
    let faults = blows.into_iter().enumerate().cycle();
    faults.map(|(number, blow)| Strike {
        after: Duration::from_millis(800),
        faults: match number {
            0 => vec![Fault::Redis(blow)],
            node => vec![Fault::Redis(blow), Fault::KillNode(node - 1)],
        },
    })
}

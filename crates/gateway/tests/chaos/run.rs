//! One run: load and faults, then recovery, then the checks.

use std::fmt::Write as _;
use std::thread;

use crate::checks;
use crate::checks::check_result::CheckResult;
use crate::checks::lost_payments::LostWithRedis;
use crate::clock::until;
use crate::faults::FaultGroup;
use crate::faults::injector::Injector;
use crate::faults::recovery::Recovery;
use crate::faults::replication;
use crate::journal::Journal;
use crate::load::LoadGenerator;
use crate::node::NODES;
use crate::records::Records;
use crate::report::Report;
use crate::settings::Settings;
use crate::store::Store;
use crate::testbed::Testbed;

/// Runs, prints the table, and panics if a check found a violation.
pub fn run(
    settings: Settings,
    store: Box<dyn Store>,
    fault_groups: impl Iterator<Item = FaultGroup>,
) {
    // The seed is printed first, so that it is known of every failure.
    println!("CHAOS_SEED={} {}", settings.seed, store.name());
    let mut report = Report::begin(settings.seed, settings.duration(), &store.name());
    let mut testbed = Testbed::start(settings.seed, store);
    let load = LoadGenerator::default();
    let injector = thread::scope(|scope| {
        let _stop_guard = load.stop_guard();
        let mut injector = Injector::start(&testbed);
        scope.spawn(|| load.run(&testbed));
        let end = testbed.clock.now() + settings.duration();
        injector.inject_until(end, fault_groups);
        injector
    });
    await_recovery(&testbed);
    report.faults(&injector);
    let Injector {
        incidents,
        resync_result,
        ..
    } = injector;
    let records = Records::of(&testbed, incidents.clone());
    report.calls(&records, load.bills());
    report.lost_with_redis(&LostWithRedis::of(&records));
    let results = checks::all(&testbed, (&records, incidents), load.bills());
    let results = [&results[..], &[resync_result]].concat();
    conclude(&mut testbed, report, (&records, &results));
}

/// Ends the parties' faults and waits until the nodes report that every fact is shared.
fn await_recovery(testbed: &Testbed) {
    for party in testbed.parties() {
        party.stop_faults();
    }
    let recovery = Recovery::of(testbed);
    recovery.complete();
    let rows = || {
        let nodes = testbed.nodes.each_ref();
        nodes.map(|node| Journal::open(&node.journal()).last_row())
    };
    let mut before = rows();
    until(
        "every fact is shared, on all disks, and no journal grows",
        || {
            let now = rows();
            let is_unchanged = std::mem::replace(&mut before, now) == now;
            is_unchanged && recovery.unshared() == [0; NODES] && replication::is_complete(testbed)
        },
    );
}

fn conclude(
    testbed: &mut Testbed,
    mut report: Report,
    (records, results): (&Records, &[CheckResult]),
) {
    for result in results {
        report.result(result);
    }
    let mut text = report.into_text();
    if std::env::var_os("CHAOS_VERBOSE").is_some() {
        let excused = results
            .iter()
            .map(|result| result.describe_excused(records));
        text.extend(excused);
    }
    let failed = results.iter().any(|result| !result.violations.is_empty());
    if failed {
        testbed.directory.disable_cleanup(true);
        let violations = results
            .iter()
            .map(|result| result.describe_violations(records));
        text.extend(violations);
        let folder = testbed.directory.path().display();
        writeln!(text, "\njournals and logs: {folder}").unwrap();
    }
    // The test runner shows this of a failed run only, unless `--no-capture` is given.
    println!("{text}");
    assert!(
        !failed,
        "a payment guarantee was violated; replay with CHAOS_SEED={}",
        records.seed
    );
}

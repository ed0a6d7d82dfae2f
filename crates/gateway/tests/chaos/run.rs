//! One run: calls and faults, then quiet, then the questions.

use std::fmt::Write as _;
use std::thread;

use crate::clock::until;
use crate::doubled;
use crate::evidence::Evidence;
use crate::faults::Strike;
use crate::finding::Finding;
use crate::injector::Injector;
use crate::inquest;
use crate::journal::Journal;
use crate::knowledge::Knowledge;
use crate::lost;
use crate::misjudged;
use crate::misrouted;
use crate::question::Question;
use crate::recovery::Recovery;
use crate::report::Report;
use crate::settings::Settings;
use crate::store::Store;
use crate::stream::Stream;
use crate::told_twice;
use crate::trouble::Troubles;
use crate::world::World;

/// Runs, prints the table, and fails unless nothing was found.
pub fn run(settings: Settings, store: Box<dyn Store>, strikes: impl Iterator<Item = Strike>) {
    // Before anything can fail.
    println!("CHAOS_SEED={} {}", settings.seed, store.name());
    let mut report = Report::begin(settings.seed, settings.stream(), &store.name());
    let mut world = World::start(settings.seed, store);
    let stream = Stream::default();
    let injector = thread::scope(|scope| {
        let _ending = stream.ending();
        let mut injector = Injector::into(&world);
        scope.spawn(|| stream.run(&world));
        let end = world.clock.now() + settings.stream();
        injector.strike_until(end, strikes);
        injector
    });
    become_quiet(&world);
    report.faults(&injector);
    let Injector {
        troubles,
        restoring,
        ..
    } = injector;
    let evidence = Evidence::of(&world, troubles.clone());
    report.calls(&evidence, stream.bills());
    let findings = judge(&world, (&evidence, troubles), stream.bills());
    let findings = [&findings[..], &[restoring]].concat();
    conclude(&mut world, report, (&evidence, &findings));
}

/// Every check of what was written down, and what the nodes answer now.
fn judge(world: &World, (evidence, troubles): (&Evidence, Troubles), bills: u64) -> [Finding; 5] {
    let knowledge = Knowledge::of(evidence);
    let mut lost = lost::check_journals(evidence);
    let standings = lost::model(evidence, &knowledge, bills, &mut lost);
    let mut told_twice = told_twice::check(evidence, &knowledge);
    let mut doubled = doubled::check(evidence);
    let misjudged = misjudged::check(evidence, &knowledge);
    let mut misrouted = misrouted::check(evidence);

    let questions = Question::all(evidence, &knowledge, &standings);
    let mut inquest = inquest::ask(world, &questions);
    let asked = Evidence::of(world, troubles);
    inquest.check_arrivals(&asked);
    misrouted.add(misrouted::check_answers(&asked));
    lost.add(inquest.lost);
    told_twice.add(inquest.told_twice);
    doubled.add(inquest.doubled);
    [lost, told_twice, doubled, misjudged, misrouted]
}

/// All faults are over and no caller calls. What the nodes say of themselves is awaited, too.
fn become_quiet(world: &World) {
    for party in world.parties() {
        party.calm_down();
    }
    let recovery = Recovery::of(world);
    recovery.complete(false);
    let rows = || {
        let journals = world
            .nodes
            .each_ref()
            .map(|node| Journal::open(&node.journal()));
        journals.map(|journal| journal.last_row())
    };
    let mut before = rows();
    until("nothing is unshared, and nothing comes to it", || {
        let now = rows();
        let is_still = std::mem::replace(&mut before, now) == now;
        is_still && recovery.unshared() == [0, 0]
    });
}

fn conclude(world: &mut World, mut report: Report, (evidence, findings): (&Evidence, &[Finding])) {
    for finding in findings {
        report.finding(finding);
    }
    let mut text = report.into_text();
    if std::env::var_os("CHAOS_TELL").is_some() {
        let stories = findings
            .iter()
            .map(|finding| finding.tell_what_happened(evidence));
        text.extend(stories);
    }
    let failed = findings
        .iter()
        .any(|finding| !finding.violations.is_empty());
    if failed {
        world.directory.disable_cleanup(true);
        text.extend(findings.iter().map(|finding| finding.tell(evidence)));
        let folder = world.directory.path().display();
        writeln!(text, "\njournals and logs: {folder}").unwrap();
    }
    // The table is what a run is for; a test's own output is only shown where it fails.
    println!("{text}");
    assert!(
        !failed,
        "the promise was broken; replay with CHAOS_SEED={}",
        evidence.seed
    );
}

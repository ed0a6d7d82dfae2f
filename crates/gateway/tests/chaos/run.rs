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
use crate::lost;
use crate::misrouted;
use crate::recovery::Recovery;
use crate::report::Report;
use crate::settings::Settings;
use crate::store::Store;
use crate::stream::Stream;
use crate::told_twice;
use crate::world::World;

/// Runs, prints the table, and fails unless nothing was found.
pub fn run(settings: Settings, store: Box<dyn Store>, strikes: impl Iterator<Item = Strike>) {
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
    let troubles = injector.troubles;
    let evidence = Evidence::of(&world, troubles.clone());
    report.calls(&evidence, stream.bills());

    let mut lost = lost::check_journals(&evidence);
    let standings = lost::model(&evidence, stream.bills(), &mut lost);
    let findings = [
        told_twice::check(&evidence),
        doubled::check(&evidence),
        misrouted::check(&evidence),
    ];
    inquest::ask(&world, &standings, &mut lost);
    let questions = Evidence::of(&world, troubles);
    let mut routed = findings[2].clone();
    routed.add(misrouted::check_answers(&questions));
    let [told_twice, doubled, _] = findings;
    let findings = [lost, told_twice, doubled, routed];
    conclude(&mut world, report, (&evidence, &findings));
}

/// All faults are over and no caller calls. What the nodes say of themselves is awaited, too.
fn become_quiet(world: &World) {
    for party in world.parties() {
        party.calm_down();
    }
    let recovery = Recovery::of(world);
    recovery.complete();
    until("nothing is unshared", || recovery.unshared() == [0, 0]);
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

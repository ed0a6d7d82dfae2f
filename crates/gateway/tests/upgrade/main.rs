//! Journals that a release before wrote: the gateway of this tree opens them and gives every bill the answers that
//! the release gave. `data/` has the journals and the answers; `make_journal` writes them anew.
#![allow(missing_docs, clippy::unwrap_used)]

mod answers;
mod author;
mod bill;
mod comparison;

mod history;
mod long_ago;
mod make;
mod pay;

use std::path::{Path, PathBuf};

use answers::{Answers, Parties, answers};
use serde_json::Value;

/// A journal and the answers that it gave, by the version of its tables.
const VERSIONS: [u32; 3] = [1, 2, 3];

fn data(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/upgrade/data");
    folder.join(name)
}

fn journal(version: u32) -> PathBuf {
    data(&format!("version-{version}.sqlite3"))
}

fn recorded(version: u32) -> Answers {
    let file = data(&format!("version-{version}.json"));
    Answers::parse(&std::fs::read(file).unwrap())
}

#[test]
fn every_bill_has_the_answers_that_the_release_before_gave() {
    for version in VERSIONS {
        let expected = recorded(version);
        let parties = Parties::start();
        let gateway = parties.start_on(&journal(version));
        expected.assert_same(&answers(&gateway, &parties, &expected), version);
    }
}

#[test]
fn a_gateway_that_is_killed_right_after_its_first_start_gives_the_same_answers() {
    for version in VERSIONS {
        let expected = recorded(version);
        let parties = Parties::start();
        let gateway = parties.start_on(&journal(version)).kill_and_restart();
        expected.assert_same(&answers(&gateway, &parties, &expected), version);
    }
}

#[test]
fn a_journal_of_the_release_before_is_sound_before_and_after_the_calls() {
    for version in VERSIONS {
        let expected = recorded(version);
        let parties = Parties::start();
        let gateway = parties.start_on(&journal(version));
        for _ in 0..2 {
            let verified = answers::verify(&gateway);
            assert_eq!(verified["sound"], true, "version {version}: {verified:#}");
            answers(&gateway, &parties, &expected);
        }
    }
}

/// The answers are what the release said. This says that they are right where that is beyond doubt.
#[test]
fn the_recorded_answers_are_those_of_the_contract() {
    for version in VERSIONS {
        let recorded = recorded(version);
        for (user_key, expected) in [
            ("linked", "OK"),
            ("paid", "E403"),
            ("paid-refused", "E403"),
            ("paid-lost", "E403"),
            ("paid-cut-off", "E403"),
            ("paid-five-years-ago", "E403"),
            ("cancelled", "OK"),
            ("cancelled-in-part", "E403"),
            ("cancelled-twice-in-one-second", "OK"),
            ("cancelled-before-paid", "OK"),
            ("paid-twice", "E817"),
            ("paid-again-with-another-amount", "E817"),
            ("paid-cancelled-paid", "E403"),
            ("classified", "E817"),
            ("cleared", "OK"),
            ("mark-until-2099", "E403"),
            ("mark-of-a-day-ended", "OK"),
            ("mark-of-a-link-ended", "OK"),
        ] {
            let prepay = recorded.of_user_key(user_key)["prepay"].as_str().unwrap();
            let is_expected = prepay.starts_with(&format!("200 {expected}"));
            assert!(is_expected, "version {version}: {user_key}: {prepay}");
        }
        let replayed = |one: &&Value| one["as_sent"] == "200 OK, replayed";
        assert!(recorded.pay_results().iter().filter(replayed).count() > 40);
    }
}

//! Commands that run a script of this repository: the script is there, can be executed, and knows the arguments.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::repository;

/// Arguments that stand for one of several.
const PLACEHOLDERS: [(&str, &str); 1] = [("SCENARIO", "bill-life")];

/// Scripts without options, with the greatest number of their arguments. `crates/fuzz/run` takes seconds and targets.
const PLAIN: [(&str, usize); 8] = [
    (".ci/run", 0),
    (".ci/test", 0),
    (".ci/licences", 0),
    ("deploy/build", 0),
    ("deploy/prometheus/check", 0),
    ("deploy/alertmanager/check", 0),
    ("deploy/alertmanager/rehearse", 0),
    ("crates/gateway/tests/upgrade/make_journal", 1),
];

/// Returns the script that a page's command runs: relative to the repository, or to the folder of the page.
pub fn find(page: &str, program: &str) -> Option<PathBuf> {
    let folder = repository().join(page).parent().unwrap().to_owned();
    let candidates = [repository().join(program), folder.join(program)];
    let found = candidates.into_iter().find(|path| path.is_file())?;
    found.canonicalize().ok()
}

/// Checks a script and its arguments.
pub fn check(script: &Path, arguments: &[&str]) {
    let mode = fs::metadata(script).unwrap().permissions().mode();
    assert_eq!(
        mode & 0o111,
        0o111,
        "{} cannot be executed",
        script.display()
    );
    let root = repository();
    let name = script.strip_prefix(&root).unwrap().to_str().unwrap();
    if let Some((_, most)) = PLAIN.iter().find(|(plain, _)| *plain == name) {
        assert!(arguments.len() <= *most, "{name} takes no {arguments:?}");
        return;
    }
    match name {
        "crates/fuzz/run" => check_fuzzing(arguments),
        ".ci/structure" => {
            for folder in arguments {
                assert!(root.join(folder).is_dir(), "{name} {folder}");
            }
        }
        _ => check_by_help(script, arguments),
    }
}

fn check_fuzzing(arguments: &[&str]) {
    let [seconds, targets @ ..] = arguments else {
        return;
    };
    assert!(seconds.parse::<u32>().is_ok(), "crates/fuzz/run {seconds}");
    for target in targets {
        let file = format!("crates/fuzz/targets/{target}.rs");
        assert!(repository().join(&file).is_file(), "{file}");
    }
}

/// Runs a Python script with its arguments and `--help`: a wrong word among them ends it with 2, and an option must be
/// in what it prints.
fn check_by_help(script: &Path, arguments: &[&str]) {
    let arguments: Vec<&str> = arguments
        .iter()
        .map(|argument| {
            let placeholder = PLACEHOLDERS.iter().find(|(name, _)| name == argument);
            placeholder.map_or(*argument, |(_, meant)| meant)
        })
        .collect();
    let output = Command::new(script)
        .args(&arguments)
        .arg("--help")
        .output()
        .unwrap();
    let context = format!("{} {arguments:?}", script.display());
    assert_eq!(output.status.code(), Some(0), "{context}: {output:?}");
    let help = String::from_utf8(output.stdout).unwrap();
    let known: Vec<&str> = help.split([' ', '\n', '[', ']', ',']).collect();
    for option in arguments
        .iter()
        .filter(|argument| argument.starts_with('-'))
    {
        assert!(known.contains(option), "{context}: no {option} in {help}");
    }
}

//! Bars on a terminal, seen through a pseudo terminal that `script` of util-linux makes.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use ledger::journal::{BulkLoad, Entry};
use ledger::{Fact, FactKind, Stamp};
use protocol::{Bill, BillerCode, KoreanTime};
use serde_json::Value;
use test_support::{Setup, Upstream, until};

use crate::fixture::{Fixture, TOKEN, command, paid};

/// What a bar begins with at each drawing, and what takes it away.
const CLEARED: &str = "\r\u{1b}[2K";

/// Returns a shell's command line for this command; what it prints goes into `out`.
fn line_of(command: &Command, out: &Path) -> String {
    let words = [command.get_program()]
        .into_iter()
        .chain(command.get_args());
    let words: Vec<String> = words
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    format!("exec {} >'{}'", words.join(" "), out.display())
}

/// Returns the command that runs a line of the shell on a terminal of its own with 80 columns.
fn on_terminal(line: &str) -> Command {
    let mut script = Command::new("script");
    script
        .args(["--quiet", "--return", "--command"])
        .arg(format!("stty cols 80 rows 24; {line}"))
        .arg("/dev/null")
        .env("TERM", "xterm")
        .env("GATEWAY_ADMIN_TOKEN", TOKEN)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    script
}

/// Returns the texts that the terminal showed on its line, one after the other.
fn shown(terminal: &str) -> Vec<&str> {
    let texts = terminal
        .split(CLEARED)
        .map(|text| text.trim_matches(['\r', '\n', ' ']));
    texts.filter(|text| !text.is_empty()).collect()
}

/// A ledger's folder in which `bills` bills are linked.
fn write_journal(folder: &Path, bills: i64) {
    let mut journal = BulkLoad::create(folder).unwrap();
    let node = journal.node();
    let link = |number: i64| Fact {
        stamp: Stamp { time: number, node },
        bill: Bill::from_parts(
            BillerCode::parse("B0001").unwrap(),
            &number.to_string(),
            "202611",
            "",
            "",
            &[],
        ),
        kind: FactKind::Relinked {
            expire_at: KoreanTime::parse("20991231235959").unwrap(),
        },
    };
    for first in (1..=bills).step_by(2_000) {
        let facts = (first..first + 2_000).map(link).collect();
        journal.write(&[Entry::of(facts)]).unwrap();
    }
    journal.finish().unwrap();
}

#[test]
fn a_backup_and_a_verification_show_how_far_they_are_and_leave_the_terminal_clean() {
    let setup = Fixture::setup(&Upstream::ok());
    write_journal(&setup.path().join("data/ledger"), 200_000);
    let gateway = setup.start();
    let file = gateway.path().join("backup.sqlite3");
    let backup = format!("ledger backup --json --to {}", file.display());
    for (line, what) in [
        (backup.as_str(), "copying"),
        ("ledger verify --json", "bills"),
    ] {
        let out = gateway.path().join("out");
        let line = line_of(&command(&gateway, Some(TOKEN), line), &out);
        let output = on_terminal(&line).output().unwrap();
        let terminal = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{terminal:?}");
        let bars = shown(&terminal);
        let is_bar =
            |bar: &&str| bar.starts_with(what) && bar.contains('[') && bar.contains(" of ");
        assert!(bars.iter().any(is_bar), "{terminal:?}");
        assert!(bars.iter().all(|bar| bar.chars().count() < 80), "{bars:?}");
        assert!(terminal.ends_with(CLEARED), "{terminal:?}");
        let printed: Value = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
        assert!(printed.is_object(), "{printed}");
    }
}

#[test]
fn a_verification_without_a_gateway_shows_how_far_it_is_on_a_terminal_and_nothing_elsewhere() {
    let fixture = Fixture::start();
    fixture.post(test_support::PAY_RESULT, &paid("1", 1));
    let mut verify = command(&fixture.gateway, Some(TOKEN), "ledger verify");
    let folder = fixture.gateway.kill();
    let out = folder.path().join("out");
    let output = on_terminal(&line_of(&verify, &out)).output().unwrap();
    let terminal = String::from_utf8(output.stdout).unwrap();
    assert!(shown(&terminal)[0].contains(" of "), "{terminal:?}");
    assert!(terminal.ends_with(CLEARED), "{terminal:?}");
    let printed = fs::read_to_string(&out).unwrap();
    assert!(printed.contains("The ledger is sound."), "{printed}");
    let output = verify.output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), printed);
}

#[test]
fn a_first_start_on_an_older_journal_shows_how_far_it_is_beside_a_log_of_json_lines() {
    let setup = Setup::new("http://127.0.0.1:1", "http://127.0.0.1:1");
    let config = setup.write();
    let journal = setup.path().join("data/ledger/journal.sqlite3");
    let folder = journal.parent().unwrap();
    fs::create_dir_all(folder).unwrap();
    fs::set_permissions(folder, Permissions::from_mode(0o700)).unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/upgrade/data");
    fs::copy(data.join("version-2.sqlite3"), &journal).unwrap();
    fs::set_permissions(&journal, Permissions::from_mode(0o600)).unwrap();
    let [log, pid] = ["log", "pid"].map(|name| setup.path().join(name));
    let mut serve = Command::new(env!("CARGO_BIN_EXE_gateway"));
    serve.args(["serve", "--config"]).arg(config);
    let line = format!("echo $$ >'{}'; {}", pid.display(), line_of(&serve, &log));
    let terminal = on_terminal(&line).spawn().unwrap();
    let logged = || fs::read_to_string(&log).unwrap_or_default();
    until(|| logged().contains("the gateway serves"));
    let pid = fs::read_to_string(pid).unwrap();
    let ended = Command::new("kill").arg(pid.trim()).status().unwrap();
    assert!(ended.success());
    let output = terminal.wait_with_output().unwrap();
    let terminal = String::from_utf8(output.stdout).unwrap();
    let bars = shown(&terminal);
    assert!(
        bars[0].starts_with("facts") && bars[0].contains(" of "),
        "{terminal:?}"
    );
    assert!(terminal.ends_with(CLEARED), "{terminal:?}");
    let lines: Vec<Value> = logged()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let is_said = |message: &str| lines.iter().any(|line| line["message"] == message);
    assert!(
        is_said("the journal is brought up to a new version"),
        "{lines:#?}"
    );
    assert!(is_said("the journal is up to date"), "{lines:#?}");
}

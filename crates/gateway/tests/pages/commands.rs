//! Every command of every page is run on a machine as the pages assume it, or checked, or listed with a reason.

use std::collections::BTreeSet;
use std::fs;

use test_support::Caller;

use crate::machine::Machine;
use crate::reader::{PageCommand, commands, is_assignment};
use crate::{cargo, repository, scripts};

/// What cannot be run where the tests run, and why. `*` stands for the rest of a line.
const NOT_RUN: [(&str, &str); 19] = [
    (
        "gateway nodes forget NODE",
        "needs another node that ended; `operators/nodes.rs` has two",
    ),
    ("useradd *", "changes the users of the machine"),
    (
        "systemctl *",
        "there is no systemd; the units that it names must be in deploy/systemd",
    ),
    ("python3 -m venv *", "installs from PyPI"),
    (
        "target/bin/python generate*",
        "needs what the line before it installs",
    ),
    (
        "redis-cli -p 26379 SENTINEL FAILOVER *",
        "fail-overs are in crates/ledger/tests/shared_store",
    ),
    (
        "gateway ledger backup --to /backup/*",
        "writes to another disk; operators/upkeep.rs runs it",
    ),
    (
        "gateway ledger restore *",
        "makes a journal where none is; operators/upkeep.rs runs it",
    ),
    (
        "sqlite3 FILE *",
        "mends what crates/ledger/tests/verify.rs damages",
    ),
    ("redis-cli --latency", "does not end"),
    (
        "cargo deny*",
        "is not installed; pages/advisories.rs runs .ci/licences with a stand-in",
    ),
    (
        "dmesg *",
        "needs privileges, and prints what happened to the machine",
    ),
    ("mount *", "prints what happened to the machine"),
    ("fuser *", "prints what happened to the machine"),
    ("kill -9", "names a signal"),
    ("redis-cli DEL", "names a command"),
    ("curl -v", "names a command"),
    ("curl -v -m 5", "names a command"),
    ("du -sh", "names a command"),
];

/// What makes the machine's token.
const MAKE_TOKEN: &str = "gateway token --out admin.token";

/// The beginning of each command of another program, and a part of what it prints.
const PRINTS: [(&str, &str); 25] = [
    ("openssl rand -hex 32", "\n"),
    ("cp -a config/data/ledger config/data/ledger-before", ""),
    ("printf %s \"$(cat admin.token)\" | sha256sum", "  -"),
    ("openssl x509 -in FILE -outform DER | sha256sum", "  -"),
    ("printf %s 'THE HEADER VALUE' | sha256sum", "  -"),
    ("head -c 32 /dev/urandom | base64", ""),
    ("printf %s \"$(cat gateway.password)\" | sha256sum", "\n"),
    (
        "curl -si http://127.0.0.1:PORT/kakao/notice/B0001 ",
        "HTTP/1.1 200 OK",
    ),
    ("curl -s http://OPS/health/ready", "\"ready\""),
    ("curl -s http://OPS/health/live", "\"live\""),
    ("curl -v -m 5 BASE_URL/kakao/notice", "\"res_code\":\"OK\""),
    (
        "curl -H \"Authorization: Bearer $GATEWAY_ADMIN_TOKEN\" http",
        "\"filter\":\"info\"",
    ),
    (
        "curl -H \"Authorization: Bearer $GATEWAY_ADMIN_TOKEN\" -X PUT ",
        "\"filter\":\"info,ledger=debug\"",
    ),
    (
        "journalctl -u relay-gateway --since -15min -o cat | grep ",
        "the gateway does not start",
    ),
    (
        "journalctl -u relay-gateway -o cat | grep -F ",
        "\"api\":\"pay_result\"",
    ),
    ("ss -Htn ", " 3 127.0.0.1\n"),
    (
        "sqlite3 -readonly config/data/ledger/journal.sqlite3 'SELECT * FROM facts ",
        "|payment|B0001|user-1|202611|",
    ),
    (
        "sqlite3 -readonly LEDGER_PATH/journal.sqlite3 \"SELECT at, ",
        "|user-1|202611|",
    ),
    (
        "sqlite3 -readonly LEDGER_PATH/journal.sqlite3 \"SELECT DISTINCT ",
        "B0001|user-1|202611|",
    ),
    (
        "sqlite3 config/data/ledger/journal.sqlite3 'PRAGMA auto_vacuum",
        "",
    ),
    (
        "openssl x509 -noout -subject -enddate -in FILE",
        "notAfter=",
    ),
    ("df ", "Mounted on"),
    ("redis-cli -u URL ping", "PONG"),
    (
        "redis-cli --tls --cacert ca.pem --user operator --askpass CONFIG GET ",
        "maxmemory-policy",
    ),
    ("redis-cli … ", ""),
];

/// The options of a shell that has the whole command line of a page, `…` for those of the line above it.
const REDIS_OPTIONS: &str = "--tls --cacert ca.pem --user operator --askpass";

/// The id of a refused pay-result in the examples.
const REFUSED_ID: &str = "3f2a94c0d1be";

#[test]
fn every_command_of_every_page_works() {
    let commands = commands();
    assert!(commands.len() > 120, "{}", commands.len());
    let machine = Machine::start(MAKE_TOKEN);
    let mut claimed = BTreeSet::new();
    for command in &commands {
        claimed.extend(check(&machine, command));
    }
    let rows = NOT_RUN
        .iter()
        .map(|(row, _)| *row)
        .chain(PRINTS.iter().map(|(row, _)| *row));
    let stale: Vec<&str> = rows
        .chain([MAKE_TOKEN])
        .filter(|row| !claimed.contains(row))
        .collect();
    assert!(stale.is_empty(), "no page has these any more: {stale:?}");
}

/// Checks a command; returns the row that it needed.
fn check(machine: &Machine, command: &PageCommand) -> Option<&'static str> {
    let PageCommand { page, line, .. } = command;
    let stands_for = |row: &str| match row.strip_suffix('*') {
        Some(start) => line.starts_with(start),
        None => line == row,
    };
    if let Some((row, _)) = NOT_RUN.iter().find(|(row, _)| stands_for(row)) {
        check_units(line);
        return Some(row);
    }
    if line == MAKE_TOKEN {
        // The machine started with what it made.
        return Some(MAKE_TOKEN);
    }
    let words: Vec<&str> = line
        .split(' ')
        .skip_while(|word| is_assignment(word))
        .collect();
    let (program, arguments) = words.split_first().expect("a program");
    if let Some(script) = scripts::find(page, program) {
        scripts::check(&script, arguments);
        return None;
    }
    match *program {
        "cargo" | "nextest" => cargo::check(line),
        "gateway" => run_gateway(machine, command),
        _ => return Some(run(machine, command)),
    }
    None
}

/// Asserts that every unit in the line is a file of `deploy/systemd`.
fn check_units(line: &str) {
    let units = line
        .split(' ')
        .filter(|word| word.starts_with("relay-gateway."));
    for unit in units {
        assert!(
            repository().join("deploy/systemd").join(unit).is_file(),
            "{line}: {unit}"
        );
    }
}

/// Runs a command of the gateway with values for the placeholders. An example ends with 0; what stands in a sentence may
/// find nothing, or leave its options out.
fn run_gateway(machine: &Machine, command: &PageCommand) {
    let mut line = command.line.clone();
    for (placeholder, value) in [
        ("CODE", "B0001"),
        ("--pay-id N", "--pay-id 31"),
        ("--user-key KEY", "--user-key user-1 --month 202611"),
        (" …", " --user-key user-1 --month 202611"),
        (" FILE", " config/gateway.toml"),
        ("[DIR]", "first"),
    ] {
        line = line.replace(placeholder, value);
    }
    if line.contains("payments refused ") && !line.contains(" refused list") {
        let id = machine.refused_pay_result();
        line = line
            .replace(REFUSED_ID, &id)
            .replace(" ID", &format!(" {id}"));
    }
    if line.contains("--pay-id 31") {
        machine.pay_anew(31);
    }
    if line.starts_with("gateway bill clear --") {
        machine.shell(&line.replace("bill clear", "bill classify"));
    }
    let help = || machine.shell(&format!("{line} --help")).status.success();
    if line == "gateway serve" {
        return assert!(help(), "{line}");
    }
    let output = machine.shell(&line);
    let is_right = match output.status.code() {
        Some(0) => true,
        Some(1) => !command.is_example,
        _ => !line.contains(" --") && help(),
    };
    assert!(is_right, "{}: {line}: {output:?}", command.page);
}

/// Runs a command of another program with this machine's addresses; returns its row.
fn run(machine: &Machine, command: &PageCommand) -> &'static str {
    let PageCommand { page, line, .. } = command;
    let row = PRINTS.iter().find(|(start, _)| line.starts_with(start));
    let Some((start, printed)) = row else {
        panic!(
            "{page}: nothing checks `{line}`: it needs a row in PRINTS, or one with a reason in NOT_RUN"
        );
    };
    let connections: Vec<Caller> = (0..3).map(|_| Caller::connect(machine.public)).collect();
    let is_offline = start.contains("PRAGMA");
    if is_offline {
        machine.stop_gateway();
    }
    let here = line_of_this_machine(machine, line);
    let output = machine.shell(&here);
    if is_offline {
        machine.start_gateway();
        machine.pay_anew(7);
    }
    drop(connections);
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{page}: {here}: {output:?}");
    assert!(out.contains(printed), "{page}: {here}: {printed} in {out}");
    start
}

fn line_of_this_machine(machine: &Machine, line: &str) -> String {
    let port = machine.public.port();
    let redis = format!("-p {}", machine.redis_port);
    let certificate = machine.folder().join("listener.pem");
    assert!(fs::exists(&certificate).unwrap());
    let pairs = [
        ("http://OPS", format!("http://{}", machine.ops)),
        ("http://127.0.0.1:9464", format!("http://{}", machine.ops)),
        ("127.0.0.1:PORT", machine.public.to_string()),
        (":8080 ", format!(":{port} ")),
        ("BASE_URL", machine.biller.url()),
        (
            "-u URL",
            format!("-u redis://127.0.0.1:{}/0", machine.redis_port),
        ),
        (REDIS_OPTIONS, redis.clone()),
        ("redis-cli …", format!("redis-cli {redis}")),
        ("-in FILE", format!("-in {}", certificate.display())),
        ("LEDGER_PATH", "config/data/ledger".to_owned()),
        ("'CODE'", "'B0001'".to_owned()),
        ("'N'", "'31'".to_owned()),
        ("\"ID\"", format!("\"{}\"", machine.request_id())),
        (
            "journalctl -u relay-gateway --since -15min -o cat",
            "cat gateway.log".to_owned(),
        ),
        (
            "journalctl -u relay-gateway -o cat",
            "cat gateway.log".to_owned(),
        ),
    ];
    pairs
        .iter()
        .fold(line.to_owned(), |line, (old, new)| line.replace(old, new))
}

//! A day's data, and the operators' commands against it.

use std::io::BufReader;
use std::path::Path;
use std::process::Command;

use simulator::Caller;

use crate::{demo, read_until, signal, text};

/// Builds the program `gateway` beside the demo, where a run of all tests has built it already.
fn build_gateway() {
    let gateway = Path::new(env!("CARGO_BIN_EXE_relay-demo")).with_file_name("gateway");
    if !gateway.is_file() {
        let mut cargo = Command::new(env!("CARGO"));
        let build = cargo.args(["build", "--package", "relay-gateway", "--bin", "gateway"]);
        assert!(build.status().unwrap().success());
    }
}

/// Runs lines in a shell that ends with the first command that fails, and returns what they print.
fn shell(lines: &[String]) -> String {
    let mut shell = Command::new("sh");
    let output = shell.args(["-ec", &lines.join("\n")]).output().unwrap();
    let printed = text(&output.stdout).to_owned();
    let complaint = text(&output.stderr);
    assert!(output.status.success(), "{lines:#?}: {printed}{complaint}");
    printed
}

#[test]
fn a_day_of_data_is_there_for_the_operators_commands_and_the_console() {
    build_gateway();
    let mut child = demo().arg("--keep-running").spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let lines = read_until(&mut out, "Ctrl-C");
    let after = |heading: &str| {
        let start = format!("── {heading} ");
        let rest = lines
            .iter()
            .skip_while(move |line| !line.starts_with(&start));
        let rest = rest.skip(1).take_while(|line| !line.starts_with("──"));
        rest.cloned().collect::<Vec<_>>()
    };
    let mut commands = after("Operators' commands");
    assert!(commands.pop().unwrap().contains("Ctrl-C"));

    // All at once, as a person pastes them: the list, the bill, the delivery, both acts, the ledger.
    let printed = shell(&commands);
    for part in [
        "5 pay-results. Times are Korean.",
        "P of pay_id",
        "accepted: the biller answered 200 OK",
        "The bill is an error bill from now on",
        "paid twice?",
        "The bill is no error bill any more.",
        "The ledger is sound.",
    ] {
        assert!(printed.contains(part), "{part} in {printed}");
    }
    let end = commands.iter().position(|line| line.trim() == "}").unwrap();
    let mut later = commands[..=end].to_vec();
    later.push("gateway payments list --json".to_owned());
    let listed: serde_json::Value = serde_json::from_str(&shell(&later)).unwrap();
    let payments = listed["payments"].as_array().unwrap().iter();
    let mut states: Vec<_> = payments
        .map(|one| one["delivery"].as_str().unwrap())
        .collect();
    states.sort_unstable();
    assert_eq!(states, ["refused", "unknown", "unknown", "unknown"]);

    assert_console(&after("A day's data"), &commands);
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// Asserts that the console at the printed address shows every institution, and that the printed token is that of the
/// commands.
fn assert_console(shown: &[String], commands: &[String]) {
    let value = |name: &str| {
        let line = shown
            .iter()
            .find(|line| line.trim().starts_with(name))
            .unwrap();
        line.split_whitespace().last().unwrap().to_owned()
    };
    assert!(
        commands
            .iter()
            .any(|line| line.ends_with(&format!("GATEWAY_ADMIN_TOKEN={}", value("admin token"))))
    );
    let console = value("console");
    let address = console
        .strip_prefix("http://")
        .unwrap()
        .trim_end_matches('/');
    let get = |path: &str| {
        let mut caller = Caller::connect(address.parse().unwrap()).unwrap();
        caller
            .send_raw(format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes())
            .unwrap();
        caller.read_reply().unwrap().text()
    };
    let page = get("/");
    for name in [
        "테스트 아파트 관리비",
        "테스트 구청 지방세",
        "테스트 시 상수도",
    ] {
        assert!(page.contains(name), "{name} in {page}");
    }
    let metrics = get("/metrics");
    let late = r#"relay_budget_exceeded_total{api="prepay",biller="W0001"} 1"#;
    assert!(metrics.contains(late), "{metrics}");
}

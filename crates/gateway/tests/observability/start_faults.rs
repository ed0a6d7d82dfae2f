//! A gateway that does not start says why in its log, where operators search for errors.

use std::fs;
use std::net::TcpListener;

use serde_json::Value;
use test_support::Setup;

fn setup(main: &str) -> Setup {
    Setup::new("http://127.0.0.1:1", "http://127.0.0.1:1").with(main)
}

/// Starts the gateway and returns the faults in its log, which are those that it printed.
fn logged_faults(setup: &Setup) -> Vec<String> {
    let (log, printed) = setup.fail();
    let errors: Vec<&Value> = log.iter().filter(|line| line["level"] == "error").collect();
    for error in &errors {
        assert_eq!(error["message"], "the gateway does not start", "{error}");
        let keys: Vec<&String> = error.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["fault", "level", "message", "time"], "{error}");
    }
    let faults: Vec<String> = errors
        .iter()
        .map(|error| error["fault"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(printed, faults.join("\n") + "\n");
    faults
}

#[test]
fn every_fault_of_the_configuration_is_a_line_of_the_log() {
    let setup = setup("[budget]\ntotal = \"soon\"\n[limits]\nconnections = 0");
    let faults = logged_faults(&setup);
    assert_eq!(faults.len(), 2, "{faults:?}");
    for (fault, key) in faults.iter().zip(["budget.total", "limits.connections"]) {
        assert!(
            fault.contains("gateway.toml") && fault.contains(key),
            "{fault}"
        );
    }
}

#[test]
fn a_port_in_use_is_a_line_of_the_log() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let listen = format!("[listen]\npublic = \"{address}\"\nops = \"127.0.0.1:0\"");
    let faults = logged_faults(&setup(&listen));
    assert!(faults[0].contains(&address.to_string()), "{faults:?}");
}

#[test]
fn a_journal_that_cannot_be_opened_is_a_line_of_the_log() {
    let setup = setup("[ledger]\npath = \"ledger\"");
    fs::write(setup.path().join("ledger"), "a file").unwrap();
    let faults = logged_faults(&setup);
    assert!(
        faults.iter().any(|fault| fault.contains("ledger")),
        "{faults:?}"
    );
}

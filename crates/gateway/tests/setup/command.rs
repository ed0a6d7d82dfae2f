//! Commands of the built gateway, and of openssl.

use std::path::Path;
use std::process::Command;

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Printed {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Runs `gateway` with these arguments in this folder.
pub fn gateway_in(folder: &Path, arguments: &[&str]) -> Printed {
    let mut gateway = Command::new(env!("CARGO_BIN_EXE_gateway"));
    let output = gateway
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    Printed {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs `gateway check` on this main file.
pub fn check(main: &Path, more: &[&str]) -> Printed {
    let config = main.to_str().unwrap();
    let arguments = [&["check", "--config", config], more].concat();
    gateway_in(main.parent().unwrap(), &arguments)
}

/// Runs openssl in this folder; panics if it fails.
pub fn openssl(folder: &Path, arguments: &str) {
    let mut openssl = Command::new("openssl");
    let output = openssl
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "openssl {arguments}: {output:?}");
}

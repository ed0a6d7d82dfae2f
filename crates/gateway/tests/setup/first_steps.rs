//! `gateway init` and `gateway token`: a first configuration that runs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};
use tempfile::TempDir;
use test_support::{Process, free_port, hex, until};

use crate::command::gateway_in;

fn mode(file: &Path) -> u32 {
    fs::metadata(file).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_new_configuration_serves_at_once_and_is_never_overwritten() {
    let folder = TempDir::new().unwrap();
    let printed = gateway_in(folder.path(), &["init"]);
    assert_eq!(
        (printed.code, printed.err.as_str()),
        (Some(0), ""),
        "{printed:?}"
    );
    let config = folder.path().join("config");
    let header = printed
        .out
        .lines()
        .find_map(|line| line.trim().strip_prefix("Authorization: "))
        .unwrap();
    let biller = fs::read_to_string(config.join("billers/B0001.toml")).unwrap();
    assert!(biller.contains(&hex(&Sha256::digest(header))), "{biller}");
    assert!(!biller.contains(header), "the value is kept nowhere");
    assert_eq!(mode(&config.join("admin.token")), 0o600);

    let again = gateway_in(folder.path(), &["init"]);
    assert_eq!((again.code, again.out.as_str()), (Some(1), ""));
    assert!(
        again
            .err
            .contains("gateway.toml: exists and is not overwritten"),
        "{}",
        again.err
    );
    assert_eq!(
        fs::read_to_string(config.join("billers/B0001.toml")).unwrap(),
        biller
    );

    let checked = gateway_in(folder.path(), &["check"]);
    assert_eq!(
        (checked.code, checked.out.as_str()),
        (Some(0), "config/gateway.toml: ok, 1 billers\n")
    );

    // Other tests may have the default ports.
    let main = config.join("gateway.toml");
    let (public, ops) = (free_port(), free_port());
    let text = fs::read_to_string(&main).unwrap();
    let text = text.replace("127.0.0.1:8080", &format!("127.0.0.1:{public}"));
    fs::write(
        &main,
        text.replace("127.0.0.1:9464", &format!("127.0.0.1:{ops}")),
    )
    .unwrap();
    let mut serve = Command::new(env!("CARGO_BIN_EXE_gateway"));
    let serve = serve
        .arg("serve")
        .current_dir(folder.path())
        .stdout(Stdio::null());
    let _gateway = Process::spawn(serve);
    let list = ["payments", "list", "--token-file", "config/admin.token"];
    until(|| gateway_in(folder.path(), &list).code == Some(0));
}

#[test]
fn another_folder_can_be_named_and_one_file_that_exists_stops_everything() {
    let folder = TempDir::new().unwrap();
    let printed = gateway_in(folder.path(), &["init", "deep/etc"]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    assert!(
        printed
            .out
            .contains("gateway serve --config deep/etc/gateway.toml"),
        "{}",
        printed.out
    );
    let checked = gateway_in(
        folder.path(),
        &["check", "--config", "deep/etc/gateway.toml"],
    );
    assert_eq!(checked.code, Some(0), "{checked:?}");

    let other = folder.path().join("other");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("admin.token"), "mine").unwrap();
    let refused = gateway_in(folder.path(), &["init", "other"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert_eq!(
        fs::read_dir(&other).unwrap().count(),
        1,
        "nothing was written"
    );
}

#[test]
fn a_token_is_another_each_time_and_its_digest_is_the_one_that_is_printed() {
    let folder = TempDir::new().unwrap();
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let printed = gateway_in(folder.path(), &["token"]);
        assert_eq!(printed.code, Some(0), "{printed:?}");
        let value = |name: &str| {
            printed
                .out
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap()
                .trim()
        };
        let (token, digest) = (value("token:"), value("sha256:"));
        assert_eq!(digest, hex(&Sha256::digest(token)));
        assert!(
            printed
                .out
                .contains(&format!("admin_token_sha256 = \"{digest}\"")),
            "{}",
            printed.out
        );
        tokens.push(token.to_owned());
    }
    assert_ne!(tokens[0], tokens[1]);

    let printed = gateway_in(folder.path(), &["token", "--out", "admin.token"]);
    let file = folder.path().join("admin.token");
    let token = fs::read_to_string(&file).unwrap();
    assert_eq!(mode(&file), 0o600);
    assert!(!printed.out.contains(token.trim()), "{}", printed.out);
    assert!(
        printed.out.contains(&hex(&Sha256::digest(token.trim()))),
        "{}",
        printed.out
    );
    let again = gateway_in(folder.path(), &["token", "--out", "admin.token"]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), token);
}

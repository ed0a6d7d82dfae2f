//! The fuzz targets of the configuration: the main file and a biller's file.

use std::fs;
use std::path::Path;

use gateway::config::{Config, Faults, Loaded};
use tempfile::TempDir;

const MAIN: &str = "[kakao]\nbase_url = 'http://127.0.0.1:9001'\nallow_from = ['127.0.0.0/8']\n";
const BILLER: &str = "code = 'B0001'\nbase_url = 'http://127.0.0.1:9002'\n";

/// Checks that a main file, together with a valid biller's file, results in a configuration or in printable
/// faults.
pub fn main_file(text: &[u8]) {
    read("gateway.toml", text);
}

/// Checks the same for a biller's file together with a valid main file.
pub fn biller_file(text: &[u8]) {
    read("billers/B0001.toml", text);
}

fn read(name: &str, text: &[u8]) {
    thread_local! {
        static FOLDER: TempDir = {
            let folder = tempfile::tempdir().expect("there is a temporary folder");
            fs::create_dir(folder.path().join("billers")).expect("the folder is new");
            folder
        };
    }
    FOLDER.with(|folder| {
        let write = |name: &str, text: &[u8]| {
            let path = folder.path().join(name);
            // On some file systems, truncating and rewriting a file waits for the disk.
            let _ = fs::remove_file(&path);
            fs::write(path, text).expect("the folder is writable");
        };
        write("gateway.toml", MAIN.as_bytes());
        write("billers/B0001.toml", BILLER.as_bytes());
        write(name, text);
        check(folder.path(), name, text);
    });
}

fn check(folder: &Path, name: &str, text: &[u8]) {
    let outcome = Config::load(&folder.join("gateway.toml"));
    let is_toml =
        std::str::from_utf8(text).is_ok_and(|text| toml::from_str::<toml::Table>(text).is_ok());
    match outcome {
        Ok(loaded) => {
            assert!(is_toml, "{name} is not TOML, but is accepted");
            check_loaded(&loaded);
        }
        Err(faults) => check_faults(&faults, folder),
    }
}

/// Checks that a configuration can be printed and that each warning is one line.
fn check_loaded(loaded: &Loaded) {
    assert!(!format!("{loaded:?}").is_empty());
    for warning in &loaded.warnings {
        assert!(
            !warning.to_string().contains(char::is_control),
            "{warning:?}"
        );
    }
}

/// Checks that every fault is one line without control characters and contains its file.
fn check_faults(faults: &Faults, folder: &Path) {
    assert!(faults.iter().count() > 0, "refused without a fault");
    let folder = folder.display().to_string();
    for fault in faults {
        let line = fault.to_string();
        assert!(!line.contains(char::is_control), "{line:?}");
        assert!(line.contains(&folder), "{line:?}");
    }
}

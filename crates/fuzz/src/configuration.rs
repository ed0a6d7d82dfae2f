//! What operators write: the main file, and a biller's.

use std::fs;
use std::path::Path;

use gateway::config::{Config, Faults, Loaded};
use tempfile::TempDir;

const MAIN: &str = "[kakao]\nbase_url = 'http://127.0.0.1:9001'\nallow_from = ['127.0.0.0/8']\n";
const BILLER: &str = "code = 'B0001'\nbase_url = 'http://127.0.0.1:9002'\n";

/// A main file beside a sound biller's ends in a configuration, or in faults that can be told.
pub fn main_file(text: &[u8]) {
    read("gateway.toml", text);
}

/// A biller's file beside a sound main file: likewise.
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
            // Some file systems wait for the disk where a file is cut and written anew.
            let _ = fs::remove_file(&path);
            fs::write(path, text).expect("the folder is ours");
        };
        write("gateway.toml", MAIN.as_bytes());
        write("billers/B0001.toml", BILLER.as_bytes());
        write(name, text);
        judge(folder.path(), name, text);
    });
}

fn judge(folder: &Path, name: &str, text: &[u8]) {
    let outcome = Config::load(&folder.join("gateway.toml"));
    let is_toml =
        std::str::from_utf8(text).is_ok_and(|text| toml::from_str::<toml::Table>(text).is_ok());
    match outcome {
        Ok(loaded) => {
            assert!(is_toml, "{name} is no TOML, and is taken");
            is_told(&loaded);
        }
        Err(faults) => are_told(&faults, folder),
    }
}

/// What is taken is shown without a panic, and its warnings are a line each.
fn is_told(loaded: &Loaded) {
    assert!(!format!("{loaded:?}").is_empty());
    for warning in &loaded.warnings {
        assert!(
            !warning.to_string().contains(char::is_control),
            "{warning:?}"
        );
    }
}

/// Every fault is one line that a terminal may be given, and names its file.
fn are_told(faults: &Faults, folder: &Path) {
    assert!(faults.iter().count() > 0, "refused without a word");
    let folder = folder.display().to_string();
    for fault in faults {
        let line = fault.to_string();
        assert!(!line.contains(char::is_control), "{line:?}");
        assert!(line.contains(&folder), "{line:?}");
    }
}

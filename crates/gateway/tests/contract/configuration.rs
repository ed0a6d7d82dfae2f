//! Section 6: keys, defaults and bounds are those of the loader, and no key is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use gateway::config::{Config, Faults, Loaded};
use tempfile::TempDir;

use crate::document::{code, codes, contract, rows, under};

/// It resembles no key, so its fault lists the known keys.
const UNKNOWN: &str = "zzzzzzzzzzzzzzzzzzzzzzzz";

/// The keys without a default, with values that load.
const REQUIRED: [(&str, &str); 6] = [
    ("kakao.base_url", "'http://127.0.0.1:9001'"),
    ("listen.tls.certificate", "'some.pem'"),
    ("listen.tls.private_key", "'some.pem'"),
    ("ledger.redis.url", "'redis://127.0.0.1:6379/0'"),
    ("code", "'B0001'"),
    ("base_url", "'http://127.0.0.1:9002'"),
];

/// The two kinds of files, and the heading under which their keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum File {
    Main,
    Biller,
}

use File::{Biller, Main};

impl File {
    const fn heading(self) -> &'static str {
        match self {
            Main => "### The main file",
            Biller => "### A biller's file",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Main => "gateway.toml",
            Biller => "billers/B0001.toml",
        }
    }
}

/// A row of the page.
struct Key<'a> {
    name: &'a str,
    kind: &'a str,
    default: &'a str,
    bounds: &'a str,
}

fn keys(page: &str, file: File) -> Vec<Key<'_>> {
    let text = under(page, file.heading());
    let rows = rows(text, ["key", "type", "default", "bounds", "meaning"]);
    let keys = rows
        .into_iter()
        .map(|[name, kind, default, bounds, _]| Key {
            name: code(name),
            kind,
            default,
            bounds,
        });
    keys.collect()
}

impl Key<'_> {
    fn is_required(&self) -> bool {
        self.default == "–"
    }

    fn is_list(&self) -> bool {
        matches!(self.kind, "networks" | "digests" | "texts")
    }

    /// Writes a value of this type as TOML.
    fn toml(&self, value: &str) -> String {
        if matches!(self.kind, "number" | "yes or no") {
            value.to_owned()
        } else {
            format!("'{value}'")
        }
    }

    /// Whether `Debug` of a configuration, searched from the key's table on, shows the key as absent.
    fn is_absent_in(&self, mut shown: &str) -> bool {
        for table in self
            .name
            .rsplit('.')
            .skip(1)
            .collect::<Vec<_>>()
            .iter()
            .rev()
        {
            let field = format!("{table}: ");
            match shown.split_once(&field) {
                // A table that is absent itself has no key.
                Some((_, rest)) if rest.starts_with("None") => return true,
                Some((_, rest)) => shown = rest,
                None => {}
            }
        }
        let field = match self.name.rsplit('.').next().unwrap() {
            "password_file" | "password_env" => "password",
            field => field,
        };
        // The TLS files of Redis are one optional field.
        let is_tls_of_redis = self.name.starts_with("ledger.redis.")
            && ["ca", "certificate", "private_key"].contains(&field);
        if is_tls_of_redis
            && shown
                .split_once("tls: ")
                .is_some_and(|(_, tls)| tls.starts_with("None"))
        {
            return true;
        }
        let nothing = if self.is_list() { "[]" } else { "None" };
        let first = shown.split_once(&format!("{field}: "));
        first.is_some_and(|(_, value)| value.starts_with(nothing))
    }
}

/// A configuration in a temporary folder: dotted keys and values of each file.
struct Folder {
    directory: TempDir,
    main: BTreeMap<String, String>,
    biller: BTreeMap<String, String>,
}

impl Folder {
    /// Makes a folder with empty files.
    fn empty() -> Self {
        let directory = TempDir::new().unwrap();
        fs::create_dir(directory.path().join("billers")).unwrap();
        // A certificate and its key in one file, which serves for every TLS file.
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let pem = made.cert.pem() + &made.signing_key.serialize_pem();
        fs::write(directory.path().join("some.pem"), pem).unwrap();
        Self {
            directory,
            main: BTreeMap::new(),
            biller: BTreeMap::new(),
        }
    }

    /// Makes a folder with the required keys only.
    fn minimal() -> Self {
        let mut folder = Self::empty();
        for (name, value) in REQUIRED {
            let file = if name.contains('.') { Main } else { Biller };
            folder.set(file, name, value);
        }
        folder
    }

    fn file(&mut self, file: File) -> &mut BTreeMap<String, String> {
        match file {
            Main => &mut self.main,
            Biller => &mut self.biller,
        }
    }

    fn set(&mut self, file: File, name: &str, value: &str) {
        self.file(file).insert(name.to_owned(), value.to_owned());
    }

    fn load(&self) -> Result<Loaded, Faults> {
        for (file, keys) in [(Main, &self.main), (Biller, &self.biller)] {
            let lines = keys.iter().map(|(name, value)| format!("{name} = {value}"));
            let path = self.directory.path().join(file.path());
            fs::write(path, lines.collect::<Vec<_>>().join("\n")).unwrap();
        }
        Config::load(&self.directory.path().join(Main.path()))
    }

    /// Loads with another value of one key.
    fn load_with(&mut self, file: File, name: &str, value: &str) -> Result<Loaded, Faults> {
        let former = self.file(file).insert(name.to_owned(), value.to_owned());
        let loaded = self.load();
        match former {
            Some(former) => self.set(file, name, &former),
            None => drop(self.file(file).remove(name)),
        }
        loaded
    }

    /// Returns the fault at a key with this value, if there is one.
    fn fault(&mut self, file: File, name: &str, value: &str) -> Option<String> {
        let faults = self.load_with(file, name, value).err()?;
        let mut of_key = faults.iter().filter(|fault| fault.key == name);
        of_key.next().map(|fault| fault.message.clone())
    }
}

/// Returns the keys that the loader knows under `prefix`, those of tables below it too; `None` if there is no such
/// table.
fn known(file: File, prefix: &str) -> Option<BTreeSet<String>> {
    let what = Folder::empty().fault(file, &format!("{prefix}{UNKNOWN}"), "1")?;
    let (_, names) = what
        .split_once("known here: ")
        .unwrap_or_else(|| panic!("lists no keys: {what}"));
    let mut keys = BTreeSet::new();
    for name in names.split(", ") {
        let name = format!("{prefix}{name}");
        match known(file, &format!("{name}.")) {
            Some(below) => keys.extend(below),
            None => assert!(keys.insert(name)),
        }
    }
    Some(keys)
}

#[test]
fn the_page_has_every_key_that_the_loader_knows_and_no_other() {
    let page = contract();
    for file in [Main, Biller] {
        let written = keys(&page, file);
        let names: BTreeSet<String> = written.iter().map(|key| key.name.to_owned()).collect();
        assert_eq!(names.len(), written.len(), "a key twice in {file:?}");
        assert_eq!(names, known(file, "").unwrap(), "{file:?}");
    }
}

#[test]
fn keys_without_a_default_are_required_and_no_others_are() {
    let page = contract();
    let mut required = BTreeSet::new();
    for file in [Main, Biller] {
        let keys = keys(&page, file);
        required.extend(
            keys.iter()
                .filter(|key| key.is_required())
                .map(|key| key.name),
        );
    }
    assert_eq!(required, REQUIRED.map(|(name, _)| name).into());
    let minimal = Folder::minimal().load();
    assert!(minimal.is_ok(), "all others may be left out: {minimal:?}");
    for (name, _) in REQUIRED {
        let mut folder = Folder::minimal();
        let file = if name.contains('.') { Main } else { Biller };
        // Another key keeps its table there.
        if name == "ledger.redis.url" {
            folder.set(file, "ledger.redis.key_prefix", "'relay'");
        }
        folder.file(file).remove(name);
        let faults = folder.load().unwrap_err();
        assert!(faults.iter().any(|fault| fault.key == name), "{faults}");
    }
}

#[test]
fn a_default_that_is_written_out_changes_nothing() {
    let page = contract();
    let mut folder = Folder::minimal();
    let unwritten = folder.load().unwrap();
    let (main, biller) = (&unwritten.config, &unwritten.billers[0]);
    let shown = [format!("{main:?}"), format!("{biller:?}")];
    for (file, shown) in [(Main, &shown[0]), (Biller, &shown[1])] {
        for key in keys(&page, file).iter().filter(|key| !key.is_required()) {
            let name = key.name;
            if let Some(default) = codes(key.default).next() {
                let loaded = folder.load_with(file, name, &key.toml(default));
                let loaded = loaded.unwrap_or_else(|faults| panic!("{faults}"));
                assert_eq!(loaded.config, *main, "{name}");
                assert_eq!(loaded.billers[0], *biller, "{name}");
            } else if name == "name" {
                assert_eq!((key.default, &*biller.name), ("the code", "B0001"));
            } else {
                assert!(key.is_absent_in(shown), "{name}: {shown}");
            }
        }
    }
}

#[test]
fn a_value_beyond_the_bounds_of_its_row_is_a_fault_that_names_them() {
    let page = contract();
    let mut folder = Folder::minimal();
    let mut checked = 0;
    for file in [Main, Biller] {
        for key in keys(&page, file) {
            let (value, expected) = match key.kind {
                "duration" => ("'999999d'".to_owned(), format!("from {},", key.bounds)),
                "size" => ("'999999GiB'".to_owned(), format!("from {},", key.bounds)),
                "number" => ("4294967295".to_owned(), format!("from {},", key.bounds)),
                "word" => ("'other'".to_owned(), format!("one of {},", key.bounds)),
                _ if key.is_list() => {
                    let most = key.bounds.split(',').next().unwrap();
                    let entries = "0,".repeat(most.parse::<usize>().unwrap() + 1);
                    (format!("[{entries}]"), format!("at most {most} entries,"))
                }
                _ => continue,
            };
            let fault = folder.fault(file, key.name, &value).unwrap_or_default();
            assert!(
                fault.contains(&expected),
                "{}: {fault}: {expected}",
                key.name
            );
            checked += 1;
        }
    }
    assert!(checked > 20, "{checked}");
}

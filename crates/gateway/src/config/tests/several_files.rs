//! Faults of several files, and faults of whole files.

use super::folder::Folder;
use crate::config::Config;

#[test]
fn a_code_in_two_files_is_a_fault_that_names_both() {
    let folder = Folder::new();
    folder.write("billers/copy.toml", "code = 'B0001'");
    assert_eq!(
        folder.faults(),
        format!(
            "billers/copy.toml: base_url: is missing and has no default\n\
             billers/copy.toml: code: `B0001` is already the code of {}",
            "billers/B0001.toml"
        )
    );
}

#[test]
fn all_faults_of_all_files_are_reported_sorted_by_file_and_line() {
    let folder = Folder::with_main("[kakao]\nbase_url = 1\nallow_from = 2\n[budget]\ntotal = 'x'");
    folder.write("billers/B0001.toml", "code = [\nstatus = 'active'");
    folder.write("billers/B0002.toml", b"code = 'B0002'\nname = '\xff'");
    folder.write("billers/B0003.toml", "\n\nburst = 0\ncode = ''");
    let faults = folder.load().unwrap_err();
    let found: Vec<String> = faults
        .iter()
        .map(|fault| {
            let line = fault.line.map_or("-".to_owned(), |line| line.to_string());
            format!(
                "{} {} {line}",
                folder.relative(&fault.file.display().to_string()),
                fault.key
            )
        })
        .collect();
    assert!(found[0].starts_with("billers/B0001.toml  "), "{found:?}");
    let after: Vec<&str> = found
        .iter()
        .map(String::as_str)
        .skip_while(|fault| fault.starts_with("billers/B0001.toml"))
        .collect();
    assert_eq!(
        after,
        [
            "billers/B0002.toml  2",
            "billers/B0003.toml base_url -",
            "billers/B0003.toml burst 3",
            "billers/B0003.toml code 4",
            "gateway.toml kakao.base_url 2",
            "gateway.toml kakao.allow_from 3",
            "gateway.toml budget.total 5",
        ]
    );
}

#[test]
fn a_syntax_fault_of_the_main_file_hides_no_billers_fault_and_quotes_no_line() {
    let folder = Folder::with_main(
        "[billers]\ndirectory = 'b'\n[ledger.redis]\nurl = \"redis://:s3cret@h\n",
    );
    std::fs::rename(folder.path("billers"), folder.path("b")).unwrap();
    folder.write("b/B0001.toml", "");
    assert_eq!(
        folder.faults(),
        "b/B0001.toml: code: is missing and has no default\n\
         b/B0001.toml: base_url: is missing and has no default\n\
         gateway.toml: ledger.redis.url: is not TOML: invalid basic string, expected `\"` (line 4)"
    );
}

#[test]
fn a_syntax_fault_names_the_key_of_its_line() {
    let table = [
        ("[budget]\ntotal = 3s", "budget.total: is not TOML: "),
        (
            "[kakao]\n[kakao.tls]\nca = ca.pem",
            "kakao.tls.ca: is not TOML: ",
        ),
        (
            "listen.public = x\nlisten.ops = 'y'",
            "listen.public: is not TOML: ",
        ),
        (
            "[ops]\n[limits]\n[ops]",
            "ops: is not TOML: duplicate key (line 3)",
        ),
        (
            "[limits]\ndrain = '1s'\ndrain = '1s'",
            "drain: is not TOML: duplicate key (line 3)",
        ),
        ("\n= 1", "is not TOML: "),
        ("[budget\n", "budget: is not TOML: "),
    ];
    for (toml, expected) in table {
        let faults = Folder::with_main(toml).faults();
        let expected = format!("gateway.toml: {expected}");
        assert!(faults.starts_with(&expected), "{toml}: {faults}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_a_fault() {
    let folder = Folder::new();
    let gone = Config::load(&folder.path("gone.toml")).unwrap_err();
    let expected = "gone.toml: cannot be read: No such file or directory (os error 2)";
    assert_eq!(folder.relative(&gone.to_string()), expected);

    folder.write("gateway.toml", vec![b'#'; 256 * 1024 + 1]);
    assert_eq!(folder.faults(), "gateway.toml: is larger than 262144 bytes");

    let folder = Folder::new();
    std::fs::create_dir(folder.path("billers/X.toml")).unwrap();
    assert_eq!(folder.faults(), "billers/X.toml: is not a file");
}

#[test]
fn control_characters_in_a_name_are_escaped() {
    let folder = Folder::new();
    folder.write("billers/\u{1b}[2J\n.toml", "code = 'B0001'");
    let faults = folder.faults();
    let expected = r"billers/\u{1b}[2J\n.toml: base_url: is missing and has no default";
    assert!(faults.starts_with(expected), "{faults}");

    let folder = Folder::with_main("[billers]\ndirectory = \"a\\u0007b\"");
    let faults = folder.faults();
    assert!(faults.contains(r"`a\u{7}b` cannot be read"), "{faults}");
}

//! Which bodies say the same.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::CanonicalDigest;
use crate::{BillerCode, PayResult, Rules};

/// A whole pay-result's members, each as it is spelled.
const WHOLE: [(&str, &str); 15] = [
    ("biller_user_key", r#""u1""#),
    ("billed_year_month", r#""202611""#),
    ("ordinal", r#""""#),
    ("parameters", r#"{"a":"1","b":2}"#),
    ("pay_by", r#""MONEY""#),
    ("pay_type", r#""P""#),
    ("pay_detail2", r#""카드""#),
    ("pay_detail3", r#"["x",{"y":true}]"#),
    ("amount", "20000"),
    ("pay_amount", "20000"),
    ("pay_fee_type", r#""BEFORE""#),
    ("pay_fee", "150"),
    ("pay_fee_tax", "15"),
    ("paid_at", r#""20261124120000""#),
    ("pay_id", "2748877"),
];

fn digest_of_body(body: &str) -> Option<CanonicalDigest> {
    let rules = Rules {
        parameter_max_length: 8,
        identity_parameters: &[],
    };
    let biller = BillerCode::parse("B0001").unwrap();
    PayResult::parse(body.as_bytes(), biller, &rules)
        .unwrap_or_else(|refusal| panic!("{refusal}: {body}"))
        .canonical
}

fn body_of(members: &[(&str, &str)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!(r#"{{"data":{{{}}}}}"#, members.join(","))
}

/// The digest of the whole pay-result in which these members have these values; `""` leaves one out.
fn digest_with(changes: &[(&str, &str)]) -> Option<CanonicalDigest> {
    let mut members: Vec<(&str, &str)> = WHOLE.to_vec();
    for (name, value) in changes {
        members.retain(|(known, _)| known != name);
        if !value.is_empty() {
            members.push((name, value));
        }
    }
    digest_of_body(&body_of(&members))
}

#[test]
fn another_spelling_of_the_same_values_has_the_same_form() {
    let first = digest_with(&[]);
    assert!(first.is_some());
    let mut reversed = WHOLE.to_vec();
    reversed.reverse();
    assert_eq!(digest_of_body(&body_of(&reversed)), first);
    assert_eq!(
        digest_of_body(&body_of(&WHOLE).replace([':'], " :\r\n\t ")),
        first
    );
    let table: [(&str, &[(&str, &str)]); 12] = [
        (
            "numbers",
            &[
                ("amount", "2e4"),
                ("pay_amount", "20000.000"),
                ("pay_id", "27488770E-1"),
            ],
        ),
        (
            "more numbers",
            &[
                ("amount", "2.0E+0004"),
                ("pay_fee", "0.15e3"),
                ("pay_fee_tax", "1.5e1"),
            ],
        ),
        (
            "escapes",
            &[
                ("biller_user_key", r#""\u00751""#),
                ("pay_detail2", r#""\uce74\ub4DC""#),
            ],
        ),
        (
            "an escaped name",
            &[("pay_by", ""), (r"pay\u005fby", r#""MONEY""#)],
        ),
        (
            "order within parameters",
            &[("parameters", r#"{ "b":2.0, "\u0061":"1" }"#)],
        ),
        (
            "nested spelling",
            &[("pay_detail3", r#" [ "\u0078" , { "y" : true } ] "#)],
        ),
        ("a missing member that is absent", &[("ordinal", "")]),
        ("a missing member that is null", &[("ordinal", "null")]),
        (
            "another missing member",
            &[("biller_notice_key", r#""""#), ("adjust_date", "null")],
        ),
        ("a member beyond the guide", &[("note", r#""x""#)]),
        (
            "an object beyond the guide",
            &[("note", r#"{"a":[1,{"b":1e99999999999999999999}]}"#)],
        ),
        (
            "another order of all",
            &[("biller_user_key", r#""u1""#), ("amount", "20000")],
        ),
    ];
    for (what, changes) in table {
        assert_eq!(digest_with(changes), first, "{what}");
    }
    let beyond = body_of(&WHOLE).replacen("{\"data\"", "{\"note\":[{}],\"data\"", 1);
    assert_eq!(digest_of_body(&beyond), first);
}

#[test]
fn another_value_of_any_member_of_the_guide_has_another_form() {
    let mut seen = vec![digest_with(&[]).unwrap()];
    let table: [(&str, &str); 40] = [
        ("biller_user_key", r#""u2""#),
        ("biller_user_key", r#""U1""#),
        ("biller_user_key", r#""u1 ""#),
        ("billed_year_month", r#""202612""#),
        ("billed_year_month", "null"),
        ("ordinal", r#""1""#),
        ("biller_notice_key", r#""1""#),
        ("parameters", "null"),
        ("parameters", "{}"),
        ("parameters", "[]"),
        ("parameters", r#"{"a":"1"}"#),
        ("parameters", r#"{"a":"1","b":"2"}"#),
        ("parameters", r#"{"a":1,"b":2}"#),
        ("parameters", r#"{"a":"1","b":2,"c":null}"#),
        ("parameters", r#"{"a":"1","b":2,"c":""}"#),
        ("parameters", r#"{"a":"1","b":{"c":2}}"#),
        ("parameters", r#"{"a":"1","b":[2]}"#),
        ("parameters", r#"{"a":"1","b":[[2]]}"#),
        ("parameters", r#"{"a":"2","b":1}"#),
        ("parameters", r#"{"A":"1","b":2}"#),
        ("parameters", r#"{"a":true,"b":2}"#),
        ("parameters", r#"{"a":false,"b":2}"#),
        ("pay_by", r#""CARD""#),
        ("pay_type", r#""C""#),
        ("pay_detail1", r#""123456""#),
        ("pay_detail2", r#""카두""#),
        ("pay_detail3", r#"["x",{"y":false}]"#),
        ("pay_detail3", r#"[{"y":true},"x"]"#),
        ("pay_detail3", "7"),
        ("amount", "20001"),
        ("amount", "-20000"),
        ("pay_amount", "20000.1"),
        ("pay_amount", "2000"),
        ("pay_amount", "0"),
        ("pay_fee_type", r#""AFTER""#),
        ("pay_fee", "151"),
        ("pay_fee_tax", "0.15"),
        ("adjust_date", r#""20261130""#),
        ("paid_at", r#""20261124120001""#),
        ("pay_id", "2748878"),
    ];
    for (name, value) in table {
        let digest = digest_with(&[(name, value)]).unwrap();
        assert!(!seen.contains(&digest), "{name}: {value}");
        seen.push(digest);
    }
}

#[test]
fn numbers_beyond_all_proportion_are_compared_by_value_as_far_as_possible() {
    let of = |spelling: &str| digest_with(&[("pay_detail3", spelling)]).unwrap();
    let long = format!("{}.{}e-3", "9".repeat(400), "0".repeat(100));
    let moved = format!("{}.999", "9".repeat(397));
    assert_eq!(of(&long), of(&moved));
    assert_eq!(of("0"), of("-0.000e99"));
    assert_eq!(of("1e12345678901234567"), of("10e12345678901234566"));
    // An exponent that long is no amount of money: its spelling counts.
    assert_ne!(of("1e123456789012345678"), of("10e123456789012345677"));
    assert_ne!(of("1"), of("-1"));
}

#[test]
fn a_body_with_a_member_twice_anywhere_has_no_canonical_form() {
    let table: [&[(&str, &str)]; 5] = [
        &[("parameters", r#"{"a":"1","a":"1"}"#)],
        &[("parameters", r#"{"a":{"b":1,"\u0062":1}}"#)],
        &[("pay_detail3", r#"[0,[{"a":1,"a":2}]]"#)],
        &[("note", r#"{"a":1,"a":1}"#)],
        &[("note", r#"[[{"a":{"a":{"b":1,"b":1}}}]]"#)],
    ];
    for changes in table {
        assert_eq!(digest_with(changes), None, "{changes:?}");
    }
    let beyond = body_of(&WHOLE).replacen('{', r#"{"note":{"a":1,"a":1},"#, 1);
    assert_eq!(digest_of_body(&beyond), None);
}

/// A value of JSON, and how it can be spelled.
#[derive(Clone, Debug)]
enum Tree {
    Literal(&'static str),
    Number(i64, u8),
    String(String),
    Array(Vec<Tree>),
    Object(std::collections::BTreeMap<String, Tree>),
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        prop_oneof![Just("null"), Just("true"), Just("false")].prop_map(Tree::Literal),
        (-999..1000_i64, 0..4_u8).prop_map(|(digits, zeros)| Tree::Number(digits, zeros)),
        "[a-c가\"\\\\\n]{0,3}".prop_map(Tree::String),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Tree::Array),
            proptest::collection::btree_map("[a-c]{0,2}", inner, 0..4).prop_map(Tree::Object),
        ]
    })
}

/// Spells a tree; the bits of `choices` decide how.
fn spell(tree: &Tree, choices: &mut impl Iterator<Item = bool>, out: &mut String) {
    let mut choose = || choices.next().unwrap_or_default();
    let space = if choose() { "\n " } else { "" };
    out.push_str(space);
    match tree {
        Tree::Literal(literal) => out.push_str(literal),
        Tree::Number(digits, zeros) => {
            let (zeros, decimals) = (usize::from(*zeros), if choose() { ".0" } else { "" });
            if choose() {
                write!(out, "{digits}{decimals}e{zeros}").unwrap();
            } else if *digits == 0 {
                write!(out, "0{decimals}").unwrap();
            } else {
                write!(out, "{digits}{}{decimals}", "0".repeat(zeros)).unwrap();
            }
        }
        Tree::String(text) => spell_string(text, choose(), out),
        Tree::Array(elements) => {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                spell(element, choices, out);
            }
            out.push(']');
        }
        Tree::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            if choose() {
                members.reverse();
            }
            let escaped = choose();
            out.push('{');
            for (index, (name, value)) in members.into_iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                spell_string(name, escaped, out);
                out.push(':');
                spell(value, choices, out);
            }
            out.push('}');
        }
    }
    out.push_str(space);
}

fn spell_string(text: &str, escaped: bool, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        if escaped || matches!(character, '"' | '\\' | '\n') {
            write!(out, "\\u{:04x}", u32::from(character)).unwrap();
        } else {
            out.push(character);
        }
    }
    out.push('"');
}

fn spelled(tree: &Tree, choices: Vec<bool>) -> String {
    let mut out = String::new();
    spell(tree, &mut choices.into_iter(), &mut out);
    out
}

proptest! {
    #[test]
    fn two_trees_have_one_form_if_and_only_if_they_have_one_plain_spelling(
        (one, other) in (trees(), trees()),
        (first, second) in (any::<Vec<bool>>(), any::<Vec<bool>>()),
    ) {
        let digest = |tree: &Tree, choices| digest_with(&[("pay_detail3", &spelled(tree, choices))]);
        prop_assert_eq!(digest(&one, first.clone()), digest(&one, second.clone()));
        // `null` and `""` are missing members, so they are one value here.
        let plain = |tree: &Tree| match normalized(tree) {
            text if text == "null" => "\"\"".to_owned(),
            text => text,
        };
        prop_assert_eq!(plain(&one) == plain(&other), digest(&one, first) == digest(&other, second));
    }
}

/// One spelling for all trees of the same value.
fn normalized(tree: &Tree) -> String {
    match tree {
        Tree::Number(digits, zeros) => (digits * 10_i64.pow(u32::from(*zeros))).to_string(),
        Tree::Array(elements) => {
            format!(
                "array {:?}",
                elements.iter().map(normalized).collect::<Vec<_>>()
            )
        }
        Tree::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| (name, normalized(value)));
            format!("object {:?}", members.collect::<Vec<_>>())
        }
        tree => spelled(tree, Vec::new()),
    }
}

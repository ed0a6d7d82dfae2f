use std::collections::HashSet;

use super::*;
use proptest::prelude::*;

fn biller() -> BillerCode {
    BillerCode::parse("B0001").unwrap()
}

fn bill(user_key: &str, month: &str, ordinal: &str, notice_key: &str) -> Bill {
    Bill::from_parts(biller(), user_key, month, ordinal, notice_key, &[])
}

#[test]
fn a_bill_returns_its_parts_with_sorted_parameters_and_without_empty_ones() {
    let parameters = [("unit", "5"), ("block", "11"), ("none", "")];
    let bill = Bill::from_parts(biller(), "고객1", "202611", "", "N:1,", &parameters);
    assert_eq!(bill.biller_code(), biller());
    assert_eq!(bill.biller_user_key(), "고객1");
    assert_eq!(bill.billed_year_month(), "202611");
    assert_eq!(bill.ordinal(), "");
    assert_eq!(bill.biller_notice_key(), "N:1,");
    let kept: Vec<_> = bill.identity_parameters().collect();
    assert_eq!(kept, [("block", "11"), ("unit", "5")]);
}

#[test]
fn a_bill_without_other_parts_has_only_a_user_key() {
    assert!(bill("u", "", "", "").has_only_user_key());
    assert!(!bill("u", "202611", "", "").has_only_user_key());
    assert!(!bill("u", "", "1", "").has_only_user_key());
    assert!(!bill("u", "", "", "n").has_only_user_key());
    assert!(!Bill::from_parts(biller(), "u", "", "", "", &[("a", "1")]).has_only_user_key());
    assert!(Bill::from_parts(biller(), "u", "", "", "", &[("a", "")]).has_only_user_key());
}

#[test]
fn the_group_key_has_user_key_month_and_ordinal_and_the_other_key_all_but_the_notice_key() {
    let one = Bill::from_parts(biller(), "u", "202611", "1", "n1", &[("a", "1")]);
    let other_key = Bill::from_parts(biller(), "u", "202611", "1", "n2", &[("a", "1")]);
    let other_parameter = Bill::from_parts(biller(), "u", "202611", "1", "n1", &[("a", "2")]);
    let other_month = Bill::from_parts(biller(), "u", "202612", "1", "n1", &[("a", "1")]);
    assert_ne!(one, other_key);
    assert_eq!(
        (one.group_key(), one.key_without_notice_key()),
        (other_key.group_key(), other_key.key_without_notice_key())
    );
    assert_eq!(one.group_key(), other_parameter.group_key());
    assert_ne!(
        one.key_without_notice_key(),
        other_parameter.key_without_notice_key()
    );
    assert_ne!(one.group_key(), other_month.group_key());
}

#[test]
fn bills_of_two_billers_differ_though_their_texts_are_the_same() {
    let other = Bill::from_parts(BillerCode::parse("B0002").unwrap(), "u", "", "", "", &[]);
    assert_ne!(bill("u", "", "", ""), other);
    assert_eq!(bill("u", "", "", "").group_key(), other.group_key());
}

#[test]
fn debug_shows_the_biller_and_lengths_only() {
    let parameters = [("unit", "secret-e")];
    let bill = Bill::from_parts(
        biller(),
        "secret-a",
        "secret-b",
        "secret-c",
        "secret-d",
        &parameters,
    );
    let shown = format!("{bill:?}");
    assert!(
        shown.contains("B0001") && !shown.contains("secret"),
        "{shown}"
    );
}

#[test]
fn the_text_is_allocated_once_at_its_exact_size() {
    for length in [0, 1, 9, 10, 99, 100, 65_536] {
        let content = "x".repeat(length);
        let mut text = String::new();
        push_netstring(&mut text, &content);
        assert_eq!(text.len(), netstring_length(&content));
        assert_eq!(text, format!("{length}:{content},"));
    }
}

/// Few letters and the encoding's own signs, so that confusions would show.
const PART: &str = "[a0-2:,\u{1f}]{0,4}";

fn parts() -> impl Strategy<Value = [String; 6]> {
    [PART, PART, PART, PART, PART, PART]
}

fn from(parts: &[String; 6]) -> Bill {
    let [user_key, month, ordinal, notice_key, first, second] = parts;
    let parameters = [("second", second.as_str()), ("first", first.as_str())];
    Bill::from_parts(biller(), user_key, month, ordinal, notice_key, &parameters)
}

proptest! {
    #[test]
    fn two_bills_are_equal_if_and_only_if_all_their_parts_are(a in parts(), b in parts()) {
        prop_assert_eq!(from(&a) == from(&b), a == b);
        prop_assert_eq!(from(&a).group_key() == from(&b).group_key(), a[..3] == b[..3]);
        let rest = |parts: &[String; 6]| [&parts[..3], &parts[4..]].concat();
        prop_assert_eq!(from(&a).key_without_notice_key() == from(&b).key_without_notice_key(), rest(&a) == rest(&b));
        let distinct: HashSet<Bill> = [from(&a), from(&b), from(&a)].into();
        prop_assert_eq!(distinct.len(), if a == b { 1 } else { 2 });
    }

    #[test]
    fn any_text_is_given_back(parts in proptest::array::uniform6(any::<String>())) {
        let bill = from(&parts);
        prop_assert_eq!(bill.biller_user_key(), &parts[0]);
        prop_assert_eq!(bill.billed_year_month(), &parts[1]);
        prop_assert_eq!(bill.ordinal(), &parts[2]);
        prop_assert_eq!(bill.biller_notice_key(), &parts[3]);
        let wanted = [("first", parts[4].as_str()), ("second", parts[5].as_str())];
        let wanted: Vec<_> = wanted.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        prop_assert_eq!(bill.identity_parameters().collect::<Vec<_>>(), wanted);
    }
}

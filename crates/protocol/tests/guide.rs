//! The tables of the guide, transcribed in `tests/data`, and the code agree both ways.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use protocol::{
    BillerCode, JsonType, KoreanTime, LinkCreate, LinkRecreate, Member, Notice, PayResult, PayType,
    Prepay, ResCode, Rules, Width,
};

/// The cells of a transcription's lines.
fn rows(table: &str) -> Vec<Vec<&str>> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split(" | ").collect()).collect()
}

#[test]
fn the_codes_and_messages_are_those_of_the_guide() {
    let mut guide = BTreeMap::new();
    for row in rows(include_str!("data/response_codes.txt")) {
        let [_section, code, message] = row[..] else {
            panic!("{row:?}")
        };
        let before = guide.insert(code, message);
        assert!(
            before.is_none_or(|before| before == message),
            "two messages for {code}"
        );
    }
    let ours = ResCode::ALL
        .iter()
        .map(|code| (code.code(), code.message()))
        .collect();
    assert_eq!(guide, ours);
    assert_eq!(guide.len(), ResCode::ALL.len());
}

/// A member as the transcription would show it.
fn row_of(member: &Member) -> Vec<String> {
    let json_type = match member.json_type {
        JsonType::String => "String",
        JsonType::Number => "Number",
        JsonType::Object => "JSON Object",
    };
    let (max_length, form) = match member.width {
        Width::Any | Width::Exact | Width::PayId => ("-".to_owned(), "-"),
        Width::Max(length) => (length.to_string(), "-"),
        Width::PayType => ("1".to_owned(), "P/C"),
        Width::Time => ("-".to_owned(), "YYYYMMDDHH24MISS"),
        Width::Digits(6) => ("6".to_owned(), "YYYYMM"),
        Width::Digits(8) => ("8".to_owned(), "YYYYMMDD"),
        Width::Digits(14) => ("14".to_owned(), "YYYYMMDDHH24MISS"),
        Width::Digits(other) => panic!("the guide has no form of {other} digits"),
    };
    let required = if member.required { "O" } else { "X" };
    [member.name, json_type, &max_length, required, form]
        .map(String::from)
        .into()
}

#[test]
fn the_member_tables_are_those_of_the_guide_in_its_order() {
    let tables = [
        (include_str!("data/link_create.txt"), LinkCreate::MEMBERS),
        (
            include_str!("data/link_recreate.txt"),
            LinkRecreate::MEMBERS,
        ),
        (include_str!("data/notice.txt"), Notice::MEMBERS),
        (include_str!("data/prepay.txt"), Prepay::MEMBERS),
        (include_str!("data/pay_result.txt"), PayResult::MEMBERS),
    ];
    for (guide, members) in tables {
        let ours: Vec<_> = members.iter().map(row_of).collect();
        assert_eq!(rows(guide), ours);
    }
}

#[test]
fn numbers_are_exact_and_nothing_else_is() {
    let tables = [
        LinkCreate::MEMBERS,
        LinkRecreate::MEMBERS,
        Notice::MEMBERS,
        Prepay::MEMBERS,
        PayResult::MEMBERS,
    ];
    for member in tables.concat() {
        assert_eq!(
            member.json_type == JsonType::Number,
            matches!(member.width, Width::Exact | Width::PayId),
            "{member:?}"
        );
    }
}

#[test]
fn the_guides_own_example_requests_are_taken() {
    let biller = BillerCode::parse("B0001").unwrap();
    let rules = Rules {
        parameter_max_length: 8,
        identity_parameters: &[],
    };

    let body = include_bytes!("data/examples/link_create.json");
    let create = LinkCreate::parse(body, biller, &rules).unwrap();
    assert_eq!(create.bill.biller_user_key(), "0000000001");
    assert_eq!(
        create.expire_at,
        KoreanTime::parse("20200409235959").unwrap()
    );

    let body = include_bytes!("data/examples/link_recreate.json");
    let recreate = LinkRecreate::parse(body, biller, &rules).unwrap();
    assert_eq!(recreate.bill, create.bill);
    assert_eq!(recreate.expire_at, create.expire_at);

    let body = include_bytes!("data/examples/notice.json");
    assert_eq!(
        Notice::parse(body, biller, &rules).unwrap().bill,
        create.bill
    );

    let body = include_bytes!("data/examples/prepay.json");
    let prepay = Prepay::parse(body, biller, &rules).unwrap();
    assert_eq!(prepay.bill, create.bill);
    assert_eq!(prepay.amount.to_string(), "29000");

    let body = include_bytes!("data/examples/pay_result.json");
    let result = PayResult::parse(body, biller, &rules).unwrap();
    assert_eq!(result.bill, create.bill);
    assert_eq!(result.event.pay_id.to_string(), "2748877");
    assert_eq!(result.event.pay_type, PayType::P);
    assert_eq!(result.event.paid_at.as_str(), "20190220161656");
    assert_eq!(result.event.pay_amount.to_string(), "20000");
    assert!(result.bill.has_only_user_key());
}

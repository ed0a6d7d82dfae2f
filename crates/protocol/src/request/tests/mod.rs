//! The order of checks, in tables one can read aloud: `body | check code member`.

mod random;

use super::*;
use crate::{Bill, BillerCode, PayType};

const NO_IDENTITY: Rules<'static> = Rules {
    parameter_max_length: 8,
    identity_parameters: &[],
};

fn biller() -> BillerCode {
    BillerCode::parse("B0001").unwrap()
}

/// `OK`, or check, code and member of the refusal.
fn verdict<T>(result: &Result<T, Refusal>) -> String {
    match result {
        Ok(_) => "OK".to_owned(),
        Err(Refusal {
            check,
            code,
            member,
            ..
        }) => {
            format!("{check:?} {code} {}", member.unwrap_or("-"))
        }
    }
}

fn link(body: &str) -> String {
    let create = verdict(&LinkCreate::parse(body.as_bytes(), biller(), &NO_IDENTITY));
    let recreate = verdict(&LinkRecreate::parse(
        body.as_bytes(),
        biller(),
        &NO_IDENTITY,
    ));
    assert_eq!(
        create, recreate,
        "the two link APIs have the same checks: {body}"
    );
    create
}

fn notice(body: &str) -> String {
    verdict(&Notice::parse(body.as_bytes(), biller(), &NO_IDENTITY))
}

fn prepay(body: &str) -> String {
    verdict(&Prepay::parse(body.as_bytes(), biller(), &NO_IDENTITY))
}

fn pay_result(members: &str) -> String {
    verdict(&parse_pay_result(members))
}

fn parse_pay_result(members: &str) -> Result<PayResult, Refusal> {
    let body = format!(r#"{{"data":{{{members}}}}}"#);
    PayResult::parse(body.as_bytes(), biller(), &NO_IDENTITY)
}

/// A whole pay-result, with some members replaced by others.
fn pay_result_with(changes: &[(&str, &str)]) -> String {
    let whole = [
        ("biller_user_key", r#""1""#),
        ("pay_by", r#""MONEY""#),
        ("pay_type", r#""P""#),
        ("pay_detail1", r#""""#),
        ("pay_detail2", r#""""#),
        ("amount", "20000"),
        ("pay_amount", "20000"),
        ("pay_fee_type", r#""BEFORE""#),
        ("pay_fee", "150"),
        ("pay_fee_tax", "15"),
        ("paid_at", r#""20190220161656""#),
        ("pay_id", "2748877"),
    ];
    let mut members = Vec::new();
    for (name, value) in whole {
        if changes.iter().all(|(changed, _)| *changed != name) {
            members.push(format!("\"{name}\":{value}"));
        }
    }
    members.extend(
        changes
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}")),
    );
    members.join(",")
}

#[test]
fn check_5_comes_before_all_others_and_answers_e807() {
    let table = [
        ("", "Parse E807 -"),
        ("[]", "Parse E807 -"),
        ("\u{feff}{}", "Parse E807 -"),
        (r#"{"data":{}} x"#, "Parse E807 -"),
        (r#"{"data":[]}"#, "Type E807 data"),
        (r#"{"data":"{}"}"#, "Type E807 data"),
        (r#"{"data":0}"#, "Type E807 data"),
        (r#"{"data":false}"#, "Type E807 data"),
        (r#"{"data":null,"data":{}}"#, "Parse E807 data"),
        (r#"{"data":{},"d\u0061ta":{}}"#, "Parse E807 data"),
        (r#"{"x":1,"\u0078":1}"#, "Parse E807 -"),
        (r#"{"data":{"x":1,"\u0078":1}}"#, "Parse E807 -"),
        (
            r#"{"data":{"ordinal":"","ordinal":""}}"#,
            "Parse E807 ordinal",
        ),
        (
            r#"{"data":{"ordinal":null,"ordin\u0061l":"1"}}"#,
            "Parse E807 ordinal",
        ),
        (
            r#"{"data":{"parameters":{"a":"1","a":"1"}}}"#,
            "Parse E807 parameters",
        ),
        (
            r#"{"data":{"biller_user_key":1}}"#,
            "Type E807 biller_user_key",
        ),
        (
            r#"{"data":{"biller_user_key":null,"expire_at":[]}}"#,
            "Type E807 expire_at",
        ),
        (
            r#"{"data":{"expire_at":20200409235959,"ordinal":true}}"#,
            "Type E807 ordinal",
        ),
        (r#"{"data":{"parameters":[]}}"#, "Type E807 parameters"),
        (r#"{"data":{"parameters":"{}"}}"#, "Type E807 parameters"),
        (r#"{"x":"\ud800"}"#, "Parse E807 -"),
    ];
    for (body, answer) in table {
        assert_eq!(link(body), answer, "{body}");
    }
}

#[test]
fn what_is_missing_comes_next_in_the_guides_order_and_answers_e001() {
    let table = [
        ("{}", "Required E001 data"),
        (r#"{"data":null}"#, "Required E001 data"),
        (r#"{"data":""}"#, "Required E001 data"),
        (r#"{"Data":{}}"#, "Required E001 data"),
        (r#"{"data":{}}"#, "Required E001 biller_user_key"),
        (
            r#"{"data":{"expire_at":"x"}}"#,
            "Required E001 biller_user_key",
        ),
        (
            r#"{"data":{"biller_user_key":"","expire_at":""}}"#,
            "Required E001 biller_user_key",
        ),
        (
            r#"{"data":{"biller_user_key":"1"}}"#,
            "Required E001 expire_at",
        ),
        (
            r#"{"data":{"biller_user_key":"1","expire_at":null}}"#,
            "Required E001 expire_at",
        ),
        (
            r#"{"data":{"biller_user_key":"1","billed_year_month":"x"}}"#,
            "Required E001 expire_at",
        ),
        (
            r#"{"data":{"parameters":{"a":[]}}}"#,
            "Required E001 biller_user_key",
        ),
    ];
    for (body, answer) in table {
        assert_eq!(link(body), answer, "{body}");
    }
    let no_amount = r#"{"data":{"biller_user_key":"1","amount":""}}"#;
    assert_eq!(
        prepay(no_amount),
        "Required E001 amount",
        "empty is never a wrong type"
    );
    let no_birth = r#"{"data":{"biller_user_key":"1","user_birth":null}}"#;
    assert_eq!(notice(no_birth), "Required E001 user_birth");
}

#[test]
fn widths_come_third_member_by_member_in_the_guides_order() {
    let with = |members: &str| {
        link(&format!(
            r#"{{"data":{{"biller_user_key":"1","expire_at":"20200409235959",{members}}}}}"#
        ))
    };
    let hangul = |count: usize| "가".repeat(count);
    let table = [
        (r#""billed_year_month":"202611""#.to_owned(), "OK"),
        (r#""billed_year_month":"999999""#.to_owned(), "OK"),
        (r#""billed_year_month":"""#.to_owned(), "OK"),
        (r#""billed_year_month":null"#.to_owned(), "OK"),
        (
            r#""billed_year_month":"20261""#.to_owned(),
            "Width E007 billed_year_month",
        ),
        (
            r#""billed_year_month":"2026111""#.to_owned(),
            "Width E007 billed_year_month",
        ),
        (
            r#""billed_year_month":"2026-1""#.to_owned(),
            "Width E007 billed_year_month",
        ),
        (
            r#""billed_year_month":"２６""#.to_owned(),
            "Width E007 billed_year_month",
        ),
        (format!(r#""ordinal":"{}""#, hangul(24)), "OK"),
        (
            format!(r#""ordinal":"{}""#, r"\uD83D\uDE00".repeat(24)),
            "OK",
        ),
        (
            format!(r#""ordinal":"{}""#, r"\uD83D\uDE00".repeat(25)),
            "Width E006 ordinal",
        ),
        (
            format!(r#""ordinal":"{}""#, hangul(25)),
            "Width E006 ordinal",
        ),
        (format!(r#""biller_notice_key":"{}""#, hangul(80)), "OK"),
        (
            format!(r#""biller_notice_key":"{}""#, hangul(81)),
            "Width E006 biller_notice_key",
        ),
        (
            format!(r#""biller_notice_key":"{0}","ordinal":"{0}""#, hangul(81)),
            "Width E006 ordinal",
        ),
        (
            format!(r#""ordinal":"{}","billed_year_month":"x""#, hangul(25)),
            "Width E007 billed_year_month",
        ),
        (
            r#""ordinal":"1","parameters":{"a":null}"#.to_owned(),
            "Parameters E101 parameters",
        ),
        (
            format!(r#""parameters":{{"a":null}},"ordinal":"{}""#, hangul(25)),
            "Width E006 ordinal",
        ),
    ];
    for (members, answer) in table {
        assert_eq!(with(&members), answer, "{members}");
    }
}

#[test]
fn a_user_key_too_long_comes_before_a_wrong_expire_at() {
    let user_key = |count| {
        link(&format!(
            r#"{{"data":{{"biller_user_key":"{}","expire_at":"x"}}}}"#,
            "가".repeat(count)
        ))
    };
    assert_eq!(user_key(50), "Width E007 expire_at");
    assert_eq!(user_key(51), "Width E006 biller_user_key");
}

#[test]
fn expire_at_is_a_real_time_which_may_be_past() {
    let table = [
        ("19000101000000", "OK"),
        ("20240229235959", "OK"),
        ("2024022923595", "Width E007 expire_at"),
        ("202402292359590", "Width E007 expire_at"),
        ("20230229000000", "Width E007 expire_at"),
        ("20240101240000", "Width E007 expire_at"),
        ("2024-01-01 000", "Width E007 expire_at"),
    ];
    for (expire_at, answer) in table {
        let body = format!(r#"{{"data":{{"biller_user_key":"1","expire_at":"{expire_at}"}}}}"#);
        assert_eq!(link(&body), answer, "{expire_at}");
    }
}

#[test]
fn parameters_of_the_link_apis_come_last_and_the_first_faulty_value_answers() {
    let table = [
        ("null", "OK"),
        (r#""""#, "OK"),
        ("{}", "OK"),
        (r#"{"a":"12345678","b":12345678901234567890,"c":""}"#, "OK"),
        (r#"{"a":" ~"}"#, "OK"),
        (r#"{"한글 이름":"1"}"#, "OK"),
        (r#"{"a":"123456789"}"#, "Parameters E006 parameters"),
        (
            r#"{"a":"가나다라마바사아자"}"#,
            "Parameters E006 parameters",
        ),
        (r#"{"a":"가"}"#, "Parameters E101 parameters"),
        (r#"{"a":"\uac00"}"#, "Parameters E101 parameters"),
        (r#"{"a":"\n"}"#, "Parameters E101 parameters"),
        (r#"{"a":"\u007f"}"#, "Parameters E101 parameters"),
        (r#"{"a":"\u0041"}"#, "OK"),
        (r#"{"a":null}"#, "Parameters E101 parameters"),
        (r#"{"a":true}"#, "Parameters E101 parameters"),
        (r#"{"a":{}}"#, "Parameters E101 parameters"),
        (r#"{"a":["1"]}"#, "Parameters E101 parameters"),
        (
            r#"{"b":"123456789","a":null}"#,
            "Parameters E006 parameters",
        ),
        (
            r#"{"b":null,"a":"123456789"}"#,
            "Parameters E101 parameters",
        ),
        (
            r#"{"a":{"x":1,"x":1},"b":"1"}"#,
            "Parameters E101 parameters",
        ),
    ];
    for (parameters, answer) in table {
        let body = format!(
            r#"{{"data":{{"parameters":{parameters},"biller_user_key":"1","expire_at":"20200409235959"}}}}"#
        );
        assert_eq!(link(&body), answer, "{parameters}");
    }
}

#[test]
fn kakao_pays_parameters_are_not_looked_at_without_identity_parameters() {
    let odd = [
        r#"{"a":1,"a":2}"#,
        r#"{"some_param":"KT00000001"}"#,
        "[]",
        "true",
        "\"가\"",
        "{\"a\":{}}",
    ];
    for parameters in odd {
        let body = format!(
            r#"{{"data":{{"biller_user_key":"1","user_birth":"19900301","parameters":{parameters}}}}}"#
        );
        assert_eq!(notice(&body), "OK", "{parameters}");
    }
    let twice =
        r#"{"data":{"biller_user_key":"1","user_birth":"19900301","parameters":1,"parameters":1}}"#;
    assert_eq!(notice(twice), "Parse E807 parameters");
}

#[test]
fn an_identity_parameter_of_kakao_pays_calls_is_a_string_or_a_number() {
    let identity = ["unit".to_owned()];
    let rules = Rules {
        parameter_max_length: 8,
        identity_parameters: &identity,
    };
    let parse = |parameters: &str| {
        let body =
            format!(r#"{{"data":{{"biller_user_key":"1","amount":1,"parameters":{parameters}}}}}"#);
        Prepay::parse(body.as_bytes(), biller(), &rules)
    };
    let refused = [
        "[]",
        "true",
        r#""x""#,
        r#"{"unit":[]}"#,
        r#"{"unit":{}}"#,
        r#"{"unit":false}"#,
    ];
    for parameters in refused {
        assert_eq!(
            verdict(&parse(parameters)),
            "Type E807 parameters",
            "{parameters}"
        );
    }
    let twice = r#"{"a":1,"\u0061":2}"#;
    assert_eq!(verdict(&parse(twice)), "Parse E807 parameters");
    let long = format!("{{\"unit\":\"{}\"}}", "가".repeat(1_000));
    let taken = [
        ("null", ""),
        (r#""""#, ""),
        ("{}", ""),
        (r#"{"unit":null,"other":[]}"#, ""),
        (r#"{"unit":""}"#, ""),
        (r#"{"unit":"5"}"#, "5"),
        (r#"{"unit":5}"#, "5"),
        (r#"{"unit":50e-1}"#, "5"),
        (r#"{"unit":"5.0"}"#, "5.0"),
        (r#"{"unit":-0}"#, "0"),
        (r#"{"unit":1e18}"#, "1e18"),
        (r#"{"un\u0069t":"\uac00"}"#, "가"),
        (&long, &"가".repeat(1_000)),
    ];
    for (parameters, value) in taken {
        let expected = Bill::from_parts(biller(), "1", "", "", "", &[("unit", value)]);
        assert_eq!(parse(parameters).unwrap().bill, expected, "{parameters}");
    }
}

#[test]
fn the_link_apis_name_the_same_bill_by_the_same_identity_parameters() {
    let identity = ["unit".to_owned(), "block".to_owned()];
    let rules = Rules {
        parameter_max_length: 8,
        identity_parameters: &identity,
    };
    let body = r#"{"data":{"biller_user_key":"1","billed_year_month":"202611","ordinal":"2",
        "biller_notice_key":"n","expire_at":"20200409235959","parameters":{"unit":5,"block":"11"}}}"#;
    let expected = Bill::from_parts(
        biller(),
        "1",
        "202611",
        "2",
        "n",
        &[("block", "11"), ("unit", "5")],
    );
    assert_eq!(
        LinkCreate::parse(body.as_bytes(), biller(), &rules)
            .unwrap()
            .bill,
        expected
    );
    assert_eq!(
        LinkRecreate::parse(body.as_bytes(), biller(), &rules)
            .unwrap()
            .bill,
        expected
    );
}

#[test]
fn a_pay_results_members_have_the_guides_widths() {
    let table: [(&[(&str, &str)], &str); 34] = [
        (&[], "OK"),
        (&[("pay_by", "\"anything, as long as one likes\"")], "OK"),
        (&[("pay_by", "\"\"")], "Required E001 pay_by"),
        (&[("pay_by", "1")], "Type E807 pay_by"),
        (&[("pay_type", "\"C\""), ("pay_amount", "-20000")], "OK"),
        (&[("pay_type", "\"X\"")], "Width E007 pay_type"),
        (&[("pay_type", "\"PP\"")], "Width E007 pay_type"),
        (&[("pay_type", "\"p\"")], "Width E007 pay_type"),
        (&[("pay_detail1", "\"123456\"")], "OK"),
        (&[("pay_detail1", "\"1234567\"")], "Width E006 pay_detail1"),
        (
            &[("pay_detail2", "\"123456789012345678901\"")],
            "Width E006 pay_detail2",
        ),
        (&[("pay_detail2", "5")], "Type E807 pay_detail2"),
        (&[("pay_detail3", "{\"a\":[1,2]}")], "OK"),
        (&[("pay_detail3", "5")], "OK"),
        (
            &[("pay_fee_type", "\"12345678901\"")],
            "Width E006 pay_fee_type",
        ),
        (&[("adjust_date", "null")], "OK"),
        (&[("adjust_date", "\"20190299\"")], "OK"),
        (&[("adjust_date", "\"2019029\"")], "Width E007 adjust_date"),
        (&[("paid_at", "\"99999999999999\"")], "OK"),
        (&[("paid_at", "\"9999999999999\"")], "Width E007 paid_at"),
        (&[("paid_at", "\"2019022016165x\"")], "Width E007 paid_at"),
        (&[("amount", "\"20000\"")], "Type E807 amount"),
        (&[("amount", "1e18")], "Width E807 amount"),
        (
            &[("pay_amount", "0.0000000000000000001")],
            "Width E807 pay_amount",
        ),
        (
            &[("pay_fee", "1e99999999999999999999")],
            "Width E807 pay_fee",
        ),
        (
            &[("pay_fee_tax", "-1e-99999999999999999999")],
            "Width E807 pay_fee_tax",
        ),
        (&[("pay_id", "1234567890123456789")], "OK"),
        (&[("pay_id", "1e38")], "Width E807 pay_id"),
        (&[("pay_id", "0.5")], "Width E807 pay_id"),
        (&[("pay_id", "null")], "Required E001 pay_id"),
        (
            &[("pay_id", "1e38"), ("amount", "1e18")],
            "Width E807 amount",
        ),
        (
            &[("pay_id", "1e38"), ("paid_at", "\"1\"")],
            "Width E007 paid_at",
        ),
        (
            &[("pay_id", "\"\""), ("amount", "1e18")],
            "Required E001 pay_id",
        ),
        (&[("unknown", "[]"), ("amount", "2e4")], "OK"),
    ];
    for (changes, answer) in table {
        assert_eq!(pay_result(&pay_result_with(changes)), answer, "{changes:?}");
    }
}

#[test]
fn a_cancel_keeps_its_sign_and_values_are_compared_exactly() {
    let changes = [
        ("pay_type", "\"C\""),
        ("pay_amount", "-2e4"),
        ("pay_id", "2748877.0"),
    ];
    let event = parse_pay_result(&pay_result_with(&changes)).unwrap().event;
    assert_eq!(event.pay_type, PayType::C);
    assert_eq!(event.pay_amount.to_string(), "-20000");
    assert_eq!(event.pay_id.to_string(), "2748877");
    assert_eq!(event.paid_at.as_str(), "20190220161656");
}

#[test]
fn ten_thousand_members_are_compared_quickly_and_one_twice_is_found() {
    let members: Vec<_> = (0..10_000)
        .map(|number| format!("\"{number}\":1"))
        .collect();
    let members = members.join(",");
    let body = |last: &str| {
        format!(r#"{{"data":{{"biller_user_key":"1","amount":1,{members},"{last}":1}}}}"#)
    };
    assert_eq!(prepay(&body("new")), "OK");
    assert_eq!(prepay(&body("5000")), "Parse E807 -");
}

#[test]
fn a_refusal_holds_no_text_of_the_caller() {
    let secrets = [
        r#"{"data":{"biller_user_key":"secret","biller_user_key":"secret"}}"#,
        r#"{"data":{"secret":1,"secret":1}}"#,
        r#"{"data":{"biller_user_key":["secret"]}}"#,
        r#"{"data":{"biller_user_key":"secret","expire_at":"secret"}}"#,
        r#"{"data":secret}"#,
    ];
    for body in secrets {
        let refusal = LinkCreate::parse(body.as_bytes(), biller(), &NO_IDENTITY).unwrap_err();
        assert!(!format!("{refusal} {refusal:?}").contains("secret"));
    }
}

//! Random requests against a plain reading of the contract's checks.

use proptest::prelude::*;

use super::*;

/// What a member of a random request holds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Holds {
    Nothing,
    Null,
    Empty,
    Right,
    WrongType,
    WrongWidth,
}

fn spell(member: &Member, holds: Holds) -> Option<String> {
    let value = match (holds, member.width) {
        (Holds::Nothing, _) => return None,
        (Holds::Null, _) => "null".to_owned(),
        (Holds::Empty, _) => "\"\"".to_owned(),
        (Holds::WrongType, _) => "true".to_owned(),
        (Holds::Right | Holds::WrongWidth, _) if member.json_type == JsonType::Object => {
            "{}".to_owned()
        }
        (_, Width::Any) => "\"x\"".to_owned(),
        (Holds::Right, Width::Max(length)) => format!("\"{}\"", "가".repeat(length)),
        (Holds::WrongWidth, Width::Max(length)) => format!("\"{}\"", "a".repeat(length + 1)),
        (Holds::Right, Width::Digits(length)) => format!("\"{}\"", "9".repeat(length)),
        (Holds::WrongWidth, Width::Digits(length)) => format!("\"{}\"", "x".repeat(length)),
        (Holds::Right, Width::PayType) => "\"C\"".to_owned(),
        (Holds::WrongWidth, Width::PayType) => "\"c\"".to_owned(),
        (Holds::Right, Width::Time) => "\"20200409235959\"".to_owned(),
        (Holds::WrongWidth, Width::Time) => "\"20200431235959\"".to_owned(),
        (Holds::Right, Width::Exact) => "-1.5e3".to_owned(),
        (Holds::WrongWidth, Width::Exact) => "1e18".to_owned(),
        (Holds::Right, Width::PayId) => "-9.5e37".to_owned(),
        (Holds::WrongWidth, Width::PayId) => "0.5".to_owned(),
    };
    Some(format!("\"{}\":{value}", member.name))
}

/// The contract's checks 5 to 7, said of what the members hold.
fn expected(api_reads_parameters: &[&str], rows: &[(Member, Holds)]) -> String {
    let is_missing = |holds| matches!(holds, Holds::Nothing | Holds::Null | Holds::Empty);
    let ruled = |member: &Member| {
        member.required || member.width != Width::Any || api_reads_parameters.contains(&member.name)
    };
    let width = |member: &Member| match member.width {
        Width::Any => None,
        Width::Max(_) => Some("E006"),
        Width::Digits(_) | Width::PayType | Width::Time => Some("E007"),
        Width::Exact | Width::PayId => Some("E807"),
    };
    for (member, holds) in rows {
        if *holds == Holds::WrongType && ruled(member) {
            return format!("Type E807 {}", member.name);
        }
    }
    for (member, holds) in rows {
        if member.required && is_missing(*holds) {
            return format!("Required E001 {}", member.name);
        }
    }
    for (member, holds) in rows {
        if let (Holds::WrongWidth, Some(code)) = (holds, width(member)) {
            return format!("Width {code} {}", member.name);
        }
    }
    "OK".to_owned()
}

fn holds() -> impl Strategy<Value = Holds> {
    prop_oneof![
        1 => Just(Holds::Nothing),
        1 => Just(Holds::Null),
        1 => Just(Holds::Empty),
        40 => Just(Holds::Right),
        1 => Just(Holds::WrongType),
        3 => Just(Holds::WrongWidth),
    ]
}

/// The members of a table, each with what it holds, and an order to write them in.
fn filled(members: &'static [Member]) -> impl Strategy<Value = (Vec<(Member, Holds)>, String)> {
    proptest::collection::vec(holds(), members.len()).prop_flat_map(move |holds| {
        let rows: Vec<_> = members.iter().copied().zip(holds).collect();
        let spelled: Vec<_> = rows
            .iter()
            .filter_map(|(member, holds)| spell(member, *holds))
            .collect();
        let body = Just(spelled)
            .prop_shuffle()
            .prop_map(|all| format!("{{\"data\":{{{}}}}}", all.join(",")));
        (Just(rows), body)
    })
}

proptest! {
    #[test]
    fn the_checks_keep_their_order_whatever_the_members_order_is(
        (link_rows, link_body) in filled(LinkCreate::MEMBERS),
        (notice_rows, notice_body) in filled(Notice::MEMBERS),
        (prepay_rows, prepay_body) in filled(Prepay::MEMBERS),
        (result_rows, result_body) in filled(PayResult::MEMBERS),
    ) {
        prop_assert_eq!(link(&link_body), expected(&["parameters"], &link_rows));
        prop_assert_eq!(notice(&notice_body), expected(&[], &notice_rows));
        prop_assert_eq!(prepay(&prepay_body), expected(&[], &prepay_rows));
        let result = PayResult::parse(result_body.as_bytes(), biller(), &NO_IDENTITY);
        prop_assert_eq!(verdict(&result), expected(&[], &result_rows));
    }

    #[test]
    fn no_bytes_make_a_parser_panic(
        bytes: Vec<u8>,
        text in r#"\{"data":\{("(expire_at|amount|parameters|unit|\\u00|pay_id)":("[0-9\\u]{0,5}"|[0-9eE.-]{1,9}|[\[\]{}]{1,3}|null),?){0,4}\}\}?"#,
    ) {
        let identity = ["unit".to_owned()];
        for body in [&bytes, text.as_bytes()] {
            for identity_parameters in [&[][..], &identity] {
                let rules = Rules { parameter_max_length: 8, identity_parameters };
                let _ = LinkCreate::parse(body, biller(), &rules);
                let _ = LinkRecreate::parse(body, biller(), &rules);
                let _ = Notice::parse(body, biller(), &rules);
                let _ = Prepay::parse(body, biller(), &rules);
                let _ = PayResult::parse(body, biller(), &rules);
            }
        }
    }
}

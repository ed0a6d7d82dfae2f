//! Link calls, and bills that share their parts.

use serde_json::{Value, json};
use test_support::Action;

use super::{FOREVER, hang, refusal};
use crate::author::Author;
use crate::bill::{bill, monthly, with};
use crate::pay::Pay;

pub fn links(author: &mut Author) {
    author.create(&monthly("linked"), FOREVER);
    author.create(&monthly("linked-until-2020"), "20200101000000");
    let all_parts = with(
        with(monthly("all-parts"), "ordinal", "2"),
        "notice_key",
        "N-all",
    );
    author.create(&all_parts, FOREVER);
    let korean = with(
        with(monthly("홍길동-고객"), "ordinal", "1기분"),
        "notice_key",
        "지방세-0001",
    );
    author.create(&korean, FOREVER);
    author.pay(&korean, &Pay::new(20_000));
    // The key belongs to the bill before.
    author.create(
        &with(monthly("other-holder"), "notice_key", "N-all"),
        FOREVER,
    );
    author.remember(&monthly("never-named"));

    for (user_key, answers) in [
        ("link-refused", vec![refusal()]),
        ("link-unknown", vec![hang()]),
        ("link-reset", vec![Action::Reset]),
        ("link-unknown-then-refused", vec![hang(), refusal()]),
        ("link-unknown-then-made", vec![hang(), Action::ok()]),
        ("link-refused-then-made", vec![refusal(), Action::ok()]),
        ("link-made-twice", vec![Action::ok(), Action::ok()]),
    ] {
        for said in answers {
            author.kakao_says(said);
            author.create(&monthly(user_key), FOREVER);
        }
    }
    author.kakao_says(hang());
    author.create(&monthly("link-unknown-then-recreated"), FOREVER);
    author.kakao_says(Action::ok());
    author.recreate(&monthly("link-unknown-then-recreated"), "20991130000000");
    author.create(&monthly("link-recreated"), FOREVER);
    for day in 10..30 {
        author.recreate(&monthly("link-recreated"), &format!("209911{day}000000"));
    }
    author.kakao_says(refusal());
    author.recreate(&monthly("link-recreated"), FOREVER);
    author.kakao_says(Action::ok());
}

/// Bills that differ in the notice key alone: a call without one is ambiguous.
pub fn bills_of_one_group(author: &mut Author) {
    let member = |key: &str| with(monthly("group"), "notice_key", key);
    for key in ["N-group-1", "N-group-2", "N-group-3"] {
        author.create(&member(key), FOREVER);
    }
    author.pay(&member("N-group-2"), &Pay::new(20_000));
    author.remember(&monthly("group"));
    author.create(
        &with(monthly("group-of-one"), "notice_key", "N-alone"),
        FOREVER,
    );
    author.remember(&monthly("group-of-one"));
}

pub fn identity_parameters(author: &mut Author) {
    let flat = |ho: &str| {
        let named = with(monthly("flat"), "biller", "B0002");
        with(named, "parameters", json!({ "dong": "101", "ho": ho }))
    };
    for ho in ["1", "2", "3"] {
        author.create(&flat(ho), FOREVER);
    }
    author.pay(&flat("2"), &Pay::new(20_000));
    author.pay(&flat("사층"), &Pay::new(20_000));
    author.act("bills/classify", &flat("3"), "not theirs");
    let without: Value = with(monthly("flat"), "biller", "B0002");
    author.pay(&without, &Pay::new(20_000));
    let only_key = with(
        with(bill("flat-key"), "biller", "B0002"),
        "parameters",
        json!({ "ho": "9" }),
    );
    author.pay(&only_key, &Pay::new(20_000));
}

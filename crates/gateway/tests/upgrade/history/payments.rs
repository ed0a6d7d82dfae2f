//! Pay-results: deliveries, cancels, and what stands at the edges of the checks.

use test_support::{Action, OK, answer};

use super::{FOREVER, hang, refusal};
use crate::author::Author;
use crate::bill::{bill, monthly, with};
use crate::pay::Pay;

pub fn deliveries(author: &mut Author) {
    author.create(&monthly("paid"), FOREVER);
    author.pay(&monthly("paid"), &Pay::new(20_000));
    author.pay(&monthly("paid-without-link"), &Pay::new(20_000));
    author.pay(&monthly("paid-five-years-ago"), &Pay::new(2_000_000));
    for (user_key, said) in [
        ("paid-refused", refusal()),
        ("paid-lost", hang()),
        ("paid-reset", Action::Reset),
        ("paid-no-json", Action::json(502, "<html>502</html>")),
        ("paid-ok-outside-2xx", Action::json(500, OK)),
    ] {
        author.biller_says(said);
        author.pay(&monthly(user_key), &Pay::new(20_000));
    }
    author.biller_says(Action::ok());
    let unreachable = with(monthly("paid-pending"), "biller", "B0003");
    author.pay(&unreachable, &Pay::new(20_000));
    author.pay(
        &with(monthly("paid-biller-gone"), "biller", "B0009"),
        &Pay::new(20_000),
    );
    author.biller_says(refusal());
    author.pay(
        &with(monthly("refused-biller-gone"), "biller", "B0009"),
        &Pay::new(20_000),
    );

    // Refused twice, then accepted: once from Kakao Pay, once by an operator.
    for user_key in ["accepted-at-last", "redelivered"] {
        author.biller_says(refusal());
        let pay = author.pay(&monthly(user_key), &Pay::new(20_000));
        author.send(&monthly(user_key), &pay);
        author.biller_says(Action::ok());
        if user_key == "redelivered" {
            author.redeliver(&pay);
        } else {
            author.send(&monthly(user_key), &pay);
        }
    }
    let request_ids = [
        "k-8812",
        "6f1c0a52-6c1e-4f0e-9d55-0d4a2a1c7b10",
        "6F1C0A52-6C1E-4F0E-9D55-0D4A2A1C7B11",
    ];
    for (number, request_id) in request_ids.into_iter().enumerate() {
        let named = monthly(&format!("request-id-{number}"));
        author.request_id = Some(request_id);
        author.create(&named, FOREVER);
        author.pay(&named, &Pay::new(20_000));
    }
    author.request_id = None;
}

/// Answers of which more is kept than the usual one's.
pub fn answers_of_billers(author: &mut Author) {
    let large = format!(r#"{{"res_code":"OK","message":"{}"}}"#, "가".repeat(30_000));
    for (user_key, said) in [
        (
            "answered-201",
            Action::json(201, r#"{"res_code":"OK","data":{"receipt":"R-1"}}"#),
        ),
        (
            "answered-as-text",
            Action::Send(answer(200, "text/plain", OK.as_bytes())),
        ),
        ("answered-at-length", Action::json(200, &large)),
    ] {
        author.biller_says(said);
        author.pay(&monthly(user_key), &Pay::new(20_000));
    }
    author.biller_says(Action::ok());
}

pub fn cancels(author: &mut Author) {
    let mut paid_and = |user_key: &str, cancels: &[(i64, u64)]| {
        let named = monthly(user_key);
        let paid = author.pay(&named, &Pay::new(20_000));
        for (won, second) in cancels {
            author.pay(&named, &paid.cancel(*won).at(20_261_125_080_000 + second));
        }
        paid
    };
    paid_and("cancelled", &[(20_000, 0)]);
    paid_and("cancelled-in-part", &[(5_000, 0)]);
    paid_and("cancelled-in-two-parts", &[(5_000, 0), (15_000, 1)]);
    paid_and("cancelled-twice-in-one-second", &[(5_000, 0), (15_000, 0)]);
    paid_and("cancelled-same-amount-later", &[(5_000, 0), (5_000, 1)]);
    paid_and("cancelled-by-more", &[(60_000, 0)]);
    paid_and("cancelled-below-zero", &[(-20_000, 0)]);
    let many: Vec<(i64, u64)> = (0..40).map(|second| (100, second)).collect();
    paid_and("cancelled-in-forty-parts", &many);

    let paid = paid_and("paid-cancelled-paid", &[(20_000, 0)]);
    author.pay(&monthly("paid-cancelled-paid"), &Pay::new(20_000));
    // Only the first of its copies is an event.
    author.send(&monthly("paid-cancelled-paid"), &paid);

    let late = Pay::new(20_000);
    let first = author.pay(&monthly("cancelled-before-paid"), &late.cancel(20_000));
    author.pay(&monthly("cancelled-before-paid"), &first.payment(20_000));
    author.pay(
        &monthly("cancelled-without-payment"),
        &Pay::new(20_000).cancel(20_000),
    );
    author.biller_says(refusal());
    let refused = author.pay(&monthly("cancel-refused"), &Pay::new(20_000));
    author.pay(&monthly("cancel-refused"), &refused.cancel(20_000));
    author.biller_says(Action::ok());
}

pub fn double_payments(author: &mut Author) {
    author.pay(&monthly("paid-twice"), &Pay::new(20_000));
    let second = author.pay(&monthly("paid-twice"), &Pay::new(20_000));
    author.pay(&monthly("paid-twice-one-cancelled"), &Pay::new(20_000));
    let other = author.pay(&monthly("paid-twice-one-cancelled"), &Pay::new(20_000));
    author.pay(&monthly("paid-twice-one-cancelled"), &other.cancel(20_000));
    author.act(
        "bills/clear",
        &monthly("paid-twice-one-cancelled"),
        "returned, ticket 7",
    );
    let again = author.pay(
        &monthly("paid-again-with-another-amount"),
        &Pay::new(20_000),
    );
    author.pay(
        &monthly("paid-again-with-another-amount"),
        &again.of(25_000),
    );
    // One number for payments of two bills.
    author.pay(&monthly("same-pay-id"), &second);
}

/// Numbers, texts and bytes at the edges of what the checks let pass.
pub fn spellings(author: &mut Author) {
    for (user_key, member, spelled) in [
        (
            "pay-id-of-38-digits",
            "pay_id",
            "12345678901234567890123456789012345678",
        ),
        ("pay-id-of-19-digits", "pay_id", "9223372036854775808"),
        ("pay-id-as-text", "pay_id", r#""0000812""#),
        ("amount-with-fraction", "pay_amount", "20000.50"),
        ("amount-with-exponent", "pay_amount", "2e4"),
        ("amount-of-18-digits", "pay_amount", "999999999999999999"),
        ("paid-at-no-time", "paid_at", r#""99999999999999""#),
        ("member-twice", "pay_by", r#""MONEY","extra":{"a":1,"a":2}"#),
    ] {
        author.pay(
            &monthly(user_key),
            &Pay::new(20_000).spelled(member, spelled),
        );
    }
    let strange = with(
        monthly("strange \" ' % 'OR 1=1 -- \\ \u{1F600}"),
        "notice_key",
        "N'\";--",
    );
    author.create(&strange, FOREVER);
    author.pay(&strange, &Pay::new(20_000));
}

/// Bills of which only the user key is known.
pub fn marks(author: &mut Author) {
    author.create(&bill("mark-until-2099"), FOREVER);
    author.pay(&bill("mark-until-2099"), &Pay::new(20_000));
    author.create(&bill("mark-of-a-link-ended"), &author.soon());
    author.pay(&bill("mark-of-a-link-ended"), &Pay::new(20_000));
    author.pay(&bill("mark-of-a-day-ended"), &Pay::new(20_000));
    author.create(&bill("mark-cancelled"), FOREVER);
    let paid = author.pay(&bill("mark-cancelled"), &Pay::new(20_000));
    author.pay(&bill("mark-cancelled"), &paid.cancel(20_000));
}

//! The written lines.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metrics::ResCodeLabel;
use protocol::{Api, BillerCode, ResCode};
use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Registry};

use super::json_lines::JsonLines;
use super::*;

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Memory {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Returns the text that `work` logs under this filter, at a fixed time.
fn logged_under(filter: &str, work: impl FnOnce()) -> String {
    let memory = Memory::default();
    let now: fn() -> SystemTime = || UNIX_EPOCH + Duration::from_millis(1_795_478_400_123);
    let subscriber = Registry::default()
        .with(EnvFilter::builder().parse(filter).unwrap())
        .with(JsonLines::with_clock(memory.clone(), now));
    tracing::subscriber::with_default(subscriber, work);
    memory.text()
}

fn logged(work: impl FnOnce()) -> String {
    logged_under("trace", work)
}

/// Returns the one line that `work` logs, as JSON.
fn line(work: impl FnOnce()) -> Value {
    let text = logged(work);
    let line = text.strip_suffix('\n').unwrap();
    assert!(!line.contains('\n'), "{text}");
    serde_json::from_str(line).unwrap()
}

fn call() -> CallLine<'static> {
    CallLine {
        request_id: "req-1",
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
        api: Some(Api::Prepay),
        biller: BillerCode::parse("B0001"),
        res_code: ResCodeLabel::Ok,
        status: 200,
        total: Duration::from_micros(12_345),
        upstream: Some(Duration::from_millis(11)),
        outcome: Outcome::Relayed,
        reason: None,
    }
}

#[test]
fn a_calls_line_has_exactly_the_keys_of_the_contract_in_their_order() {
    let expected = concat!(
        r#"{"time":"2026-11-24T09:00:00.123+09:00","level":"info","request_id":"req-1","#,
        r#""trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","api":"prepay","biller":"B0001","#,
        r#""res_code":"OK","status":200,"total_ms":12.345,"upstream_ms":11.000,"#,
        r#""outcome":"relayed"}"#,
        "\n"
    );
    assert_eq!(logged(|| call().emit()), expected);
}

#[test]
fn a_call_of_an_unknown_biller_without_an_upstream_call_has_unknown_and_null() {
    let unknown = CallLine {
        api: None,
        biller: None,
        res_code: ResCodeLabel::from(ResCode::E801),
        status: 404,
        upstream: None,
        outcome: Outcome::Refused,
        ..call()
    };
    let line = line(|| unknown.emit());
    assert_eq!(line["api"], "unknown");
    assert_eq!(line["biller"], "unknown");
    assert_eq!(line["res_code"], "E801");
    assert_eq!(line["status"], 404);
    assert_eq!(line["upstream_ms"], Value::Null);
    assert_eq!(line.as_object().unwrap().len(), 11);
}

#[test]
fn a_refused_calls_line_says_check_member_and_rule_behind_the_others() {
    let refused = CallLine {
        outcome: Outcome::Refused,
        reason: Some(Reason {
            token: "member-width",
            check: Some(7),
            member: Some("ordinal"),
            rule: Some("too long"),
            source: None,
        }),
        ..call()
    };
    let line = logged(|| refused.emit());
    let end = r#""outcome":"refused","reason":"member-width","check":7,"member":"ordinal","rule":"too long"}"#;
    assert!(line.trim_end().ends_with(end), "{line}");
}

#[test]
fn failures_are_warnings_and_a_refused_pay_result_is_an_error() {
    use Outcome::{BadAnswer, Circuit, NoAnswer, Overload, Refused, Relayed, Timeout};
    // api | outcome | code | status | level
    let table = [
        (Api::Prepay, Relayed, ResCode::Ok, 200, "info"),
        (Api::Prepay, Relayed, ResCode::E808, 200, "info"),
        (Api::Prepay, Refused, ResCode::E001, 200, "info"),
        (Api::Prepay, Overload, ResCode::E801, 503, "info"),
        (Api::Prepay, Timeout, ResCode::E806, 504, "warn"),
        (Api::Prepay, BadAnswer, ResCode::E808, 200, "warn"),
        (Api::Prepay, NoAnswer, ResCode::E809, 502, "warn"),
        (Api::Prepay, Circuit, ResCode::E809, 503, "warn"),
        (Api::Prepay, Outcome::Error, ResCode::E801, 500, "warn"),
        (Api::PayResult, Relayed, ResCode::E403, 200, "info"),
        (Api::PayResult, Refused, ResCode::E001, 200, "error"),
        (Api::PayResult, Refused, ResCode::E007, 200, "error"),
        (Api::PayResult, Refused, ResCode::E807, 400, "error"),
        (Api::PayResult, Refused, ResCode::E003, 403, "info"),
        (Api::PayResult, Refused, ResCode::E003, 404, "info"),
    ];
    for (api, outcome, code, status, level) in table {
        let line = line(|| {
            let call = CallLine {
                api: Some(api),
                outcome,
                res_code: ResCodeLabel::from(code),
                status,
                ..call()
            };
            call.emit();
        });
        assert_eq!(line["level"], level, "{api} {outcome:?} {code}");
        assert_eq!(line["outcome"], outcome.label());
    }
}

#[test]
fn other_events_have_time_level_message_and_their_fields() {
    let expected = concat!(
        r#"{"time":"2026-11-24T09:00:00.123+09:00","level":"warn","message":"circuit open","#,
        r#""upstream":"kakao","failures":20,"since":-1,"again":true,"share":0.500,"wide":1}"#,
        "\n"
    );
    let text = logged(|| {
        tracing::warn!(
            upstream = "kakao",
            failures = 20_u64,
            since = -1_i64,
            again = true,
            share = 0.5,
            wide = 1_u128,
            "circuit open"
        );
    });
    assert_eq!(text, expected);
}

#[test]
fn a_text_cannot_end_its_line_or_its_string() {
    for text in [
        "a\nb",
        "a\r\nb",
        r#"","level":"error","x":""#,
        "\\",
        "\\\"",
        "\0\u{1b}[31mred\u{7f}",
        "\u{85}\u{9b}31m",
        "\u{2028}\u{2029}\u{202e}\u{2066}\u{feff}\u{200b}",
        "납부 결과 🧾",
        "{\"time\":\"1999\"}\n{\"level\":\"error\"}",
    ] {
        let raw = logged(|| tracing::info!(text, debug = ?text, "it said {text}"));
        assert_eq!(raw.lines().count(), 1);
        assert!(
            raw.trim_end_matches('\n').chars().all(|c| !c.is_control()),
            "{raw:?}"
        );
        let line: Value = serde_json::from_str(&raw).unwrap();
        assert_eq!(line["text"], text);
        assert_eq!(line["message"], format!("it said {text}"));
        assert_eq!(line["debug"], format!("{text:?}"));
        assert_eq!(line.as_object().unwrap().len(), 5);
    }
}

#[test]
fn characters_that_disguise_a_text_are_escaped() {
    let raw = logged(|| tracing::info!(text = "a\u{202e}b\u{2028}c\u{9b}d\u{200b}\u{feff}"));
    assert!(
        raw.contains(r#""text":"a\u202eb\u2028c\u009bd\u200b\ufeff""#),
        "{raw}"
    );
}

#[test]
fn a_request_id_cannot_forge_keys() {
    let forged = r#"x","outcome":"relayed","y":""#;
    let line = line(|| {
        let call = CallLine {
            request_id: forged,
            outcome: Outcome::Refused,
            ..call()
        };
        call.emit();
    });
    assert_eq!(line["request_id"], forged);
    assert_eq!(line["outcome"], "refused");
    assert_eq!(line.as_object().unwrap().len(), 11);
}

#[test]
fn numbers_that_json_cannot_represent_are_null() {
    let line = line(|| tracing::info!(a = f64::NAN, b = f64::INFINITY, c = 1e21, "numbers"));
    assert_eq!(line["a"], Value::Null);
    assert_eq!(line["b"], Value::Null);
    assert_eq!(line["c"], 1e21);
}

#[test]
fn the_values_of_secret_fields_are_not_written() {
    let raw = logged(|| {
        tracing::error!(
            authorization = "KakaoAK s3cret",
            user_birth = 19_900_301,
            biller_user_key = "s3cret",
            account_no = %"s3cret",
            body = ?"s3cret",
            bank_accounts = ?["s3cret"],
            card_no = "s3cret",
            parameters = "s3cret",
            password = "s3cret",
            token = "s3cret",
            "fault"
        );
    });
    assert!(
        !raw.contains("s3cret") && !raw.contains("19900301"),
        "{raw}"
    );
    let line: Value = serde_json::from_str(&raw).unwrap();
    assert_eq!(line["user_birth"], "***");
}

#[test]
fn a_field_cannot_replace_the_time_or_the_level() {
    let line = line(|| tracing::info!(time = 1, level = "error", "odd"));
    assert_eq!(line["level"], "info");
    assert_eq!(line["field.level"], "error");
    assert_eq!(line["field.time"], 1);
}

#[test]
fn a_field_name_is_escaped() {
    let line = line(|| tracing::info!("a\"b" = 1, "odd"));
    assert_eq!(line["a\"b"], 1);
}

#[test]
fn a_long_text_is_cut() {
    let long = "납".repeat(100_000);
    let raw = logged(|| tracing::info!(text = long, other = "whole"));
    assert!(raw.len() < 5_000, "{}", raw.len());
    let line: Value = serde_json::from_str(&raw).unwrap();
    assert!(line["text"].as_str().unwrap().ends_with("납…"));
    assert_eq!(line["other"], "whole");
}

#[test]
fn debug_events_of_dependencies_are_never_written() {
    let raw = logged_under("trace", || {
        tracing::trace!(target: "actix_http::h1", "Authorization: s3cret");
        tracing::debug!(target: "ledgerlike", "s3cret");
        tracing::info!(target: "actix_server", "starting");
        tracing::trace!(target: "ledger::journal", "ours");
    });
    assert!(!raw.contains("s3cret"), "{raw}");
    assert_eq!(raw.lines().count(), 2);
}

#[test]
fn a_value_whose_formatting_logs_gets_a_separate_line() {
    struct LogsItself;
    impl std::fmt::Debug for LogsItself {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            tracing::info!("inner");
            f.write_str("outer")
        }
    }
    let raw = logged(|| tracing::info!(value = ?LogsItself));
    for line in raw.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
    assert!(raw.contains("outer"), "{raw}");
}

#[test]
fn a_panic_message_is_written_only_if_it_is_a_literal() {
    let raw = logged(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(panics::log_panic));
        let secret = String::from("s3cret");
        let _ = std::panic::catch_unwind(|| panic!("the literal"));
        let _ = std::panic::catch_unwind(move || panic!("the text {secret}"));
        std::panic::set_hook(before);
    });
    let lines: Vec<Value> = raw
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["reason"], "the literal");
    assert_eq!(lines[0]["message"], "panic");
    assert!(lines[1]["reason"].as_str().unwrap().starts_with("withheld"));
    assert!(!raw.contains("s3cret"), "{raw}");
}

#[test]
fn logging_starts_once_with_a_changeable_filter_and_its_end_writes_the_queued_lines() {
    let parsed = |text| Filter::parse(text).unwrap();
    assert!(
        set_filter(parsed("debug")).is_err(),
        "logging has not been started"
    );
    assert_eq!(current_filter(), None);
    let memory = Memory::default();
    let options = LogOptions {
        filter: Some("warn".to_owned()),
    };
    let guard = start(&options, memory.clone()).unwrap();
    assert!(start(&options, io::sink()).is_err());
    tracing::info!("not written");
    set_filter(parsed("info, call=off")).unwrap();
    tracing::info!("written");
    call().emit();
    let now = current_filter().unwrap();
    assert_eq!(
        (now.in_force.as_str(), now.at_start.as_str()),
        ("info,call=off", "warn")
    );
    tracing::info!("still written");
    drop(guard);
    let text = memory.text();
    let messages: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["message"].clone())
        .collect();
    assert_eq!(messages, ["written", "still written"]);
    assert_eq!(dropped_lines(), 0);
}

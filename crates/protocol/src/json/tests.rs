//! The scanner compared with `serde_json`.

use proptest::prelude::*;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::*;

/// Scans all members of the root.
fn scan(
    scanner: Result<Scanner<'_>, InvalidJson>,
) -> Result<Vec<(String, Value<'_>)>, InvalidJson> {
    let mut scanner = scanner?;
    let mut members = Vec::new();
    scanner.enter_object()?;
    while let Some(name) = scanner.next_name()? {
        members.push((name.content().into_owned(), scanner.value()?));
    }
    scanner.end()?;
    Ok(members)
}

fn request(text: &str) -> Result<Vec<(String, Value<'_>)>, InvalidJson> {
    scan(Scanner::request(text.as_bytes()))
}

fn answer(text: &str) -> Result<Vec<(String, Value<'_>)>, InvalidJson> {
    scan(Scanner::answer(text.as_bytes()))
}

/// The members of an object in their order, duplicates included.
struct Members(Vec<(String, serde_json::Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![8 => Just(""), 1 => Just(" "), 1 => Just("\r\n\t")]
}

fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z ]{0,12}",
        r#"\\["\\/bfnrt]"#,
        r"\\u[0-9a-ce-fA-C][0-9a-fA-F]{3}",
        r"\\u[dD][89abAB][0-9a-f]{2}\\u[dD][c-fC-F][0-9a-f]{2}",
        "[가-힣😀é\u{7f}\u{feff}]{1,3}",
        Just(r"d\u0061ta".to_owned()),
    ];
    proptest::collection::vec(piece, 0..4).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn json() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?",
        string(),
    ];
    scalar.prop_recursive(6, 40, 5, |inner| {
        let item =
            (space(), inner.clone(), space()).prop_map(|(a, item, b)| format!("{a}{item}{b}"));
        prop_oneof![
            proptest::collection::vec(item, 0..5)
                .prop_map(|items| format!("[{}]", items.join(","))),
            object_of(inner),
        ]
    })
}

fn object_of(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let member = (space(), string(), space(), space(), value, space())
        .prop_map(|(a, name, b, c, value, d)| format!("{a}{name}{b}:{c}{value}{d}"));
    proptest::collection::vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(",")))
}

fn body() -> impl Strategy<Value = String> {
    (space(), object_of(json()), space()).prop_map(|(a, object, b)| format!("{a}{object}{b}"))
}

/// A well-formed body with some of its characters removed, replaced or doubled.
fn mutated_body() -> impl Strategy<Value = String> {
    let snippets = [
        "", "", "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud83d", "\\ude00", "0", "1",
        "-", "+", ".", "e", "E5", " ", "\n", "\u{1}", "\u{feff}", "null", "tru", "\u{a0}", "/",
        "a",
    ];
    let mutation = (
        any::<prop::sample::Index>(),
        prop::sample::select(snippets.to_vec()),
        0..2_usize,
    );
    (body(), proptest::collection::vec(mutation, 0..4)).prop_map(|(body, mutations)| {
        let mut characters: Vec<String> = body.chars().map(String::from).collect();
        for (index, snippet, removed) in mutations {
            let at = index.index(characters.len() + 1);
            let end = (at + removed).min(characters.len());
            characters.splice(at..end, [snippet.to_owned()]);
        }
        characters.concat()
    })
}

fn is_object_by_serde(text: &str) -> bool {
    let starts_as_object = text
        .trim_start_matches([' ', '\t', '\n', '\r'])
        .starts_with('{');
    starts_as_object && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

fn equal(ours: &Value<'_>, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null)
        | (Value::Bool, serde_json::Value::Bool(_))
        | (Value::Array, serde_json::Value::Array(_))
        | (Value::Object, serde_json::Value::Object(_)) => true,
        (Value::Number(spelling), serde_json::Value::Number(number)) => {
            // Theirs may be off in the last binary digit.
            let ours: f64 = spelling.parse().unwrap();
            let theirs = number.as_f64().unwrap();
            (ours - theirs).abs() <= ours.abs() * 1e-14
        }
        (Value::String(text), serde_json::Value::String(string)) => text.content() == *string,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(2_000)))]

    #[test]
    fn well_formed_bodies_are_read_as_serde_reads_them(text in body()) {
        let Members(theirs) = serde_json::from_str(&text).unwrap();
        let ours = request(&text);
        prop_assert!(ours.is_ok(), "{ours:?} for {text}");
        let ours = ours.unwrap();
        prop_assert_eq!(ours.len(), theirs.len());
        for ((our_name, our_value), (their_name, their_value)) in ours.iter().zip(&theirs) {
            prop_assert_eq!(our_name, their_name);
            prop_assert!(equal(our_value, their_value), "{our_value:?} is not {their_value}");
        }
        prop_assert!(answer(&text).is_ok());
    }

    #[test]
    fn an_answer_is_taken_if_and_only_if_serde_finds_an_object(text in mutated_body()) {
        prop_assert_eq!(answer(&text).is_ok(), is_object_by_serde(&text), "{}", text);
    }

    #[test]
    fn a_request_is_taken_if_and_only_if_serde_can_also_read_its_strings(text in mutated_body()) {
        let expected = match serde_json::from_str::<serde_json::Value>(&text) {
            Ok(root) => root.is_object(),
            // It keeps numbers as binary fractions, where ours have no bound.
            Err(error) if error.to_string().contains("number out of range") => return Ok(()),
            Err(_) => false,
        };
        prop_assert_eq!(request(&text).is_ok(), expected, "{}", text);
    }

    #[test]
    fn no_bytes_make_the_scanner_panic(body: Vec<u8>, edge in r#"\{"[\\u"dD8-9cC😀\x01]{0,12}"?:?[0-9.eE+-]{0,5}"#) {
        let _ = scan(Scanner::request(&body));
        let _ = scan(Scanner::request(edge.as_bytes()));
        let _ = scan(Scanner::answer(edge.as_bytes()));
    }

    #[test]
    fn every_byte_of_a_string_is_seen_at_every_offset(
        prefix in "[a-z가]{0,20}",
        special in prop::sample::select(vec!['"', '\\', '\0', '\u{1f}', ' ', '!', '#', '[', ']', '\u{7f}', '\u{80}', 'é']),
        suffix in "[a-z가]{0,20}",
    ) {
        let text = format!("{{\"{prefix}{special}{suffix}\":1}}");
        prop_assert_eq!(answer(&text).is_ok(), is_object_by_serde(&text), "{}", text);
    }
}

fn nested(levels: usize) -> String {
    let inner = levels - 1;
    format!("{{\"a\":{}{}}}", "[".repeat(inner), "]".repeat(inner))
}

#[test]
fn a_request_may_be_128_levels_deep_and_no_deeper() {
    assert!(request(&nested(128)).is_ok());
    assert_eq!(request(&nested(129)), Err(InvalidJson("nested too deeply")));
    let objects = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    assert!(request(&objects(128)).is_ok());
    assert!(request(&objects(129)).is_err());
    let wide = format!("{{\"a\":[{}1]}}", "[[]],".repeat(1_000));
    assert!(
        request(&wide).is_ok(),
        "levels that were closed do not count"
    );
    assert!(answer(&nested(100_000)).is_ok());
}

#[test]
fn what_is_no_json_object_is_refused_and_says_why() {
    let table: [(&[u8], &str); 37] = [
        (b"", "an object is expected"),
        (b"\xEF\xBB\xBF{}", "an object is expected"),
        (b"[]", "an object is expected"),
        (b"\"{}\"", "an object is expected"),
        (b"null", "an object is expected"),
        (b"{}\0", "bytes after the root value"),
        (b"{}{}", "bytes after the root value"),
        (b"{},", "bytes after the root value"),
        (b"{\"a\":1", "a comma or the end is expected"),
        (b"{\"a\":1]", "a comma or the end is expected"),
        (b"{\"a\":[1}", "a comma or the end is expected"),
        (b"{\"a\":1 \"b\":2}", "a comma or the end is expected"),
        (b"{\"a\":01}", "a comma or the end is expected"),
        (b"{\"a\":1/**/}", "a comma or the end is expected"),
        (b"{\"a\":nulls}", "a comma or the end is expected"),
        (b"{\"a\":0x1}", "a comma or the end is expected"),
        (b"{", "a member name is expected"),
        (b"{\"a\":1,}", "a member name is expected"),
        (b"{,}", "a member name is expected"),
        (b"{a:1}", "a member name is expected"),
        (b"{'a':1}", "a member name is expected"),
        (b"{\"a\"}", "a colon is expected"),
        (b"{\"a\":}", "a value is expected"),
        (b"{\"a\":[1,]}", "a value is expected"),
        (b"{\"a\":[,1]}", "a value is expected"),
        (b"{\"a\":True}", "a value is expected"),
        (b"{\"a\":nul}", "a value is expected"),
        (b"{\"a\":+1}", "a value is expected"),
        (b"{\"a\":NaN}", "a value is expected"),
        (b"{\"a\":.5}", "a value is expected"),
        (b"{\"a\":-}", "a digit is expected in a number"),
        (b"{\"a\":1.}", "a digit is expected in a number"),
        (b"{\"a\":1e}", "a digit is expected in a number"),
        (b"{\"a\":\"\n\"}", "a control character in a string"),
        (b"{\"a\":\"\\x\"}", "an invalid escape in a string"),
        (b"{\"a\":\"\\u12g4\"}", "an invalid \\u escape in a string"),
        (b"{\"a\":\"\xC0\xAF\"}", "not UTF-8"),
    ];
    for (body, reason) in table {
        let shown = String::from_utf8_lossy(body);
        assert_eq!(
            scan(Scanner::request(body)),
            Err(InvalidJson(reason)),
            "{shown}"
        );
        assert_eq!(
            scan(Scanner::answer(body)),
            Err(InvalidJson(reason)),
            "{shown}"
        );
    }
}

#[test]
fn a_lone_surrogate_is_refused_in_a_request_wherever_it_stands() {
    let strings = [
        r"\ud83d",
        r"\ude00",
        r"\ude00\ud83d",
        r"\ud83d\ud83d\ude00",
        r"\ud83d\n",
        r"\ud83dx",
        r"\uD83D\u0041",
    ];
    for string in strings {
        for body in [
            format!("{{\"a\":\"{string}\"}}"),
            format!("{{\"{string}\":1}}"),
            format!("{{\"a\":[{{\"b\":\"{string}\"}}]}}"),
        ] {
            assert_eq!(
                request(&body),
                Err(InvalidJson("a lone surrogate in a string")),
                "{body}"
            );
            assert!(answer(&body).is_ok(), "{body}");
        }
    }
    assert!(request(r#"{"a":"\ud83d\ude00"}"#).is_ok());
}

//! Answers with neither a length nor chunks, which end with their connection: a JSON object shows by itself whether it is
//! whole.

use std::time::Duration;

use gateway::upstream::{BudgetShare, CircuitOutcome, Clients, Repeat, Sent, UpstreamFault};
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::party::{AMPLE, LIMIT, Then, Upstream, call, read_request, status, whole};

/// How long the end is waited for behind a whole object.
const SILENCE: Duration = Duration::from_millis(100);

/// The heads that such answers begin with.
const HEADS: [&str; 4] = [
    "HTTP/1.0 200 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n",
];

/// Bodies that are a whole object.
const OBJECTS: [&str; 6] = [
    "{}",
    "{\"res_code\":\"OK\"}",
    "\r\n{\"a\":{\"b\":\"}\\\"{\"}}\n",
    "\u{feff}{\"message\":\"성공\"}",
    "{\"a\":[{},{\"b\":\"\\\\\"}]}  ",
    "{\"a\":{},\"\":0}",
];

async fn answering(head: &str, body: &str, then: Then) -> Upstream {
    let answer = [head, body].concat().into_bytes().leak();
    Upstream::answering(answer, then).await
}

#[tokio::test(flavor = "local")]
async fn a_whole_object_is_relayed_however_its_connection_ends() {
    for head in HEADS {
        for body in OBJECTS {
            for then in [Then::Close, Then::Reset] {
                let upstream = answering(head, body, then).await;
                let report = call(&Clients::new(), &upstream.party(), AMPLE, Repeat::Never).await;
                assert_eq!(whole(&report), Ok((200, body)), "{head:?} {then:?}");
                assert!(report.duration < SILENCE, "{:?}", report.duration);
            }
        }
    }
}

#[tokio::test(flavor = "local")]
async fn a_whole_object_is_relayed_after_a_tenth_of_a_second_where_its_connection_does_not_end() {
    for head in HEADS {
        let upstream = answering(head, OBJECTS[1], Then::Hold).await;
        let (clients, party) = (Clients::new(), upstream.party());
        for connections in [1, 2] {
            let report = call(&clients, &party, AMPLE, Repeat::Safe).await;
            assert_eq!(whole(&report), Ok((200, OBJECTS[1])));
            let took = report.duration;
            assert!(took >= SILENCE && took < SILENCE * 3, "{took:?}");
            assert_eq!(upstream.connections(), connections, "it is not used again");
        }
    }
}

#[tokio::test(flavor = "local")]
async fn white_space_without_end_behind_an_object_delays_it_no_longer() {
    let upstream = Upstream::serve(|_, mut stream| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{}").await;
        let mut spaces = tokio::time::interval(Duration::from_millis(20));
        while stream.write_all(b" ").await.is_ok() {
            spaces.tick().await;
        }
    })
    .await;
    let report = call(&Clients::new(), &upstream.party(), AMPLE, Repeat::Never).await;
    let (code, body) = whole(&report).unwrap();
    assert_eq!((code, body.trim_end()), (200, "{}"));
    assert!(report.duration < SILENCE * 3, "{:?}", report.duration);
}

#[tokio::test(flavor = "local")]
async fn a_whole_object_is_relayed_at_the_deadline_where_that_is_earlier() {
    let upstream = answering(HEADS[1], OBJECTS[0], Then::Hold).await;
    let time = SILENCE / 2;
    let report = call(&Clients::new(), &upstream.party(), time, Repeat::Never).await;
    assert_eq!(whole(&report), Ok((200, OBJECTS[0])));
}

#[tokio::test(flavor = "local")]
async fn an_object_that_is_cut_is_never_relayed() {
    for head in HEADS {
        for body in [
            "{",
            "{\"res_code\":\"OK\"",
            "{\"res_code\":\"OK}",
            "{\"a\":{\"b\":{}}",
            "\u{feff} {\"a\":\"}",
            "{\"a\":\"\\\"}",
        ] {
            for then in [Then::Close, Then::Reset] {
                let upstream = answering(head, body, then).await;
                let report = call(&Clients::new(), &upstream.party(), AMPLE, Repeat::Never).await;
                let cut = UpstreamFault::CutShort {
                    status: status(200),
                };
                assert_eq!(report.result.unwrap_err(), cut, "{head:?} {body:?}");
            }
        }
        let upstream = answering(head, "{\"a\":{}", Then::Hold).await;
        let time = SILENCE * 2;
        let report = call(&Clients::new(), &upstream.party(), time, Repeat::Never).await;
        let sent = Sent::MaybeSent;
        let late = UpstreamFault::TimedOut { sent };
        assert_eq!(report.result.unwrap_err(), late, "{head:?}");
    }
}

#[tokio::test(flavor = "local")]
async fn what_begins_no_object_is_returned_at_once_and_is_no_failure_of_the_party() {
    let page = "HTTP/1.1 503 Down\r\nContent-Type: text/html\r\n\r\n";
    for body in [
        "<html>{}</html>",
        "null",
        "[{}]",
        "{} behind",
        "\u{feff}\u{feff}{}",
    ] {
        for then in [Then::Close, Then::Reset, Then::Hold] {
            let upstream = answering(page, body, then).await;
            let begin = Instant::now();
            let report = call(&Clients::new(), &upstream.party(), AMPLE, Repeat::Never).await;
            assert_eq!(whole(&report), Ok((503, body)), "{then:?}");
            assert!(begin.elapsed() < SILENCE, "{:?}", begin.elapsed());
            let outcome = CircuitOutcome::of(&report.result, BudgetShare::Full);
            assert_eq!(outcome, CircuitOutcome::Success);
        }
    }
}

#[tokio::test(flavor = "local")]
async fn an_answer_that_ends_without_a_body_is_empty_but_one_that_is_reset_is_cut() {
    for head in HEADS {
        for body in ["", " \r\n", "\u{feff}"] {
            let upstream = answering(head, body, Then::Close).await;
            let report = call(&Clients::new(), &upstream.party(), AMPLE, Repeat::Never).await;
            assert_eq!(whole(&report), Ok((200, body)));
        }
        let upstream = answering(head, "", Then::Reset).await;
        let report = call(&Clients::new(), &upstream.party(), AMPLE, Repeat::Never).await;
        let cut = UpstreamFault::CutShort {
            status: status(200),
        };
        assert_eq!(report.result.unwrap_err(), cut);
    }
}

#[tokio::test(flavor = "local")]
async fn an_object_over_the_limit_is_not_waited_for() {
    for (length, fits) in [(LIMIT, true), (LIMIT + 1, false)] {
        for pad in ["{}".len(), "{".len()] {
            let body = format!("{:<length$}", &"{}"[..pad]).leak();
            if fits && pad == 1 {
                continue;
            }
            let upstream = answering(HEADS[1], body, Then::Hold).await;
            let report = call(&Clients::new(), &upstream.party(), AMPLE, Repeat::Never).await;
            let status = status(200);
            let expected = if fits {
                Ok((200, &*body))
            } else {
                Err(&UpstreamFault::TooLarge { status })
            };
            assert_eq!(whole(&report), expected);
        }
    }
}

#[tokio::test(flavor = "local")]
async fn an_object_is_whole_in_pieces_of_any_size() {
    const ANSWER: &str = "HTTP/1.1 200 OK\r\n\r\n\u{feff}{\"a\":\"}\\\"\",\"b\":{\"성공\":[{}]}}\n";
    let (_, body) = ANSWER.split_once("\r\n\r\n").unwrap();
    for piece in 1..ANSWER.len() {
        let upstream = Upstream::serve(move |_, mut stream| async move {
            read_request(&mut stream).await;
            for bytes in ANSWER.as_bytes().chunks(piece) {
                stream.write_all(bytes).await.unwrap();
                tokio::task::yield_now().await;
            }
            stream.shutdown().await.unwrap();
        })
        .await;
        let report = call(&Clients::new(), &upstream.party(), AMPLE, Repeat::Never).await;
        assert_eq!(whole(&report), Ok((200, body)), "pieces of {piece}");
    }
}

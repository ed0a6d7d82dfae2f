//! Idle connections: how long they carry a request that must not be sent twice, and what becomes of those that the party
//! closes.

use std::time::Duration;

use gateway::upstream::{Clients, Repeat};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use crate::party::{AMPLE, PROOF, Upstream, call, read_request, sized, whole};
use crate::tls;

/// A party that keeps its connections open, announces `keep_alive`, and answers with the connection's number.
async fn keeping(keep_alive: &'static str) -> Upstream {
    Upstream::serve(move |number, mut stream| async move {
        while !read_request(&mut stream).await.is_empty() {
            let body = number.to_string();
            let answer = format!(
                "HTTP/1.1 200 OK\r\n{keep_alive}Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await
}

#[tokio::test(flavor = "local")]
async fn a_call_that_is_not_repeated_goes_out_on_a_warm_connection_once_idle_ones_are_seen_to_last()
{
    let upstream = keeping("").await;
    let (clients, party) = (Clients::new(), upstream.party());
    let again = async |expected: &str| {
        let report = call(&clients, &party, AMPLE, Repeat::Never).await;
        assert_eq!(whole(&report), Ok((200, expected)));
        report.connect_duration.is_some()
    };
    assert!(again("0").await, "nothing is known of it");
    assert!(again("1").await, "nothing is known of it");
    tokio::time::sleep(PROOF).await;
    assert!(again("2").await, "the idle ones are too old");
    for _ in 0..20 {
        assert!(!again("2").await, "a fresh connection without need");
    }
    // By then the first one has shown three times this, and half of that is not exceeded.
    tokio::time::sleep(PROOF * 2).await;
    assert!(
        again("3").await,
        "idle for more than half of what is proven"
    );
}

#[tokio::test(flavor = "local")]
async fn an_announced_time_lowers_what_is_proven_and_does_not_replace_it() {
    let upstream = keeping("Keep-Alive: timeout=1\r\n").await;
    let (clients, party) = (Clients::new(), upstream.party());
    for connections in [1, 2] {
        call(&clients, &party, AMPLE, Repeat::Never).await;
        assert_eq!(upstream.connections(), connections, "an announcement only");
    }
    // What a call may repeat uses them for half of the announced time.
    call(&clients, &party, AMPLE, Repeat::Safe).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    call(&clients, &party, AMPLE, Repeat::Safe).await;
    assert_eq!(upstream.connections(), 3);
    tokio::time::sleep(Duration::from_millis(600)).await;
    call(&clients, &party, AMPLE, Repeat::Safe).await;
    assert_eq!(upstream.connections(), 4);
}

#[tokio::test(flavor = "local")]
async fn a_party_that_closes_early_gets_fresh_connections_from_then_on() {
    // Its third connection ends after 20 ms, as when another server behind it answers.
    let upstream = Upstream::serve(move |number, mut stream| async move {
        while !read_request(&mut stream).await.is_empty() {
            let body = number.to_string();
            stream.write_all(&sized(&body)).await.unwrap();
            if number == 2 {
                tokio::time::sleep(Duration::from_millis(20)).await;
                return;
            }
        }
    })
    .await;
    let (clients, party) = (Clients::new(), upstream.party());
    call(&clients, &party, AMPLE, Repeat::Never).await;
    tokio::time::sleep(PROOF).await;
    for expected in ["1", "1"] {
        let report = call(&clients, &party, AMPLE, Repeat::Never).await;
        assert_eq!(whole(&report), Ok((200, expected)), "proven");
    }
    // Two at once need a third connection.
    let (first, second) = tokio::join!(
        call(&clients, &party, AMPLE, Repeat::Never),
        call(&clients, &party, AMPLE, Repeat::Never)
    );
    assert_eq!(
        (whole(&first), whole(&second)),
        (Ok((200, "1")), Ok((200, "2")))
    );
    tokio::time::sleep(Duration::from_millis(100)).await;
    for expected in ["3", "4", "5"] {
        let report = call(&clients, &party, AMPLE, Repeat::Never).await;
        assert_eq!(whole(&report), Ok((200, expected)));
        assert_eq!(report.attempts, 1);
    }
}

#[tokio::test(flavor = "local")]
async fn calls_that_prove_nothing_leave_one_idle_connection() {
    let (closed, mut seen) = tokio::sync::mpsc::channel(100);
    let upstream = Upstream::serve(move |number, mut stream| {
        let closed = closed.clone();
        async move {
            while !read_request(&mut stream).await.is_empty() {
                stream.write_all(&sized("{}")).await.unwrap();
            }
            closed.send(number).await.unwrap();
        }
    })
    .await;
    let (clients, party) = (Clients::new(), upstream.party());
    for _ in 0..50 {
        call(&clients, &party, AMPLE, Repeat::Never).await;
    }
    assert_eq!(upstream.connections(), 50);
    // All but the first, which proves, and the last, which no call has looked at.
    for expected in 1..49 {
        assert_eq!(seen.recv().await, Some(expected));
    }
    assert!(
        timeout(Duration::from_millis(50), seen.recv())
            .await
            .is_err()
    );
}

/// How a party ends an idle connection.
#[derive(Clone, Copy, Debug)]
enum Ends {
    /// It closes its side.
    Closes,
    /// It says why, as some servers do, and leaves its side open.
    Speaks,
}

#[tokio::test(flavor = "local")]
async fn an_idle_connection_that_the_party_ends_is_closed_at_once_without_another_call() {
    for is_tls in [false, true] {
        for ends in [Ends::Closes, Ends::Speaks] {
            for repeat in [Repeat::Safe, Repeat::Never] {
                let (closed, mut seen) = tokio::sync::mpsc::channel(1);
                let idle_then_end = move |mut stream: tls::AnyStream| {
                    let closed = closed.clone();
                    async move {
                        read_request(&mut stream).await;
                        stream.write_all(&sized("{}")).await.unwrap();
                        stream.flush().await.unwrap();
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        match ends {
                            Ends::Closes => stream.shutdown().await.unwrap(),
                            Ends::Speaks => {
                                let late = b"HTTP/1.1 408 Request Timeout\r\n\r\n";
                                stream.write_all(late).await.unwrap();
                                stream.flush().await.unwrap();
                            }
                        }
                        let begin = Instant::now();
                        // The end of the gateway's side, with or without a `close_notify`.
                        while let Ok(1..) = stream.read(&mut [0; 64]).await {}
                        closed.send(begin.elapsed()).await.unwrap();
                    }
                };
                let (_upstream, party) = tls::serving(is_tls, idle_then_end).await;
                let clients = Clients::new();
                let report = call(&clients, &party, AMPLE, repeat).await;
                assert_eq!(whole(&report), Ok((200, "{}")));
                let took = timeout(AMPLE, seen.recv()).await.unwrap().unwrap();
                assert!(
                    took < Duration::from_millis(500),
                    "{ends:?} {repeat:?} {took:?}"
                );
            }
        }
    }
}

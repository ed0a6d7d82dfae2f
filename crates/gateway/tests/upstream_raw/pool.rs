//! The choice of a connection for a call.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gateway::upstream::{Clients, Repeat, Sent, UpstreamFault};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Barrier, Notify};
use tokio::time::Instant;

use crate::party::{
    AMPLE, PROOF, Upstream, call, outgoing_call, party_at, read_request, sized, whole,
};

/// Answers every request with its connection's number and its own.
async fn count_requests(connection: usize, mut stream: TcpStream) {
    for number in 0.. {
        if read_request(&mut stream).await.is_empty() {
            return;
        }
        let answer = sized(&format!("{connection}.{number}"));
        stream.write_all(&answer).await.unwrap();
    }
}

#[tokio::test(flavor = "local")]
async fn a_connection_serves_one_call_after_another() {
    let upstream = Upstream::serve(count_requests).await;
    let (clients, party) = (Clients::new(), upstream.party());
    for expected in ["0.0", "0.1", "0.2"] {
        let report = call(&clients, &party, AMPLE, Repeat::Safe).await;
        assert_eq!(whole(&report), Ok((200, expected)));
        assert_eq!(report.connect_duration.is_some(), expected == "0.0");
    }
}

#[tokio::test(flavor = "local")]
async fn parties_at_one_origin_share_the_connections_of_calls_that_change_nothing() {
    let upstream = Upstream::serve(count_requests).await;
    let clients = Clients::new();
    let (first, elsewhere) = (upstream.party(), upstream.party());
    let second = party_at(first.origin(), "B0002", "/other");
    for (party, repeat, expected) in [
        (&first, Repeat::Safe, "0.0"),
        (&second, Repeat::Safe, "0.1"),
        (&elsewhere, Repeat::Safe, "1.0"),
        (&second, Repeat::Safe, "0.2"),
        // A call with side effects does not share a connection with other parties' calls.
        (&first, Repeat::Never, "2.0"),
        (&second, Repeat::Never, "3.0"),
    ] {
        let report = call(&clients, party, AMPLE, repeat).await;
        assert_eq!(whole(&report), Ok((200, expected)));
    }
    tokio::time::sleep(PROOF).await;
    for (party, repeat, expected) in [
        (&first, Repeat::Never, "4.0"),
        (&second, Repeat::Never, "5.0"),
        (&first, Repeat::Never, "4.1"),
        (&second, Repeat::Never, "5.1"),
        (&first, Repeat::Safe, "0.3"),
    ] {
        let report = call(&clients, party, AMPLE, repeat).await;
        assert_eq!(whole(&report), Ok((200, expected)));
    }
}

#[tokio::test(flavor = "local")]
async fn a_party_that_hangs_delays_no_other_at_its_origin() {
    let hangs = Arc::new(Notify::new());
    let notify = Arc::clone(&hangs);
    let upstream = Upstream::serve(move |number, mut stream| {
        let notify = Arc::clone(&notify);
        async move {
            read_request(&mut stream).await;
            if number == 0 {
                notify.notify_one();
                std::future::pending::<()>().await;
            }
            stream.write_all(&sized("{}")).await.unwrap();
        }
    })
    .await;
    let clients = Clients::new();
    let hanging = upstream.party();
    let other = party_at(hanging.origin(), "B0002", "/other");
    let hung = call(&clients, &hanging, AMPLE, Repeat::Safe);
    let answered = async {
        hangs.notified().await;
        call(&clients, &other, AMPLE, Repeat::Safe).await
    };
    tokio::select! {
        biased;
        _ended = hung => panic!("a call that hangs ended first"),
        report = answered => assert_eq!(whole(&report), Ok((200, "{}"))),
    }
}

#[tokio::test(flavor = "local")]
async fn two_hundred_calls_at_once_do_not_wait_for_each_other() {
    const CALLS: usize = 200;
    let all = Arc::new(Barrier::new(CALLS));
    let upstream = Upstream::serve(move |_, mut stream| {
        let all = Arc::clone(&all);
        async move {
            read_request(&mut stream).await;
            all.wait().await;
            stream.write_all(&sized("{}")).await.unwrap();
        }
    })
    .await;
    let (clients, party) = (std::rc::Rc::new(Clients::new()), upstream.party());
    tokio::task::LocalSet::new()
        .run_until(async {
            let mut calls = tokio::task::JoinSet::new();
            for _ in 0..CALLS {
                let (clients, party) = (clients.clone(), party.clone());
                calls
                    .spawn_local(async move { call(&clients, &party, AMPLE, Repeat::Never).await });
            }
            while let Some(report) = calls.join_next().await {
                assert_eq!(whole(&report.unwrap()), Ok((200, "{}")));
            }
        })
        .await;
    assert_eq!(upstream.connections(), CALLS);
}

#[tokio::test(flavor = "local")]
async fn a_closed_connection_is_not_reused() {
    for repeat in [Repeat::Safe, Repeat::Never] {
        let closed = Arc::new(Notify::new());
        let notify = Arc::clone(&closed);
        let upstream = Upstream::serve(move |number, mut stream| {
            let notify = Arc::clone(&notify);
            async move {
                read_request(&mut stream).await;
                stream.write_all(&sized(&number.to_string())).await.unwrap();
                drop(stream);
                notify.notify_one();
            }
        })
        .await;
        let (clients, party) = (Clients::new(), upstream.party());
        for expected in ["0", "1", "2"] {
            let report = call(&clients, &party, AMPLE, repeat).await;
            assert_eq!((whole(&report), report.attempts), (Ok((200, expected)), 1));
            closed.notified().await;
        }
    }
}

/// How a party ends a connection at the moment of its reuse.
#[derive(Clone, Copy, Debug)]
enum Race {
    /// Closes it after it has read the second request.
    Close,
    /// Closes it without having read the second request, which resets it.
    Reset,
    /// Sends the begin of a head first.
    Speak,
}

/// On one of its connections, answers the first request and drops the second; the other ones are good.
async fn racing(race: Race, on: usize) -> (Upstream, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    let upstream = Upstream::serve(move |number, mut stream| {
        let count = Arc::clone(&count);
        async move {
            read_request(&mut stream).await;
            count.fetch_add(1, Ordering::SeqCst);
            stream.write_all(&sized(&number.to_string())).await.unwrap();
            if number != on {
                count_requests(number, stream).await;
                return;
            }
            stream.read_exact(&mut [0]).await.unwrap();
            match race {
                Race::Reset => {}
                Race::Close => {
                    read_request(&mut stream).await;
                }
                Race::Speak => {
                    read_request(&mut stream).await;
                    stream.write_all(b"HTTP/1.1 2").await.unwrap();
                }
            }
        }
    })
    .await;
    (upstream, requests)
}

#[tokio::test(flavor = "local")]
async fn only_what_is_safe_is_sent_again_over_a_new_connection() {
    for race in [Race::Close, Race::Reset] {
        let (upstream, _) = racing(race, 0).await;
        let (clients, party) = (Clients::new(), upstream.party());
        call(&clients, &party, AMPLE, Repeat::Safe).await;
        let report = call(&clients, &party, AMPLE, Repeat::Safe).await;
        assert_eq!(
            (whole(&report), report.attempts),
            (Ok((200, "1")), 2),
            "{race:?}"
        );

        let (upstream, requests) = racing(race, 1).await;
        let (clients, party) = (Clients::new(), upstream.party());
        call(&clients, &party, AMPLE, Repeat::Never).await;
        tokio::time::sleep(PROOF).await;
        call(&clients, &party, AMPLE, Repeat::Never).await;
        let report = call(&clients, &party, AMPLE, Repeat::Never).await;
        assert_eq!(report.attempts, 1, "{race:?}");
        assert_eq!(
            report.result.unwrap_err(),
            UpstreamFault::Closed {
                sent: Sent::MaybeSent
            }
        );
        assert_eq!(requests.load(Ordering::SeqCst), 2);
        assert_eq!(upstream.connections(), 2);
    }
}

#[tokio::test(flavor = "local")]
async fn nothing_is_sent_again_after_a_byte_of_an_answer() {
    let (upstream, _) = racing(Race::Speak, 0).await;
    let (clients, party) = (Clients::new(), upstream.party());
    call(&clients, &party, AMPLE, Repeat::Safe).await;
    let report = call(&clients, &party, AMPLE, Repeat::Safe).await;
    assert_eq!(report.attempts, 1);
    assert_eq!(
        report.result.unwrap_err(),
        UpstreamFault::Closed {
            sent: Sent::MaybeSent
        }
    );
}

#[tokio::test(flavor = "local")]
async fn what_is_sent_again_goes_over_a_new_connection_though_others_are_pooled() {
    // Two connections are pooled; both end on their second request.
    let both = Arc::new(Barrier::new(2));
    let upstream = Upstream::serve(move |number, mut stream| {
        let both = Arc::clone(&both);
        async move {
            read_request(&mut stream).await;
            if number < 2 {
                both.wait().await;
            }
            stream.write_all(&sized(&number.to_string())).await.unwrap();
            read_request(&mut stream).await;
        }
    })
    .await;
    let (clients, party) = (Clients::new(), upstream.party());
    tokio::join!(
        call(&clients, &party, AMPLE, Repeat::Safe),
        call(&clients, &party, AMPLE, Repeat::Safe)
    );
    assert_eq!(upstream.connections(), 2);
    let report = call(&clients, &party, AMPLE, Repeat::Safe).await;
    assert_eq!((whole(&report), report.attempts), (Ok((200, "2")), 2));
}

#[tokio::test(flavor = "local")]
async fn a_repeat_that_is_not_sent_does_not_hide_the_first_attempt() {
    let (upstream, port) = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    };
    tokio::spawn(async move {
        let (mut stream, _) = upstream.accept().await.unwrap();
        drop(upstream);
        read_request(&mut stream).await;
        stream.write_all(&sized("{}")).await.unwrap();
        read_request(&mut stream).await;
    });
    let clients = Clients::new();
    let party = crate::party::party(&format!("http://127.0.0.1:{port}"));
    call(&clients, &party, AMPLE, Repeat::Safe).await;
    let report = call(&clients, &party, AMPLE, Repeat::Safe).await;
    assert_eq!(report.attempts, 2);
    assert_eq!(
        report.result.unwrap_err(),
        UpstreamFault::Closed {
            sent: Sent::MaybeSent
        }
    );
}

#[tokio::test(flavor = "local")]
async fn bytes_after_an_answer_never_begin_the_next() {
    const BEHIND: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n0\r\n0\r\n\r\n";
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n0",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 304 Same\r\nContent-Length: 1\r\n\r\n",
        chunked,
    ] {
        // A whole answer after it, a part of one, or its begin first and the rest too late.
        for (first, second) in [
            (BEHIND, ""),
            (&BEHIND[..9], ""),
            (&BEHIND[..9], &BEHIND[9..]),
        ] {
            let upstream = Upstream::serve(move |number, mut stream| async move {
                read_request(&mut stream).await;
                if number > 0 {
                    stream.write_all(&sized("true")).await.unwrap();
                } else {
                    stream
                        .write_all([answer, first].concat().as_bytes())
                        .await
                        .unwrap();
                    tokio::task::yield_now().await;
                    let _ = stream.write_all(second.as_bytes()).await;
                }
                std::future::pending::<()>().await;
            })
            .await;
            let (clients, party) = (Clients::new(), upstream.party());
            call(&clients, &party, AMPLE, Repeat::Safe).await;
            let report = call(&clients, &party, AMPLE, Repeat::Safe).await;
            assert_eq!(whole(&report), Ok((200, "true")), "{answer:?} {first:?}");
        }
    }
}

#[tokio::test(flavor = "local")]
async fn a_connection_that_cannot_serve_again_is_closed_at_once() {
    for answer in [
        "HTTP/1.1 200 OK\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\n\r\n<html>",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 204 -\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 304 -\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 101 -\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        "garbage\r\n\r\n",
    ] {
        let (closed, mut seen) = tokio::sync::mpsc::channel(1);
        let upstream = Upstream::serve(move |_, mut stream| {
            let closed = closed.clone();
            async move {
                read_request(&mut stream).await;
                stream.write_all(answer.as_bytes()).await.unwrap();
                assert_eq!(read_request(&mut stream).await, "", "a second request");
                closed.send(()).await.unwrap();
            }
        })
        .await;
        let (clients, party) = (Clients::new(), upstream.party());
        call(&clients, &party, AMPLE, Repeat::Never).await;
        tokio::time::timeout(AMPLE, seen.recv())
            .await
            .expect(answer);
    }
}

#[tokio::test(flavor = "local")]
async fn a_call_that_is_given_up_closes_its_connection() {
    let (closed, mut seen) = tokio::sync::mpsc::channel(1);
    let upstream = Upstream::serve(move |_, mut stream| {
        let closed = closed.clone();
        async move {
            read_request(&mut stream).await;
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{")
                .await
                .unwrap();
            assert_eq!(read_request(&mut stream).await, "", "a second request");
            closed.send(()).await.unwrap();
        }
    })
    .await;
    let (clients, party) = (Clients::new(), upstream.party());
    // The deadline ends the first call, the caller the second.
    call(&clients, &party, Duration::from_millis(100), Repeat::Never).await;
    seen.recv().await.unwrap();
    let deadline = Instant::now() + AMPLE;
    let given_up = clients.call(
        &party,
        outgoing_call(&party).request(),
        deadline,
        Repeat::Never,
    );
    let _ = tokio::time::timeout(Duration::from_millis(100), given_up).await;
    seen.recv().await.unwrap();
}

#[tokio::test(flavor = "local")]
async fn the_keep_alive_time_of_a_party_is_obeyed() {
    for (keep_alive, connections) in [("timeout=0, max=9", 3), ("timeout=60", 1), ("max=9", 1)] {
        let upstream = Upstream::serve(move |_, mut stream| async move {
            let answer =
                format!("HTTP/1.1 200 OK\r\nKeep-Alive: {keep_alive}\r\nContent-Length: 0\r\n\r\n");
            while !read_request(&mut stream).await.is_empty() {
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        })
        .await;
        let (clients, party) = (Clients::new(), upstream.party());
        for _ in 0..3 {
            assert!(
                call(&clients, &party, AMPLE, Repeat::Safe)
                    .await
                    .result
                    .is_ok()
            );
        }
        assert_eq!(upstream.connections(), connections, "{keep_alive}");
    }
}

#[tokio::test(flavor = "local")]
async fn the_connections_of_a_party_that_is_gone_are_closed() {
    let (closed, mut seen) = tokio::sync::mpsc::channel(1);
    let upstream = Upstream::serve(move |number, stream| {
        let closed = closed.clone();
        async move {
            count_requests(number, stream).await;
            closed.send(number).await.unwrap();
        }
    })
    .await;
    let clients = Clients::new();
    let old = upstream.party();
    call(&clients, &old, AMPLE, Repeat::Never).await;
    drop(old);
    let report = call(&clients, &upstream.party(), AMPLE, Repeat::Never).await;
    assert_eq!(
        whole(&report),
        Ok((200, "1.0")),
        "a party anew has connections of its own"
    );
    assert_eq!(seen.recv().await, Some(0));
    clients.sweep();
    assert_eq!(seen.recv().await, Some(1));
}

#[tokio::test(flavor = "local")]
async fn idle_connections_of_a_party_that_is_not_called_are_closed() {
    let (closed, mut seen) = tokio::sync::mpsc::channel(1);
    let upstream = Upstream::serve(move |_, mut stream| {
        let closed = closed.clone();
        async move {
            read_request(&mut stream).await;
            let answer = b"HTTP/1.1 204 -\r\nKeep-Alive: timeout=1\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            assert_eq!(read_request(&mut stream).await, "", "a second request");
            closed.send(()).await.unwrap();
        }
    })
    .await;
    let (clients, party) = (Clients::new(), upstream.party());
    call(&clients, &party, AMPLE, Repeat::Never).await;
    let mut sweeps = tokio::time::interval(Duration::from_millis(50));
    while seen.try_recv().is_err() {
        sweeps.tick().await;
        clients.sweep();
    }
}

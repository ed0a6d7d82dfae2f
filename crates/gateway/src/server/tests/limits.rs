//! Limits of sizes, times and connections.

use super::*;

#[tokio::test]
async fn a_head_over_its_limits_is_answered_431() {
    let (server, handler) = start(options());
    let start_line = "GET /a HTTP/1.1\r\nHost: a\r\n";
    let filled = |length: usize| {
        let value = "v".repeat(length - start_line.len() - "X: \r\n\r\n".len());
        format!("{start_line}X: {value}\r\n\r\n")
    };
    let with_headers = |count: usize| {
        let headers = "X: a\r\n".repeat(count - 1);
        format!("{start_line}{headers}\r\n")
    };
    let close = |head: String| head.replacen("X: ", "Connection: close\r\nX: ", 1);
    let cases = [
        (
            close(filled(16 * 1024 - "Connection: close\r\n".len())),
            200,
        ),
        (filled(16 * 1024 + 1), 431),
        ("x".repeat(64 * 1024), 431),
        (close(with_headers(63)), 200),
        (with_headers(65), 431),
    ];
    for (head, status) in cases {
        let length = head.len();
        let answer = exchange(&server, head).await;
        assert_eq!(statuses(&answer), [status], "{length} bytes: {answer}");
    }
    let seen = handler.records();
    let faults: Vec<_> = seen
        .iter()
        .filter(|seen| seen.starts_with("fault"))
        .collect();
    let (long, many) = ("fault 431 head-too-long", "fault 431 too-many-headers");
    assert_eq!(faults, [long, long, many]);
}

#[tokio::test]
async fn a_slow_head_is_answered_408_as_the_first_or_a_later_request() {
    let head_timeout = Duration::from_millis(200);
    let (server, handler) = start(ServerOptions {
        head_timeout,
        ..options()
    });
    let good = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
    for before in ["", good] {
        let mut socket = connect(&server).await;
        send(&mut socket, before).await;
        send(&mut socket, "GET /slow HTTP/1.1\r\nHo").await;
        let answers = until_closed(&mut socket).await;
        assert_eq!(statuses(&answers).last(), Some(&408), "{answers}");
        assert!(answers.contains("connection: close"), "{answers}");
    }
    let late = "fault 408 head-late";
    assert_eq!(handler.records(), [late, "GET /a ", late]);
}

#[tokio::test]
async fn a_head_that_arrives_byte_by_byte_too_slowly_is_answered_408() {
    let (server, handler) = start(ServerOptions {
        head_timeout: Duration::from_millis(200),
        ..options()
    });
    let (mut reader, mut writer) = connect(&server).await.into_split();
    let trickle = tokio::spawn(async move {
        let head = "GET /slow HTTP/1.1\r\nHost: a\r\nX: ".to_owned() + &"x".repeat(1000);
        for byte in head.into_bytes() {
            if writer.write_all(&[byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let answer = one_answer(&mut reader).await;
    assert_eq!(statuses(&answer), [408]);
    assert_eq!(handler.records(), ["fault 408 head-late"]);
    trickle.abort();
}

#[tokio::test]
async fn an_idle_connection_is_closed_without_an_answer() {
    let (server, handler) = start(ServerOptions {
        idle_timeout: Duration::from_millis(200),
        ..options()
    });
    assert_eq!(exchange(&server, "").await, "");

    let answers = exchange(&server, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(statuses(&answers), [200]);
    assert!(!answers.contains("close"), "{answers}");
    assert_eq!(handler.records(), ["GET /a "]);
}

#[tokio::test]
async fn a_call_may_take_longer_than_the_idle_time() {
    let idle_timeout = Duration::from_millis(50);
    let (server, handler) = start(ServerOptions {
        idle_timeout,
        ..options()
    });
    let mut socket = connect(&server).await;
    send(&mut socket, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
    handler.until_call_begins().await;
    tokio::time::sleep(idle_timeout * 4).await;
    handler.may_end.add_permits(1);
    assert_eq!(statuses(&until_closed(&mut socket).await), [200]);
}

#[tokio::test]
async fn the_connection_of_a_client_that_does_not_read_its_answer_is_closed() {
    let (server, _handler) = start(ServerOptions {
        idle_timeout: Duration::from_millis(200),
        ..options()
    });
    let mut socket = connect(&server).await;
    let length = 32 * 1024 * 1024;
    let head = format!("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
    send(&mut socket, head).await;
    send(&mut socket, vec![b'x'; length]).await;
    in_time(async {
        while server.open_connections() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn connections_over_the_limits_are_closed_at_once() {
    let (server, _handler) = start(ServerOptions {
        connections: 3,
        connections_per_address: 2,
        ..options()
    });
    let request = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut socket = connect(&server).await;
        send(&mut socket, request).await;
        one_answer(&mut socket).await;
        open.push(socket);
    }
    let mut beyond = connect(&server).await;
    assert_eq!(until_closed(&mut beyond).await, "");
    assert_eq!(server.open_connections(), 2);
    assert_eq!(server.refused_connections(), 1);

    drop(open.pop());
    in_time(async {
        while server.open_connections() > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut again = connect(&server).await;
    send(&mut again, request).await;
    one_answer(&mut again).await;
}

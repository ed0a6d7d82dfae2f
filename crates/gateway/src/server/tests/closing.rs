//! The end of connections and of the listener.

use super::*;

const WAIT: &str = "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn a_client_that_closed_its_side_receives_its_answers() {
    let (server, handler) = start(options());
    let mut socket = connect(&server).await;
    send(&mut socket, WAIT.repeat(2)).await;
    socket.shutdown().await.unwrap();
    handler.until_call_begins().await;
    handler.may_end.add_permits(2);
    assert_eq!(statuses(&until_closed(&mut socket).await), [200, 200]);
}

#[tokio::test]
async fn the_handler_cannot_read_a_body_that_ends_early() {
    let (server, handler) = start(options());
    let mut socket = connect(&server).await;
    send(
        &mut socket,
        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhello",
    )
    .await;
    socket.shutdown().await.unwrap();
    let answer = until_closed(&mut socket).await;
    assert_eq!(statuses(&answer), [400]);
    assert!(answer.contains("connection: close"), "{answer}");
    assert_eq!(handler.records(), ["POST /x cut off"]);
}

#[tokio::test]
async fn a_head_that_ends_early_never_becomes_a_request() {
    let (server, handler) = start(options());
    let mut socket = connect(&server).await;
    send(&mut socket, "GET /x HTTP/1.1\r\nHo").await;
    socket.shutdown().await.unwrap();
    assert_eq!(until_closed(&mut socket).await, "");
    assert!(handler.records().is_empty());
}

#[tokio::test]
async fn a_client_that_closes_its_connection_does_not_end_its_call() {
    let (server, handler) = start(options());
    let mut socket = connect(&server).await;
    send(&mut socket, "GET /task HTTP/1.1\r\nHost: a\r\n\r\n").await;
    send(&mut socket, WAIT).await;
    handler.until_call_begins().await;
    // The client has not read the answer, so the close is a reset.
    drop(socket);
    handler.may_end.add_permits(2);
    in_time(async {
        while server.open_connections() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let seen = handler.records();
    assert!(seen.contains(&"task done".to_owned()), "{seen:?}");
}

#[tokio::test]
async fn an_answer_that_says_close_is_the_last() {
    let (server, handler) = start(options());
    let last = "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answers = exchange(&server, last.repeat(2)).await;
    assert_eq!(statuses(&answers), [200]);
    assert_eq!(handler.records(), ["GET /a "]);

    let old = "GET /a HTTP/1.0\r\n\r\n";
    let answer = exchange(&server, old).await;
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
}

#[tokio::test]
async fn a_refusal_arrives_before_the_connection_is_reset() {
    let (server, _handler) = start(options());
    let mut socket = connect(&server).await;
    send(
        &mut socket,
        "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n",
    )
    .await;
    // More than the sockets' buffers hold, so the server closes with unread bytes.
    send(&mut socket, vec![b'x'; 200 * 1024]).await;
    let answer = one_answer(&mut socket).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert_eq!(until_closed(&mut socket).await, "");
}

#[tokio::test]
async fn a_drain_ends_idle_connections_and_finishes_calls() {
    let (server, handler) = start(options());
    let mut idle = connect(&server).await;
    send(&mut idle, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await;
    one_answer(&mut idle).await;
    let mut busy = connect(&server).await;
    send(&mut busy, WAIT.repeat(2)).await;
    handler.until_call_begins().await;

    let address = server.address();
    let drained = tokio::spawn(server.drain(TEST_TIMEOUT));
    assert_eq!(until_closed(&mut idle).await, "");
    in_time(async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(!drained.is_finished());

    handler.may_end.add_permits(2);
    let answer = until_closed(&mut busy).await;
    assert_eq!(statuses(&answer), [200]);
    assert!(answer.contains("connection: close"), "{answer}");
    drop(busy);
    assert_eq!(in_time(drained).await.unwrap().cut_off, 0);
}

#[tokio::test]
async fn a_drain_waits_for_work_whose_client_has_gone() {
    let (server, handler) = start(options());
    let mut socket = connect(&server).await;
    send(&mut socket, "GET /task HTTP/1.1\r\nHost: a\r\n\r\n").await;
    one_answer(&mut socket).await;
    drop(socket);
    let drained = tokio::spawn(server.drain(TEST_TIMEOUT));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!drained.is_finished());
    handler.may_end.add_permits(1);
    assert_eq!(in_time(drained).await.unwrap().cut_off, 0);
    assert_eq!(handler.records().last().unwrap(), "task done");
}

#[tokio::test]
async fn a_drain_ends_at_its_time_limit() {
    let (server, handler) = start(options());
    let mut busy = connect(&server).await;
    send(&mut busy, WAIT).await;
    handler.until_call_begins().await;
    let drained = in_time(server.drain(Duration::from_millis(100))).await;
    assert_eq!(drained.cut_off, 1);
}

#[test]
fn the_listener_serves_and_drains_within_the_librarys_runtime() {
    actix_rt::System::new().block_on(async {
        let (server, handler) = start(options());
        let mut socket = connect(&server).await;
        send(&mut socket, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(statuses(&one_answer(&mut socket).await), [200]);
        assert_eq!(in_time(server.drain(TEST_TIMEOUT)).await.cut_off, 0);
        assert_eq!(handler.records(), ["GET /a "]);
    });
}

#[tokio::test]
async fn a_failure_of_the_workers_is_reported() {
    let handlers =
        || -> fn(IncomingRequest) -> std::future::Ready<HttpResponse> { panic!("no handler") };
    let mut server = PublicServer::start(options(), handlers).unwrap();
    assert!(in_time(server.ended()).await.is_err());
}

#[tokio::test]
async fn a_handler_that_panics_ends_its_connection_only() {
    let handlers = || {
        |incoming: IncomingRequest| async move {
            assert_ne!(incoming.request.path(), "/panic");
            HttpResponse::Ok().body("fine")
        }
    };
    let server = PublicServer::start(options(), handlers).unwrap();
    assert_eq!(
        exchange(&server, "GET /panic HTTP/1.1\r\nHost: a\r\n\r\n").await,
        ""
    );
    let fine = "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert_eq!(statuses(&exchange(&server, fine).await), [200]);
    in_time(async {
        while server.open_connections() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

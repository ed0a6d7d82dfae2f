//! Pipelined connections are tested over a pipe, with the server's side written by the test.

use std::time::Duration;

use futures_util::FutureExt as _;
use redis::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Instant, timeout};

use super::pipelined_connection::PipelinedConnection;
use crate::redis::out_of_reach::OutOfReach;

const AMPLE: Duration = Duration::from_secs(20);

/// Returns a connection, its driver, and the server's end of it.
fn connected() -> (PipelinedConnection, JoinHandle<()>, DuplexStream) {
    let (ours, theirs) = duplex(1024 * 1024);
    let connection = PipelinedConnection::default();
    let driver = tokio::spawn(connection.drive(ours));
    (connection, driver, theirs)
}

fn ask(
    connection: &PipelinedConnection,
    word: &str,
    within: Duration,
) -> JoinHandle<Result<Value, OutOfReach>> {
    let (connection, mut command) = (connection.clone(), redis::cmd("GET"));
    command.arg(word);
    tokio::spawn(async move { connection.ask(&command, Instant::now() + within).await })
}

fn asked(word: &str) -> String {
    format!("*2\r\n$3\r\nGET\r\n${}\r\n{word}\r\n", word.len())
}

async fn receive(server: &mut DuplexStream, length: usize) -> String {
    let mut bytes = vec![0; length];
    let read = timeout(AMPLE, server.read_exact(&mut bytes)).await;
    read.expect("in time").expect("whole");
    String::from_utf8(bytes).unwrap()
}

fn text(value: &str) -> Value {
    Value::SimpleString(value.to_owned())
}

#[tokio::test]
async fn questions_of_one_round_leave_together_and_get_their_replies_in_order() {
    let (connection, _driver, mut server) = connected();
    let questions: Vec<_> = ["a", "b", "c"]
        .map(|word| ask(&connection, word, AMPLE))
        .into();
    let all = ["a", "b", "c"].map(asked).concat();
    assert_eq!(receive(&mut server, all.len()).await, all);
    // However the network cuts them.
    for part in ["+1\r", "\n+2\r\n+", "3\r\n"] {
        server.write_all(part.as_bytes()).await.unwrap();
        yield_now().await;
    }
    for (question, reply) in questions.into_iter().zip(["1", "2", "3"]) {
        assert_eq!(question.await.unwrap(), Ok(text(reply)));
    }
}

#[tokio::test]
async fn a_reply_whose_caller_is_gone_goes_to_no_other_call() {
    let (connection, _driver, mut server) = connected();
    let gone = ask(&connection, "a", AMPLE);
    receive(&mut server, asked("a").len()).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    let waits = ask(&connection, "b", AMPLE);
    receive(&mut server, asked("b").len()).await;
    server.write_all(b"+for a\r\n+for b\r\n").await.unwrap();
    assert_eq!(waits.await.unwrap(), Ok(text("for b")));
}

#[tokio::test]
async fn an_unasked_or_malformed_reply_ends_the_connection() {
    for bytes in [&b"+unasked\r\n"[..], b"HTTP/1.1 400\r\n", b""] {
        let (connection, driver, mut server) = connected();
        server.write_all(bytes).await.unwrap();
        if bytes.is_empty() {
            drop(server);
        }
        timeout(AMPLE, driver).await.unwrap().unwrap();
        let refused = ask(&connection, "a", AMPLE).await.unwrap();
        assert_eq!(refused, Err(OutOfReach::Lost), "{bytes:?}");
    }
}

#[tokio::test]
async fn a_reply_from_before_the_command_was_sent_is_no_reply_to_it() {
    let (connection, driver, mut server) = connected();
    let unasked = server.write_all(b"+unasked\r\n").now_or_never();
    unasked.expect("there is room").unwrap();
    // The driver has not run since: when it does, there are a question and what looks like its reply.
    let mut command = redis::cmd("GET");
    command.arg("a");
    let question = connection.ask(&command, Instant::now() + AMPLE);
    assert_eq!(question.await, Err(OutOfReach::Lost));
    timeout(AMPLE, driver).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_waiting_call_fails_when_the_server_ends_the_connection() {
    let (connection, driver, mut server) = connected();
    let questions = ["a", "b"].map(|word| ask(&connection, word, AMPLE));
    receive(&mut server, 2 * asked("a").len()).await;
    server.write_all(b"+1\r\n").await.unwrap();
    drop(server);
    let [first, second] = questions;
    assert_eq!(first.await.unwrap(), Ok(text("1")));
    assert_eq!(second.await.unwrap(), Err(OutOfReach::Lost));
    driver.await.unwrap();
}

#[tokio::test]
async fn waiting_and_later_calls_fail_when_there_is_no_driver_any_more() {
    let (connection, driver, mut server) = connected();
    let before = ask(&connection, "a", AMPLE);
    receive(&mut server, asked("a").len()).await;
    driver.abort();
    assert_eq!(before.await.unwrap(), Err(OutOfReach::Lost));
    let behind = ask(&connection, "b", AMPLE);
    assert_eq!(behind.await.unwrap(), Err(OutOfReach::Lost));
}

#[tokio::test]
async fn a_late_reply_ends_the_connection_for_all() {
    let (connection, driver, mut server) = connected();
    // One that is answered in time does not put off the others' time.
    let in_time = ask(&connection, "a", Duration::from_millis(50));
    receive(&mut server, asked("a").len()).await;
    server.write_all(b"+1\r\n").await.unwrap();
    assert_eq!(in_time.await.unwrap(), Ok(text("1")));

    let begun = Instant::now();
    let overdue = ask(&connection, "b", Duration::from_millis(100));
    let behind = ask(&connection, "c", AMPLE);
    assert_eq!(overdue.await.unwrap(), Err(OutOfReach::TooSlow));
    assert!(begun.elapsed() >= Duration::from_millis(100));
    assert_eq!(behind.await.unwrap(), Err(OutOfReach::TooSlow));
    timeout(AMPLE, driver).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_reply_that_was_here_when_the_time_was_over_counts() {
    let (connection, _driver, mut server) = connected();
    let question = ask(&connection, "a", Duration::from_millis(20));
    receive(&mut server, asked("a").len()).await;
    // The thread is busy with something else until the time is over; the reply is there by then.
    server.write_all(b"+1\r\n").now_or_never().unwrap().unwrap();
    std::thread::sleep(Duration::from_millis(60));
    assert_eq!(question.await.unwrap(), Ok(text("1")));
}

#[tokio::test]
async fn a_question_larger_than_the_pipe_goes_out_as_the_server_takes_it() {
    let (ours, mut server) = duplex(16);
    let connection = PipelinedConnection::default();
    let _driver = tokio::spawn(connection.drive(ours));
    let word = "x".repeat(1000);
    let question = ask(&connection, &word, AMPLE);
    let expected = asked(&word);
    assert_eq!(receive(&mut server, expected.len()).await, expected);
    server.write_all(b"$-1\r\n").await.unwrap();
    assert_eq!(question.await.unwrap(), Ok(Value::Nil));
}

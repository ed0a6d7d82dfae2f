//! [`Sentinels`] say which server is the primary.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use redis::Value;
use tokio::time::Instant;

use crate::redis::connection::dialer::Dialer;
use crate::redis::connection::fault::Fault;
use crate::redis::connection::shared_connection::SharedConnection;
use crate::redis::connection::wake::Wake;
use crate::redis::settings::Settings;
use crate::redis::settings::address::ServerAddress;

/// `Sentinels` are the Sentinels of one service. All are asked, again and again: one that was cut off from the others
/// may name an earlier primary.
#[derive(Debug)]
pub(crate) struct Sentinels {
    service: String,
    open: Dialer,
    guarded: Dialer,
    step: Duration,
    all: Vec<Sentinel>,
}

#[derive(Debug)]
struct Sentinel {
    address: ServerAddress,
    connection: Option<Arc<SharedConnection>>,
}

/// An `Answer` is what one Sentinel answers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    primary: ServerAddress,
    /// How recent the decision is that it knows.
    config_epoch: u64,
}

/// An `AskError` says why a Sentinel did not answer.
#[derive(Debug)]
enum AskError {
    /// It asks for a user and a password.
    LogInFirst,
    Fault(Fault),
}

impl From<Fault> for AskError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<AskError> for Fault {
    fn from(error: AskError) -> Self {
        match error {
            AskError::LogInFirst => Self::new("a Sentinel wants another user or password"),
            AskError::Fault(fault) => fault,
        }
    }
}

impl Sentinels {
    pub(crate) fn new(
        service: &str,
        nodes: &[ServerAddress],
        settings: &Settings,
        wake: &Arc<Wake>,
    ) -> Self {
        let sentinel = |address: &ServerAddress| Sentinel {
            address: address.clone(),
            connection: None,
        };
        Self {
            service: service.to_owned(),
            open: Dialer::to_open_sentinels(settings, wake),
            guarded: Dialer::to_guarded_sentinels(settings, wake),
            step: settings.timeout,
            all: nodes.iter().map(sentinel).collect(),
        }
    }

    /// Returns the servers that may be the primary, the most recent decision first.
    pub(crate) async fn primaries(&mut self) -> Result<Vec<ServerAddress>, Fault> {
        let asked = join_all(self.all.iter().map(|sentinel| self.ask(sentinel))).await;
        let mut answers = Vec::new();
        let mut fault = Fault::new("no Sentinels are named");
        for (sentinel, answer) in self.all.iter_mut().zip(asked) {
            match answer {
                Ok((connection, what)) => {
                    sentinel.connection = Some(connection);
                    answers.push(what);
                }
                Err(why) => {
                    sentinel.connection = None;
                    fault = why;
                }
            }
        }
        if answers.is_empty() {
            Err(fault)
        } else {
            Ok(in_order(answers))
        }
    }

    async fn ask(&self, sentinel: &Sentinel) -> Result<(Arc<SharedConnection>, Answer), Fault> {
        if let Some(connection) = sentinel
            .connection
            .as_ref()
            .filter(|connection| connection.is_open())
        {
            match self.question(connection).await {
                // That says nothing of the Sentinel: it is asked over another connection.
                Err(_) if connection.is_broken() => {}
                answer => return Ok((Arc::clone(connection), answer?)),
            }
        }
        // A password is sent only to a Sentinel that asks for one.
        let mut connection = SharedConnection::connect(&self.open, &sentinel.address).await?;
        let answer = match self.question(&connection).await {
            Err(AskError::LogInFirst) => {
                connection = SharedConnection::connect(&self.guarded, &sentinel.address).await?;
                self.question(&connection).await?
            }
            answer => answer?,
        };
        Ok((connection, answer))
    }

    async fn question(&self, connection: &Arc<SharedConnection>) -> Result<Answer, AskError> {
        let mut questions = redis::pipe();
        questions
            .cmd("SENTINEL")
            .arg("GET-MASTER-ADDR-BY-NAME")
            .arg(&self.service)
            .cmd("SENTINEL")
            .arg("MASTER")
            .arg(&self.service);
        let answers = connection
            .ask_all(&questions, Instant::now() + self.step)
            .await
            .map_err(|why| Fault::of(connection.address(), why))?;
        read(&answers, connection.address())
    }
}

fn read(answers: &[Value], source: &ServerAddress) -> Result<Answer, AskError> {
    let fault = |what: &str| AskError::Fault(Fault::of(source, what));
    let [address, details] = answers else {
        return Err(fault("answered something else than was asked"));
    };
    let primary = match address {
        Value::Array(parts) => match &parts[..] {
            [Value::BulkString(host), Value::BulkString(port)] => {
                let host = String::from_utf8_lossy(host);
                let port = String::from_utf8_lossy(port).parse().ok();
                port.map(|port| ServerAddress::reported(&host, port, source))
            }
            _ => None,
        },
        Value::Nil => return Err(fault("this Sentinel does not know the service")),
        Value::ServerError(error) if error.code() == "NOAUTH" => {
            return Err(AskError::LogInFirst);
        }
        Value::ServerError(error) => return Err(fault(&format!("refuses with {}", error.code()))),
        _ => None,
    };
    Ok(Answer {
        primary: primary.ok_or_else(|| fault("names no address"))?,
        config_epoch: config_epoch(details).unwrap_or(0),
    })
}

/// Reads the field from names and values in turn.
fn config_epoch(details: &Value) -> Option<u64> {
    let Value::Array(fields) = details else {
        return None;
    };
    fields.chunks_exact(2).find_map(|pair| match pair {
        [Value::BulkString(name), Value::BulkString(value)] if name == b"config-epoch" => {
            String::from_utf8_lossy(value).parse().ok()
        }
        _ => None,
    })
}

fn in_order(mut answers: Vec<Answer>) -> Vec<ServerAddress> {
    answers.sort_by_key(|answer| Reverse(answer.config_epoch));
    let mut nodes: Vec<ServerAddress> = Vec::with_capacity(answers.len());
    for Answer { primary, .. } in answers {
        if !nodes.contains(&primary) {
            nodes.push(primary);
        }
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn the_most_recent_decision_comes_first_and_no_server_twice() {
        let answer = |port, config_epoch| Answer {
            primary: ServerAddress::new("n", port),
            config_epoch,
        };
        let nodes = in_order(vec![answer(1, 3), answer(2, 4), answer(1, 3), answer(2, 4)]);
        assert_eq!(
            nodes,
            [ServerAddress::new("n", 2), ServerAddress::new("n", 1)]
        );
    }

    #[test]
    fn a_sentinels_answer_is_read() {
        let source = ServerAddress::new("s", 1);
        let address = Value::Array(vec![text("10.0.0.1"), text("6379")]);
        let details = Value::Array(vec![
            text("name"),
            text("relay"),
            text("config-epoch"),
            text("7"),
        ]);
        let expected = Answer {
            primary: ServerAddress::new("10.0.0.1", 6379),
            config_epoch: 7,
        };
        assert_eq!(
            read(&[address.clone(), details], &source).unwrap(),
            expected
        );
        assert_eq!(
            read(&[address, Value::Nil], &source).unwrap().config_epoch,
            0
        );
        assert!(matches!(
            read(&[Value::Nil, Value::Nil], &source),
            Err(AskError::Fault(_))
        ));
    }
}

//! Which server is primary, as the Sentinels say.

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

/// The Sentinels of one service. They are asked all at once and again and again: one that was cut
/// off from the others may believe in a primary of yesterday.
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

/// What one Sentinel says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    primary: ServerAddress,
    /// Of how recent a decision it knows.
    config_epoch: u64,
}

/// Why a Sentinel said nothing.
#[derive(Debug)]
enum AskError {
    /// It wants a user and a password first.
    LogInFirst,
    Fault(Fault),
}

impl From<Fault> for AskError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<AskError> for Fault {
    fn from(unanswered: AskError) -> Self {
        match unanswered {
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

    /// Who may be the primary, the most recent decision first.
    pub(crate) async fn primaries(&mut self) -> Result<Vec<ServerAddress>, Fault> {
        let asked = join_all(self.all.iter().map(|sentinel| self.ask(sentinel))).await;
        let mut said = Vec::new();
        let mut fault = Fault::new("no Sentinels are named");
        for (sentinel, answer) in self.all.iter_mut().zip(asked) {
            match answer {
                Ok((connection, what)) => {
                    sentinel.connection = Some(connection);
                    said.push(what);
                }
                Err(why) => {
                    sentinel.connection = None;
                    fault = why;
                }
            }
        }
        if said.is_empty() {
            Err(fault)
        } else {
            Ok(in_order(said))
        }
    }

    async fn ask(&self, sentinel: &Sentinel) -> Result<(Arc<SharedConnection>, Answer), Fault> {
        if let Some(connection) = sentinel
            .connection
            .as_ref()
            .filter(|connection| connection.is_open())
        {
            match self.question(connection).await {
                // That says nothing of the Sentinel: it is asked over another one.
                Err(_) if connection.is_broken() => {}
                said => return Ok((Arc::clone(connection), said?)),
            }
        }
        // A password is shown only to a Sentinel that asks for one.
        let mut connection = SharedConnection::connect(&self.open, &sentinel.address).await?;
        let said = match self.question(&connection).await {
            Err(AskError::LogInFirst) => {
                connection = SharedConnection::connect(&self.guarded, &sentinel.address).await?;
                self.question(&connection).await?
            }
            said => said?,
        };
        Ok((connection, said))
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

/// From names and values in turn.
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

fn in_order(mut said: Vec<Answer>) -> Vec<ServerAddress> {
    said.sort_by_key(|said| Reverse(said.config_epoch));
    let mut nodes: Vec<ServerAddress> = Vec::with_capacity(said.len());
    for Answer { primary, .. } in said {
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
    fn the_most_recent_decision_comes_first_and_nobody_twice() {
        let said = |port, config_epoch| Answer {
            primary: ServerAddress::new("n", port),
            config_epoch,
        };
        let nodes = in_order(vec![said(1, 3), said(2, 4), said(1, 3), said(2, 4)]);
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

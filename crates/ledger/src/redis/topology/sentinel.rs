//! Which server is primary, as the Sentinels say.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use redis::Value;
use tokio::time::Instant;

use crate::redis::connection::dial::Dial;
use crate::redis::connection::fault::Fault;
use crate::redis::connection::shared_connection::Link;
use crate::redis::connection::wake::Wake;
use crate::redis::settings::Settings;
use crate::redis::settings::address::Node;

/// The Sentinels of one service. They are asked all at once and again and again: one that was cut
/// off from the others may believe in a primary of yesterday.
#[derive(Debug)]
pub(crate) struct Sentinels {
    service: String,
    open: Dial,
    guarded: Dial,
    step: Duration,
    all: Vec<Sentinel>,
}

#[derive(Debug)]
struct Sentinel {
    node: Node,
    link: Option<Arc<Link>>,
}

/// What one Sentinel says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    primary: Node,
    /// Of how recent a decision it knows.
    config_epoch: u64,
}

/// Why a Sentinel said nothing.
#[derive(Debug)]
enum Unanswered {
    /// It wants a user and a password first.
    LogInFirst,
    Fault(Fault),
}

impl From<Fault> for Unanswered {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Unanswered> for Fault {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::LogInFirst => Self::new("a Sentinel wants another user or password"),
            Unanswered::Fault(fault) => fault,
        }
    }
}

impl Sentinels {
    pub(crate) fn new(
        service: &str,
        nodes: &[Node],
        settings: &Settings,
        wake: &Arc<Wake>,
    ) -> Self {
        let sentinel = |node: &Node| Sentinel {
            node: node.clone(),
            link: None,
        };
        Self {
            service: service.to_owned(),
            open: Dial::to_open_sentinels(settings, wake),
            guarded: Dial::to_guarded_sentinels(settings, wake),
            step: settings.timeout,
            all: nodes.iter().map(sentinel).collect(),
        }
    }

    /// Who may be the primary, the most recent decision first.
    pub(crate) async fn primaries(&mut self) -> Result<Vec<Node>, Fault> {
        let asked = join_all(self.all.iter().map(|sentinel| self.ask(sentinel))).await;
        let mut said = Vec::new();
        let mut fault = Fault::new("no Sentinels are named");
        for (sentinel, answer) in self.all.iter_mut().zip(asked) {
            match answer {
                Ok((link, what)) => {
                    sentinel.link = Some(link);
                    said.push(what);
                }
                Err(why) => {
                    sentinel.link = None;
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

    async fn ask(&self, sentinel: &Sentinel) -> Result<(Arc<Link>, Said), Fault> {
        if let Some(link) = sentinel.link.as_ref().filter(|link| link.is_open()) {
            match self.question(link).await {
                // That says nothing of the Sentinel: it is asked over another one.
                Err(_) if link.is_broken() => {}
                said => return Ok((Arc::clone(link), said?)),
            }
        }
        // A password is shown only to a Sentinel that asks for one.
        let mut link = Link::connect(&self.open, &sentinel.node).await?;
        let said = match self.question(&link).await {
            Err(Unanswered::LogInFirst) => {
                link = Link::connect(&self.guarded, &sentinel.node).await?;
                self.question(&link).await?
            }
            said => said?,
        };
        Ok((link, said))
    }

    async fn question(&self, link: &Arc<Link>) -> Result<Said, Unanswered> {
        let mut questions = redis::pipe();
        questions
            .cmd("SENTINEL")
            .arg("GET-MASTER-ADDR-BY-NAME")
            .arg(&self.service)
            .cmd("SENTINEL")
            .arg("MASTER")
            .arg(&self.service);
        let answers = link
            .ask_all(&questions, Instant::now() + self.step)
            .await
            .map_err(|why| Fault::of(link.node(), why))?;
        read(&answers, link.node())
    }
}

fn read(answers: &[Value], told_by: &Node) -> Result<Said, Unanswered> {
    let fault = |what: &str| Unanswered::Fault(Fault::of(told_by, what));
    let [address, details] = answers else {
        return Err(fault("answered something else than was asked"));
    };
    let primary = match address {
        Value::Array(parts) => match &parts[..] {
            [Value::BulkString(host), Value::BulkString(port)] => {
                let host = String::from_utf8_lossy(host);
                let port = String::from_utf8_lossy(port).parse().ok();
                port.map(|port| Node::told(&host, port, told_by))
            }
            _ => None,
        },
        Value::Nil => return Err(fault("this Sentinel does not know the service")),
        Value::ServerError(error) if error.code() == "NOAUTH" => {
            return Err(Unanswered::LogInFirst);
        }
        Value::ServerError(error) => return Err(fault(&format!("refuses with {}", error.code()))),
        _ => None,
    };
    Ok(Said {
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

fn in_order(mut said: Vec<Said>) -> Vec<Node> {
    said.sort_by_key(|said| Reverse(said.config_epoch));
    let mut nodes: Vec<Node> = Vec::with_capacity(said.len());
    for Said { primary, .. } in said {
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
        let said = |port, config_epoch| Said {
            primary: Node::new("n", port),
            config_epoch,
        };
        let nodes = in_order(vec![said(1, 3), said(2, 4), said(1, 3), said(2, 4)]);
        assert_eq!(nodes, [Node::new("n", 2), Node::new("n", 1)]);
    }

    #[test]
    fn a_sentinels_answer_is_read() {
        let told_by = Node::new("s", 1);
        let address = Value::Array(vec![text("10.0.0.1"), text("6379")]);
        let details = Value::Array(vec![
            text("name"),
            text("relay"),
            text("config-epoch"),
            text("7"),
        ]);
        let expected = Said {
            primary: Node::new("10.0.0.1", 6379),
            config_epoch: 7,
        };
        assert_eq!(
            read(&[address.clone(), details], &told_by).unwrap(),
            expected
        );
        assert_eq!(
            read(&[address, Value::Nil], &told_by).unwrap().config_epoch,
            0
        );
        assert!(matches!(
            read(&[Value::Nil, Value::Nil], &told_by),
            Err(Unanswered::Fault(_))
        ));
    }
}

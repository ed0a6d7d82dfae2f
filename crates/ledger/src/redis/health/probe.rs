//! A probe asks a server for its identity, and whether it takes writes.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use redis::Value;
use tokio::time::Instant;

use super::identity::Server;
use super::warning::Warning;
use crate::Timestamp;
use crate::redis::commands::key::EpochKeys;
use crate::redis::connection::clock::Sample;
use crate::redis::connection::clock::WallClock;
use crate::redis::connection::fault::Fault;
use crate::redis::connection::info::{field, is_part_of_cluster, run_id};
use crate::redis::connection::refusal::Refusal;
use crate::redis::connection::shared_connection::SharedConnection;

/// Nodes with the values of before are replaced within this time after the first node with those of today has come; so
/// long the values of before are kept right for them.
const REPLACED_WITHIN: Duration = Duration::from_hours(24);

/// `Probed` is what a server answered.
#[derive(Debug)]
pub(crate) struct Probed {
    pub(crate) server: Server,
    pub(crate) writes: Writes,
}

/// `Writes` says whether a server takes writes.
#[derive(Debug)]
pub(crate) enum Writes {
    Taken,
    /// With the code of its error.
    Refused(String),
}

/// Asks a server for its identity. The first command is a write (of a value that is there already but for the first
/// time ever), so that a server that takes no writes is found here, and not by a payment.
pub(crate) async fn probe(
    connection: &Arc<SharedConnection>,
    keys: &EpochKeys,
    slots: Vec<[u16; 2]>,
    clock: WallClock,
    within: Duration,
) -> Result<Probed, Fault> {
    let questions = questions(keys, (clock.0)());
    let (asked, began) = ((clock.0)(), Instant::now());
    let answers = connection
        .ask_all(&questions, began + within)
        .await
        .map_err(|why| Fault::of(connection.address(), why))?;
    let took = began.elapsed();
    let mut answers = answers.into_iter();
    let writes = writes(connection, answers.next().unwrap_or(Value::Nil))?;
    let has_old_values = answers.next() == Some(Value::Int(1));
    let texts: Vec<String> = answers
        .map(|answer| text(connection, answer))
        .collect::<Result<_, _>>()?;
    let [epoch, server, replication] = &texts[..] else {
        return Err(Fault::of(
            connection.address(),
            "answered something else than was asked",
        ));
    };
    if slots.is_empty() && is_part_of_cluster(server) {
        return Err(Fault::of(
            connection.address(),
            "is part of a Cluster: redis+cluster:// reaches it",
        ));
    }
    if epoch.is_empty() {
        return Err(Fault::of(
            connection.address(),
            "was wiped while it was asked",
        ));
    }
    let role = field(replication, "role").unwrap_or_default();
    if role != "master" {
        return Err(Fault::of(
            connection.address(),
            format_args!("is no primary but a {role}"),
        ));
    }
    if let Some(answered) = server_time(server) {
        let at = began.into_std();
        let sample = Sample {
            asked,
            answered,
            took,
            at,
        };
        connection.clock().learn(connection.address(), sample);
    }
    if has_old_values {
        connection.learn_old_values_until(began_at(epoch).plus(REPLACED_WITHIN));
    }
    let run_id = run_id(server).unwrap_or_default();
    connection.learn_run_id(run_id);
    let replication_id = field(replication, "master_replid").unwrap_or_default();
    let server = Server {
        run_id: run_id.to_owned(),
        replication_id: replication_id.to_owned(),
        epoch: epoch.clone(),
        slots,
    };
    Ok(Probed { server, writes })
}

fn questions(keys: &EpochKeys, now: Timestamp) -> redis::Pipeline {
    let mut questions = redis::pipe();
    questions
        .cmd("SET")
        .arg(&keys.today)
        .arg(new_epoch(now))
        .arg("NX")
        .cmd("EXISTS")
        .arg(&keys.before)
        .cmd("GET")
        .arg(&keys.today)
        .cmd("INFO")
        .arg("server")
        .cmd("INFO")
        .arg("replication");
    questions
}

/// Returns what the answer to a write says.
fn writes(connection: &Arc<SharedConnection>, answer: Value) -> Result<Writes, Fault> {
    match answer {
        Value::ServerError(error)
            if Refusal::of(&error, connection.address()) == Refusal::NoWrites =>
        {
            Ok(Writes::Refused(error.code().to_owned()))
        }
        answer => text(connection, answer).map(|_| Writes::Taken),
    }
}

/// Looks for settings by which a server can lose data. A server that does not answer is left alone.
pub(crate) async fn inspect(connection: &Arc<SharedConnection>, within: Duration) -> Vec<Warning> {
    let mut questions = redis::pipe();
    questions
        .cmd("INFO")
        .arg("persistence")
        .cmd("INFO")
        .arg("memory")
        .cmd("CONFIG")
        .arg("GET")
        .arg("appendfsync");
    let Ok(mut answers) = connection
        .ask_all(&questions, Instant::now() + within)
        .await
    else {
        return Vec::new();
    };
    // The setting is left out where the user may not read it.
    let policy = answers.pop().and_then(setting);
    let texts: Result<Vec<String>, Fault> = answers
        .into_iter()
        .map(|answer| text(connection, answer))
        .collect();
    match texts.as_deref() {
        Ok([persistence, memory]) => warnings(connection, persistence, memory, policy),
        _ => vec![Warning::NotInspected(connection.address().clone())],
    }
}

fn warnings(
    connection: &Arc<SharedConnection>,
    persistence: &str,
    memory: &str,
    appendfsync: Option<String>,
) -> Vec<Warning> {
    let address = connection.address();
    let mut warnings = Vec::new();
    match field(persistence, "aof_enabled") {
        Some("0") => warnings.push(Warning::NoAppendOnlyFile(address.clone())),
        Some(_) => warnings.extend(
            appendfsync
                .filter(|policy| policy != "always")
                .map(|policy| Warning::SyncsLate {
                    address: address.clone(),
                    policy,
                }),
        ),
        None => warnings.push(Warning::NotInspected(address.clone())),
    }
    match field(memory, "maxmemory_policy") {
        // Without a limit nothing is evicted, but a limit may be set later.
        Some(policy) if policy.starts_with("allkeys-") => warnings.push(Warning::Evicts {
            address: address.clone(),
            policy: policy.to_owned(),
        }),
        // What expires may be evicted, too: the journals answer.
        _ => {}
    }
    warnings
}

/// Returns the value of the only setting that was asked for; `None` where the server does not say.
fn setting(answer: Value) -> Option<String> {
    let value = match answer {
        Value::Array(mut pair) => pair.pop()?,
        Value::Map(mut settings) => settings.pop()?.1,
        _ => return None,
    };
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text),
        _ => None,
    }
}

/// Returns the time of the server's clock; servers before version 6 do not say.
fn server_time(info: &str) -> Option<Timestamp> {
    let micros: i64 = field(info, "server_time_usec")?.parse().ok()?;
    Some(Timestamp::from_millis(micros / 1_000))
}

/// Returns a unique value and when it was made. The keys of the standard library's hash tables come from the operating
/// system's randomness, and this is no secret.
fn new_epoch(now: Timestamp) -> String {
    let random = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}@{}", random(), random(), now.millis())
}

/// Returns when an epoch was made.
fn began_at(epoch: &str) -> Timestamp {
    let millis = epoch.split_once('@').and_then(|(_, at)| at.parse().ok());
    Timestamp::from_millis(millis.unwrap_or_default())
}

fn text(connection: &Arc<SharedConnection>, answer: Value) -> Result<String, Fault> {
    match answer {
        Value::BulkString(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Ok(text),
        Value::ServerError(error) => Err(Fault::of(
            connection.address(),
            format_args!("refuses with {}", error.code()),
        )),
        _ => Ok(String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_never_the_same_twice_and_says_when_it_was_made() {
        let now = Timestamp::from_millis(1_795_000_000_000);
        let (one, other) = (new_epoch(now), new_epoch(now));
        assert_ne!(one, other);
        assert_eq!(began_at(&one), now);
    }
}

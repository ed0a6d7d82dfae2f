//! Asks the servers of a Cluster which of them has which slots.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{FutureExt, select_ok};
use redis::Value;
use tokio::time::Instant;

use super::layout::{Layout, Range};
use super::routes::Routes;
use super::slot::Slot;
use crate::redis::connection::dialer::Dialer;
use crate::redis::connection::fault::Fault;
use crate::redis::connection::shared_connection::SharedConnection;
use crate::redis::settings::address::ServerAddress;

/// Asks a Cluster for its layout: one connected server after the other until one answers, else all seeds at once.
pub(crate) async fn layout(
    seeds: &[ServerAddress],
    routes: &Routes,
    dialer: &Dialer,
    turn: usize,
    within: Duration,
) -> Result<Layout, Fault> {
    let before = routes.layout();
    let mut connections: Vec<&Arc<SharedConnection>> = routes
        .connections()
        .filter(|connection| connection.is_open())
        .collect();
    if !connections.is_empty() {
        // After a fault another one is asked first: the last may have an old layout.
        let first = turn % connections.len();
        connections.rotate_left(first);
    }
    for connection in connections {
        if let Ok(layout) = ask(connection, before, within).await {
            return Ok(layout);
        }
    }
    if seeds.is_empty() {
        return Err(Fault::new("no servers of the Cluster are named"));
    }
    let asked = seeds.iter().map(|seed| {
        async move {
            ask(
                &SharedConnection::connect(dialer, seed).await?,
                before,
                within,
            )
            .await
        }
        .boxed()
    });
    select_ok(asked).await.map(|(layout, _)| layout)
}

/// Returns every server that the Cluster announces, with or without slots, as the first connected server lists them;
/// none where no server answers, or where the user may not ask.
pub(crate) async fn announced(routes: &Routes, within: Duration) -> Vec<ServerAddress> {
    let mut question = redis::cmd("CLUSTER");
    question.arg("NODES");
    for connection in routes
        .connections()
        .filter(|connection| connection.is_open())
    {
        let answer = connection.ask(&question, Instant::now() + within).await;
        if let Ok(Value::BulkString(list)) = answer {
            return read_announced(&String::from_utf8_lossy(&list), connection.address());
        }
    }
    Vec::new()
}

/// Reads lines of `id ip:port@bus[,host] …`. A server is named by its address and, where it has one, by its host
/// name.
fn read_announced(list: &str, source: &ServerAddress) -> Vec<ServerAddress> {
    let names = |line: &str| {
        let place = line.split(' ').nth(1)?;
        let (address, rest) = place.split_once('@')?;
        let by_address = ServerAddress::parse(address, source)?;
        let host = rest.split(',').nth(1).filter(|host| !host.is_empty());
        let by_name = host.map(|host| ServerAddress::new(host, by_address.port));
        Some([Some(by_address), by_name])
    };
    list.lines().filter_map(names).flatten().flatten().collect()
}

async fn ask(
    connection: &Arc<SharedConnection>,
    before: Option<&Layout>,
    within: Duration,
) -> Result<Layout, Fault> {
    let mut question = redis::cmd("CLUSTER");
    question.arg("SLOTS");
    let answer = connection
        .ask(&question, Instant::now() + within)
        .await
        .map_err(|why| Fault::of(connection.address(), why))?;
    read(&answer, connection.address(), before)
        .map_err(|what| Fault::of(connection.address(), what))
}

fn read(answer: &Value, source: &ServerAddress, before: Option<&Layout>) -> Result<Layout, String> {
    let entries = match answer {
        Value::Array(entries) if entries.is_empty() => return Err("knows no slots".to_owned()),
        Value::Array(entries) => entries,
        Value::ServerError(error) => return Err(format!("refuses with {}", error.code())),
        _ => return Err("does not say which slots are where".to_owned()),
    };
    let mut nodes = Vec::new();
    let mut ranges = Vec::with_capacity(entries.len());
    for entry in entries {
        let (address, mut range) =
            read_entry(entry, source).ok_or("does not say which slots are where")?;
        range.owner = nodes
            .iter()
            .position(|known| *known == address)
            .unwrap_or_else(|| {
                nodes.push(address);
                nodes.len() - 1
            });
        ranges.push(range);
    }
    Ok(Layout::cluster(nodes, ranges, before))
}

/// Reads `[first, last, [host, port, …], replicas…]`.
fn read_entry(entry: &Value, source: &ServerAddress) -> Option<(ServerAddress, Range)> {
    let Value::Array(parts) = entry else {
        return None;
    };
    let [
        Value::Int(first),
        Value::Int(last),
        Value::Array(primary),
        ..,
    ] = &parts[..]
    else {
        return None;
    };
    let host = match primary.first()? {
        Value::BulkString(host) => String::from_utf8_lossy(host).into_owned(),
        // The server does not know its own name; it is the one that was asked.
        Value::Nil => String::new(),
        _ => return None,
    };
    let Value::Int(port) = primary.get(1)? else {
        return None;
    };
    let slot = |number: &i64| {
        u16::try_from(*number)
            .ok()
            .filter(|slot| *slot < Slot::COUNT)
    };
    let range = Range {
        first: slot(first)?,
        last: slot(last)?,
        owner: 0,
    };
    Some((
        ServerAddress::reported(&host, u16::try_from(*port).ok()?, source),
        range,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(first: i64, last: i64, host: Value, port: i64) -> Value {
        let primary = Value::Array(vec![
            host,
            Value::Int(port),
            Value::BulkString(b"id".to_vec()),
        ]);
        Value::Array(vec![Value::Int(first), Value::Int(last), primary])
    }

    #[test]
    fn servers_are_announced_by_address_and_by_name() {
        let list = "a 10.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-99\n\
                    b 10.0.0.2:7001@17001,redis-2.internal slave a 0 0 1 connected\n\
                    c :7002@17002,,shard-id=x master,noaddr - 0 0 1 connected\nnonsense\n";
        assert_eq!(
            read_announced(list, &ServerAddress::new("seed", 7000)),
            [
                ServerAddress::new("10.0.0.1", 7000),
                ServerAddress::new("10.0.0.2", 7001),
                ServerAddress::new("redis-2.internal", 7001),
                ServerAddress::new("seed", 7002),
            ]
        );
    }

    #[test]
    fn a_layout_is_read_and_a_nameless_server_is_the_one_that_was_asked() {
        let source = ServerAddress::new("seed", 7000);
        let named = || Value::BulkString(b"10.0.0.2".to_vec());
        let answer = Value::Array(vec![
            entry(0, 99, Value::Nil, 7000),
            entry(100, 16_000, named(), 7001),
            entry(16_001, 16_383, Value::Nil, 7000),
        ]);
        let layout = read(&answer, &source, None).unwrap();
        assert_eq!(
            layout.nodes,
            [source.clone(), ServerAddress::new("10.0.0.2", 7001)]
        );
        assert_eq!(layout.slots_of(0), [[0, 99], [16_001, 16_383]]);
        assert!(layout.is_whole());
        for unreadable in [
            Value::Array(Vec::new()),
            Value::Nil,
            Value::Array(vec![entry(0, 16_384, named(), 7001)]),
        ] {
            assert!(read(&unreadable, &source, None).is_err(), "{unreadable:?}");
        }
    }
}

//! A move that is stopped behind any step comes to the same journal.

use std::ops::ControlFlow;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value;
use tempfile::TempDir;

use super::super::{FILE_NAME, connection};
use super::{Extent, run_watched};

#[path = "../../../tests/migration/generator.rs"]
#[allow(dead_code, reason = "the tests from outside use more of it")]
mod generator;

/// Small steps that remember little.
const SMALL: Extent = Extent {
    batch: 7,
    remembered: 11,
};

/// One step, without the help of indexes.
const WHOLE: Extent = Extent {
    batch: usize::MAX,
    remembered: usize::MAX,
};

fn connect(directory: &Path) -> Connection {
    connection::connect(&directory.join(FILE_NAME)).unwrap()
}

/// Every row of every table, but for what is drawn at random.
fn rows(connection: &Connection) -> Vec<Vec<Value>> {
    let mut all = Vec::new();
    for table in [
        "facts",
        "fact",
        "bill",
        "biller",
        "messages",
        "message",
        "answer",
        "sqlite_sequence",
    ] {
        let mut statement = connection
            .prepare(&format!("SELECT * FROM {table}"))
            .unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            all.push((0..columns).map(|column| row.get_unwrap(column)).collect());
        }
    }
    let node = connection.query_row("SELECT number, latest_stamp FROM node", [], |row| {
        Ok(vec![row.get(0)?, row.get(1)?])
    });
    all.push(node.unwrap());
    all
}

#[test]
fn a_move_that_is_stopped_behind_every_step_comes_to_the_same_journal() {
    let whole = TempDir::new().unwrap();
    generator::write(whole.path(), 40);
    let stopped = TempDir::new().unwrap();
    std::fs::copy(whole.path().join(FILE_NAME), stopped.path().join(FILE_NAME)).unwrap();
    let mut connection = connect(whole.path());
    run_watched(&mut connection, WHOLE, |_| ControlFlow::Continue(())).unwrap();
    let expected = rows(&connection);
    assert!(expected.len() > 300, "{}", expected.len());
    let mut stops = 0;
    loop {
        let mut connection = connect(stopped.path());
        let mut looks = 0;
        let moved = run_watched(&mut connection, SMALL, |_| {
            looks += 1;
            if looks > 1 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        if moved.is_ok() {
            assert_eq!(rows(&connection), expected);
            break;
        }
        stops += 1;
    }
    assert!(stops > 20, "{stops}");
    // A start that has nothing to do changes nothing.
    let mut connection = connect(stopped.path());
    run_watched(&mut connection, SMALL, |_| ControlFlow::Break(())).unwrap();
    assert_eq!(rows(&connection), expected);
}

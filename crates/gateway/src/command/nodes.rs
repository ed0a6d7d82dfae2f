//! `gateway nodes`: the nodes that share a Redis.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::operator::{
    Access, Align, Completion, Failure, Page, Table, Wait, amount, moment, number, text,
};

/// `gateway nodes [forget N]`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct NodesCommand {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    access: Access,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Strike a node off that will not come back.
    Forget {
        /// Its number.
        #[arg(value_name = "NODE")]
        node: u32,
        #[command(flatten)]
        access: Access,
    },
}

/// Runs the command.
pub(super) fn run(command: &NodesCommand) -> ExitCode {
    match &command.action {
        None => command.access.exit(list(&command.access)),
        Some(Action::Forget { node, access }) => access.exit(forget(access, *node)),
    }
}

fn list(access: &Access) -> Result<Completion, Failure> {
    let answer = access.client()?.get("/admin/nodes")?;
    access.print(&answer, &page(&answer))?;
    Ok(Completion::All)
}

fn page(answer: &Value) -> Page {
    let mut page = Page::new();
    if answer["shared"] == false {
        page.line("This node shares no Redis: it is the only one.");
        return page;
    }
    let mut table = Table::new(&[
        ("node", Align::Right),
        ("", Align::Left),
        ("machine", Align::Left),
        ("process", Align::Right),
        ("since", Align::Left),
        ("heard of last", Align::Left),
        ("facts not in Redis", Align::Right),
        ("facts of others missing", Align::Right),
        ("", Align::Left),
    ]);
    for node in answer["nodes"].as_array().into_iter().flatten() {
        let state = match (&node["running"], &node["this_node"]) {
            (Value::Bool(true), Value::Bool(true)) => "runs, this node",
            (Value::Bool(true), _) => "runs",
            _ => "silent",
        };
        table.row([
            number(node, "node").to_string(),
            state.to_owned(),
            text(node, "machine").to_owned(),
            number(node, "process").to_string(),
            moment(text(node, "since")),
            moment(text(node, "seen")),
            amount(&number(node, "unshared_facts").to_string()),
            match node["missing_facts"].as_i64() {
                Some(missing) => amount(&missing.to_string()),
                None => "-".to_owned(),
            },
            match node["asks_for"].as_array().map_or(0, Vec::len) {
                0 => String::new(),
                _ => "asks the others for them".to_owned(),
            },
        ]);
    }
    page.table(&table);
    page.gap();
    page.line("Times are Korean. `gateway nodes forget NODE` strikes a silent node off that will not come back.");
    page
}

fn forget(access: &Access, node: u32) -> Result<Completion, Failure> {
    let answer = (access.client()?).post(
        "/admin/nodes/forget",
        &json!({ "node": node }),
        Wait::Bounded,
    )?;
    let mut page = Page::new();
    page.line(&format!(
        "Node {node} is struck off. If it comes back, it is on the list again."
    ));
    access.print(&answer, &page)?;
    Ok(Completion::All)
}

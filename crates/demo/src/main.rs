//! `relay-demo`: a demonstration of the relay gateway on loopback.
//!
//! It starts the gateway, a simulated biller and a simulated Kakao Pay, and needs nothing else. It calls
//! the five APIs over sockets in the order of a bill's payment, then provokes every code that the gateway
//! answers itself. It compares each answer, and the calls that each simulator counted, with what is expected.

mod day;
mod environment;
mod exchange;
mod institution;
mod output;
mod scenario;

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

use self::environment::Environment;
use self::exchange::Exchange;
use self::output::Terminal;
use self::scenario::Dates;

/// The allocator of the program `gateway`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Calls the five APIs of the relay gateway on loopback, with a simulated biller and Kakao Pay.
#[derive(Debug, Parser)]
#[command(name = "relay-demo", version)]
struct CommandLine {
    /// Keep everything running until SIGINT or SIGTERM, with a day's data; print the admin token and commands to try.
    #[arg(long)]
    keep_running: bool,
}

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    gateway::tls::install_provider();
    match run(&command_line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; the exit code reports the failure as well.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the demonstration on standard output.
///
/// # Errors
/// When something cannot be started, an exchange differs from what is expected, the output is closed, or
/// a signal comes before the last scenario has ended.
fn run(command_line: &CommandLine) -> Result<(), Box<dyn Error>> {
    let mut terminal = Terminal::standard_output();
    let dates = Dates::at(jiff::Timestamp::now());
    let environment = Environment::start()?;
    environment.biller.set_bill(scenario::bill());

    output::show_parties(&mut terminal, &environment)?;
    let exchanges = run_scenarios(&environment, &dates, &mut terminal)?;
    output::show_summary(&mut terminal, &exchanges)?;
    if command_line.keep_running {
        let day = day::make(&environment, jiff::Timestamp::now())?;
        output::show_day(&mut terminal, &environment, &day)?;
        output::show_curl_commands(&mut terminal, &environment, &dates)?;
        output::show_operators_commands(&mut terminal, &environment, &day)?;
        output::show_end(&mut terminal, &environment)?;
        environment.gateway.wait_for_interruption();
    } else {
        output::show_keep_running(&mut terminal)?;
    }
    environment.stop()?;

    let is_unexpected = |exchange: &&Exchange| !exchange.is_as_expected();
    match exchanges.iter().filter(is_unexpected).count() {
        0 => Ok(()),
        unexpected => {
            let total = exchanges.len();
            Err(format!("{unexpected} of {total} calls did not go as expected").into())
        }
    }
}

/// Runs every scenario and shows each exchange when it has ended.
fn run_scenarios(
    environment: &Environment,
    dates: &Dates,
    terminal: &mut Terminal,
) -> Result<Vec<Exchange>, Box<dyn Error>> {
    let mut exchanges: Vec<Exchange> = Vec::new();
    for scenario in scenario::all(dates) {
        terminal.heading(scenario.title)?;
        for step in scenario.steps {
            let exchange = Exchange::run(environment, step, exchanges.last());
            let number = exchanges.len() + 1;
            output::show_exchange(terminal, number, &exchange, environment.budget)?;
            exchanges.push(exchange);
            if environment.gateway.is_interrupted() {
                return Err("interrupted".into());
            }
        }
    }
    Ok(exchanges)
}

//! `relay-simulator`: a simulated biller or Kakao Pay for load tests and manual tests.

mod options;
mod tls;

use std::convert::Infallible;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use options::{Common, Options, Party};
use simulator::{Biller, Kakao, SimulatedParty};

/// The timeout of one wait for calls.
const WAIT: Duration = Duration::from_mins(1);

fn main() -> ExitCode {
    let Err(error) = run(&Options::parse());
    // This fails if standard error is closed.
    let _ = writeln!(std::io::stderr(), "relay-simulator: {error}");
    ExitCode::FAILURE
}

/// Runs until the process is ended or a failure occurs.
fn run(options: &Options) -> Result<Infallible, String> {
    let message = |error: std::io::Error| error.to_string();
    match &options.party {
        Party::Biller(biller) => {
            let party = Biller::start(biller.options()?).map_err(message)?;
            serve(&format!("biller {}", party.code()), &party, &biller.common)
        }
        Party::Kakao(kakao) => {
            let party = Kakao::start(kakao.options()?).map_err(message)?;
            serve("Kakao Pay", &party, &kakao.common)
        }
    }
}

/// Injects the rules, prints the address, and prints the calls if the option is set.
fn serve(name: &str, party: &SimulatedParty, common: &Common) -> Result<Infallible, String> {
    for rule in &common.faults {
        party.inject(rule.clone());
    }
    print_line(&format!("{name} listens on {}", party.base_url()))?;
    let mut shown = 0;
    loop {
        if !common.show_calls {
            std::thread::park();
        } else if party.wait_for_calls(shown + 1, WAIT) {
            for call in party.calls_since(shown) {
                shown = call.sequence;
                print_line(&format!(
                    "{shown} {} {} {}",
                    call.method,
                    call.api_path,
                    call.text()
                ))?;
            }
        }
    }
}

fn print_line(line: &str) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|error| error.to_string())
}

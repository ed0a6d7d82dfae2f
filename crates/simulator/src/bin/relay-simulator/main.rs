//! `relay-simulator`: a biller or Kakao Pay to play with, for load tests and as a biller's sandbox.

mod options;
mod tls;

use std::convert::Infallible;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use options::{Common, Options, Party};
use simulator::{Biller, Kakao, StandIn};

/// How often it looks up while nothing comes.
const LOOK_UP: Duration = Duration::from_mins(1);

fn main() -> ExitCode {
    let Err(error) = run(&Options::parse());
    // With standard error gone there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "relay-simulator: {error}");
    ExitCode::FAILURE
}

/// Runs until the process is ended, or something fails.
fn run(options: &Options) -> Result<Infallible, String> {
    let told = |error: std::io::Error| error.to_string();
    match &options.party {
        Party::Biller(biller) => {
            let stand_in = Biller::start(biller.options()?).map_err(told)?;
            serve(
                &format!("biller {}", stand_in.code()),
                &stand_in,
                &biller.common,
            )
        }
        Party::Kakao(kakao) => {
            let stand_in = Kakao::start(kakao.options()?).map_err(told)?;
            serve("Kakao Pay", &stand_in, &kakao.common)
        }
    }
}

/// Arms the faults, says where it listens, and shows calls if that is asked for.
fn serve(name: &str, stand_in: &StandIn, common: &Common) -> Result<Infallible, String> {
    for rule in &common.faults {
        stand_in.inject(rule.clone());
    }
    say(&format!("{name} listens on {}", stand_in.base_url()))?;
    let mut shown = 0;
    loop {
        if !common.show_calls {
            std::thread::park();
        } else if stand_in.wait_for_calls(shown + 1, LOOK_UP) {
            for call in stand_in.calls_since(shown) {
                shown = call.sequence;
                say(&format!(
                    "{shown} {} {} {}",
                    call.method,
                    call.api_path,
                    call.text()
                ))?;
            }
        }
    }
}

fn say(line: &str) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|error| error.to_string())
}

//! `gateway demo`: the five APIs in a bill's life, and every code that the agency answers itself, on
//! loopback with simulated parties.
//!
//! It needs no server and no configuration. What it starts is the real gateway; every call goes
//! through sockets, every expectation is checked, and whether an upstream was called is read from the
//! simulator's own count.

mod bar;
mod calendar;
mod closing;
mod curl;
mod details;
mod gateway_thread;
mod json_lines;
mod measure;
mod opening;
mod request;
mod scenes;
mod screen;
mod settings;
mod stage;
mod step;
mod summary;
mod take;
mod take_view;
mod text;

use std::error::Error;
use std::io;

use self::calendar::Calendar;
use self::screen::Screen;
use self::stage::Stage;
use self::take::Take;

/// What becomes of everything that was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// It ends with the last scene.
    Stop,
    /// It stays up until SIGINT or SIGTERM.
    KeepRunning,
}

/// Plays the demonstration on standard output.
///
/// # Errors
/// When something cannot be started, a call went otherwise than expected, the output was closed, or
/// a signal came before the last scene had ended.
pub fn run(afterwards: Afterwards) -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout().lock();
    let mut screen = Screen::over(&mut out, screen::colours_of_standard_output());
    let calendar = Calendar::at(jiff::Timestamp::now());
    let stage = Stage::build()?;
    stage.biller().set_bill(scenes::bill());

    opening::show(&mut screen, &stage).map_err(closed)?;
    let takes = play(&stage, &calendar, &mut screen)?;
    summary::show(&mut screen, &takes)
        .and_then(|()| closing::show(&mut screen, &takes, afterwards))
        .map_err(closed)?;
    if afterwards == Afterwards::KeepRunning {
        curl::show(&mut screen, &stage, &calendar)
            .and_then(|()| opening::show_how_to_end(&mut screen, &stage))
            .map_err(closed)?;
        stage.wait_for_interruption();
    }
    stage.strike()?;

    match takes.iter().filter(|take| !take.is_as_expected()).count() {
        0 => Ok(()),
        wrong => Err(format!(
            "{wrong} of {} calls went otherwise than expected",
            takes.len()
        )
        .into()),
    }
}

/// Plays every scene and shows each call as soon as it is answered.
fn play(
    stage: &Stage,
    calendar: &Calendar,
    screen: &mut Screen<'_>,
) -> Result<Vec<Take>, Box<dyn Error>> {
    let mut takes: Vec<Take> = Vec::new();
    for scene in scenes::all(calendar) {
        screen.heading(scene.title).map_err(closed)?;
        for step in scene.steps {
            let take = Take::play(stage, step, takes.last());
            take_view::show(screen, takes.len() + 1, &take, stage.budget()).map_err(closed)?;
            takes.push(take);
            if stage.is_interrupted() {
                return Err("interrupted".into());
            }
        }
    }
    Ok(takes)
}

/// Standard output takes no more, mostly because who read it has seen enough.
fn closed(error: io::Error) -> Box<dyn Error> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => {
            "the output was closed before the demonstration had ended".into()
        }
        _ => error.into(),
    }
}

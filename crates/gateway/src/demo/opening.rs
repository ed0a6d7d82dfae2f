//! Who takes part and where, and how it ends.

use std::io;

use super::request::BILLER;
use super::screen::Screen;
use super::stage::Stage;
use super::text::{Ink, Text};

/// Columns of a party's name.
const NAME: usize = 30;

/// Shows the parties.
pub(super) fn show(screen: &mut Screen<'_>, stage: &Stage) -> io::Result<()> {
    screen.blank()?;
    screen.line(&Text::of(Ink::Strong, "gateway demo").with(
        Ink::Faint,
        "  a bill between a biller, this gateway and Kakao Pay, all on loopback",
    ))?;
    screen.blank()?;
    let (kakao, biller) = (stage.kakao().base_url(), stage.biller().base_url());
    let gateway = format!("http://{}", stage.public());
    show_party(screen, "B", &format!("biller {BILLER}, simulated"), &biller)?;
    show_party(screen, "A", "agency: this gateway", &gateway)?;
    show_party(screen, "K", "Kakao Pay, simulated", &kakao)?;
    show_party(
        screen,
        " ",
        "metrics and health",
        &format!("http://{}", stage.ops()),
    )?;
    let folder = format!("{} (removed at the end)", stage.folder().display());
    show_party(screen, " ", "ledger and configuration", &folder)?;
    screen.blank()?;
    screen.flush()
}

fn show_party(screen: &mut Screen<'_>, letter: &str, name: &str, place: &str) -> io::Result<()> {
    screen.line(
        &Text::new()
            .blanks(2)
            .with(Ink::Strong, letter)
            .blanks(2)
            .left(Ink::Plain, name, NAME)
            .with(Ink::Faint, place),
    )
}

/// Tells how to end what was left up.
pub(super) fn show_how_to_end(screen: &mut Screen<'_>, stage: &Stage) -> io::Result<()> {
    let folder = stage.folder().display();
    screen.line(&Text::of(Ink::Strong, "  Ctrl-C").with(
        Ink::Faint,
        &format!(" (or SIGTERM) ends it and removes {folder}."),
    ))?;
    screen.flush()
}

//! The last lines: whether all went as it should.

use std::collections::BTreeSet;
use std::io;

use super::Afterwards;
use super::screen::Screen;
use super::step::AnswerBy;
use super::take::Take;
use super::text::{Ink, Text};

/// Shows them.
pub(super) fn show(
    screen: &mut Screen<'_>,
    takes: &[Take],
    afterwards: Afterwards,
) -> io::Result<()> {
    let wrong: Vec<_> = (1..)
        .zip(takes)
        .filter(|(_, take)| !take.is_as_expected())
        .map(|(number, _): (usize, _)| number.to_string())
        .collect();
    if wrong.is_empty() {
        let all = format!("{} calls, all as expected.", takes.len());
        screen.line(&Text::of(Ink::Good, "  ✓ ").with(Ink::Strong, &all))?;
        let own = own_codes(takes);
        let codes = own.iter().copied().collect::<Vec<_>>().join(" ");
        screen.line(&Text::of(
            Ink::Faint,
            &format!("    The gateway's own answers, {} codes:", own.len()),
        ))?;
        screen.line(&Text::new().blanks(4).with(Ink::Notable, &codes))?;
    } else {
        let some = format!("{} of {} calls went otherwise: ", wrong.len(), takes.len());
        screen.line(
            &Text::of(Ink::Bad, "  ✗ ")
                .with(Ink::Strong, &some)
                .plain(&wrong.join(", ")),
        )?;
    }
    if afterwards == Afterwards::Stop {
        let hint = "    gateway demo --keep-running leaves everything up, with commands to try.";
        screen.line(&Text::of(Ink::Faint, hint))?;
    }
    screen.blank()?;
    screen.flush()
}

/// The codes that the gateway answered by itself.
fn own_codes(takes: &[Take]) -> BTreeSet<&'static str> {
    takes
        .iter()
        .map(|take| take.step.expected)
        .filter(|expected| expected.by == AnswerBy::Gateway)
        .map(|expected| expected.code.code())
        .collect()
}

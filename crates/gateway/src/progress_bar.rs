//! A bar on standard error that shows how far a long piece of work is, where standard error is a terminal.

use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressDrawTarget, ProgressStyle};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Facts, bills, rows.
    Count,
    /// Bytes.
    Bytes,
}

/// The bar. It is narrower than 80 columns, and leaves nothing behind once it is cleared or dropped.
#[derive(Debug)]
pub struct ProgressBar {
    unit: Unit,
    is_visible: bool,
    /// That of the part that is done now.
    part: Mutex<Option<indicatif::ProgressBar>>,
}

impl ProgressBar {
    /// Returns a bar that is shown from its first [`show`](Self::show) on; never where standard error is no terminal.
    pub fn new(unit: Unit) -> Self {
        Self {
            unit,
            is_visible: !ProgressDrawTarget::stderr().is_hidden(),
            part: Mutex::default(),
        }
    }

    /// Returns whether there is a terminal to show it on.
    pub const fn is_visible(&self) -> bool {
        self.is_visible
    }

    /// Shows how far it is; the time that is left is estimated anew for each `what`.
    pub fn show(&self, what: &str, done: u64, of: u64) {
        if !self.is_visible {
            return;
        }
        let mut part = self.part.lock().unwrap_or_else(PoisonError::into_inner);
        match &*part {
            Some(bar) if bar.message() == what => bar.update(|state| {
                state.set_len(of);
                state.set_pos(done);
            }),
            _ => {
                if let Some(before) = part.take() {
                    before.finish_and_clear();
                }
                // Drawn once it has all that it shows.
                let bar = indicatif::ProgressBar::with_draw_target(
                    Some(of),
                    ProgressDrawTarget::hidden(),
                );
                let bar = bar.with_message(what.to_owned()).with_position(done);
                bar.set_style(self.style());
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.tick();
                *part = Some(bar);
            }
        }
    }

    /// Takes it from the terminal.
    pub fn clear(&self) {
        let mut part = self.part.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = part.take() {
            bar.finish_and_clear();
        }
    }

    fn style(&self) -> ProgressStyle {
        let template = match self.unit {
            Unit::Count => "{msg:10} [{bar:20}] {human_pos} of {human_len}, {eta} left",
            Unit::Bytes => "{msg:10} [{bar:20}] {binary_bytes} of {binary_total_bytes}, {eta} left",
        };
        // The templates are right, or the bar has the library's own style.
        ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ")
    }
}

impl Drop for ProgressBar {
    fn drop(&mut self) {
        self.clear();
    }
}

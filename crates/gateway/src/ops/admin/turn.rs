//! Work for operators of which one at a time is done, because each reads the whole journal.

use std::sync::atomic::{AtomicBool, Ordering};

use super::refusal::Refusal;

/// The right to do such work. It ends when dropped, also when the operator hangs up.
#[derive(Debug)]
pub(super) struct Turn(&'static AtomicBool);

impl Turn {
    /// Takes the turn.
    ///
    /// # Errors
    /// A conflict with this code and message if another request has it.
    pub(super) fn take(
        is_taken: &'static AtomicBool,
        (code, message): (&'static str, &str),
    ) -> Result<Self, Refusal> {
        if is_taken.swap(true, Ordering::AcqRel) {
            return Err(Refusal::conflict(code, message));
        }
        Ok(Self(is_taken))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

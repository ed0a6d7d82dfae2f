//! Whether a bill is an error bill (`E817`), why, and who said so.

use crate::Stamp;

/// The latest word on a bill: the fact with the highest stamp wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classification {
    /// When it was said.
    pub stamp: Stamp,
    /// `true`: an error bill; `false`: cleared.
    pub error_bill: bool,
    /// Why.
    pub reason: String,
    /// An operator's name, or `gateway`.
    pub operator: String,
}

impl Classification {
    /// Keeps the later of two words.
    pub(crate) fn fold_into(self, current: &mut Option<Box<Self>>) {
        if current.as_ref().is_none_or(|held| held.stamp < self.stamp) {
            *current = Some(Box::new(self));
        }
    }
}

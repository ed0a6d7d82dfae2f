//! A [`Password`] is never shown.

use std::fmt;

use zeroize::{ZeroizeOnDrop, Zeroizing};

/// A `Password` is that of a user of Redis. `Debug` does not show it, and memory does not keep it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes a password.
    pub fn new(password: impl Into<String>) -> Self {
        Self(Zeroizing::new(password.into()))
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl ZeroizeOnDrop for Password {}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_neither_shown_nor_left_in_memory() {
        fn is_overwritten_when_dropped(_: &impl ZeroizeOnDrop) {}
        let password = Password::new("correct horse");
        is_overwritten_when_dropped(&password.0);
        is_overwritten_when_dropped(&password);
        assert_eq!(format!("{password:?}"), "Password(…)");
        assert_eq!(password.reveal(), "correct horse");
    }
}

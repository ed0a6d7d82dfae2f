//! The date of a change of a biller's identity parameters.

use ledger::Timestamp;
use protocol::KoreanTime;
use toml::de::DeValue;

use super::parse::spelling::excerpt;
use super::parse::value;

/// When a biller's identity parameters changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityChange {
    /// The date: `2026-12-01`.
    pub on: String,
    /// Payments of before this time block bills that differ in their identity parameters only.
    pub payments_before: Timestamp,
}

impl IdentityChange {
    /// Reads a date; the change is at its beginning in Korea.
    pub(super) fn read(value: &DeValue<'_>) -> Result<Self, String> {
        const SHAPE: &str = "a date in quotes such as \"2026-12-01\"";
        let text = value
            .as_str()
            .ok_or_else(|| value::wrong_kind(SHAPE, value))?;
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let parts: Vec<&str> = text.split('-').collect();
        let midnight = match parts[..] {
            [year, month, day] if [year, month, day].into_iter().all(digits) => {
                KoreanTime::parse(&format!("{year:0>4}{month}{day}000000"))
            }
            _ => None,
        };
        let midnight = midnight
            .filter(|_| text.len() == 10)
            .ok_or_else(|| format!("must be {SHAPE}, not `{}`", excerpt(text)))?;
        Ok(Self {
            on: text.to_owned(),
            payments_before: Timestamp::from_seconds(midnight.unix_seconds()),
        })
    }

    /// Returns a change that this node took at this time.
    pub(crate) const fn taken(on: String, at: Timestamp) -> Self {
        Self {
            on,
            payments_before: at,
        }
    }

    /// Lets no payment count that comes after this time: a date may be in the future by mistake.
    pub(crate) fn take_effect_by(&mut self, now: Timestamp) {
        self.payments_before = self.payments_before.min(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_day_of_korea() {
        let read = |text: &str| IdentityChange::read(&DeValue::String(text.into()));
        let change = read("1970-01-02").unwrap();
        // Midnight in Korea is 15:00 of the day before in UTC.
        assert_eq!(change.payments_before, Timestamp::from_seconds(15 * 3_600));
        for text in [
            "",
            "2026-02-30",
            "2026-13-01",
            "2026-1-01",
            "26-12-001",
            "20261201",
            "2026-12-01 ",
            "202６-12-1",
        ] {
            let fault = format!("must be a date in quotes such as \"2026-12-01\", not `{text}`");
            assert_eq!(read(text), Err(fault));
        }
    }
}

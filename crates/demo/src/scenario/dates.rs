//! The dates that the requests carry, in Korean time.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;

const MONTH: &str = "%Y%m";
const SECOND: &str = "%Y%m%d%H%M%S";

/// How long a link is valid.
const LINK_VALIDITY: Duration = Duration::from_hours(30 * 24);

/// The time between a payment and its cancellation.
const PAID_UNTIL_CANCELLED: Duration = Duration::from_mins(10);

/// Dates in the formats of the guide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dates {
    /// `billed_year_month`: this month.
    pub(crate) month: String,
    /// `expire_at` of the links.
    pub(crate) expire_at: String,
    /// `paid_at` of the payments.
    pub(crate) paid_at: String,
    /// `paid_at` of the cancellation.
    pub(crate) cancelled_at: String,
}

impl Dates {
    /// Returns the dates of a demonstration that starts at this time.
    pub(crate) fn at(now: Timestamp) -> Self {
        let korea = Offset::constant(9);
        let formatted = |time, format| korea.to_datetime(time).strftime(format).to_string();
        Self {
            month: formatted(now, MONTH),
            expire_at: formatted(now + LINK_VALIDITY, SECOND),
            paid_at: formatted(now, SECOND),
            cancelled_at: formatted(now + PAID_UNTIL_CANCELLED, SECOND),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn korea_is_nine_hours_ahead_of_utc() {
        let new_years_eve: Timestamp = "2026-12-31T15:00:00Z".parse().unwrap();
        assert_eq!(
            Dates::at(new_years_eve),
            Dates {
                month: "202701".to_owned(),
                expire_at: "20270131000000".to_owned(),
                paid_at: "20270101000000".to_owned(),
                cancelled_at: "20270101001000".to_owned(),
            }
        );
    }
}

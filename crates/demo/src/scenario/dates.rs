//! The dates that the requests carry, in Korean time.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;

const KOREA: Offset = Offset::constant(9);
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
        Self {
            month: formatted(now, MONTH),
            expire_at: korean_second(now + LINK_VALIDITY),
            paid_at: korean_second(now - PAID_UNTIL_CANCELLED),
            cancelled_at: korean_second(now),
        }
    }
}

/// Returns a time as 14 digits, in Korean time.
pub(crate) fn korean_second(time: Timestamp) -> String {
    formatted(time, SECOND)
}

/// Returns the time since midnight in Korea.
pub(crate) fn korean_time_of_day(time: Timestamp) -> Duration {
    let time = KOREA.to_datetime(time).time();
    let seconds = |hours: i8, minutes: i8, seconds: i8| {
        i64::from(hours) * 3_600 + i64::from(minutes) * 60 + i64::from(seconds)
    };
    let seconds = seconds(time.hour(), time.minute(), time.second());
    Duration::from_secs(seconds.unsigned_abs())
}

fn formatted(time: Timestamp, format: &str) -> String {
    KOREA.to_datetime(time).strftime(format).to_string()
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
                paid_at: "20261231235000".to_owned(),
                cancelled_at: "20270101000000".to_owned(),
            }
        );
        assert_eq!(korean_time_of_day(new_years_eve), Duration::ZERO);
        let morning: Timestamp = "2026-12-31T23:01:02Z".parse().unwrap();
        let since_midnight = Duration::from_secs(8 * 3_600 + 62);
        assert_eq!(korean_time_of_day(morning), since_midnight);
    }
}

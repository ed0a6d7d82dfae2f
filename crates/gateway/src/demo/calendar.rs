//! The days on which the demonstration plays, in Korean time.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;

const MONTH: &str = "%Y%m";
const SECOND: &str = "%Y%m%d%H%M%S";

/// How long a link is good for.
const LINK_LIFE: Duration = Duration::from_hours(30 * 24);

/// How long after its payment a bill is paid back.
const SECOND_THOUGHTS: Duration = Duration::from_mins(10);

/// The times that the requests carry, spelled as in the guide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Calendar {
    /// `billed_year_month`: this month.
    pub(super) month: String,
    /// `expire_at` of the links.
    pub(super) expire_at: String,
    /// `paid_at` of the payments.
    pub(super) paid_at: String,
    /// `paid_at` of the cancel.
    pub(super) cancelled_at: String,
}

impl Calendar {
    /// The times of a demonstration at this moment.
    pub(super) fn at(now: Timestamp) -> Self {
        let korea = Offset::constant(9);
        let spelled = |time, format| korea.to_datetime(time).strftime(format).to_string();
        Self {
            month: spelled(now, MONTH),
            expire_at: spelled(now + LINK_LIFE, SECOND),
            paid_at: spelled(now, SECOND),
            cancelled_at: spelled(now + SECOND_THOUGHTS, SECOND),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn korea_is_nine_hours_ahead() {
        let new_years_eve: Timestamp = "2026-12-31T15:00:00Z".parse().unwrap();
        assert_eq!(
            Calendar::at(new_years_eve),
            Calendar {
                month: "202701".to_owned(),
                expire_at: "20270131000000".to_owned(),
                paid_at: "20270101000000".to_owned(),
                cancelled_at: "20270101001000".to_owned(),
            }
        );
    }
}

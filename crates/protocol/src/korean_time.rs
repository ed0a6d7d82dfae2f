//! The guide's times, `YYYYMMDDHH24MISS` (sections 3.1 and 4.1, `expire_at`).

use std::fmt;

/// Korea is nine hours ahead of UTC and has no daylight saving time.
const UTC_OFFSET_SECONDS: i64 = 9 * 3600;

/// Days from 0001-01-01 to 1970-01-01 in the Gregorian calendar.
const DAYS_TO_1970: i64 = 719_162;

/// An existing time in Korea (UTC+9), stored as its 14 digits. It may be in the past.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KoreanTime([u8; 14]);

impl KoreanTime {
    /// Parses `YYYYMMDDHH24MISS`. Returns `None` if it is not 14 ASCII digits or no such time exists.
    /// Times are from 00:00:00 to 23:59:59, years from 0001 to 9999.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: [u8; 14] = text.as_bytes().try_into().ok()?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let time = Self(digits);
        let exists = time.year() >= 1
            && (1..=12).contains(&time.month())
            && (1..=days_in_month(time.year(), time.month())).contains(&time.day())
            && time.number(8, 10) < 24
            && time.number(10, 12) < 60
            && time.number(12, 14) < 60;
        exists.then_some(time)
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix_seconds(self) -> i64 {
        let days = days_since_1970(self.year(), self.month(), self.day());
        let clock = self.number(8, 10) * 3600 + self.number(10, 12) * 60 + self.number(12, 14);
        days * 86_400 + clock - UTC_OFFSET_SECONDS
    }

    /// The 14 digits.
    pub fn as_str(&self) -> &str {
        // These are always ASCII digits, so the fallback is never used.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    fn year(self) -> i64 {
        self.number(0, 4)
    }

    fn month(self) -> i64 {
        self.number(4, 6)
    }

    fn day(self) -> i64 {
        self.number(6, 8)
    }

    fn number(self, from: usize, to: usize) -> i64 {
        let digits = self.0.get(from..to).unwrap_or_default();
        digits
            .iter()
            .fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
    }
}

impl fmt::Display for KoreanTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for KoreanTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let years = year - 1;
    let before_year = years * 365 + years / 4 - years / 100 + years / 400;
    let before_month: i64 = (1..month).map(|earlier| days_in_month(year, earlier)).sum();
    before_year + before_month + day - 1 - DAYS_TO_1970
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_nine_hours_ahead_of_utc() {
        let table = [
            ("19700101090000", 0),
            ("19700101000000", -32_400),
            ("20200409235959", 1_586_444_399),
            ("20240229000000", 1_709_132_400),
            ("20000301000000", 951_836_400),
            ("00010101000000", -62_135_629_200),
            ("99991231235959", 253_402_268_399),
        ];
        for (text, unix_seconds) in table {
            let time = KoreanTime::parse(text).unwrap();
            assert_eq!(time.unix_seconds(), unix_seconds, "{text}");
            assert_eq!(time.as_str(), text);
        }
    }

    #[test]
    fn a_time_that_does_not_exist_is_refused() {
        let table = [
            "",
            "2020040923595",
            "202004092359590",
            "20200409 35959",
            "２０２０0409235959",
            "00000101000000",
            "20200009235959",
            "20201309235959",
            "20200400235959",
            "20200431235959",
            "20230229000000",
            "21000229000000",
            "20200409240000",
            "20200409236000",
            "20200409235960",
        ];
        for text in table {
            assert_eq!(KoreanTime::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let mut day = KoreanTime::parse("20000101000000").unwrap().unix_seconds();
        for year in 2000..2400 {
            for month in 1..=12 {
                for date in 1..=days_in_month(year, month) {
                    let text = format!("{year:04}{month:02}{date:02}000000");
                    assert_eq!(
                        KoreanTime::parse(&text).unwrap().unix_seconds(),
                        day,
                        "{text}"
                    );
                    day += 86_400;
                }
            }
        }
    }

    #[test]
    fn times_are_ordered_by_when_they_are() {
        let earlier = KoreanTime::parse("20191231235959").unwrap();
        let later = KoreanTime::parse("20200101000000").unwrap();
        assert!(earlier < later && earlier.unix_seconds() + 1 == later.unix_seconds());
    }
}

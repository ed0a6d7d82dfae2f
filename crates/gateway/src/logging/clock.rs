//! The time of a line, in RFC 3339 with milliseconds and Korean offset.

use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::Offset;

use super::digits::three_digits;

/// Korean time, like all times of the guide.
const KOREA: Offset = Offset::constant(9);

/// Formats times. The last second is cached, because the next line is usually in the same one.
#[derive(Debug, Default)]
pub(super) struct Clock {
    second: Option<i64>,
    /// `YYYY-MM-DDTHH:MM:SS` of that second.
    text: Vec<u8>,
}

impl Clock {
    /// Appends `2026-11-24T09:00:00.123+09:00`.
    pub(super) fn write(&mut self, now: SystemTime, line: &mut Vec<u8>) {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let second = i64::try_from(since.as_secs()).unwrap_or_default();
        if self.second != Some(second) {
            let moment = Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
            self.text.clear();
            // Writing into memory does not fail.
            let _ = write!(self.text, "{}", KOREA.to_datetime(moment));
            self.second = Some(second);
        }
        line.extend_from_slice(&self.text);
        line.push(b'.');
        line.extend_from_slice(&three_digits(u64::from(since.subsec_millis())));
        line.extend_from_slice(b"+09:00");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_korean_with_milliseconds() {
        // seconds and milliseconds since 1970 in UTC | formatted
        let table = [
            (0, 0, "1970-01-01T09:00:00.000+09:00"),
            (1_795_478_399, 7, "2026-11-24T08:59:59.007+09:00"),
            (1_795_478_399, 999, "2026-11-24T08:59:59.999+09:00"),
            (1_795_478_400, 0, "2026-11-24T09:00:00.000+09:00"),
            (1_835_362_800, 50, "2028-02-29T00:00:00.050+09:00"),
        ];
        let mut clock = Clock::default();
        for (seconds, milliseconds, formatted) in table {
            let mut line = Vec::new();
            let since = Duration::from_secs(seconds) + Duration::from_millis(milliseconds);
            clock.write(UNIX_EPOCH + since, &mut line);
            assert_eq!(String::from_utf8_lossy(&line), formatted);
        }
    }
}

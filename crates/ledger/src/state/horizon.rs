//! What a stamp from outside is taken for.
//!
//! Redis and other nodes are outside: their clocks may be wrong, and a value may be forged. A stamp more than a
//! minute ahead never moves the own clock, and one more than 400 days ahead is no clock's at all: it is read
//! as the present, so that whatever is said next comes after it.

use std::cell::Cell;
use std::time::Duration;

use crate::state::hybrid_logical_clock::FOLLOWED_AHEAD;
use crate::{Stamp, Timestamp};

/// Beyond this a stamp is read as the present.
const BELIEVED_AHEAD: Duration = Duration::from_hours(400 * 24);

/// How far ahead a stamp may be at one moment.
#[derive(Debug)]
pub(crate) struct Horizon {
    present: Timestamp,
    has_met_ahead: Cell<bool>,
}

impl Horizon {
    pub(crate) const fn at(present: Timestamp) -> Self {
        Self {
            present,
            has_met_ahead: Cell::new(false),
        }
    }

    /// Returns the latest time of a stamp that moves the own clock.
    pub(crate) fn followed(&self) -> i64 {
        Stamp::time_of(self.present.plus(FOLLOWED_AHEAD))
    }

    /// Returns the latest time of a stamp that is taken as it is.
    pub(crate) fn believed(&self) -> i64 {
        Stamp::time_of(self.present.plus(BELIEVED_AHEAD))
    }

    /// Returns what a stamp from outside is taken for.
    pub(crate) fn admit(&self, stamp: Stamp) -> Stamp {
        if stamp.time > self.followed() {
            self.has_met_ahead.set(true);
        }
        if stamp.time <= self.believed() {
            return stamp;
        }
        Stamp {
            time: Stamp::time_of(self.present),
            node: stamp.node,
        }
    }

    /// Returns whether a stamp was more than a minute ahead.
    pub(crate) const fn has_met_ahead(&self) -> bool {
        self.has_met_ahead.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_that_no_clock_shows_is_read_as_the_present() {
        let now = Timestamp::from_seconds(1_000_000_000);
        let hours = |hours| Stamp::time_of(now.plus(Duration::from_hours(hours)));
        // the stamp | what it is taken for | is it counted
        for (time, expected, is_ahead) in [
            (0, 0, false),
            (hours(0), hours(0), false),
            (hours(1), hours(1), true),
            (hours(399 * 24), hours(399 * 24), true),
            (hours(401 * 24), hours(0), true),
            (i64::MAX, hours(0), true),
        ] {
            let horizon = Horizon::at(now);
            assert_eq!(horizon.admit(Stamp { time, node: 3 }).time, expected);
            assert_eq!(horizon.has_met_ahead(), is_ahead, "{time}");
        }
    }
}

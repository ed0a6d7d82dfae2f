//! Check 3: the rate limit of a biller's link calls, a token bucket of `governor` (contract section 2).

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota};

use crate::reply::Problem;

/// The rate limit of one biller, shared by all workers.
#[derive(Debug)]
pub struct RateLimit {
    limiter: DefaultDirectRateLimiter,
    clock: DefaultClock,
}

impl RateLimit {
    /// Allows `requests_per_second` on average and `burst` at once.
    pub fn new(requests_per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        let clock = DefaultClock::default();
        let quota = Quota::per_second(requests_per_second).allow_burst(burst);
        Self {
            limiter: DefaultDirectRateLimiter::direct_with_clock(quota, clock.clone()),
            clock,
        }
    }

    /// Takes one token.
    ///
    /// # Errors
    /// [`Problem::RateLimited`] with the time until the next token.
    pub fn admit(&self) -> Result<(), Problem> {
        self.limiter.check().map_err(|refused| {
            let retry_after: Duration = refused.wait_time_from(self.clock.now());
            Problem::RateLimited { retry_after }
        })
    }
}

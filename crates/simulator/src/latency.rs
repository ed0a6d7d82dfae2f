//! The latency of a simulated party: the wait before it answers.

use std::fmt;
use std::time::Duration;

use crate::random;

/// The distance from the median to the 99th percentile of a normal distribution, in standard deviations.
const P99_DEVIATIONS: f64 = 2.326_347_9;

/// The longest wait of all distributions.
const LONGEST: Duration = Duration::from_mins(10);

/// A distribution of waits. The wait of a call depends only on the party's seed and the call's number, so
/// a run can be repeated.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Latency {
    /// No wait.
    #[default]
    None,
    /// The same wait for all calls.
    Constant(Duration),
    /// Uniformly distributed between the two.
    Uniform(Duration, Duration),
    /// Log-normally distributed, like the latency of many services.
    LogNormal {
        /// Half of the waits are shorter.
        median: Duration,
        /// 99 percent of the waits are shorter.
        p99: Duration,
        /// The longest wait; longer ones are cut to it.
        longest: Duration,
    },
}

impl Latency {
    /// Parses `none`, `80ms`, `constant:80ms`, `uniform:10ms,50ms`, `lognormal:80ms,900ms` or
    /// `lognormal:80ms,900ms,2s` with the longest wait.
    ///
    /// # Errors
    /// A description of the fault: the form, a duration, or bounds in the wrong order.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (kind, values) = text.split_once(':').unwrap_or(("constant", text));
        match kind {
            _ if text == "none" => Ok(Self::None),
            "constant" => Ok(Self::Constant(parse_duration(values)?)),
            "uniform" => {
                let [low, high] = two_durations(text, values)?;
                Ok(Self::Uniform(low, high))
            }
            "lognormal" => {
                let (shape, longest) = match values.match_indices(',').nth(1) {
                    Some((at, _)) => (&values[..at], parse_duration(&values[at + 1..])?),
                    None => (values, LONGEST),
                };
                let [median, p99] = two_durations(text, shape)?;
                if median.is_zero() {
                    return Err(format!("`{text}`: the median must be above zero"));
                }
                if longest < p99 {
                    return Err(format!(
                        "`{text}`: the longest must not be below the 99th percentile"
                    ));
                }
                Ok(Self::LogNormal {
                    median,
                    p99,
                    longest,
                })
            }
            _ => Err(format!(
                "`{text}`: expected none, 80ms, constant:80ms, uniform:10ms,50ms or lognormal:80ms,900ms"
            )),
        }
    }

    /// Returns the wait of the call with this number.
    pub(crate) fn of(self, seed: u64, sequence: u64) -> Duration {
        let mut generator = random::generator(seed, sequence);
        let wait = match self {
            Self::None => return Duration::ZERO,
            Self::Constant(wait) => wait,
            Self::Uniform(low, high) => low + high.saturating_sub(low).mul_f64(generator.f64()),
            Self::LogNormal {
                median,
                p99,
                longest,
            } => {
                let deviation = (p99.as_secs_f64() / median.as_secs_f64()).ln() / P99_DEVIATIONS;
                let seconds =
                    median.as_secs_f64() * (deviation * random::normal(&mut generator)).exp();
                Duration::try_from_secs_f64(seconds)
                    .unwrap_or(LONGEST)
                    .min(longest)
            }
        };
        wait.min(LONGEST)
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::None => formatter.write_str("none"),
            Self::Constant(wait) => write!(formatter, "constant:{}", Spelled(wait)),
            Self::Uniform(low, high) => {
                write!(formatter, "uniform:{},{}", Spelled(low), Spelled(high))
            }
            Self::LogNormal {
                median,
                p99,
                longest,
            } => {
                write!(formatter, "lognormal:{},{}", Spelled(median), Spelled(p99))?;
                if longest < LONGEST {
                    write!(formatter, ",{}", Spelled(longest))?;
                }
                Ok(())
            }
        }
    }
}

fn two_durations(text: &str, values: &str) -> Result<[Duration; 2], String> {
    let (low, high) = values
        .split_once(',')
        .ok_or_else(|| format!("`{text}`: expected two durations separated by a comma"))?;
    let (low, high) = (parse_duration(low)?, parse_duration(high)?);
    if low > high {
        return Err(format!(
            "`{text}`: the first duration must not be above the second"
        ));
    }
    Ok([low, high])
}

/// Parses a whole number with a unit: `250us`, `80ms`, `3s`, `2m`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}`: expected a whole number and one of us, ms, s, m");
    let digits = text
        .find(|letter: char| !letter.is_ascii_digit())
        .ok_or_else(wrong)?;
    let (number, unit) = text.split_at(digits);
    let number: u32 = number.parse().map_err(|_| wrong())?;
    let number = u64::from(number);
    match unit {
        "us" => Ok(Duration::from_micros(number)),
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number * 60)),
        _ => Err(wrong()),
    }
}

/// Displays a duration in the form of [`parse_duration`].
pub(crate) struct Spelled(pub(crate) Duration);

impl fmt::Display for Spelled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        if micros.is_multiple_of(1000) {
            write!(formatter, "{}ms", micros / 1000)
        } else {
            write!(formatter, "{micros}us")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(number: u64) -> Duration {
        Duration::from_millis(number)
    }

    #[test]
    fn a_distribution_is_read_and_printed_in_one_form() {
        for (text, latency) in [
            ("none", Latency::None),
            ("constant:80ms", Latency::Constant(ms(80))),
            ("uniform:10ms,50ms", Latency::Uniform(ms(10), ms(50))),
            (
                "lognormal:80ms,900ms",
                Latency::LogNormal {
                    median: ms(80),
                    p99: ms(900),
                    longest: LONGEST,
                },
            ),
            (
                "lognormal:80ms,900ms,2000ms",
                Latency::LogNormal {
                    median: ms(80),
                    p99: ms(900),
                    longest: ms(2000),
                },
            ),
            (
                "constant:250us",
                Latency::Constant(Duration::from_micros(250)),
            ),
        ] {
            assert_eq!(Latency::parse(text), Ok(latency));
            assert_eq!(latency.to_string(), text);
        }
        assert_eq!(Latency::parse("2s"), Ok(Latency::Constant(ms(2000))));
        assert_eq!(Latency::parse("1m"), Ok(Latency::Constant(ms(60_000))));
    }

    #[test]
    fn a_faulty_distribution_is_refused() {
        for text in [
            "",
            "80",
            "ms",
            "80 ms",
            "-1ms",
            "constant:",
            "uniform:10ms",
            "uniform:50ms,10ms",
            "lognormal:0ms,10ms",
            "lognormal:1ms,10ms,9ms",
            "lognormal:1ms,10ms,",
            "lognormal:1ms,10ms,20ms,30ms",
            "normal:1ms,2ms",
            "99999999999s",
        ] {
            assert!(Latency::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_lognormal_latency_meets_its_median_and_its_99th_percentile() {
        let latency = Latency::LogNormal {
            median: ms(80),
            p99: ms(900),
            longest: ms(1500),
        };
        let mut waits: Vec<_> = (0..10_000)
            .map(|sequence| latency.of(1, sequence))
            .collect();
        waits.sort();
        assert!(
            (ms(76)..ms(84)).contains(&waits[5_000]),
            "{:?}",
            waits[5_000]
        );
        assert!(
            (ms(780)..ms(1030)).contains(&waits[9_900]),
            "{:?}",
            waits[9_900]
        );
        assert_eq!(waits[9_999], ms(1500));
    }

    #[test]
    fn a_uniform_latency_stays_between_its_bounds_and_repeats() {
        let latency = Latency::Uniform(ms(10), ms(50));
        for sequence in 0..1_000 {
            let wait = latency.of(3, sequence);
            assert!((ms(10)..=ms(50)).contains(&wait));
            assert_eq!(wait, latency.of(3, sequence));
        }
    }
}

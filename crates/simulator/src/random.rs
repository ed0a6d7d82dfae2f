//! Numbers that look random and are the same for the same seed.

use std::f64::consts::TAU;

/// `SplitMix64`: one multiplication-and-shift mix per number, good enough to shape latencies.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// The numbers of one item of a sequence: they do not depend on the order in which items ask.
    pub(crate) fn of(seed: u64, sequence: u64) -> Self {
        Self(mix(seed ^ mix(sequence)))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// Evenly in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        // 32 bits convert without loss and are fine enough for a latency.
        f64::from((self.next() >> 32) as u32) / (f64::from(u32::MAX) + 1.0)
    }

    /// Normally distributed, mean 0, deviation 1 (Box and Muller's transform).
    pub(crate) fn normal(&mut self) -> f64 {
        let (radius, angle) = (1.0 - self.unit(), self.unit());
        (-2.0 * radius.ln()).sqrt() * (TAU * angle).cos()
    }
}

fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_sequence_give_the_same_numbers() {
        let numbers = |seed, sequence| {
            let mut random = Random::of(seed, sequence);
            [random.next(), random.next(), random.next()]
        };
        assert_eq!(numbers(7, 1), numbers(7, 1));
        assert_ne!(numbers(7, 1), numbers(7, 2));
        assert_ne!(numbers(7, 1), numbers(8, 1));
    }

    #[test]
    fn units_are_even_and_normals_are_centred() {
        let count = 20_000_u32;
        let (mut units, mut normals) = (0.0, 0.0);
        for sequence in 0..count {
            let mut random = Random::of(1, sequence.into());
            units += random.unit();
            normals += random.normal();
        }
        assert!((units / f64::from(count) - 0.5).abs() < 0.02);
        assert!((normals / f64::from(count)).abs() < 0.05);
    }
}

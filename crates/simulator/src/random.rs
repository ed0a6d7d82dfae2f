//! Random numbers that are the same for the same seed.

use std::f64::consts::TAU;

use fastrand::Rng;

/// Returns the generator of one item of a sequence. It does not depend on the order in which items are
/// drawn.
pub(crate) fn generator(seed: u64, sequence: u64) -> Rng {
    Rng::with_seed(Rng::with_seed(seed).u64(..) ^ sequence)
}

/// Draws from the normal distribution of mean 0 and deviation 1 (Box and Muller's transform).
pub(crate) fn normal(random: &mut Rng) -> f64 {
    let (radius, angle) = (1.0 - random.f64(), random.f64());
    (-2.0 * radius.ln()).sqrt() * (TAU * angle).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_sequence_give_the_same_numbers() {
        let numbers = |seed, sequence| {
            let mut random = generator(seed, sequence);
            [random.u64(..), random.u64(..), random.u64(..)]
        };
        assert_eq!(numbers(7, 1), numbers(7, 1));
        assert_ne!(numbers(7, 1), numbers(7, 2));
        assert_ne!(numbers(7, 1), numbers(8, 1));
    }

    #[test]
    fn first_numbers_are_uniform_and_normals_are_centred() {
        let count = 20_000_u32;
        let (mut units, mut normals) = (0.0, 0.0);
        for sequence in 0..count {
            units += generator(1, sequence.into()).f64();
            normals += normal(&mut generator(2, sequence.into()));
        }
        assert!((units / f64::from(count) - 0.5).abs() < 0.02);
        assert!((normals / f64::from(count)).abs() < 0.05);
    }
}

//! Chance that is the same on every machine: integers only, drawn from ChaCha8.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Makes decisions. Two dice with the same seed and stream make the same ones.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// Returns the dice number `stream` of a seed.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self(generator)
    }

    /// Returns a number from 0 to `limit - 1`, each as likely as any other.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        let product = u128::from(self.0.next_u64()) * u128::from(limit);
        u64::try_from(product >> 64).expect("the product of two 64-bit numbers has 128 bits")
    }

    /// Returns a number from `least` to `most`, each as likely as any other.
    pub(crate) fn between(&mut self, least: i32, most: i32) -> i32 {
        let width = u64::try_from(most - least + 1).expect("a range isn't empty");
        let offset = i32::try_from(self.below(width)).expect("it is below the width");
        least + offset
    }

    /// Says yes in so many of a thousand cases.
    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// Returns one of several, each as likely as any other.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.index(of.len())]
    }

    /// Returns one of several, the weighty more often.
    pub(crate) fn weighted<'a, T>(&mut self, of: &'a [T], weight: impl Fn(&T) -> u64) -> &'a T {
        let total = of.iter().map(&weight).sum();
        let mut rest = self.below(total);
        for each in of {
            match rest.checked_sub(weight(each)) {
                Some(left) => rest = left,
                None => return each,
            }
        }
        unreachable!("the number drawn is below the sum of all weights")
    }

    /// Returns a number from 0 to `limit - 1`: a few small ones come often, and
    /// there is a long tail (each doubling of the number is as likely as any).
    pub(crate) fn skewed(&mut self, limit: u64) -> u64 {
        let doublings = u64::from(limit.ilog2()) + 1;
        let first = 1 << self.below(doublings);
        let last = (2 * first - 1).min(limit);
        first + self.below(last - first + 1) - 1
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("it is below a length")
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn numbers_stay_within_their_limits() {
        let mut dice = Dice::new(1, 7);
        let mut small = 0;
        for _ in 0..10_000 {
            assert!(dice.below(3) < 3);
            assert!((-2..=5).contains(&dice.between(-2, 5)));
            let skewed = dice.skewed(300);
            assert!(skewed < 300);
            small += u32::from(skewed < 15);
        }
        assert!((4_000..5_000).contains(&small), "{small}");
    }

    #[test]
    fn chance_is_the_same_everywhere() {
        let mut dice = Dice::new(42, 3);
        let drawn: Vec<u64> = (0..5).map(|_| dice.below(1_000)).collect();
        assert_eq!(drawn, [361, 592, 730, 499, 200]);
    }
}

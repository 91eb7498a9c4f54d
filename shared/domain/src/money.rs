//! Money as whole micro-dollars, so that sums are exact to the cent.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

/// US dollars times 1,000,000. One token at 3 USD per million tokens costs exactly 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MicroUsd(pub i64);

impl MicroUsd {
    /// From US dollars, rounded to the nearest micro-dollar; `None` for what is not finite, is
    /// negative or is beyond a billion dollars.
    pub fn from_usd(usd: f64) -> Option<Self> {
        let micro = (usd * 1_000_000.0).round();
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
        (0.0..=1e15).contains(&micro).then_some(Self(micro as i64))
    }

    /// In US dollars.
    #[expect(clippy::cast_precision_loss, reason = "exact up to 9 billion dollars")]
    pub fn usd(self) -> f64 {
        self.0 as f64 / 1_000_000.0
    }
}

impl Add for MicroUsd {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for MicroUsd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for MicroUsd {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for MicroUsd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Add::add)
    }
}

impl fmt::Display for MicroUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6} USD", self.usd())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_and_refuses_what_is_no_amount() {
        assert_eq!(MicroUsd::from_usd(5.752), Some(MicroUsd(5_752_000)));
        for wrong in [f64::NAN, f64::INFINITY, -0.01, 1e12] {
            assert_eq!(MicroUsd::from_usd(wrong), None);
        }
        assert_eq!(MicroUsd(8_400).to_string(), "0.008400 USD");
    }
}

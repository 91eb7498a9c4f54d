//! A number of GPUs that can hold MIG slices.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

use serde::{Serialize, Serializer};

/// A number of GPUs, held in sevenths, so that slices add up exactly (see
/// [`super::topology::Partition`]). Serialised as a number of GPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Gpus(u64);

impl Gpus {
    /// The sevenths of a whole GPU.
    pub const WHOLE: u64 = 7;

    /// Whole GPUs.
    pub fn whole(gpus: u32) -> Self {
        Self(u64::from(gpus) * Self::WHOLE)
    }

    /// Sevenths of a GPU.
    pub const fn from_sevenths(sevenths: u64) -> Self {
        Self(sevenths)
    }

    /// In sevenths of a GPU.
    pub const fn sevenths(self) -> u64 {
        self.0
    }

    /// As a number of GPUs, exact for whole ones.
    #[expect(clippy::cast_precision_loss, reason = "fleets are smaller than 2^53 GPUs")]
    pub fn count(self) -> f64 {
        self.0 as f64 / Self::WHOLE as f64
    }
}

impl Add for Gpus {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Gpus {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Gpus {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Gpus {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Add::add)
    }
}

impl fmt::Display for Gpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, sevenths) = (self.0 / Self::WHOLE, self.0 % Self::WHOLE);
        match (whole, sevenths) {
            (whole, 0) => write!(f, "{whole}"),
            (0, sevenths) => write!(f, "{sevenths}/7"),
            (whole, sevenths) => write!(f, "{whole} {sevenths}/7"),
        }
    }
}

impl Serialize for Gpus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_multiple_of(Self::WHOLE) {
            serializer.serialize_u64(self.0 / Self::WHOLE)
        } else {
            serializer.serialize_f64(self.count())
        }
    }
}

//! The set of what was found in one exchange.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Check;

/// Which checks hit: a set that is as cheap to copy as a number.
///
/// It serialises as a list of names in the order of [`Check::ALL`], so that a verdict stays
/// readable and `Athena` can `unnest` it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Findings(u16);

const fn bit(check: Check) -> u16 {
    1 << check as u16
}

impl Findings {
    /// Whether nothing was found.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many checks hit.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether this check hit.
    pub const fn contains(self, check: Check) -> bool {
        self.0 & bit(check) != 0
    }

    /// Adds a check; adding it twice changes nothing.
    pub const fn insert(&mut self, check: Check) {
        self.0 |= bit(check);
    }

    /// The checks that hit, in the order of [`Check::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Check> {
        Check::ALL.into_iter().filter(move |check| self.contains(*check))
    }
}

impl From<Check> for Findings {
    fn from(check: Check) -> Self {
        Self(bit(check))
    }
}

impl Extend<Check> for Findings {
    fn extend<I: IntoIterator<Item = Check>>(&mut self, checks: I) {
        checks.into_iter().for_each(|check| self.insert(check));
    }
}

impl FromIterator<Check> for Findings {
    fn from_iter<I: IntoIterator<Item = Check>>(checks: I) -> Self {
        let mut found = Self::default();
        found.extend(checks);
        found
    }
}

impl fmt::Debug for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for Findings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Findings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Check>::deserialize(deserializer).map(Self::from_iter)
    }
}

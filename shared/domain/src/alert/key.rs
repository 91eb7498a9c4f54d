use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::rubric::{digest, hex};

/// An alert's identity: 64 hexadecimal digits, made of content alone (source scope and fingerprint
/// or labels), so that a repetition, a replica and a redelivery have the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AlertKey(String);

/// A text that is no [`AlertKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an alert key has 64 lower-case hexadecimal digits")]
pub struct InvalidAlertKey;

impl AlertKey {
    /// SHA-256 of the parts; no two lists of parts have the same.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let parts: Vec<&[u8]> = parts.into_iter().map(str::as_bytes).collect();
        Self(hex(&digest("assay.alert", &parts)))
    }

    /// The key as it is stored and sent as a dedup key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AlertKey {
    type Error = InvalidAlertKey;

    fn try_from(text: String) -> Result<Self, InvalidAlertKey> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 64 && text.bytes().all(is_digit) { Ok(Self(text)) } else { Err(InvalidAlertKey) }
    }
}

impl From<AlertKey> for String {
    fn from(key: AlertKey) -> Self {
        key.0
    }
}

impl fmt::Display for AlertKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(AlertKey::of(["ab", "c"]), AlertKey::of(["a", "bc"]));
        assert_ne!(AlertKey::of(["ab"]), AlertKey::of(["ab", ""]));
        assert_eq!(AlertKey::of([]).as_str().len(), 64);
    }

    #[test]
    fn only_a_hash_is_a_key() {
        let key = AlertKey::of(["a"]);
        let json = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<AlertKey>(&json).unwrap(), key);
        for text in ["", "abc", &"A".repeat(64), &"g".repeat(64)] {
            assert_eq!(AlertKey::try_from(text.to_owned()), Err(InvalidAlertKey));
        }
    }
}

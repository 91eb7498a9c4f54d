//! The content hash of a rubric, and the one way in which Assay hashes fields.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Rubric, Scale};

/// A hash of a rubric's content: 16 lower-case hex digits (the first 64 bits of a SHA-256).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn of(rubric: &Rubric) -> Self {
        let mut fields = vec![rubric.id.clone(), rubric.version.clone()];
        for dimension in rubric.enabled() {
            let kind = match dimension.scale {
                Scale::YesNo { .. } => "yes/no",
                Scale::Levels(_) => "0-5",
            };
            let gate = dimension
                .gate
                .map_or_else(String::new, |gate| format!("{} {}", gate.below, gate.caps_composite_at));
            fields.extend([
                dimension.id.to_string(),
                dimension.metric.clone(),
                dimension.weight.to_string(),
                dimension.instructions.clone(),
                dimension.applies_to.as_str().to_owned(),
                gate,
                kind.to_owned(),
            ]);
            fields.extend(dimension.scale.described().map(|(_, text)| text.to_owned()));
        }
        let fields: Vec<&[u8]> = fields.iter().map(String::as_bytes).collect();
        Self(hex(&digest("assay.rubric", &fields)[..8]))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// SHA-256 over a domain word and then each field behind its length, so that no two lists of
/// fields give the same input (`["ab", "c"]` and `["a", "bc"]` differ).
pub(crate) fn digest(domain: &str, fields: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(domain.as_bytes());
    hash.update([0]);
    for field in fields {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    hash.finalize().into()
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

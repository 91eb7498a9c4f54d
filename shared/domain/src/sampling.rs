//! Which records are judged: decided by a hash, so that a retry, a replay and a second rubric pick
//! the same ones, and so that no random number is needed.

use sha2::{Digest, Sha256};

/// Keeps Assay's sample apart from any other hash of the same ids. Never change it: a change
/// would select other records.
const DOMAIN: &[u8] = b"assay-sample-v1\0";

/// The place of a record on the line from 0 (inclusive) to 1 (exclusive), evenly spread over
/// event ids: the upper 53 bits of a SHA-256, as many as an `f64` holds exactly.
///
/// A record is in a sample of rate `r` exactly when its position is below `r`, so a larger sample
/// contains every smaller one.
pub fn position(event_id: &str) -> f64 {
    let digest = Sha256::new().chain_update(DOMAIN).chain_update(event_id).finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    let position = (u64::from_be_bytes(first) >> 11) as f64 / (1_u64 << 53) as f64;
    position
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_same_for_ever() {
        // Computed apart, with Python's hashlib.
        let known = [
            ("a", 0.819_268_667_225_348_9),
            ("f6a1d0f2-0000-4000-8000-000000000001", 0.024_580_681_615_158_03),
        ];
        for (event_id, expected) in known {
            assert!((position(event_id) - expected).abs() < 1e-15, "{event_id}");
        }
    }

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    fn spreads_evenly() {
        let ids = 0..20_000;
        let kept = ids.clone().filter(|id| position(&format!("event-{id}")) < 0.1).count();
        let share = kept as f64 / ids.len() as f64;
        assert!((share - 0.1).abs() < 0.01, "{share}");
    }
}

//! What was measured, as `CloudWatch` says it in the reason of a state.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::alert::parse::{member, time};
use crate::alert::{Comparison, Threshold};

/// `Threshold Crossed: 2 out of the last 2 datapoints [0.71 (12/02/26 15:44:00), 0.7 (...)] were
/// less than the threshold (0.8)`: the latest comes first.
static DATAPOINT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\bdatapoints? \[\s*(-?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*\(").ok());

static CROSSED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"\b(?:was|were) (?:not )?(greater than or equal to|greater than|less than or equal to|less than) the threshold \(\s*(-?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*\)",
    )
    .ok()
});

/// The latest value that the words name.
pub(super) fn in_words(reason: &str) -> Option<f64> {
    number(DATAPOINT.as_ref()?.captures(reason)?.get(1)?.as_str())
}

/// The comparison and the limit that the words name. "was not less than" is the same alarm's way to
/// say that it is well.
pub(super) fn threshold_in_words(reason: &str) -> Option<Threshold> {
    let found = CROSSED.as_ref()?.captures(reason)?;
    let comparison = match found.get(1)?.as_str() {
        "greater than or equal to" => Comparison::AtLeast,
        "greater than" => Comparison::Above,
        "less than or equal to" => Comparison::AtMost,
        _ => Comparison::Below,
    };
    Some(Threshold { comparison, value: number(found.get(2)?.as_str())? })
}

/// Whether the state was decided by how missing data is treated.
pub(super) fn is_without_data(reason: &str) -> bool {
    reason.contains("no datapoints were received")
}

/// The latest value in the data of the reason: `evaluatedDatapoints[{timestamp, value}]`, else the
/// last of `recentDatapoints`, which come in the order of time.
pub(super) fn in_data(data: &Value) -> Option<f64> {
    let data = data.as_object()?;
    let evaluated = member::items(data, &["evaluatedDatapoints"]).iter().filter_map(|point| {
        let point = point.as_object()?;
        let value = member::number(point, &["value"])?;
        Some((member::text(point, &["timestamp"]).and_then(time::read), value))
    });
    // None is earlier than any time.
    let latest = evaluated.max_by_key(|(time, _)| *time).map(|(_, value)| value);
    latest.or_else(|| member::items(data, &["recentDatapoints"]).iter().rev().find_map(member::as_number))
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_latest_value_is_found_in_words() {
        for (reason, value) in [
            (
                "Threshold Crossed: 1 datapoint [1.0 (12/02/19 15:44:00)] was not less than the threshold (1.0).",
                1.0,
            ),
            (
                "Threshold Crossed: 2 out of the last 2 datapoints [9.2E-4 (x), 7.0 (y)] were less than",
                9.2e-4,
            ),
            ("2 datapoints [-3 (x)] were", -3.0),
        ] {
            assert_eq!(in_words(reason), Some(value), "{reason}");
        }
        for reason in ["", "test", "Insufficient Data: 5 datapoints were unknown.", "datapoints [1.2.3 (x)]"]
        {
            assert_eq!(in_words(reason), None, "{reason}");
        }
    }

    #[test]
    fn the_limit_is_found_in_words() {
        let found = |reason| threshold_in_words(reason).map(|found| (found.comparison, found.value));
        assert_eq!(found("[1 (x)] was not less than the threshold (1.0)."), Some((Comparison::Below, 1.0)));
        assert_eq!(
            found("[1 (x)] were greater than or equal to the threshold (2E3) (minimum"),
            Some((Comparison::AtLeast, 2000.0))
        );
        assert_eq!(found("was greater than the upper band"), None);
    }

    #[test]
    fn the_latest_value_is_found_in_data() {
        let evaluated = json!({"evaluatedDatapoints": [
            {"timestamp": "2026-03-02T10:00:00.000+0000", "value": 1.0},
            {"timestamp": "2026-03-02T10:02:00.000+0000", "value": 3.0},
            {"timestamp": "2026-03-02T10:01:00.000+0000", "value": 2.0},
        ], "recentDatapoints": [7.0]});
        assert_eq!(in_data(&evaluated), Some(3.0));
        assert_eq!(in_data(&json!({"recentDatapoints": [7.0, 8.0]})), Some(8.0));
        assert_eq!(in_data(&json!({"evaluatedDatapoints": [{"timestamp": "x"}]})), None);
    }
}

//! The limit that an alert names in words.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::alert::{Comparison, Threshold};

/// Where a limit may be named, the most explicit first.
const PLACES: [&str; 3] = ["threshold", "description", "summary"];

/// `threshold < 0.75`, `threshold: above 5`, `(< 0.85)`.
static LIMIT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)
        (?: \bthreshold \b \s* [:=]? \s* (?P<op>  <= | >= | < | > | ≤ | ≥ | below \b | above \b )
            \s* (?P<number> -?\d+(?:\.\d+)?(?:e[-+]?\d+)? ) )
        | \( (?P<op2> <= | >= | < | > | ≤ | ≥ ) \s* (?P<number2> -?\d+(?:\.\d+)?(?:e[-+]?\d+)? ) \)",
    )
    .ok()
});

/// Grafana and Alertmanager send no threshold of their own. It is taken from annotation `threshold`
/// (`< 0.75`), or from `threshold < 0.75` or `(< 0.75)` in `description` or `summary`, which is how
/// rules in the wild and Assay's own say it.
pub(super) fn named(annotations: &BTreeMap<String, String>) -> Option<Threshold> {
    PLACES.iter().find_map(|place| {
        let text = annotations.get(*place)?;
        if *place == "threshold" { in_words(&format!("threshold {text}")) } else { in_words(text) }
    })
}

fn in_words(text: &str) -> Option<Threshold> {
    let found = LIMIT.as_ref()?.captures(text)?;
    let group = |a: &str, b: &str| found.name(a).or_else(|| found.name(b)).map(|found| found.as_str());
    let comparison = match group("op", "op2")?.to_lowercase().as_str() {
        "<" | "below" => Comparison::Below,
        "<=" | "≤" => Comparison::AtMost,
        ">" | "above" => Comparison::Above,
        _ => Comparison::AtLeast,
    };
    let value = group("number", "number2")?.parse().ok().filter(|value: &f64| value.is_finite())?;
    Some(Threshold { comparison, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_found_where_it_is_named() {
        for (place, text, expected) in [
            ("threshold", "< 0.75", Some((Comparison::Below, 0.75))),
            ("threshold", ">= 1e3", Some((Comparison::AtLeast, 1000.0))),
            ("description", "Low safety_score detected (threshold < 0.8)", Some((Comparison::Below, 0.8))),
            ("summary", "gpt: safety_score is 0.712 (< 0.85)", Some((Comparison::Below, 0.85))),
            ("description", "Threshold: above -5", Some((Comparison::Above, -5.0))),
            ("description", "threshold ≤ 3", Some((Comparison::AtMost, 3.0))),
            ("threshold", "0.75", None),
            ("summary", "p99 > 10s", None),
            ("description", "slow (> 10 minutes)", None),
            ("runbook_url", "threshold < 1", None),
        ] {
            let annotations = BTreeMap::from([(place.to_owned(), text.to_owned())]);
            let found = named(&annotations).map(|threshold| (threshold.comparison, threshold.value));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn the_annotation_goes_before_the_words() {
        let annotations = BTreeMap::from([
            ("description".to_owned(), "threshold < 1".to_owned()),
            ("threshold".to_owned(), "> 2".to_owned()),
        ]);
        assert_eq!(named(&annotations), Some(Threshold { comparison: Comparison::Above, value: 2.0 }));
    }
}

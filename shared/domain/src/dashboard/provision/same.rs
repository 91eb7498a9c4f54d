//! Whether an object is as it should be.

use serde_json::Value;

/// Keys whose values are times, which Grafana writes in its own way: `300s` comes back as `5m`.
const TIMES: [&str; 5] = ["for", "keep_firing_for", "group_wait", "group_interval", "repeat_interval"];

/// Whether `found` says all that `wanted` says. Grafana adds fields of its own, and leaves out empty
/// ones.
pub(super) fn says(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => wanted.iter().all(|(key, wanted)| {
            let Some(found) = found.get(key) else { return is_empty(wanted) };
            let times = || seconds(found).zip(seconds(wanted));
            let is_same_time =
                TIMES.contains(&key.as_str()) && times().is_some_and(|(one, other)| one == other);
            is_same_time || says(found, wanted)
        }),
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len() && found.iter().zip(wanted).all(|(found, wanted)| says(found, wanted))
        }
        (Value::Number(found), Value::Number(wanted)) => found.as_f64() == wanted.as_f64(),
        (Value::Null, wanted) => is_empty(wanted),
        (found, wanted) => found == wanted,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// The seconds of `1h30m`, `300s` (Prometheus, `model.Duration`).
fn seconds(value: &Value) -> Option<u64> {
    let mut rest = value.as_str()?;
    let mut sum = 0_u64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        let unit = &rest[digits..];
        let (length, in_unit) = [("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)]
            .into_iter()
            .find(|(name, _)| unit.starts_with(*name) && !unit.starts_with("ms"))
            .map(|(name, seconds)| (name.len(), seconds))?;
        sum = sum.checked_add(number.checked_mul(in_unit)?)?;
        rest = &unit[length..];
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_grafana_adds_and_leaves_out_is_no_difference() {
        let wanted = json!({"for": "300s", "limit": 1, "queryType": "", "isPaused": false, "a": [{"b": 1.0}], "n": {}});
        let found = json!({"for": "5m", "limit": 1.0, "a": [{"b": 1, "id": 7}], "updated": "now", "n": null});
        assert!(says(&found, &wanted));
    }

    #[test]
    fn what_a_person_changed_is_one() {
        let wanted = json!({"for": "300s", "a": [1, 2], "title": "5m", "on": true});
        for (key, value) in [
            ("for", json!("6m")),
            ("for", json!("")),
            ("a", json!([1])),
            ("a", json!([2, 1])),
            ("title", json!("300s")),
            ("on", Value::Null),
        ] {
            let mut found = wanted.clone();
            found[key] = value;
            assert!(!says(&found, &wanted), "{found}");
        }
    }

    #[test]
    fn times_are_read_in_every_unit() {
        for (text, expected) in [
            ("0s", Some(0)),
            ("1h30m", Some(5400)),
            ("1w1d", Some(691_200)),
            ("5ms", None),
            ("5", None),
            ("", None),
            ("m", None),
            ("99999999999999999999s", None),
            ("18446744073709551615w", None),
        ] {
            assert_eq!(seconds(&text.into()), expected, "{text}");
        }
    }
}

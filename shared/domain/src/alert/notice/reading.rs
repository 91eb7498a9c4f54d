//! The one number that an alert is about, among all that its message carries.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Quantity;
use crate::alert::{Alert, Comparison, Family, Threshold};

/// What was measured, and what it is held against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The metric's name, when the message tells it.
    pub metric: Option<String>,
    /// What the number is of.
    pub quantity: Quantity,
    /// The number; `None` when the message carries none.
    pub value: Option<f64>,
    /// The limit.
    pub threshold: Option<Threshold>,
}

/// Under which labels and annotations rules name their metric.
const NAMES: [&str; 3] = ["metric", "metric_name", "MetricName"];

impl Reading {
    /// The number that `alert` is about, as far as its message tells.
    pub fn of(alert: &Alert) -> Self {
        let measured = measured(&alert.values);
        let named = |map: &BTreeMap<String, String>, keys: &[&str]| {
            keys.iter().find_map(|key| map.get(*key)).filter(|text| !text.trim().is_empty()).cloned()
        };
        let metric = named(&alert.labels, &NAMES).or_else(|| named(&alert.annotations, &NAMES));
        // CloudWatch names its values by metric; Grafana by a letter that says nothing.
        let by_key =
            || measured.filter(|_| alert.family == Family::CloudWatch).map(|(key, _)| key.to_owned());
        let metric = metric.or_else(by_key);
        let unit = named(&alert.annotations, &["unit"]).or_else(|| named(&alert.labels, &["unit"]));
        let quantity = unit.and_then(|unit| Quantity::of_unit(&unit));
        let quantity = quantity.or_else(|| metric.as_deref().map(Quantity::of_metric));
        Self {
            metric,
            quantity: quantity.unwrap_or(Quantity::Plain),
            value: measured.map(|(_, value)| value),
            threshold: alert.threshold,
        }
    }

    /// The number, such as `0.71`.
    pub fn shown_value(&self) -> Option<String> {
        let value = self.value?;
        Some(match self.threshold {
            Some(threshold) => self.quantity.show_both(value, threshold.value).0,
            None => self.quantity.show(value),
        })
    }

    /// When it is bad, such as `below 0.80`.
    pub fn shown_limit(&self) -> Option<String> {
        let Threshold { comparison, value: limit } = self.threshold?;
        let shown = match self.value {
            Some(value) => self.quantity.show_both(value, limit).1,
            None => self.quantity.show(limit),
        };
        Some(match comparison {
            Comparison::Above => format!("above {shown}"),
            Comparison::AtLeast => format!("at {shown} and above"),
            Comparison::Below => format!("below {shown}"),
            Comparison::AtMost => format!("at {shown} and below"),
        })
    }

    /// Both in short: `0.71, fires below 0.80`. Empty when neither is known.
    pub fn in_short(&self) -> String {
        let limit = self.shown_limit().map(|limit| format!("fires {limit}"));
        let parts: Vec<String> = self.shown_value().into_iter().chain(limit).collect();
        parts.join(", ")
    }
}

/// Grafana sends every step of a rule: the query, its reduction and the condition, which is 0 or 1.
/// The measurement is the last step that is no condition; steps are named in their order.
fn measured(values: &BTreeMap<String, f64>) -> Option<(&str, f64)> {
    let is_condition = |value: f64| value.abs() <= 0.0 || (value - 1.0).abs() <= 0.0;
    let all =
        || values.iter().map(|(key, value)| (key.as_str(), *value)).filter(|(_, value)| value.is_finite());
    all().rfind(|(_, value)| !is_condition(*value)).or_else(|| all().next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::message::tests::samples;

    fn reading(values: &[(&str, f64)], threshold: Option<Threshold>) -> Reading {
        let mut alert = samples::quality_warning().alert;
        alert.values = values.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect();
        alert.threshold = threshold;
        Reading::of(&alert)
    }

    const BELOW: Option<Threshold> = Some(Threshold { comparison: Comparison::Below, value: 0.8 });

    #[test]
    fn the_measurement_is_the_last_step_that_is_no_condition() {
        for (values, expected) in [
            (&[("B", 0.712), ("C", 1.0)][..], Some(0.712)),
            (&[("A", 0.9), ("B", 0.712), ("C", 1.0)], Some(0.712)),
            (&[("B", 0.0), ("C", 1.0)], Some(0.0)),
            (&[("B", f64::NAN), ("C", 1.0)], Some(1.0)),
            (&[], None),
        ] {
            assert_eq!(reading(values, BELOW).value, expected, "{values:?}");
        }
    }

    #[test]
    fn what_is_known_of_value_and_limit_is_said() {
        assert_eq!(reading(&[("B", 0.712)], BELOW).in_short(), "0.71, fires below 0.80");
        assert_eq!(reading(&[("B", 0.79996)], BELOW).in_short(), "0.79996, fires below 0.80000");
        assert_eq!(reading(&[("B", 0.712)], None).in_short(), "0.71");
        assert_eq!(reading(&[], BELOW).in_short(), "fires below 0.80");
        assert_eq!(reading(&[], None).in_short(), "");
    }

    #[test]
    fn cloudwatch_names_its_value_by_metric() {
        let mut alert = samples::quality_warning().alert;
        alert.family = Family::CloudWatch;
        alert.labels.remove("metric");
        alert.values = BTreeMap::from([("ModelLatency".to_owned(), 1_204_000.0)]);
        alert.threshold = None;
        let reading = Reading::of(&alert);
        assert_eq!(reading.metric.as_deref(), Some("ModelLatency"));
        assert_eq!(reading.in_short(), "1,204 ms");
    }
}

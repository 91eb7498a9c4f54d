//! What rules, routes and mutes look at.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::threshold::{Band, Measure, Thresholds, folded};
use crate::alert::{Alert, Meaning, Severity};
use crate::settings::Section;

/// What an alert is about, as its labels say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// The inference component.
    pub component: Option<String>,
    /// The endpoint.
    pub endpoint: Option<String>,
    /// `prod`, `staging`: label `environment`.
    pub environment: Option<String>,
    /// Who is responsible: label `team`.
    pub team: Option<String>,
}

/// Under which names labels say what an alert is about, section `[labels]`.
#[derive(Debug, Clone)]
pub(super) struct LabelNames {
    component: Vec<String>,
    endpoint: Vec<String>,
    environment: Vec<String>,
    team: Vec<String>,
    metric: Vec<String>,
    /// Grafana's reference ids, the first that an alert has is the measured value.
    values: Vec<String>,
    pub(super) severity: Vec<String>,
}

impl LabelNames {
    pub(super) fn read(root: &Section) -> Self {
        let section = root.section("labels");
        let names = |key: &str, default: &[&str]| {
            let given = section.as_ref().map(|section| section.one_or_more(key)).unwrap_or_default();
            if given.is_empty() { default.iter().map(|name| (*name).to_owned()).collect() } else { given }
        };
        Self {
            component: names("component", &["InferenceComponentName"]),
            endpoint: names("endpoint", &["EndpointName"]),
            environment: names("environment", &["environment", "env"]),
            team: names("team", &["team", "owner"]),
            metric: names("metric", &["metric", "MetricName", "__name__"]),
            values: names("values", &["B", "A"]),
            severity: names("severity", &["severity", "priority", "level"]),
        }
    }

    pub(super) fn subject(&self, alert: &Alert) -> Subject {
        let of = |names: &[String]| label(alert, names).map(|(_, value)| value.to_owned());
        Subject {
            component: of(&self.component).or_else(|| alert.component().map(str::to_owned)),
            endpoint: of(&self.endpoint).or_else(|| alert.endpoint().map(str::to_owned)),
            environment: of(&self.environment),
            team: of(&self.team),
        }
    }

    /// Metric and value. A `CloudWatch` alarm has its value under the name of the metric.
    pub(super) fn measured(&self, alert: &Alert, thresholds: &Thresholds) -> (Option<String>, Option<f64>) {
        let labelled = label(alert, &self.metric).map(|(_, value)| value.to_owned());
        let known = || alert.values.keys().find(|name| thresholds.find(name).is_some()).cloned();
        let metric = labelled.or_else(known);
        let by_name = metric.as_deref().and_then(|metric| {
            let wanted = folded(metric);
            alert.values.iter().find(|(name, _)| folded(name) == wanted).map(|(_, value)| *value)
        });
        let by_reference = || self.values.iter().find_map(|name| alert.values.get(name).copied());
        (metric, by_name.or_else(by_reference).or_else(|| alert.measured()))
    }
}

/// The first of `names` that is a label of the alert and not empty, with its value.
pub(super) fn label<'a>(alert: &'a Alert, names: &'a [String]) -> Option<(&'a str, &'a str)> {
    names.iter().find_map(|name| {
        let value = alert.labels.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())?;
        Some((name.as_str(), value))
    })
}

/// Values of metrics now, by metric name, that enrichment found; empty when nobody asked.
pub type Measured = BTreeMap<String, f64>;

/// One alert as a matcher sees it.
#[derive(Debug, Clone)]
pub(super) struct Facts<'a> {
    pub(super) alert: &'a Alert,
    pub(super) subject: Subject,
    pub(super) meaning: Meaning,
    pub(super) metric: Option<String>,
    pub(super) value: Option<f64>,
    pub(super) measure: Option<&'a Measure>,
    /// Of `value`, when the metric has limits.
    pub(super) band: Option<Band>,
    /// `None` while it is being decided.
    pub(super) severity: Option<Severity>,
    pub(super) measured: &'a Measured,
    pub(super) thresholds: &'a Thresholds,
    pub(super) now: Timestamp,
}

impl<'a> Facts<'a> {
    pub(super) fn new(
        alert: &'a Alert,
        meaning: Meaning,
        names: &LabelNames,
        thresholds: &'a Thresholds,
        measured: &'a Measured,
        now: Timestamp,
    ) -> Self {
        let (metric, value) = names.measured(alert, thresholds);
        let measure = metric.as_deref().and_then(|metric| thresholds.find(metric));
        let band = measure.zip(value).map(|(measure, value)| measure.band(value));
        let subject = names.subject(alert);
        Self {
            alert,
            subject,
            meaning,
            metric,
            value,
            measure,
            band,
            severity: None,
            measured,
            thresholds,
            now,
        }
    }

    /// How far the value is past the limit that the alert itself names, else the first limit of
    /// its metric, as a share of the limit: 0.1 is 10 % past it. `None` without a value or limit.
    pub(super) fn excess(&self) -> Option<f64> {
        use crate::alert::Comparison::{Above, AtLeast, AtMost, Below};
        let value = self.value?;
        let own = self.alert.threshold.map(|threshold| (threshold.comparison, threshold.value));
        let of_metric = || {
            let measure = self.measure?;
            Some((measure.comparison, measure.limit(Band::Normal)?))
        };
        let (comparison, limit) = own.or_else(of_metric)?;
        let distance = match comparison {
            Above | AtLeast => value - limit,
            Below | AtMost => limit - value,
        };
        (limit.abs() > f64::EPSILON).then(|| distance / limit.abs())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::alert::message::tests::samples;
    use crate::alert::rules::{Rules, SHIPPED};

    #[test]
    fn the_value_is_the_step_that_the_file_names_and_no_sum_beside_it() {
        let rules = Rules::from_toml("alerts.toml", SHIPPED).unwrap();
        let mut alert = samples::quality_warning().alert;
        let steps = [("B", 0.61), ("C", 1.0), ("M", 20.0), ("S", 12.2)];
        alert.values = steps.map(|(step, value)| (step.to_owned(), value)).into();
        assert_eq!(rules.value(&alert), Some(0.61));
        alert.values = BTreeMap::from([("A".to_owned(), 0.7), ("C".to_owned(), 1.0)]);
        assert_eq!(rules.value(&alert), Some(0.7));
    }
}

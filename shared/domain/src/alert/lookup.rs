//! What the rules and the messages ask of an alert.

use super::{Alert, Family};

/// How labels that name an inference component are spelled, less case and separators. In order of
/// preference.
const COMPONENT_LABELS: [&str; 2] = ["inferencecomponentname", "inferencecomponent"];
const ENDPOINT_LABELS: [&str; 1] = ["endpointname"];

impl Alert {
    /// The value of a label; an empty one counts as absent.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of an annotation; an empty one counts as absent.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The inference component: label `InferenceComponentName`, `inference_component`, or as a
    /// `CloudWatch` exporter spells them (`dimension_InferenceComponentName`); last, `component`.
    pub fn component(&self) -> Option<&str> {
        self.label_spelled(&COMPONENT_LABELS).or_else(|| self.plain_label("component"))
    }

    /// The endpoint: label `EndpointName` in any spelling; last, `endpoint`.
    pub fn endpoint(&self) -> Option<&str> {
        self.label_spelled(&ENDPOINT_LABELS).or_else(|| self.plain_label("endpoint"))
    }

    /// The metric: label `metric`, which an alarm of `CloudWatch` always has here when it is about
    /// one metric.
    pub fn metric(&self) -> Option<&str> {
        self.label("metric")
    }

    /// The value that is held against the threshold, as far as that can be told. Grafana sends the
    /// condition (0 or 1) beside the query: of several values the first by name that is neither is
    /// taken, and if all are, the first.
    pub fn measured(&self) -> Option<f64> {
        let is_flag = |value: f64| value == 0.0 || (value - 1.0).abs() < f64::EPSILON;
        let mut values = self.values.values().copied();
        values.clone().find(|value| !is_flag(*value)).or_else(|| values.next())
    }

    fn label_spelled(&self, spellings: &[&str]) -> Option<&str> {
        spellings.iter().find_map(|spelling| {
            let mut labels = self.labels.iter();
            labels
                .find(|(name, value)| !value.is_empty() && normal(name) == *spelling)
                .map(|(_, v)| v.as_str())
        })
    }

    /// Prometheus uses the labels `component` and `endpoint` for parts of Kubernetes and for ports.
    fn plain_label(&self, name: &str) -> Option<&str> {
        if self.family == Family::Alertmanager { None } else { self.label(name) }
    }
}

/// A label's name less case, separators and the exporter's prefix.
fn normal(name: &str) -> String {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let letters = letters.to_ascii_lowercase();
    letters.strip_prefix("dimension").map(str::to_owned).unwrap_or(letters)
}

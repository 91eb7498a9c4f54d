//! How metrics are called: the section `[metrics]`. Assay's own names are in [`crate::metric`];
//! this renames them for those who have dashboards for other ones already.

use std::collections::{BTreeMap, BTreeSet};

use crate::metric::{COMPONENT_DIMENSION, ENDPOINT_DIMENSION, QUALITY_NAMESPACE};
use crate::names::ComponentName;
use crate::settings::Section;

/// The longest namespace, metric name and dimension name that `PutMetricData` takes.
const LONGEST_NAME: usize = 255;
/// The longest dimension value.
const LONGEST_VALUE: usize = 1024;

/// Namespace, names and the third dimension of the quality metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricNaming {
    /// The CloudWatch namespace.
    pub namespace: String,
    /// Assay's name of a metric to the one to publish it under.
    pub names: BTreeMap<String, String>,
    /// A third dimension that every metric gets, beside endpoint and component.
    pub label_dimension: Option<String>,
    /// Its value for each component; a component without one is labelled with its name.
    pub labels: BTreeMap<ComponentName, String>,
}

impl Default for MetricNaming {
    fn default() -> Self {
        Self {
            namespace: QUALITY_NAMESPACE.to_owned(),
            names: BTreeMap::new(),
            label_dimension: None,
            labels: BTreeMap::new(),
        }
    }
}

impl MetricNaming {
    /// What a metric is published as.
    pub fn published_name<'a>(&'a self, name: &'a str) -> &'a str {
        self.names.get(name).map_or(name, String::as_str)
    }

    /// Name and value of the third dimension, when there is one.
    pub fn label(&self, component: &ComponentName) -> Option<(String, String)> {
        let dimension = self.label_dimension.clone()?;
        let value = self.labels.get(component).map_or(component.as_str(), String::as_str);
        Some((dimension, value.to_owned()))
    }

    pub(super) fn read(root: &Section) -> Self {
        let mut naming = Self::default();
        let Some(section) = root.section("metrics") else { return naming };
        if let Some(namespace) = section.optional_text("namespace") {
            if let Some(problem) = namespace_problem(&namespace) {
                section.mistake("namespace", problem);
            }
            naming.namespace = namespace;
        }
        if let Some(names) = section.section("names") {
            naming.names = read_names(&names);
        }
        naming.label_dimension = section.optional_text("label_dimension");
        if let Some(name) = &naming.label_dimension
            && (!is_printable(name, LONGEST_NAME)
                || name.starts_with(':')
                || [ENDPOINT_DIMENSION, COMPONENT_DIMENSION].contains(&name.as_str()))
        {
            section.mistake(
                "label_dimension",
                "must be 1 to 255 printable ASCII characters, not start with ':', and be no dimension yet",
            );
        }
        if let Some(labels) = section.section("labels") {
            if naming.label_dimension.is_none() {
                section.mistake("labels", "says nothing without a label_dimension");
            }
            naming.labels = read_labels(&labels);
        }
        naming
    }
}

fn read_names(section: &Section) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    let mut published = BTreeSet::new();
    for key in section.keys() {
        let Some(name) = section.text(&key) else { continue };
        if !is_printable(&name, LONGEST_NAME) {
            section.mistake(&key, "must be 1 to 255 printable ASCII characters");
        }
        if !published.insert(name.clone()) {
            section.mistake(&key, format_args!("{name:?} names another metric already"));
        }
        names.insert(key, name);
    }
    names
}

fn read_labels(section: &Section) -> BTreeMap<ComponentName, String> {
    let mut labels = BTreeMap::new();
    for key in section.keys() {
        let Some(label) = section.text(&key) else { continue };
        if !is_printable(&label, LONGEST_VALUE) || label.starts_with(':') {
            section.mistake(&key, "must be 1 to 1024 printable ASCII characters and not start with ':'");
        }
        match key.parse() {
            Ok(component) => {
                labels.insert(component, label);
            }
            Err(error) => section.mistake(&key, error),
        }
    }
    labels
}

/// What `PutMetricData` would say against a namespace.
pub(super) fn namespace_problem(namespace: &str) -> Option<&'static str> {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b" .-_/#:".contains(&byte);
    if namespace.len() > LONGEST_NAME || !namespace.bytes().all(is_legal) {
        return Some("must be 1 to 255 of a-z, A-Z, 0-9, space and . - _ / # :");
    }
    if namespace.starts_with(':') {
        return Some("must not start with ':'");
    }
    namespace.starts_with("AWS/").then_some("must not start with AWS/, which is for AWS services")
}

fn is_printable(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use crate::fleet::Fleet;

    /// The metrics of the AWS sample "quality-monitoring-with-grafana".
    const AWS_SAMPLE: &str = r#"
        [metrics]
        namespace = "SageMaker/InferenceQuality"
        label_dimension = "InferenceComponentLabel"
        [metrics.names]
        SafetyScore = "safety_score"
        [metrics.labels]
        gpt-oss-20b = "GPT OSS 20B"
    "#;

    #[test]
    fn can_speak_the_names_of_the_aws_sample() {
        let fleet = Fleet::from_toml("fleet.toml", AWS_SAMPLE).unwrap();
        let naming = fleet.metrics();
        let label = |name: &str| naming.label(&name.parse().unwrap()).map(|(_, value)| value);
        assert_eq!(naming.namespace, "SageMaker/InferenceQuality");
        assert_eq!(naming.published_name("SafetyScore"), "safety_score");
        assert_eq!(naming.published_name("RelevanceScore"), "RelevanceScore");
        assert_eq!(label("gpt-oss-20b").as_deref(), Some("GPT OSS 20B"));
        assert_eq!(label("qwen-7b").as_deref(), Some("qwen-7b"));
    }

    #[test]
    fn refuses_what_cloudwatch_would_refuse() {
        for wrong in [
            "namespace = ':a'".to_owned(),
            "namespace = 'AWS/SageMaker'".to_owned(),
            "namespace = 'qualität'".to_owned(),
            format!("namespace = '{}'", "a".repeat(256)),
            "label_dimension = 'EndpointName'".to_owned(),
            "labels = { a = 'A' }".to_owned(),
            "names = { A = 'ä' }".to_owned(),
        ] {
            let result = Fleet::from_toml("fleet.toml", &format!("[metrics]\n{wrong}\n"));
            assert_eq!(result.unwrap_err().list.len(), 1, "{wrong}");
        }
    }
}

use std::collections::BTreeSet;

use super::*;
use crate::capacity::condition::{BlindReason, ConditionKind};
use crate::check::Check;
use crate::metric::CATALOGUE;
use crate::rubric;
use crate::verdict::Outcome;

/// Every metric that a function of Assay publishes with the rubric that it ships.
fn published() -> BTreeSet<String> {
    let rubric = rubric::Rubric::from_toml("rubric.toml", rubric::SHIPPED).unwrap();
    let scores = rubric.dimensions().iter().map(|dimension| dimension.metric.clone());
    let names = CATALOGUE.iter().map(|metric| metric.name);
    let names = names.chain(Check::ALL.into_iter().map(Check::metric_name));
    let names = names.chain(Outcome::ALL.into_iter().map(Outcome::metric_name));
    let names = names.chain(ConditionKind::ALL.iter().map(|kind| kind.metric_name()));
    let names = names.chain(BlindReason::ALL.iter().map(|reason| reason.metric_name()));
    names.map(str::to_owned).chain(scores).collect()
}

#[test]
fn every_limit_is_of_a_metric_that_is_published() {
    let published = published();
    for measure in shipped().thresholds().iter() {
        for metric in measure.metrics.iter().chain(&measure.per) {
            match measure.namespace.as_deref() {
                None => assert!(published.contains(metric), "{metric}"),
                Some(namespace) => {
                    assert!(!published.contains(metric), "{metric}");
                    assert!(namespace.starts_with("AWS/") || namespace.starts_with("/aws/"), "{namespace}");
                }
            }
        }
    }
}

#[test]
fn every_dimension_of_the_shipped_rubric_has_limits() {
    let rubric = rubric::Rubric::from_toml("rubric.toml", rubric::SHIPPED).unwrap();
    let rules = shipped();
    for dimension in rubric.dimensions() {
        assert!(rules.thresholds().find(&dimension.metric).is_some(), "{}", dimension.metric);
    }
}

#[test]
fn the_metrics_that_rules_and_signals_name_exist() {
    let published = published();
    let rules = shipped();
    let file: toml::Table = SHIPPED.parse().unwrap();
    for table in ["rule", "signal"] {
        for entry in file[table].as_array().unwrap() {
            let Some(metric) = entry.get("metric") else { continue };
            let one = std::slice::from_ref(metric);
            for name in metric.as_array().map_or(one, Vec::as_slice) {
                let name = name.as_str().unwrap();
                let of_aws = ["ModelLatency", "OverheadLatency"].contains(&name);
                let is_measure = rules.thresholds().find(name).is_some();
                assert!(name.contains('*') || of_aws || is_measure || published.contains(name), "{name}");
            }
        }
    }
}

#[test]
fn what_a_file_leaves_out_is_as_shipped() {
    let of = |rules: &Rules| format!("{rules:?}");
    assert_eq!(of(&rules("")), of(&shipped()));
    let other = rules("time_zone = 'Europe/Berlin'\n[storm]\nnew_alerts_per_minute = 3\n");
    assert_eq!(other.storm().new_alerts_per_minute, 3);
    assert_eq!(other.thresholds().iter().count(), shipped().thresholds().iter().count());
}

#[test]
fn every_example_in_the_file_can_be_switched_on() {
    let mut text = String::new();
    let mut switches_on = false;
    for line in SHIPPED.lines() {
        let body = line.strip_prefix("# ").or_else(|| line.strip_prefix('#'));
        switches_on = match body {
            Some(body) if body.starts_with("[[") => true,
            Some(_) => switches_on,
            None => false,
        };
        match body {
            Some(body) if switches_on => text.push_str(body),
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    assert_eq!(text.matches("\n[[destination]]").count(), 6);
    // The example for a team stands behind the route that takes everything: it goes before it.
    let (before, rest) = text.split_once("[[route]]\nname = \"everything\"").unwrap();
    let (everything, rest) = rest.split_once("\n\n").unwrap();
    let (example, after) = rest.split_once("\n\n").unwrap();
    assert!(example.starts_with("[[route]]"), "{example}");
    let text = format!("{before}{example}\n\n[[route]]\nname = \"everything\"{everything}\n\n{after}");
    let rules = rules(&text);
    assert_eq!(rules.destinations().len(), 6);
}

//! `docs/metrics.md` has what dashboards and rules read beside Assay's own metrics.

use super::Given;
use crate::dashboard::aws::PUBLISHED;

const PAGE: &str = include_str!("../../../../../docs/metrics.md");

/// The first cells of the rows of a table.
fn first_cells(head: &str) -> Vec<&'static str> {
    let (_, table) = PAGE.split_once(head).unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.filter_map(|row| row.split('`').nth(1)).collect()
}

#[test]
fn every_metric_of_sagemakers_that_is_shown_is_documented() {
    let rows = PUBLISHED.iter().map(|metric| {
        let (name, namespace, unit, meaning) = (metric.name, metric.namespace, metric.unit, metric.meaning);
        format!("| `{name}` | `{namespace}` | {unit} | {meaning} |\n")
    });
    let rows: String = rows.collect();
    assert!(PAGE.contains(&rows), "put these rows into docs/metrics.md:\n{rows}");
    assert_eq!(first_cells("| of SageMaker | namespace | unit | meaning |").len(), PUBLISHED.len());
}

#[test]
fn every_measure_that_rules_compute_is_documented_and_no_other() {
    let given = Given::shipped();
    let mut documented = first_cells("| measure | is |");
    documented.sort_unstable();
    let all = given.rules.thresholds().iter();
    let mut computed: Vec<&str> =
        all.filter(|it| it.metrics != [it.name.clone()]).map(|it| it.name.as_str()).collect();
    computed.sort_unstable();
    assert_eq!(documented, computed);
}

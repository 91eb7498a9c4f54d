//! The alert rules over made-up metrics: who is paged, and who is not.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use std::collections::{BTreeMap, BTreeSet};

use domain::alert::rules::{self, Rules};
use domain::dashboard::board::{Board, BoardKind};
use domain::dashboard::grafana::{Routing, RuleScope, SeriesLabels, Wiring, rule_groups};
use domain::dashboard::rules::RuleBook;
use domain::dashboard::{Identity, RUNBOOKS, Settings, boards};
use domain::fleet::{self, Fleet};
use domain::rubric::{self, Rubric};
use serde_json::Value;
use tests::alert_rules::{Labels, Points, Query, Series, evaluate, labelled, queries};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
/// A multiple of every period.
const NOW: i64 = 1_800_000_000 / 86_400 * 86_400;
const GOOD: [(&str, &str); 2] = [("EndpointName", "chat"), ("InferenceComponentName", "good")];
const BAD: [(&str, &str); 2] = [("EndpointName", "chat"), ("InferenceComponentName", "bad")];
const ELSEWHERE: [(&str, &str); 2] = [("EndpointName", "other"), ("InferenceComponentName", "bad-elsewhere")];

#[test]
fn a_bad_component_fires_and_a_good_one_beside_it_does_not() {
    let mut metrics = Metrics::default();
    metrics.observe("SafetyScore", &GOOD, 1.0, 40, HOUR, 0);
    metrics.observe("SafetyScore", &BAD, 0.9, 40, HOUR, 0);
    metrics.observe("SafetyScore", &ELSEWHERE, 0.2, 40, HOUR, 0);
    assert_eq!(firing(&metrics, "low-safety-warning"), ["bad", "bad-elsewhere"]);
    assert_eq!(firing(&metrics, "low-safety-critical"), ["bad-elsewhere"]);
    assert_eq!(firing(&metrics, "low-relevance-critical"), [""; 0]);
    let one = rule_of("low-safety-critical", RuleScope::Endpoint("chat".parse().unwrap()));
    assert_eq!(names(&metrics, &one), [""; 0], "the rule watches another endpoint");
    let firing = firing_of(&metrics, &rule("low-safety-critical"));
    assert!((firing[0].1 - 0.2).abs() < 1e-9);
}

#[test]
fn a_few_bad_samples_page_nobody() {
    let mut metrics = Metrics::default();
    metrics.observe("CompositeQualityScore", &BAD, 0.0, 9, HOUR, 0);
    assert_eq!(firing(&metrics, "low-composite-critical"), [""; 0]);
    metrics.observe("CompositeQualityScore", &BAD, 0.0, 1, HOUR, 0);
    assert_eq!(firing(&metrics, "low-composite-critical"), ["bad"]);
}

#[test]
fn a_mean_weighs_samples_and_not_periods() {
    let mut metrics = Metrics::default();
    // One bad sample alone in its five minutes beside a hundred good ones: the mean of the means of
    // periods would be 0.5.
    metrics.observe("CompositeQualityScore", &GOOD, 1.0, 100, HOUR, HOUR - 290);
    metrics.observe("CompositeQualityScore", &GOOD, 0.0, 1, 600, 590);
    assert_eq!(firing(&metrics, "low-composite-warning"), [""; 0]);
}

#[test]
fn yesterday_does_not_count() {
    let mut metrics = Metrics::default();
    metrics.observe("SafetyScore", &BAD, 0.0, 100, 24 * HOUR, HOUR);
    assert_eq!(firing(&metrics, "low-safety-critical"), [""; 0]);
}

#[test]
fn a_drop_against_last_week_fires_above_every_fixed_limit() {
    let mut metrics = Metrics::default();
    let span = 3 * HOUR;
    for (component, before, now) in [(&BAD, 0.999, 0.87), (&GOOD, 0.88, 0.87)] {
        metrics.observe("CompositeQualityScore", component, before, 120, WEEK + span, WEEK);
        metrics.observe("CompositeQualityScore", component, now, 120, span, 0);
    }
    // A new component has no last week.
    metrics.observe("CompositeQualityScore", &ELSEWHERE, 0.1, 120, span, 0);
    assert_eq!(firing(&metrics, "quality-drop-warning"), ["bad"]);
    assert_eq!(firing(&metrics, "low-composite-critical"), ["bad-elsewhere"]);
}

#[test]
fn latency_and_errors_fire_for_the_component_that_has_requests() {
    let mut metrics = Metrics::default();
    let slow = [("InferenceComponentName", "slow")];
    let rare = [("InferenceComponentName", "rare")];
    metrics.observe("ModelLatency", &slow, 12e6, 100, 900, 0);
    metrics.observe("ModelLatency", &slow, 12e6, 400, WEEK + HOUR, WEEK);
    metrics.observe("ModelLatency", &rare, 60e6, 3, 900, 0);
    metrics.observe("Invocations", &slow, 1.0, 400, HOUR, 0);
    metrics.observe("Invocations", &slow, 1.0, 400, WEEK + HOUR, WEEK);
    metrics.observe("Invocations", &rare, 1.0, 3, 900, 0);
    metrics.observe("Invocation5XXErrors", &slow, 0.0, 95, 900, 0);
    metrics.observe("Invocation5XXErrors", &slow, 1.0, 5, 900, 0);
    assert_eq!(firing(&metrics, "high-latency-warning"), ["slow"]);
    assert_eq!(firing(&metrics, "high-latency-critical"), [""; 0]);
    assert_eq!(firing(&metrics, "latency-rise-warning"), [""; 0], "as slow as a week before");
    assert_eq!(firing(&metrics, "server-errors-warning"), ["slow"]);
    // Copies of a series by copy or by variant are other series, and are not counted in.
    let copy = [
        ("EndpointName", "chat"),
        ("VariantName", "v"),
        ("InferenceComponentName", "slow"),
        ("InstanceId", "i"),
        ("ContainerId", "c"),
    ];
    metrics.observe("Invocation5XXErrors", &copy, 1.0, 100, 900, 0);
    assert_eq!(firing(&metrics, "server-errors-critical"), [""; 0]);
}

#[test]
fn a_rise_of_latency_is_told_below_the_fixed_limit() {
    let mut metrics = Metrics::default();
    let slow = [("InferenceComponentName", "slow")];
    metrics.observe("ModelLatency", &slow, 3e6, 200, HOUR, 0);
    metrics.observe("ModelLatency", &slow, 1e6, 200, WEEK + HOUR, WEEK);
    metrics.observe("Invocations", &slow, 1.0, 200, HOUR, 0);
    metrics.observe("Invocations", &slow, 1.0, 200, WEEK + HOUR, WEEK);
    assert_eq!(firing(&metrics, "latency-rise-warning"), ["slow"]);
    assert!((firing_of(&metrics, &rule("latency-rise-warning"))[0].1 - 3.0).abs() < 1e-9);
    assert_eq!(firing(&metrics, "high-latency-warning"), [""; 0]);
}

#[test]
fn a_queue_fires_only_where_the_endpoint_has_no_free_gpu() {
    let mut metrics = Metrics::default();
    for (endpoint, component, free) in [("full", "a", 0.0), ("roomy", "b", 2.0)] {
        metrics.observe(
            "ConcurrentRequestsPerModel",
            &[("InferenceComponentName", component)],
            80.0,
            15,
            900,
            0,
        );
        metrics.observe(
            "Copies",
            &[("EndpointName", endpoint), ("InferenceComponentName", component)],
            2.0,
            3,
            900,
            0,
        );
        metrics.observe("FreeGpus", &[("EndpointName", endpoint)], free, 3, 900, 0);
    }
    let firing = firing_of(&metrics, &rule("no-free-gpu-warning"));
    assert_eq!(firing.len(), 1);
    assert_eq!((firing[0].0["InferenceComponentName"].as_str(), firing[0].1), ("a", 40.0));
    // Two numbers alone would be joined without labels, and nobody would know of whom.
    metrics.observed.retain(|one| one.labels.values().any(|name| ["full", "a"].contains(&name.as_str())));
    assert_eq!(firing_of(&metrics, &rule("no-free-gpu-warning")), firing);
}

#[test]
fn a_judge_that_fails_is_told_even_when_some_reasons_were_never_seen() {
    let mut metrics = Metrics::default();
    metrics.observe("SamplesSelected", &BAD, 1.0, 30, HOUR, 0);
    metrics.observe("JudgeConfigErrors", &BAD, 1.0, 30, HOUR, 0);
    assert_eq!(firing(&metrics, "judge-failing-critical"), ["all"]);
    metrics.observe("SamplesSelected", &GOOD, 1.0, 570, HOUR, 0);
    assert_eq!(firing(&metrics, "judge-failing-warning"), [""; 0], "30 of 600");
}

#[test]
fn silence_is_told_by_a_rule_of_its_own_where_there_is_traffic() {
    let mut metrics = Metrics::default();
    metrics.observe("SamplesScored", &BAD, 1.0, 50, 20 * HOUR, 4 * HOUR);
    metrics.observe("SamplesScored", &GOOD, 1.0, 50, 20 * HOUR, 0);
    metrics.observe("SamplesScored", &ELSEWHERE, 1.0, 50, 20 * HOUR, 4 * HOUR);
    metrics.observe("Invocations", &[("InferenceComponentName", "bad")], 1.0, 300, 3 * HOUR, 0);
    metrics.observe("Invocations", &[("InferenceComponentName", "good")], 1.0, 300, 3 * HOUR, 0);
    metrics.observe("Invocations", &[("InferenceComponentName", "bad-elsewhere")], 1.0, 20, 3 * HOUR, 0);
    assert_eq!(firing(&metrics, "nothing-judged-warning"), ["bad"]);
    // Over a long weekend nobody mends it, and it does not end by itself.
    let since_friday = [("EndpointName", "chat"), ("InferenceComponentName", "since-friday")];
    metrics.observe("SamplesScored", &since_friday, 1.0, 50, 5 * DAY, 4 * DAY);
    metrics.observe("Invocations", &since_friday[1..], 1.0, 300, 3 * HOUR, 0);
    assert_eq!(firing(&metrics, "nothing-judged-warning"), ["bad", "since-friday"]);
}

#[test]
fn a_meter_that_stopped_and_one_that_is_blind_are_told_apart() {
    let mut metrics = Metrics::default();
    metrics.observe("MeterBlind", &[("EndpointName", "stopped")], 0.0, 200, 20 * HOUR, 2 * HOUR);
    metrics.observe("MeterBlind", &[("EndpointName", "blind")], 1.0, 240, 20 * HOUR, 0);
    metrics.observe("MeterBlind", &[("EndpointName", "well")], 0.0, 240, 20 * HOUR, 0);
    metrics.observe("MeterBlind", &[("EndpointName", "stopped-on-friday")], 0.0, 200, 5 * DAY, 4 * DAY);
    assert_eq!(firing(&metrics, "meter-silent-warning"), ["stopped", "stopped-on-friday"]);
    assert_eq!(firing(&metrics, "meter-blind-warning"), ["blind"]);
}

#[test]
fn money_is_told_by_its_share() {
    let mut metrics = Metrics::default();
    for (endpoint, idle) in [("wasteful", 4.0), ("thrifty", 0.5)] {
        metrics.observe("IdleCostPerHour", &[("EndpointName", endpoint)], idle, 12, HOUR, 0);
        metrics.observe("CostPerHour", &[("EndpointName", endpoint)], 5.0, 12, HOUR, 0);
        metrics.observe(
            "CostPerHour",
            &[("EndpointName", endpoint), ("InferenceComponentName", "a")],
            1.0,
            12,
            HOUR,
            0,
        );
    }
    assert_eq!(firing(&metrics, "idle-cost-critical"), ["wasteful"]);
    metrics.observe("JudgeCostUsd", &GOOD, 0.05, 100, 20 * HOUR, 0);
    metrics.observe("JudgeCostUsd", &BAD, 0.05, 80, 20 * HOUR, 0);
    assert_eq!(firing(&metrics, "judge-budget-warning"), ["all"]);
    // Of two days of the budget, whose end and beginning lie within 24 hours: nobody is woken.
    metrics.observe("JudgeCostUsd", &BAD, 0.05, 180, 4 * HOUR, 0);
    let rules = rules(RuleScope::EveryEndpoint, rubric::SHIPPED);
    let is_told = |rule: &&Value| {
        rule["labels"]["metric"] == "JudgeBudgetShare" && !firing_of(&metrics, rule).is_empty()
    };
    let fired: Vec<&Value> = rules.iter().filter(is_told).map(|rule| &rule["labels"]["severity"]).collect();
    assert_eq!(fired, ["warning"]);
}

#[test]
fn findings_and_a_spent_budget_fire_at_the_first() {
    let mut metrics = Metrics::default();
    metrics.observe("LeakedSecrets", &BAD, 1.0, 1, 600, 0);
    metrics.observe("PromptLeaks", &BAD, 1.0, 1, 600, 0);
    metrics.observe("SamplesOverBudget", &GOOD, 1.0, 1, 600, 0);
    metrics.observe("GPUMemoryUtilizationNormalized", &[("InferenceComponentName", "bad")], 97.0, 15, 900, 0);
    assert_eq!(firing(&metrics, "leaked-secrets-critical"), ["bad"]);
    assert_eq!(firing(&metrics, "prompt-leaks-warning"), ["bad"]);
    assert_eq!(firing(&metrics, "judge-over-budget-warning"), ["good"]);
    assert_eq!(firing(&metrics, "gpu-memory-critical"), ["bad"]);
}

#[test]
fn without_data_nothing_fires() {
    let metrics = Metrics::default();
    let every_dimension = rubric::SHIPPED.replace("enabled = false", "enabled = true");
    for rule in rules(RuleScope::EveryEndpoint, &every_dimension) {
        assert_eq!(firing_of(&metrics, &rule), [], "{}", rule["uid"]);
    }
}

// --- Rules and metrics ----------------------------------------------------------------------------

/// The components, or else endpoints, for which a rule fires.
fn firing(metrics: &Metrics, name: &str) -> Vec<String> {
    names(metrics, &rule(name))
}

fn names(metrics: &Metrics, rule: &Value) -> Vec<String> {
    let name = |labels: &Labels| {
        let found = labels.get("InferenceComponentName").or_else(|| labels.get("EndpointName"));
        found.map_or("all", String::as_str).to_owned()
    };
    firing_of(metrics, rule).iter().map(|(labels, _)| name(labels)).collect()
}

/// The label sets for which a rule fires, each with the value that its message shows.
fn firing_of(metrics: &Metrics, rule: &Value) -> Vec<(Labels, f64)> {
    let queries = queries(rule, NOW).unwrap();
    let answers = queries.iter().map(|query| (query.id, metrics.answer(query))).collect();
    let firing = evaluate(rule, NOW, &answers).unwrap();
    firing.into_iter().map(|one| (one.labels, one.values[&'B'])).collect()
}

fn rule(name: &str) -> Value {
    rule_of(name, RuleScope::EveryEndpoint)
}

fn rule_of(name: &str, scope: RuleScope) -> Value {
    let uid = format!("assay-{name}");
    let rules = rules(scope, rubric::SHIPPED);
    rules.into_iter().find(|rule| rule["uid"] == uid.as_str()).unwrap_or_else(|| panic!("no rule {name}"))
}

fn rules(scope: RuleScope, rubric: &str) -> Vec<Value> {
    let (fleet, identity) = (Fleet::from_toml("fleet.toml", fleet::SHIPPED).unwrap(), Identity::default());
    let rubric = Rubric::from_toml("rubric.toml", rubric).unwrap();
    let rules = Rules::from_toml("alerts.toml", rules::SHIPPED).unwrap();
    let settings = Settings {
        identity: &identity,
        fleet: &fleet,
        rubric: &rubric,
        thresholds: rules.thresholds(),
        judge_model: Some("judge"),
        daily_budget_usd: Some(10.0),
        runbooks: RUNBOOKS,
    };
    let boards: Vec<Board> = BoardKind::ALL.into_iter().map(|kind| boards::board(kind, &settings)).collect();
    let (labels, routing) = (SeriesLabels::OfDimensions, Routing::ByPolicy);
    let wiring = Wiring { data_source: "the-source".to_owned(), scope, labels, routing };
    let groups = rule_groups(&RuleBook::new(&settings), &boards, &settings, &wiring);
    groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

/// One observation.
#[derive(Debug, Clone)]
struct Observed {
    metric: String,
    labels: Labels,
    at: i64,
    value: f64,
}

/// What CloudWatch holds. Times are seconds.
#[derive(Debug, Default)]
struct Metrics {
    observed: Vec<Observed>,
}

impl Metrics {
    /// `count` observations of `value`, spread over the stretch from `from` to `to` seconds ago.
    fn observe(&mut self, metric: &str, labels: &[(&str, &str)], value: f64, count: i64, from: i64, to: i64) {
        let labels: Labels =
            labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        for place in 0..count {
            let at = NOW - from + (from - to) * place / count;
            self.observed.push(Observed { metric: metric.to_owned(), labels: labels.clone(), at, value });
        }
    }

    fn answer(&self, query: &Query<'_>) -> Series {
        let text = |key: &str| query.model[key].as_str().unwrap();
        let period: i64 = text("period").parse().unwrap();
        if query.model["metricEditorMode"] == 1 {
            return self.search(text("expression"), period, query);
        }
        assert_eq!(query.model["matchExact"], true);
        let wanted = query.model["dimensions"].as_object().unwrap();
        let fits = |one: &Observed| {
            one.labels.len() == wanted.len()
                && one.labels.iter().all(|(name, value)| {
                    let allowed = wanted.get(name).and_then(Value::as_array).into_iter().flatten();
                    allowed.into_iter().any(|allowed| allowed == "*" || allowed == value.as_str())
                })
        };
        let chosen = self.within(query).filter(|one| one.metric == text("metricName") && fits(one));
        let mut by_labels: BTreeMap<Labels, Vec<&Observed>> = BTreeMap::new();
        for one in chosen {
            by_labels.entry(one.labels.clone()).or_default().push(one);
        }
        let points = |observed: Vec<&Observed>| points(&observed, text("statistic"), period);
        by_labels
            .into_iter()
            .map(|(labels, observed)| (labelled(query.model, &labels), points(observed)))
            .collect()
    }

    fn within(&self, query: &Query<'_>) -> impl Iterator<Item = &Observed> {
        let (from, to) = (query.from, query.to);
        self.observed.iter().filter(move |one| from <= one.at && one.at < to)
    }

    /// `SUM(SEARCH(...))`, or the quotient of two.
    fn search(&self, expression: &str, period: i64, query: &Query<'_>) -> Series {
        let sum = |search: &str| -> BTreeMap<i64, f64> {
            let names = search.split("MetricName=").nth(1).unwrap();
            let names: BTreeSet<&str> =
                names.split('\'').next().unwrap().split('"').skip(1).step_by(2).collect();
            assert!(search.contains(&format!("'Sum', {period}))")), "{search}");
            let mut sums = BTreeMap::new();
            for one in self.within(query).filter(|one| names.contains(one.metric.as_str())) {
                *sums.entry(one.at.div_euclid(period) * period).or_default() += one.value;
            }
            sums
        };
        let parts: Vec<_> = expression.split(" / ").map(sum).collect();
        let points: Points = match parts.as_slice() {
            [whole] => whole.iter().map(|(at, value)| (*at, Some(*value))).collect(),
            [part, whole] => {
                part.iter().filter_map(|(at, value)| Some((*at, Some(value / whole.get(at)?)))).collect()
            }
            _ => panic!("{expression}"),
        };
        if points.is_empty() { Series::new() } else { vec![(labelled(query.model, &Labels::new()), points)] }
    }
}

fn points(observed: &[&Observed], statistic: &str, period: i64) -> Points {
    let mut buckets: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for one in observed {
        buckets.entry(one.at.div_euclid(period) * period).or_default().push(one.value);
    }
    let value = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        let count = f64::from(u32::try_from(values.len()).unwrap());
        let sum: f64 = values.iter().sum();
        match statistic {
            "Sum" => sum,
            "SampleCount" => count,
            "Average" => sum / count,
            "Maximum" => values[values.len() - 1],
            "Minimum" => values[0],
            "p90" => values[(values.len() * 9 / 10).min(values.len() - 1)],
            other => panic!("no statistic is called {other}"),
        }
    };
    buckets.into_iter().map(|(at, values)| (at, Some(value(values)))).collect()
}

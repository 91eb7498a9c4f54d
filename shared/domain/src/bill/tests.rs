use std::borrow::Cow;
use std::fmt::Write as _;

use super::month::{RECORD_BYTES, VERDICT_BYTES};
use super::price::PRICES;
use super::sample::{SampleCost, cost};
use super::watching::{in_cloudwatch, in_grafana};
use super::workload::Workload;
use super::{Item, month, sum};
use crate::alert::rules::{self, Rules};
use crate::capacity::tests::reach::calls_of;
use crate::capture::{Answer, Exchange, FinishReason, Role, Turn};
use crate::dashboard::cloudwatch::alarms;
use crate::dashboard::grafana::{Routing, RuleScope, SeriesLabels, Wiring, rule_groups};
use crate::dashboard::rules::RuleBook;
use crate::dashboard::{Identity, RUNBOOKS, Settings, boards};
use crate::fleet::{self, Fleet};
use crate::judge::Sample;
use crate::money::MicroUsd;
use crate::rubric::{self, Rubric};

const PAGE: &str = include_str!("../../../../docs/cost.md");
const README: &str = include_str!("../../../../README.md");
const CLOUDWATCH: &str = include_str!("../../../../dashboards/cloudwatch.template.json");
const TEMPLATE: &str = include_str!("../../../../template.yaml");

/// A question and an answer of 2,000 characters together.
const QUESTION: usize = 500;
const ANSWER: usize = 1_500;

struct Shipped {
    fleet: Fleet,
    rubric: Rubric,
    rules: Rules,
}

fn shipped() -> Shipped {
    Shipped {
        fleet: Fleet::from_toml("fleet.toml", fleet::SHIPPED).unwrap(),
        rubric: Rubric::from_toml("rubric.toml", rubric::SHIPPED).unwrap(),
        rules: Rules::from_toml("alerts.toml", rules::SHIPPED).unwrap(),
    }
}

impl Shipped {
    fn sample(&self, judge: &str) -> SampleCost {
        let (question, answer) = ("q".repeat(QUESTION), "a".repeat(ANSWER));
        let turns = vec![Turn { role: Role::User, text: Cow::Borrowed(question.as_str()) }];
        let answer = Answer::Text {
            text: Cow::Borrowed(answer.as_str()),
            reasoning: None,
            finish: FinishReason::Stop,
        };
        let sample = Sample::from_exchange(&Exchange { turns, answer, usage: None }, 24_000);
        cost(&self.rubric, self.fleet.judge_price(judge).unwrap(), &sample)
    }

    /// The three sizes of the documentation, and what they are called.
    fn sizes(&self) -> [(&'static str, &'static str, Workload); 3] {
        let default = "global.anthropic.claude-sonnet-4-6";
        let cheap = "global.anthropic.claude-haiku-4-5-20251001-v1:0";
        let small = Workload {
            endpoints: 1,
            components: 2,
            instances: 2,
            exchanges_a_day: 2_000,
            sampled_of_thousand: 100,
            cap_per_hour: 60,
            daily_budget: MicroUsd(10_000_000),
            sample: self.sample(default),
            dimensions: self.rubric.enabled().count() as u64,
            meter_runs: 12 * 24 * 30,
            meter_calls: calls_of(1).0,
            meter_metrics: calls_of(1).1 as u64,
            alerts: 50,
            secrets: 2,
            alarms: own_alarms().map(metrics_of).sum(),
            alarms_of_endpoints: own_alarms().filter(|alarm| alarm.contains("SELECT ")).count() as u64,
            metrics_of_logs: TEMPLATE.matches("Type: AWS::Logs::MetricFilter").count() as u64,
            dashboards: TEMPLATE.matches("Type: AWS::CloudWatch::Dashboard").count() as u64,
        };
        let of = |count: u32, exchanges_a_day: u64, alerts: u64| Workload {
            endpoints: count.into(),
            components: 2 * u64::from(count),
            instances: 2 * u64::from(count),
            exchanges_a_day,
            meter_calls: calls_of(count as usize).0,
            meter_metrics: calls_of(count as usize).1 as u64,
            alerts,
            ..small
        };
        let large = Workload {
            sampled_of_thousand: 5,
            daily_budget: MicroUsd(100_000_000),
            sample: self.sample(cheap),
            ..of(50, 5_000_000, 3_000)
        };
        [("small", default, small), ("medium", default, of(5, 100_000, 300)), ("large", cheap, large)]
    }

    /// The alert rules of these sizes: in Grafana, and as alarms.
    fn watching(&self, workload: &Workload) -> [Item; 2] {
        let identity = Identity::default();
        let settings = Settings {
            identity: &identity,
            fleet: &self.fleet,
            rubric: &self.rubric,
            thresholds: self.rules.thresholds(),
            judge_model: None,
            daily_budget_usd: Some(10.0),
            runbooks: RUNBOOKS,
        };
        let book = RuleBook::new(&settings);
        let boards: Vec<_> = crate::dashboard::board::BoardKind::ALL
            .into_iter()
            .map(|kind| boards::board(kind, &settings))
            .collect();
        let wiring = Wiring {
            data_source: "uid".to_owned(),
            scope: RuleScope::EveryEndpoint,
            labels: SeriesLabels::OfDimensions,
            routing: Routing::ByPolicy,
        };
        let groups = rule_groups(&book, &boards, &settings, &wiring);
        let alarms = alarms(&book, &settings, &serde_json::json!("topic"), "assay").resources;
        let dashboards = CLOUDWATCH.matches("AWS::CloudWatch::Dashboard").count() as u64;
        [in_cloudwatch(alarms.values(), dashboards, workload), in_grafana(&groups, workload)]
    }
}

/// The alarms on Assay itself in the template; those of alert rules are counted as rules.
fn own_alarms() -> impl Iterator<Item = &'static str> {
    let alarms = TEMPLATE.split("Type: AWS::CloudWatch::Alarm\n").skip(1);
    // A comment stands above each resource.
    let alarms = alarms.map(|rest| rest.split("\n  # ").next().unwrap());
    alarms.filter(|alarm| alarm.contains("!Ref OperatorsTopic"))
}

/// How many metrics an alarm of the template watches, without those of a query.
fn metrics_of(alarm: &str) -> u64 {
    if alarm.contains("\n      MetricName: ") { 1 } else { alarm.matches("MetricStat:").count() as u64 }
}

fn assert_documented(page: &str, name: &str, rows: &str) {
    assert!(page.contains(rows), "put these rows into {name}:\n{rows}");
}

fn row(rows: &mut String, what: &str, cells: impl IntoIterator<Item = String>) {
    let cells: Vec<String> = cells.into_iter().collect();
    writeln!(rows, "| {what} | {} |", cells.join(" | ")).unwrap();
}

fn usd(amount: MicroUsd) -> String {
    format!("{:.2}", amount.usd())
}

/// With commas between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[test]
fn the_documented_sizes_are_those_that_are_computed() {
    let shipped = shipped();
    let sizes = shipped.sizes();
    let all = |of: fn(&Workload) -> u64| sizes.iter().map(move |(_, _, size)| grouped(of(size)));
    let mut rows = String::new();
    row(&mut rows, "endpoints, each with 2 components on 2 instances", all(|size| size.endpoints));
    row(&mut rows, "captured exchanges a day", all(|size| size.exchanges_a_day));
    row(&mut rows, "judge", sizes.iter().map(|(_, judge, _)| format!("`{judge}`")));
    let rate = |size: &Workload| {
        format!("{}.{:03}", size.sampled_of_thousand / 1_000, size.sampled_of_thousand % 1_000)
    };
    row(
        &mut rows,
        "`SampleRate`",
        sizes.iter().map(|(_, _, size)| rate(size).trim_end_matches('0').to_owned()),
    );
    row(
        &mut rows,
        "`DailyBudgetUsd`",
        sizes.iter().map(|(_, _, size)| format!("{:.0}", size.daily_budget.usd())),
    );
    row(
        &mut rows,
        "one judged sample, USD",
        sizes.iter().map(|(_, _, size)| format!("{:.4}", size.sample.estimate.usd())),
    );
    row(&mut rows, "selected by the rate a month", all(|size| size.volumes().selected));
    row(&mut rows, "judged a month", all(|size| size.volumes().judged));
    row(&mut rows, "capture objects a month", all(|size| size.volumes().objects));
    row(&mut rows, "messages with alerts a month", all(|size| size.alerts));
    assert_documented(PAGE, "docs/cost.md", &rows);
}

#[test]
fn the_documented_bill_is_that_of_the_code() {
    let shipped = shipped();
    let sizes = shipped.sizes();
    let bills: Vec<Vec<Item>> = sizes.iter().map(|(_, _, size)| month(size)).collect();
    let mut rows = String::new();
    for place in 0..bills[0].len() {
        row(&mut rows, bills[0][place].what, bills.iter().map(|bill| usd(bill[place].amount)));
    }
    row(&mut rows, "**together**", bills.iter().map(|bill| format!("**{}**", usd(sum(bill)))));
    let without: Vec<MicroUsd> = bills.iter().map(|bill| sum(bill) - bill[0].amount).collect();
    row(&mut rows, "without the judge", without.into_iter().map(usd));
    let watching: Vec<[Item; 2]> = sizes.iter().map(|(_, _, size)| shipped.watching(size)).collect();
    for place in 0..2 {
        row(&mut rows, watching[0][place].what, watching.iter().map(|items| usd(items[place].amount)));
    }
    assert_documented(PAGE, "docs/cost.md", &rows);
    // The monitor must not cost what it watches: two ml.g6.12xlarge are 8,283 USD a month.
    assert!(sum(&bills[0]).usd() < 100.0);
}

#[test]
fn the_documented_prices_are_those_that_are_computed_with() {
    let mut rows = String::new();
    for price in PRICES {
        // A price has up to eight digits behind the point.
        let one = format!("{:.10}", MicroUsd(i64::try_from(price.for_a_million).unwrap()).usd() / 1e6);
        writeln!(rows, "| {} | {} |", price.unit, one.trim_end_matches('0').trim_end_matches('.')).unwrap();
    }
    assert_documented(PAGE, "docs/cost.md", &rows);
}

#[test]
fn the_readme_shows_what_a_sample_costs() {
    let shipped = shipped();
    for line in README.lines().filter(|line| line.starts_with("| `") && line.matches('|').count() == 5) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let judge = cells[1].split('`').nth(1).unwrap();
        let is_judge = cells[2].contains(" / ");
        if !is_judge {
            continue;
        }
        let judge = if judge == "us." { "us.anthropic.claude-sonnet-4-6" } else { judge };
        let cost = shipped.sample(judge);
        let shown = |cell: &str, amount: MicroUsd| {
            let digits = cell.split('.').nth(1).map_or(0, str::len);
            assert_eq!(cell, format!("{:.*}", digits, amount.usd()), "README.md, {judge}: {amount}");
        };
        shown(cells[3], cost.estimate);
        shown(cells[4], cost.reserved);
    }
}

#[test]
fn a_record_and_a_verdict_are_no_larger_than_is_counted() {
    let escaped = 2 * 100;
    let frame = 900;
    assert!(QUESTION + ANSWER + escaped + frame < usize::try_from(RECORD_BYTES).unwrap());
    let line = crate::verdict::tests::longest_usual_line();
    assert!(line.len() < usize::try_from(VERDICT_BYTES).unwrap(), "{} bytes", line.len());
}

#[test]
fn the_counts_of_calls_are_those_of_the_functions() {
    let sources = [
        (
            "lines.rs",
            include_str!("../../../../functions/quality-judge/src/lines.rs"),
            "const CHUNK: usize = 100;",
        ),
        (
            "looking_up.rs",
            include_str!("../../../../functions/alert-router/src/looking_up.rs"),
            "const WORST_BACK: SignedDuration = SignedDuration::from_hours(3);",
        ),
        ("template.yaml", TEMPLATE, "    MemorySize: 256\n"),
    ];
    for (file, source, line) in sources {
        assert!(source.contains(line), "{file} has no more {line:?}: bring domain::bill up to date");
    }
    // One mapping for each queue that invokes a function.
    assert_eq!(TEMPLATE.matches("          Type: SQS\n          Properties:").count(), 3);
}

#[test]
fn a_bill_grows_with_each_of_its_causes_and_never_shrinks() {
    let shipped = shipped();
    let [(_, _, size), ..] = shipped.sizes();
    let base = sum(&month(&size));
    let dearer = [
        Workload { exchanges_a_day: size.exchanges_a_day * 2, ..size },
        Workload { components: size.components + 1, ..size },
        Workload { sampled_of_thousand: 200, ..size },
        Workload { alerts: size.alerts * 100, ..size },
        Workload { meter_runs: size.meter_runs * 2, ..size },
        Workload { secrets: size.secrets + 1, ..size },
        Workload { alarms: size.alarms + 1, ..size },
        Workload { metrics_of_logs: size.metrics_of_logs + 1, ..size },
    ];
    for workload in dearer {
        assert!(sum(&month(&workload)) > base, "{workload:?}");
    }
    let capped = Workload { cap_per_hour: 1, ..size };
    assert_eq!(capped.volumes().judged, 30 * 24 * size.components);
    let poor = Workload { daily_budget: MicroUsd(1_000_000), ..size };
    assert!(month(&poor)[0].amount <= MicroUsd(30_000_000));
    let nothing = Workload { sampled_of_thousand: 0, ..size };
    assert_eq!(month(&nothing)[0].amount, MicroUsd(0));
}

//! Rules about scores, findings and the judge.

use super::recipe::{HOURS, MINUTES, Steps, WEEK, count, mean_of_samples};
use super::{About, Alarm, Draft, Group, MEASURED, RuleBook, Shown};
use crate::check::Check;
use crate::dashboard::Settings;
use crate::dashboard::aws::{self, Grain};
use crate::dashboard::board::BoardKind;
use crate::dashboard::boards::{heading, score_key};
use crate::dashboard::measure;
use crate::dashboard::query::{Reducer, Statistic, Step, Total};
use crate::dashboard::source::{Source, Sources};
use crate::metric;
use crate::verdict::Outcome;

/// Samples under which a mean says nothing: with scores that spread by 0.2, ten of them are known
/// to 0.06.
const LEAST_SAMPLES: u32 = 10;
/// The same for a difference of two means, which is less certain.
const LEAST_COMPARED: u32 = 50;
/// Requests after which a component that is judged at all has samples.
const LEAST_REQUESTS: u32 = 200;

pub(super) fn add(book: &mut RuleBook, settings: &Settings) {
    let own = Sources::of(settings.fleet);
    let composite = metric::COMPOSITE_QUALITY_SCORE.name;
    score(book, settings, composite, "composite", "low-composite-quality", "Composite quality is low");
    for dimension in settings.rubric.enabled() {
        let id = dimension.id.as_str();
        let runbook = match id {
            "safety" => "low-safety",
            "relevance" => "low-relevance",
            "professional_tone" => "low-professional-tone",
            _ => "low-dimension-score",
        };
        score(book, settings, &dimension.metric, id, runbook, &format!("{} is low", heading(id)));
    }
    drop_of_quality(book, settings, &own.quality(composite));
    found(
        book,
        settings,
        Check::LeakedSecret,
        "leaked-secrets",
        "Answers carry secrets",
        "answers with a leaked secret",
    );
    found(
        book,
        settings,
        Check::PromptLeak,
        "prompt-leaks",
        "Answers repeat the system prompt",
        "answers that repeat the system prompt",
    );
    failing(book, settings, &own);
    silent(book, settings, &own);
    budget(book, settings, &own);
}

fn score(
    book: &mut RuleBook,
    settings: &Settings,
    metric: &str,
    dimension: &str,
    runbook: &'static str,
    title: &str,
) {
    let source = Sources::of(settings.fleet).quality(metric);
    book.watch(settings, metric, |measure, limit| Draft {
        name: format!("low-{}", dimension.replace('_', "-")),
        runbook,
        title: title.to_owned(),
        group: Group::Quality,
        dimension: Some(dimension.to_owned()),
        steps: mean_of_samples(&source, HOURS, LEAST_SAMPLES, measure, limit),
        hold: 10 * MINUTES,
        panel: (BoardKind::Quality, score_key(metric)),
        what: format!("the mean {} score of the last hour", dimension.replace('_', " ")),
        shown: Shown::Score,
        about: About::Component,
        alarm: Alarm::EachSeries { function: "AVG", source: source.clone(), period: 1800, periods: 2 },
    });
}

/// Against the same hours a week before: a model can lose much and still be above a fixed limit,
/// and traffic of a Monday morning is like that of a Monday morning.
fn drop_of_quality(book: &mut RuleBook, settings: &Settings, source: &Source) {
    book.watch(settings, measure::COMPOSITE_QUALITY_DROP, |measure, limit| Draft {
        name: "quality-drop".to_owned(),
        runbook: "quality-drop",
        title: "Quality fell against last week".to_owned(),
        group: Group::Quality,
        dimension: Some("composite".to_owned()),
        steps: Steps::over(3 * HOURS)
            .number('A', source.clone(), Statistic::Sum, 'S', Reducer::Sum)
            .number('N', source.clone(), Statistic::SampleCount, 'M', Reducer::Sum)
            .earlier(WEEK)
            .number('D', source.clone(), Statistic::Sum, 'T', Reducer::Sum)
            .number('E', source.clone(), Statistic::SampleCount, 'L', Reducer::Sum)
            .now()
            .math(MEASURED, "$T / $L - $S / $M")
            .when(measure, limit, &format!(" && $M >= {LEAST_COMPARED} && $L >= {LEAST_COMPARED}")),
        hold: 15 * MINUTES,
        panel: (BoardKind::Quality, score_key(metric::COMPOSITE_QUALITY_SCORE.name)),
        what:
            "what the mean composite score lost in the last three hours against the same hours a week before"
                .to_owned(),
        shown: Shown::Score,
        about: About::Component,
        alarm: Alarm::Nothing("CloudWatch cannot compare each of many series with its own past"),
    });
}

fn found(
    book: &mut RuleBook,
    settings: &Settings,
    check: Check,
    name: &'static str,
    title: &str,
    what: &str,
) {
    let source = Sources::of(settings.fleet).quality(check.metric_name());
    book.watch(settings, check.metric_name(), |measure, limit| Draft {
        name: name.to_owned(),
        runbook: name,
        title: title.to_owned(),
        group: Group::Quality,
        dimension: Some(check.as_str().to_owned()),
        steps: count(source.clone(), HOURS, measure, limit),
        // One is enough, and it is a fact, not a mean.
        hold: 0,
        panel: (BoardKind::Quality, name.to_owned()),
        what: format!("the number of {what} in the last hour"),
        shown: Shown::Count,
        about: About::Component,
        alarm: Alarm::EachSeries { function: "SUM", source: source.clone(), period: 900, periods: 1 },
    });
}

/// Over all components at once: the judge is one, and a sum by component would miss those of which
/// a reason has never been counted.
fn failing(book: &mut RuleBook, settings: &Settings, own: &Sources) {
    let total = |metrics: &[String]| {
        let (first, further) =
            (metrics.first().map_or("", String::as_str), metrics.get(1..).unwrap_or_default());
        let further = further.iter().map(|name| own.quality(name).metric).collect();
        Total { source: own.quality(first), further, statistic: Statistic::Sum, period: 1800 }
    };
    let selected = total(&[metric::SAMPLES_SELECTED.name.to_owned()]);
    book.watch(settings, measure::JUDGE_FAILING_SHARE, |measure, limit| Draft {
        name: "judge-failing".to_owned(),
        runbook: "judge-failing",
        title: "The judge is failing".to_owned(),
        group: Group::Quality,
        dimension: None,
        steps: Steps::over(HOURS)
            .step('A', Step::AskTotal { counted: total(&measure.metrics), per: Some(selected.clone()) })
            .step(MEASURED, Step::Reduce { of: 'A', by: Reducer::Mean })
            .step('N', Step::AskTotal { counted: selected.clone(), per: None })
            .step('M', Step::Reduce { of: 'N', by: Reducer::Sum })
            .when(measure, limit, &format!(" && $M >= {LEAST_SAMPLES}")),
        hold: 10 * MINUTES,
        panel: (BoardKind::Quality, "judge-failures".to_owned()),
        what: "the share of the samples selected in the last hour that the judge gave no score".to_owned(),
        shown: Shown::Share,
        about: About::Judge,
        alarm: Alarm::Nothing("CloudWatch has no alarm on a quotient of two searches; JudgeConfigErrors and the dead-letter queue show the worst cases"),
    });
}

/// The rule of its own for no data: requests come in and nothing is judged. All other rules are
/// calm without data. It looks back a week, because what was never scored in its window has no series
/// and ends an alert that is still true.
fn silent(book: &mut RuleBook, settings: &Settings, own: &Sources) {
    let requests = Source::aws(aws::INVOCATIONS, Grain::Component);
    let scored = own.quality(Outcome::Scored.metric_name());
    book.watch(settings, Outcome::Scored.metric_name(), |measure, limit| Draft {
        name: "nothing-judged".to_owned(),
        runbook: "nothing-judged",
        title: "Answers are given and none is judged".to_owned(),
        group: Group::Quality,
        dimension: None,
        steps: Steps::over(WEEK)
            .every(900, 'A', scored.clone(), Statistic::Sum)
            .step('R', Step::Buckets { of: 'A', seconds: 3 * HOURS })
            .step(MEASURED, Step::Reduce { of: 'R', by: Reducer::LastOrZero })
            .over_last(3 * HOURS)
            .number('N', requests.clone(), Statistic::Sum, 'M', Reducer::Sum)
            .when(measure, limit, &format!(" && $M >= {LEAST_REQUESTS}")),
        hold: 30 * MINUTES,
        panel: (BoardKind::Quality, "judged".to_owned()),
        what: format!("the number of samples scored in the last three hours, with {LEAST_REQUESTS} requests or more"),
        shown: Shown::Count,
        about: About::Component,
        alarm: Alarm::Nothing("contributors of a Metrics Insights alarm cannot be missing; the alarm on the dead-letter queue shows what is stuck"),
    });
}

fn budget(book: &mut RuleBook, settings: &Settings, own: &Sources) {
    let over = own.quality(Outcome::OverBudget.metric_name());
    book.watch(settings, Outcome::OverBudget.metric_name(), |measure, limit| Draft {
        name: "judge-over-budget".to_owned(),
        runbook: "judge-over-budget",
        title: "The judge's budget is spent".to_owned(),
        group: Group::Quality,
        dimension: None,
        steps: count(over.clone(), HOURS, measure, limit),
        hold: 0,
        panel: (BoardKind::Quality, "over-budget".to_owned()),
        what: "the number of samples skipped in the last hour because the budget of the day is spent"
            .to_owned(),
        shown: Shown::Count,
        about: About::Component,
        alarm: Alarm::EachSeries { function: "SUM", source: over.clone(), period: 3600, periods: 1 },
    });
    let Some(daily) = settings.daily_budget_usd.filter(|usd| *usd > 0.0) else {
        book.without_limit.push(measure::JUDGE_BUDGET_SHARE.to_owned());
        return;
    };
    let cost = Total {
        source: own.quality(metric::JUDGE_COST.name),
        further: Vec::new(),
        statistic: Statistic::Sum,
        period: HOURS,
    };
    book.watch(settings, measure::JUDGE_BUDGET_SHARE, |measure, limit| Draft {
        name: "judge-budget".to_owned(),
        runbook: "judge-budget",
        title: "The judge costs most of a day's budget".to_owned(),
        group: Group::Quality,
        dimension: None,
        steps: Steps::over(24 * HOURS)
            .step('A', Step::AskTotal { counted: cost.clone(), per: None })
            .step('S', Step::Reduce { of: 'A', by: Reducer::Sum })
            .math(MEASURED, &format!("$S / {daily}"))
            .when(measure, limit, ""),
        hold: 10 * MINUTES,
        panel: (BoardKind::Quality, "judge-cost".to_owned()),
        what: format!(
            "what the judge cost in the last 24 hours, of the {daily} USD that it may cost in a day"
        ),
        shown: Shown::Share,
        about: About::Judge,
        alarm: Alarm::Nothing(
            "a Metrics Insights alarm looks back three hours only; judge-over-budget is alarmed on",
        ),
    });
}

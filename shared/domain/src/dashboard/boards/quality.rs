//! Scores, findings, samples and the judge.

use super::{
    Board, BoardKind, Choices, DAY, HOUR, Panel, Settings, Statistic, Unit, View, each, heading, measured,
};
use crate::capture::SkipReason;
use crate::check::Check;
use crate::dashboard::board::Row;
use crate::dashboard::source::Sources;
use crate::metric;
use crate::verdict::Outcome;
use Statistic::{Average, Percentile, SampleCount, Sum};

pub(super) fn board(settings: &Settings) -> Board {
    let own = Sources::of(settings.fleet);
    Board {
        kind: BoardKind::Quality,
        description: "How good the answers are, how many were judged, what the free checks found and what the judge costs. \
                      A mean over few samples says little: read scores beside the samples.",
        choices: Choices {
            endpoints: own.quality(metric::RECORDS.name),
            components: own.quality(metric::RECORDS.name),
        },
        rows: vec![scores(settings, &own), samples(&own), answers(&own), judge(settings, &own), unread(&own)],
    }
}

/// Shorter, and a mean over the few samples of a period jumps about the limits by chance.
const HALF_AN_HOUR: u32 = 1800;

/// The key of the panel that shows a score.
pub(in crate::dashboard) fn score_key(metric: &str) -> String {
    format!("score-{metric}")
}

fn scores(settings: &Settings, own: &Sources) -> Row {
    let composite = metric::COMPOSITE_QUALITY_SCORE.name;
    let score = |metric: &str, title: &str, description: &str| {
        Panel::new(&score_key(metric), title, description, Unit::Share, View::Lines)
            .show(each(own.quality(metric), Average).every(HALF_AN_HOUR))
            .limits(metric)
            .nothing("no samples judged")
    };
    let about = "Weighted mean of the dimensions below, 0 to 1, capped by their gates; one point is half an hour. Dashed: the limits of the alerts, which look at an hour.";
    let mut panels = vec![score(composite, "Composite quality", about).width(24)];
    for dimension in settings.rubric.enabled() {
        let id = dimension.id.as_str();
        let about = format!(
            "Mean of the judge's answers on the dimension {id} of the rubric, 0 the worst level, 1 the best. Dashed: the limits of the alerts."
        );
        panels.push(score(&dimension.metric, &heading(id), &about));
    }
    Row { title: "Scores", panels }
}

fn samples(own: &Sources) -> Row {
    let mut outcomes = Panel::new(
        "outcomes",
        "What became of the samples",
        "Samples an hour by outcome, all chosen components together. Only scored ones enter a mean.",
        Unit::Count,
        View::Columns,
    );
    for outcome in Outcome::ALL {
        let name = outcome.as_str().replace('_', " ");
        outcomes = outcomes.show(measured(own.quality(outcome.metric_name()), Sum, &name).every(HOUR));
    }
    let records = metric::RECORDS.name;
    Row {
        title: "Samples",
        panels: vec![
            Panel::new("judged", "Samples judged", "Samples behind each score, an hour. Under about ten an hour a mean moves by chance.", Unit::Count, View::Columns)
                .show(each(own.quality(metric::COMPOSITE_QUALITY_SCORE.name), SampleCount).every(HOUR)),
            outcomes.width(16).nothing("no samples"),
            Panel::new("records", "Answers captured", "Captured exchanges that could be read, an hour: all are checked, some are judged.", Unit::Count, View::Columns)
                .show(each(own.quality(records), Sum).every(HOUR)),
            Panel::new("coverage", "Share of answers selected for the judge", "Selected of captured answers. The sampling rate decides; caps and budget come after.", Unit::Share, View::Lines)
                .with(each(own.quality(metric::SAMPLES_SELECTED.name), Sum).every(HOUR))
                .with(each(own.quality(records), Sum).every(HOUR))
                .formula("$A / $B", ""),
            Panel::new("answer-length", "Length of judged answers", "Mean number of characters. Judges prefer long answers: a score that moves with it says less.", Unit::Count, View::Lines)
                .show(each(own.quality(metric::ANSWER_CHARACTERS.name), Average).every(HOUR)),
        ],
    }
}

fn answers(own: &Sources) -> Row {
    let records = || each(own.quality(metric::RECORDS.name), Sum).every(HOUR);
    let share = |check: Check, key: &str, title: &str| {
        let description = format!("{} An hour without one has no point.", check.meaning());
        Panel::new(key, title, &description, Unit::Share, View::Lines)
            .with(each(own.quality(check.metric_name()), Sum).every(HOUR))
            .with(records())
            .formula("$A / $B", "")
            .nothing("none found")
            .width(6)
    };
    let count = |check: Check, key: &str, title: &str| {
        let description = format!("{} In an hour.", check.meaning());
        Panel::new(key, title, &description, Unit::Count, View::Columns)
            .show(each(own.quality(check.metric_name()), Sum).every(HOUR))
            .nothing("none found")
            .width(6)
    };
    Row {
        title: "What the free checks found, of all captured answers",
        panels: vec![
            share(Check::Refusal, "refusals", "Refusals, share of answers"),
            share(Check::Empty, "empty", "Empty answers, share"),
            share(Check::Truncated, "truncated", "Truncated answers, share"),
            share(Check::ErrorReply, "error-replies", "Error replies, share"),
            share(Check::RepetitionLoop, "loops", "Repetition loops, share"),
            count(Check::LeakedSecret, "leaked-secrets", "Leaked secrets")
                .limits(Check::LeakedSecret.metric_name()),
            count(Check::PromptLeak, "prompt-leaks", "Prompt leaks").limits(Check::PromptLeak.metric_name()),
            count(Check::PersonalData, "personal-data", "Answers with personal data"),
        ],
    }
}

/// The outcomes of samples that the judge was asked about and did not score.
const FAILED: [Outcome; 8] = [
    Outcome::JudgeRefused,
    Outcome::Malformed,
    Outcome::Truncated,
    Outcome::Throttled,
    Outcome::Timeout,
    Outcome::JudgeError,
    Outcome::JudgeUnavailable,
    Outcome::ConfigError,
];

fn judge(settings: &Settings, own: &Sources) -> Row {
    let latency = own.quality(metric::EVALUATION_LATENCY.name);
    let tokens = |metric: metric::Definition, what| measured(own.quality(metric.name), Sum, what).every(HOUR);
    let mut failures = Panel::new(
        "judge-failures",
        "Samples without a score",
        "Samples an hour that the judge was asked about and did not score, by reason. The alert counts them against the samples selected.",
        Unit::Count,
        View::Columns,
    );
    for outcome in FAILED {
        let name = outcome.as_str().replace('_', " ");
        failures = failures.show(measured(own.quality(outcome.metric_name()), Sum, &name).every(HOUR));
    }
    Row {
        title: "The judge",
        panels: vec![
            Panel::new("instrument", "Rubric and judge", &instrument(settings), Unit::Nothing, View::Text).width(24),
            Panel::new("evaluation-latency", "Evaluation latency", "Time that the judge takes for one sample, median and p95.", Unit::Milliseconds, View::Lines)
                .show(measured(latency.clone(), Percentile(50), "p50").every(HOUR))
                .show(measured(latency, Percentile(95), "p95").every(HOUR)),
            Panel::new("judge-tokens", "Judge tokens", "Tokens an hour sent to the judge, of those read from its cache, and written by it.", Unit::Count, View::Lines)
                .show(tokens(metric::JUDGE_INPUT_TOKENS, "sent"))
                .show(tokens(metric::JUDGE_CACHED_TOKENS, "cached"))
                .show(tokens(metric::JUDGE_OUTPUT_TOKENS, "written")),
            Panel::new("judge-cost", "Judge cost per day", "US dollars in each 24 hours, counted back from now; the height is the total of the chosen components. The budget counts all components, by UTC days.", Unit::Usd, View::Columns)
                .show(each(own.quality(metric::JUDGE_COST.name), Sum).every(DAY))
                .over("14d"),
            failures.width(16).nothing("none"),
            Panel::new("over-budget", "Samples over budget or cap", "Samples an hour that were skipped because the day's budget or the component's cap was used up.", Unit::Count, View::Columns)
                .show(measured(own.quality(Outcome::OverBudget.metric_name()), Sum, "budget").every(HOUR))
                .show(measured(own.quality(Outcome::OverCap.metric_name()), Sum, "cap").every(HOUR))
                .nothing("none"),
        ],
    }
}

/// Scores of two instruments must not be compared, so that the reader is told which this one is.
fn instrument(settings: &Settings) -> String {
    let stamp = settings.rubric.stamp();
    let dimensions: Vec<&str> = settings.rubric.enabled().map(|one| one.id.as_str()).collect();
    let judge = settings
        .judge_model
        .map_or_else(|| "as the stack is configured".to_owned(), |model| format!("`{model}`"));
    format!(
        "Rubric `{}`, version `{}`, fingerprint `{}`, dimensions {}. Judge: {judge}. As of the deployment of this \
         dashboard; each stored verdict names its own. Scores of two rubrics or judges must not be compared.",
        stamp.id,
        stamp.version,
        stamp.fingerprint.as_str(),
        dimensions.join(", "),
    )
}

fn unread(own: &Sources) -> Row {
    let mut lines = Panel::new(
        "skipped-lines",
        "Lines that were not read",
        "Captured lines an hour that gave nothing to judge, by reason. What to do about each is in docs/metrics.md.",
        Unit::Count,
        View::Columns,
    );
    for reason in SkipReason::ALL.iter().copied() {
        let name = reason.as_str().replace('_', " ");
        lines = lines.show(measured(own.quality(reason.metric_name()), Sum, &name).every(HOUR));
    }
    Row { title: "What could not be read", panels: vec![lines.width(16).nothing("none"), cut(own)] }
}

fn cut(own: &Sources) -> Panel {
    Panel::new(
        "cut-samples",
        "Samples cut to fit",
        "Judged samples an hour that were longer than the judge's input: head and tail were kept.",
        Unit::Count,
        View::Columns,
    )
    .show(each(own.quality(metric::INPUT_TRUNCATED.name), Sum).every(HOUR))
    .nothing("none")
}

//! Rules about latency, errors and GPUs under load: metrics of SageMaker's.

use super::recipe::{HOURS, MINUTES, Steps, WEEK, share};
use super::{About, Alarm, Draft, Group, MEASURED, RuleBook, Shown};
use crate::dashboard::Settings;
use crate::dashboard::aws::{self, Grain};
use crate::dashboard::board::BoardKind;
use crate::dashboard::measure;
use crate::dashboard::query::{Reducer, Statistic};
use crate::dashboard::source::{Source, Sources};
use crate::metric;

/// Requests under which a percentile or a share of them says nothing.
const LEAST_REQUESTS: u32 = 20;
const LEAST_COMPARED: u32 = 100;

pub(super) fn add(book: &mut RuleBook, settings: &Settings) {
    latency(book, settings);
    latency_rise(book, settings);
    errors(book, settings);
    gpu_memory(book, settings);
    no_free_gpu(book, settings);
}

fn component(metric: aws::AwsMetric) -> Source {
    Source::aws(metric, Grain::Component)
}

/// The percentile that `alerts.toml` names; p90 when it names none that CloudWatch knows.
fn statistic(named: &str) -> Statistic {
    Statistic::named(named).unwrap_or(Statistic::Percentile(90))
}

fn latency(book: &mut RuleBook, settings: &Settings) {
    book.watch(settings, aws::MODEL_LATENCY.name, |measure, limit| {
        let statistic = statistic(&measure.statistic);
        Draft {
            name: "high-latency".to_owned(),
            runbook: "high-latency",
            title: "Answers are slow".to_owned(),
            group: Group::Serving,
            dimension: None,
            steps: Steps::over(15 * MINUTES)
                .number('A', component(aws::MODEL_LATENCY), statistic, MEASURED, Reducer::Mean)
                .number('N', component(aws::INVOCATIONS), Statistic::Sum, 'M', Reducer::Sum)
                .when(measure, limit, &format!(" && $M >= {LEAST_REQUESTS}")),
            hold: 5 * MINUTES,
            panel: (BoardKind::Quantity, "latency-p90".to_owned()),
            what: format!("the {statistic} model latency of the last 15 minutes"),
            shown: Shown::Microseconds,
            about: About::ComponentOnly,
            // Metrics Insights has no percentiles: the mean crosses the limit later.
            alarm: Alarm::EachSeries {
                function: "AVG",
                source: component(aws::MODEL_LATENCY),
                period: 300,
                periods: 3,
            },
        }
    });
}

/// Against the same hour a week before.
fn latency_rise(book: &mut RuleBook, settings: &Settings) {
    book.watch(settings, measure::MODEL_LATENCY_RISE, |measure, limit| {
        let statistic = statistic(&measure.statistic);
        Draft {
            name: "latency-rise".to_owned(),
            runbook: "latency-rise",
            title: "Answers are slower than last week".to_owned(),
            group: Group::Serving,
            dimension: None,
            steps: Steps::over(HOURS)
                .number('A', component(aws::MODEL_LATENCY), statistic, 'S', Reducer::Mean)
                .number('N', component(aws::INVOCATIONS), Statistic::Sum, 'M', Reducer::Sum)
                .earlier(WEEK)
                .number('D', component(aws::MODEL_LATENCY), statistic, 'T', Reducer::Mean)
                .number('E', component(aws::INVOCATIONS), Statistic::Sum, 'L', Reducer::Sum)
                .now()
                .math(MEASURED, "$S / $T")
                .when(measure, limit, &format!(" && $M >= {LEAST_COMPARED} && $L >= {LEAST_COMPARED}")),
            hold: 15 * MINUTES,
            panel: (BoardKind::Quantity, "latency-p90".to_owned()),
            what: format!(
                "the {statistic} model latency of the last hour, as a multiple of the same hour a week before"
            ),
            shown: Shown::Factor,
            about: About::ComponentOnly,
            alarm: Alarm::Nothing("CloudWatch cannot compare each of many series with its own past"),
        }
    });
}

fn errors(book: &mut RuleBook, settings: &Settings) {
    let (failed, all) = (component(aws::INVOCATION_5XX_ERRORS), component(aws::INVOCATIONS));
    book.watch(settings, measure::ERROR_SHARE, |measure, limit| Draft {
        name: "server-errors".to_owned(),
        runbook: "server-errors",
        title: "Requests fail".to_owned(),
        group: Group::Serving,
        dimension: None,
        steps: share(failed.clone(), all.clone(), 15 * MINUTES, LEAST_REQUESTS, measure, limit),
        hold: 5 * MINUTES,
        panel: (BoardKind::Quantity, "server-errors".to_owned()),
        what: "the share of requests answered with a 5xx code in the last 15 minutes".to_owned(),
        shown: Shown::Share,
        about: About::ComponentOnly,
        // 1 for a failed request and 0 for any other: the mean is the share.
        alarm: Alarm::EachSeries { function: "AVG", source: failed.clone(), period: 300, periods: 3 },
    });
}

fn gpu_memory(book: &mut RuleBook, settings: &Settings) {
    let source = component(aws::GPU_MEMORY_UTILIZATION);
    book.watch(settings, aws::GPU_MEMORY_UTILIZATION.name, |measure, limit| Draft {
        name: "gpu-memory".to_owned(),
        runbook: "gpu-memory",
        title: "GPU memory is nearly full".to_owned(),
        group: Group::Serving,
        dimension: None,
        steps: Steps::over(15 * MINUTES)
            .number('A', source.clone(), Statistic::Average, MEASURED, Reducer::Mean)
            .when(measure, limit, ""),
        hold: 10 * MINUTES,
        panel: (BoardKind::Quantity, "gpu-memory".to_owned()),
        what: "the mean use of GPU memory in the last 15 minutes".to_owned(),
        shown: Shown::Percent,
        about: About::ComponentOnly,
        alarm: Alarm::EachSeries { function: "AVG", source: source.clone(), period: 300, periods: 3 },
    });
}

/// Requests in flight per copy, where the endpoint has no GPU for a further copy. The copies carry
/// both names and so join the component's requests with the endpoint's free GPUs.
fn no_free_gpu(book: &mut RuleBook, settings: &Settings) {
    let own = Sources::of(settings.fleet);
    book.watch(settings, measure::REQUESTS_PER_COPY, |measure, limit| Draft {
        name: "no-free-gpu".to_owned(),
        runbook: "no-free-gpu",
        title: "Requests queue and no GPU is free".to_owned(),
        group: Group::Serving,
        dimension: None,
        steps: Steps::over(15 * MINUTES)
            .number('A', component(aws::CONCURRENT_REQUESTS_PER_MODEL), Statistic::Maximum, 'S', Reducer::Mean)
            .number('N', own.component(metric::COPIES), Statistic::Average, 'M', Reducer::Mean)
            .number('D', own.endpoint(metric::FREE_GPUS), Statistic::Minimum, 'F', Reducer::Last)
            .math(MEASURED, "$S / $M")
            .when(measure, limit, " && $F < 1"),
        hold: 10 * MINUTES,
        panel: (BoardKind::Quantity, "concurrency".to_owned()),
        what: "the number of requests in flight per copy in the last 15 minutes, with no free GPU on the endpoint".to_owned(),
        shown: Shown::Count,
        about: About::Component,
        alarm: Alarm::Nothing("it joins metrics of a component and of its endpoint, which a CloudWatch alarm cannot"),
    });
}

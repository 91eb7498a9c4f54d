//! Models side by side: what one needs to know to swap or resize one.

use super::{Board, BoardKind, HOUR, Panel, Reducer, Settings, Source, Statistic, Unit, View, each, watched};
use crate::check::Check;
use crate::dashboard::aws::{self, Grain};
use crate::dashboard::board::Row;
use crate::dashboard::measure;
use crate::dashboard::source::Sources;
use crate::metric;
use Statistic::{Average, Percentile, SampleCount, Sum};

pub(super) fn board(settings: &Settings) -> Board {
    let own = Sources::of(settings.fleet);
    Board {
        kind: BoardKind::Models,
        description: "Quality against cost against speed, one bar a component, over the time range at the top. \
                      For deciding which model to keep, to swap or to give more or fewer GPUs. Latency, GPU and load show the \
                      chosen components of every endpoint, cost and GPUs held need enhanced metrics and capacity-meter.",
        choices: watched(&own),
        rows: vec![bars(&own), sizing(&own), over_time(&own)],
    }
}

fn bars(own: &Sources) -> Row {
    let bar = |key: &str, title: &str, description: &str, unit| {
        Panel::new(key, title, description, unit, View::Bars).width(6)
    };
    let score = || each(own.quality(metric::COMPOSITE_QUALITY_SCORE.name), Average);
    let price = || each(own.component(metric::COST_PER_THOUSAND_INVOCATIONS), Average);
    let latency = each(Source::aws(aws::MODEL_LATENCY, Grain::Component), Percentile(90));
    let good = "Answers that a dollar buys at the present traffic, each counted by its composite score: an answer of 0.5 counts half. \
                The one number that joins quality and cost; do not read it without the score beside it.";
    let trust = "Samples behind the score in the time range. Two models with a few dozen samples each cannot be told apart by a point or two.";
    Row {
        title: "Side by side",
        panels: vec![
            bar("quality", "Composite quality", "Mean over the time range.", Unit::Share)
                .show(score())
                .limits(metric::COMPOSITE_QUALITY_SCORE.name),
            bar(
                "price",
                "Cost per thousand invocations",
                "US dollars at the traffic of the time range.",
                Unit::Usd,
            )
            .show(price()),
            bar(
                "speed",
                "Model latency, p90",
                "Mean of the five-minute p90s of the time range.",
                Unit::Microseconds,
            )
            .show(latency)
            .limits(aws::MODEL_LATENCY.name),
            bar("value", "Good answers per dollar", good, Unit::Count)
                .with(score())
                .with(price())
                .reduced('A', Reducer::Mean)
                .reduced('B', Reducer::Mean)
                .formula("1000 * $C / $D", ""),
            bar("samples", "Samples behind the score", trust, Unit::Count)
                .show(each(own.quality(metric::COMPOSITE_QUALITY_SCORE.name), SampleCount).every(HOUR)),
            bar(
                "token-price",
                "Cost per million tokens",
                "US dollars, tokens in and out. Compare models of different answer lengths by this one.",
                Unit::Usd,
            )
            .show(each(own.component(metric::COST_PER_MILLION_TOKENS), Average))
            .nothing("no token counts"),
            bar(
                "hourly",
                "Cost per hour",
                "US dollars an hour: the component's share of the endpoint's bill.",
                Unit::Usd,
            )
            .show(each(own.component(metric::COST_PER_HOUR), Average)),
            bar("refusing", "Refusals, share of answers", Check::Refusal.meaning(), Unit::Share)
                .with(each(own.quality(Check::Refusal.metric_name()), Sum).every(HOUR))
                .with(each(own.quality(metric::RECORDS.name), Sum).every(HOUR))
                .reduced('A', Reducer::Sum)
                .reduced('B', Reducer::Sum)
                .formula("$C / $D", "")
                .nothing("none found"),
        ],
    }
}

fn sizing(own: &Sources) -> Row {
    let busy = each(Source::aws(aws::GPU_UTILIZATION, Grain::Component), Average);
    let memory = each(Source::aws(aws::GPU_MEMORY_UTILIZATION, Grain::Component), Average);
    let concurrency =
        each(Source::aws(aws::CONCURRENT_REQUESTS_PER_COPY, Grain::Component), Statistic::Maximum);
    let idle = "Share of the time in which the component's GPUs did not compute. High with low latency: fewer or smaller GPUs would do.";
    let bar = |key: &str, title: &str, description: &str, unit| {
        Panel::new(key, title, description, unit, View::Bars).width(6)
    };
    Row {
        title: "Sizing",
        panels: vec![
            bar("gpu-idle", "GPU idle share", idle, Unit::Percent)
                .with(busy)
                .reduced('A', Reducer::Mean)
                .formula("100 - $B", ""),
            bar(
                "gpus-held",
                "GPUs held",
                "GPUs that the component's copies hold, mean over the time range.",
                Unit::Count,
            )
            .show(each(own.component(metric::USED_GPUS), Average)),
            bar("gpu-memory", "GPU memory", "Mean use of the memory of the component's GPUs.", Unit::Percent)
                .show(memory)
                .limits(aws::GPU_MEMORY_UTILIZATION.name),
            bar(
                "load",
                "Requests in flight per copy",
                "Mean of the five-minute maxima, waiting requests included.",
                Unit::Count,
            )
            .show(concurrency)
            .limits(measure::REQUESTS_PER_COPY),
        ],
    }
}

fn over_time(own: &Sources) -> Row {
    let line = |key: &str, title: &str, description: &str, unit| {
        Panel::new(key, title, description, unit, View::Lines).width(12)
    };
    let score = || each(own.quality(metric::COMPOSITE_QUALITY_SCORE.name), Average).every(HOUR);
    let price = || each(own.component(metric::COST_PER_THOUSAND_INVOCATIONS), Average).every(HOUR);
    Row {
        title: "Over time",
        panels: vec![
            line(
                "quality-trend",
                "Composite quality, by the hour",
                "Shows whether a swap or a new prompt changed it.",
                Unit::Share,
            )
            .show(score())
            .limits(metric::COMPOSITE_QUALITY_SCORE.name)
            .nothing("no samples judged"),
            line(
                "value-trend",
                "Good answers per dollar, by the hour",
                "Answers that a dollar buys, each counted by its composite score.",
                Unit::Count,
            )
            .with(score())
            .with(price())
            .formula("1000 * $A / $B", "")
            .nothing("needs scores and cost"),
            line(
                "price-trend",
                "Cost per thousand invocations, by the hour",
                "US dollars at the traffic of the hour.",
                Unit::Usd,
            )
            .show(price()),
            line(
                "speed-trend",
                "Model latency p90, by the hour",
                "Dashed: the limits of the alert.",
                Unit::Microseconds,
            )
            .show(each(Source::aws(aws::MODEL_LATENCY, Grain::Component), Percentile(90)).every(HOUR))
            .limits(aws::MODEL_LATENCY.name),
        ],
    }
}

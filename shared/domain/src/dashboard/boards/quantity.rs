//! Latency, traffic, GPUs and cost.

use super::{
    Board, BoardKind, Legend, Panel, Settings, Source, Statistic, Unit, View, ask, called, each, measured,
    watched,
};
use crate::capacity::condition::ConditionKind;
use crate::dashboard::aws::{self, AwsMetric, Grain};
use crate::dashboard::board::Row;
use crate::dashboard::measure;
use crate::dashboard::source::Sources;
use crate::metric;
use Statistic::{Average, Maximum, Minimum, Percentile, Sum};

pub(super) fn board(settings: &Settings) -> Board {
    let own = Sources::of(settings.fleet);
    Board {
        kind: BoardKind::Quantity,
        description: "How fast the endpoint answers, how much it is asked, what its GPUs do and what it costs. \
                      SageMaker's metrics of a component name no endpoint: graphs of latency, requests, GPU, CPU and memory show the \
                      chosen components of every endpoint. Graphs of used and free GPUs, copies and cost need enhanced metrics \
                      and capacity-meter.",
        choices: watched(&own),
        rows: vec![overview(&own), latency(), traffic(), gpus(), machines(), cost(&own)],
    }
}

fn component(metric: AwsMetric) -> Source {
    Source::aws(metric, Grain::Component)
}

fn overview(own: &Sources) -> Row {
    let number = |key: &str, title: &str, description: &str, unit, query| {
        Panel::new(key, title, description, unit, View::Number).width(3).show(query)
    };
    let of = |metric: metric::Definition, name| called(own.endpoint(metric), Average, name);
    let used = "GPUs that copies hold. A MIG slice counts as its sevenths.";
    let free = "GPUs that no copy holds. Missing while usage is not known, never guessed.";
    let blind = "Whether GPU use cannot be known now: no used and free GPUs and no idle cost are published.";
    let blindness = called(own.endpoint_named(ConditionKind::Blind.metric_name()), Maximum, "Meter blind");
    let now = |metric, statistic, name| called(Source::aws(metric, Grain::Variant), statistic, name);
    let idle = "Share of the endpoint's bill that no component uses. A component that scales to zero leaves its GPUs here.";
    Row {
        title: "At a glance",
        panels: vec![
            number(
                "requests-now",
                "Requests per minute",
                "Requests of the last full minute to all components.",
                Unit::Count,
                now(aws::INVOCATIONS, Sum, "Requests").every(60),
            )
            .width(6),
            number(
                "latency-now",
                "Latency now, p90",
                "Nine of ten requests of the last minutes were answered faster, all components together: a slow one among quick ones shows only below.",
                Unit::Microseconds,
                now(aws::MODEL_LATENCY, Percentile(90), "Latency"),
            )
            .width(6)
            .limits(aws::MODEL_LATENCY.name),
            number(
                "errors-now",
                "Server errors now",
                "Share of the requests of the last five minutes that were answered with a 5xx code.",
                Unit::Share,
                now(aws::INVOCATION_5XX_ERRORS, Average, "5xx"),
            )
            .width(6)
            .limits(measure::ERROR_SHARE),
            number("meter-blind", "Meter blind", blind, Unit::Flag, blindness)
                .width(6)
                .limits(ConditionKind::Blind.metric_name()),
            number(
                "instances",
                metric::INSTANCES.name,
                "Instances of the endpoint.",
                Unit::Count,
                of(metric::INSTANCES, "Instances in service"),
            ),
            number(
                "total-gpus",
                "GPUs in all",
                "GPUs of all instances.",
                Unit::Count,
                of(metric::TOTAL_GPUS, "GPUs"),
            ),
            number("used-gpus", "GPUs used", used, Unit::Count, of(metric::USED_GPUS, "Used")),
            number(
                "free-gpus",
                "GPUs free",
                free,
                Unit::Count,
                called(own.endpoint(metric::FREE_GPUS), Minimum, "Free"),
            ),
            number(
                "bill",
                "Cost per hour",
                "US dollars an hour for all instances.",
                Unit::Usd,
                of(metric::COST_PER_HOUR, "Cost per hour"),
            )
            .width(4),
            number(
                "idle-cost",
                "Idle per hour",
                "US dollars an hour that no component uses.",
                Unit::Usd,
                of(metric::IDLE_COST_PER_HOUR, "Idle"),
            )
            .width(4),
            Panel::new("idle-share", "Idle share", idle, Unit::Share, View::Number)
                .width(4)
                .with(of(metric::IDLE_COST_PER_HOUR, "Idle share"))
                .with(of(metric::COST_PER_HOUR, "Idle share"))
                .endpoint_formula("$A / $B", "Idle share")
                .limits(measure::IDLE_COST_SHARE),
        ],
    }
}

fn latency() -> Row {
    let latency = |key: &str, title: &str, description: &str, metric, percentile| {
        Panel::new(key, title, description, Unit::Microseconds, View::Lines)
            .show(each(component(metric), Percentile(percentile)).every(60))
    };
    Row {
        title: "Latency",
        panels: vec![
            latency(
                "latency-p90",
                "Model latency, p90",
                "Nine of ten requests are answered faster. Dashed: the limits of the alert.",
                aws::MODEL_LATENCY,
                90,
            )
            .limits(aws::MODEL_LATENCY.name)
            .width(24),
            latency("latency-p50", "Model latency, median", "The typical request.", aws::MODEL_LATENCY, 50),
            latency("latency-p99", "Model latency, p99", "The slowest one in a hundred: long answers, queues, cold copies.", aws::MODEL_LATENCY, 99),
            latency(
                "first-chunk",
                "Time to the first chunk, p90",
                "What people who read along wait for. Only streamed requests have it.",
                aws::FIRST_CHUNK_LATENCY,
                90,
            )
            .nothing("no streamed requests"),
            latency("overhead", "Overhead, p90", "Time that SageMaker adds around the container: routing, queueing before it, authentication.", aws::OVERHEAD_LATENCY, 90)
                .width(12),
            Panel::new(
                "concurrency",
                "Requests in flight per copy",
                "Waiting requests included. Rising with steady traffic means that copies cannot keep up. Dashed: the limit of the alert.",
                Unit::Count,
                View::Lines,
            )
            .show(each(component(aws::CONCURRENT_REQUESTS_PER_COPY), Maximum).every(60))
            .limits(measure::REQUESTS_PER_COPY)
            .width(12),
        ],
    }
}

fn traffic() -> Row {
    let copies = Legend::Dimensions(&[metric::COMPONENT_DIMENSION, aws::CONTAINER_DIMENSION]);
    Row {
        title: "Traffic and errors",
        panels: vec![
            Panel::new("invocations", "Invocations across models", "Requests a minute; the height is the total of all components.", Unit::Count, View::Stacked)
                .show(each(component(aws::INVOCATIONS), Sum).every(60))
                .width(12),
            Panel::new(
                "copy-invocations",
                "Invocations per copy",
                "Requests a minute of each copy. Uneven copies point to a copy that starts, hangs or is routed around.",
                Unit::Count,
                View::Lines,
            )
            .show(ask(Source::aws(aws::INVOCATIONS, Grain::Copy), Sum, copies).every(60))
            .nothing("needs enhanced metrics")
            .width(12),
            Panel::new(
                "server-errors",
                "Server errors, share of requests",
                "Requests that were answered with a 5xx code. Dashed: the limits of the alert.",
                Unit::Share,
                View::Lines,
            )
            .show(each(component(aws::INVOCATION_5XX_ERRORS), Average))
            .limits(measure::ERROR_SHARE),
            Panel::new(
                "client-errors",
                "Client errors, share of requests",
                "Requests that were answered with a 4xx code: what clients send, and throttling.",
                Unit::Share,
                View::Lines,
            )
            .show(each(component(aws::INVOCATION_4XX_ERRORS), Average)),
            Panel::new(
                "model-errors",
                "Errors of the model and in streams",
                "Requests that the container did not answer well, and streamed answers that broke off, in five minutes.",
                Unit::Count,
                View::Columns,
            )
            .show(measured(component(aws::INVOCATION_MODEL_ERRORS), Sum, "model"))
            .show(measured(component(aws::MID_STREAM_ERRORS), Sum, "in streams")),
        ],
    }
}

fn gpus() -> Row {
    let gauge = |key: &str, title: &str, description: &str, metric| {
        Panel::new(key, title, description, Unit::Percent, View::Lines)
            .show(each(component(metric), Average).every(60))
            .width(12)
    };
    let single = |key: &str, title: &str, metric| {
        let by_gpu =
            Legend::Dimensions(&[metric::COMPONENT_DIMENSION, aws::GPU_DIMENSION, aws::CONTAINER_DIMENSION]);
        let by_accelerator = Legend::Dimensions(&[
            metric::COMPONENT_DIMENSION,
            aws::ACCELERATOR_DIMENSION,
            aws::CONTAINER_DIMENSION,
        ]);
        let description = "One line a GPU of a copy. CloudWatch calls the GPU GpuId or AcceleratorId; both are asked for, one answers.";
        Panel::new(key, title, description, Unit::Percent, View::Lines)
            .show(ask(Source::aws(metric, Grain::Gpu), Average, by_gpu).every(60))
            .show(ask(Source::aws(metric, Grain::Accelerator), Average, by_accelerator).every(60))
            .nothing("needs enhanced metrics")
            .width(12)
    };
    Row {
        title: "GPUs",
        panels: vec![
            gauge("gpu-compute", "GPU compute per component", "Mean over the component's GPUs. Low for long: too many GPUs for the traffic.", aws::GPU_UTILIZATION),
            gauge("gpu-memory", "GPU memory per component", "Mean over the component's GPUs. Engines such as vLLM take most of it at their start, so that a level line is normal. Dashed: the limits of the alert.", aws::GPU_MEMORY_UTILIZATION)
                .limits(aws::GPU_MEMORY_UTILIZATION.name),
            single("single-gpu-compute", "GPU compute, each GPU", aws::GPU_UTILIZATION),
            single("single-gpu-memory", "GPU memory, each GPU", aws::GPU_MEMORY_UTILIZATION),
        ],
    }
}

fn machines() -> Row {
    let gauge = |key: &str, title: &str, description: &str, metric| {
        Panel::new(key, title, description, Unit::Percent, View::Lines)
            .show(each(component(metric), Average).every(60))
    };
    let reserved = |metric, name| called(Source::aws(metric, Grain::Variant), Average, name).every(60);
    Row {
        title: "CPU, memory and reservation",
        panels: vec![
            gauge("cpu", "CPU per component", "Of what the component reserved, or may use.", aws::CPU_UTILIZATION),
            gauge("memory", "Memory per component", "Of what the component reserved, or may use.", aws::MEMORY_UTILIZATION),
            Panel::new(
                "reservation",
                "Reserved on the instances",
                "What components reserved of the instances' GPUs, CPU and memory. At 100 % no further copy fits, however idle the GPUs are.",
                Unit::Percent,
                View::Lines,
            )
            .show(reserved(aws::GPU_RESERVATION, "GPUs"))
            .show(reserved(aws::CPU_RESERVATION, "CPU"))
            .show(reserved(aws::MEMORY_RESERVATION, "Memory")),
        ],
    }
}

fn cost(own: &Sources) -> Row {
    let per_component = |key: &str, title: &str, description: &str, unit, view, metric| {
        Panel::new(key, title, description, unit, view).show(each(own.component(metric), Average))
    };
    let of_endpoint = |metric, name| called(own.endpoint(metric), Average, name);
    let conditions = [
        (ConditionKind::TopologyMismatch, "metrics and control plane disagree"),
        (ConditionKind::PriceMissing, "no price"),
        (ConditionKind::InstanceTypeUnknown, "instance type unknown"),
        (ConditionKind::PriceOfOtherRegion, "price of another region"),
        (ConditionKind::GpuShared, "GPU shared"),
    ];
    let mut doubts = Panel::new(
        "meter-conditions",
        "Doubts of the meter",
        "Yes while a condition holds that makes numbers of this row missing or less certain.",
        Unit::Flag,
        View::Lines,
    );
    for (kind, name) in conditions {
        doubts = doubts.show(called(own.endpoint_named(kind.metric_name()), Maximum, name));
    }
    Row {
        title: "Capacity and cost",
        panels: vec![
            Panel::new("cost", "Cost per hour, by component", "US dollars an hour. The height is the bill of the endpoint: components' shares by the GPUs that they hold, and what is idle.", Unit::Usd, View::Stacked)
                .show(each(own.component(metric::COST_PER_HOUR), Average))
                .show(of_endpoint(metric::IDLE_COST_PER_HOUR, "idle"))
                .width(12),
            Panel::new("gpu-split", "GPUs used and free", "The height is the number of GPUs of the endpoint.", Unit::Count, View::Stacked)
                .show(each(own.component(metric::USED_GPUS), Average))
                .show(of_endpoint(metric::FREE_GPUS, "free"))
                .width(12),
            per_component("cost-per-thousand", "Cost per thousand invocations", "US dollars at the present traffic. Rises when traffic falls and copies stay.", Unit::Usd, View::Lines, metric::COST_PER_THOUSAND_INVOCATIONS)
                .nothing("no invocations"),
            per_component("cost-per-million", "Cost per million tokens", "US dollars at the present traffic, tokens in and out. Only where replies carry token usage and are captured.", Unit::Usd, View::Lines, metric::COST_PER_MILLION_TOKENS)
                .nothing("no token counts"),
            per_component("copies", "Copies in service", "Copies of the component that publish metrics.", Unit::Count, View::Lines, metric::COPIES),
            Panel::new("price-age", "Age of the oldest price", "Days since the price that costs are computed with was valid.", Unit::Days, View::Lines)
                .show(called(own.endpoint(metric::PRICE_AGE_DAYS), Maximum, "oldest price")),
            doubts.width(16).nothing("none"),
        ],
    }
}

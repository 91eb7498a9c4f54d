//! Inside the inference engine, from SageMaker's detailed observability, which only `PromQL` can
//! ask. Names and labels: SageMaker developer guide, "monitoring-detailed-observability-promql" and
//! "inference-monitoring"; `SGLang` has the same names with its own prefix.

use super::{Board, BoardKind, Origin, Panel, Settings, Unit, View, watched};
use crate::dashboard::board::Row;
use crate::dashboard::source::Sources;

pub(super) fn board(settings: &Settings) -> Board {
    let own = Sources::of(settings.fleet);
    Board {
        kind: BoardKind::Engine,
        description: "Inside the inference engine: first token, tokens a second, queue, KV cache, GPUs. Needs detailed observability \
                      on the endpoint config and a Prometheus data source for CloudWatch.",
        choices: watched(&own),
        rows: vec![waiting(), throughput(), hardware()],
    }
}

const LEGEND: &str = "{{aws.sagemaker.inference_component.name}}";
const CHOSEN: &str =
    "{'aws.sagemaker.endpoint.name'=\"$endpoint\",'aws.sagemaker.inference_component.name'=~\"$component\"}";
const EACH: &str = "'aws.sagemaker.inference_component.name'";

/// Series of both engines; an endpoint has one of them.
fn either(of: impl Fn(&str) -> String) -> String {
    format!("{} or {}", of("vllm"), of("sglang"))
}

fn quantile(share: &str, metric: &str) -> String {
    either(|engine| {
        format!(
            "histogram_quantile({share}, sum by ({EACH}, le) (rate({engine}_{metric}_bucket{CHOSEN}[5m])))"
        )
    })
}

fn total(function: &str, metric: &str) -> String {
    either(|engine| {
        format!("sum by ({EACH}) ({})", function.replace('_', &format!("{engine}_{metric}{CHOSEN}")))
    })
}

fn panel(key: &str, title: &str, description: &str, unit: Unit, expression: String) -> Panel {
    let legend = LEGEND.to_owned();
    Panel::new(key, title, description, unit, View::Lines).target(Origin::Prom { expression, legend }, false)
}

fn waiting() -> Row {
    let first = "time_to_first_token_seconds";
    Row {
        title: "What people wait for",
        panels: vec![
            panel(
                "first-token-p50",
                "Time to first token, median",
                "From the arrival of a request to its first token.",
                Unit::Seconds,
                quantile("0.5", first),
            ),
            panel(
                "first-token-p99",
                "Time to first token, p99",
                "The slowest one in a hundred: queues and long prompts.",
                Unit::Seconds,
                quantile("0.99", first),
            ),
            panel(
                "between-tokens",
                "Time between tokens, p90",
                "How smoothly answers stream. Above about 0.1 s people read faster than the model writes.",
                Unit::Seconds,
                quantile("0.9", "inter_token_latency_seconds"),
            ),
        ],
    }
}

fn throughput() -> Row {
    Row {
        title: "Throughput and queue",
        panels: vec![
            panel(
                "tokens-in",
                "Prompt tokens a second",
                "Tokens that are read.",
                Unit::PerSecond,
                total("rate(_[5m])", "prompt_tokens_total"),
            ),
            panel(
                "tokens-out",
                "Generated tokens a second",
                "Tokens that are written.",
                Unit::PerSecond,
                total("rate(_[5m])", "generation_tokens_total"),
            ),
            panel(
                "running",
                "Requests running",
                "Requests in the batch of the engine.",
                Unit::Count,
                total("_", "num_requests_running"),
            ),
            panel(
                "waiting",
                "Requests waiting",
                "Requests that wait for a place in the batch. Steadily above zero: more copies, or less context.",
                Unit::Count,
                total("_", "num_requests_waiting"),
            ),
            panel(
                "kv-cache",
                "KV cache in use",
                "Share of the KV cache. Near 100 % requests wait or are preempted.",
                Unit::Share,
                format!(
                    "avg by ({EACH}) (vllm_kv_cache_usage_perc{CHOSEN}) or avg by ({EACH}) (vllm_gpu_cache_usage_perc{CHOSEN}) or avg by ({EACH}) (sglang_token_usage{CHOSEN})"
                ),
            ),
        ],
    }
}

fn hardware() -> Row {
    let gpu = |metric: &str| format!("avg by ({EACH}) ({metric}{CHOSEN})");
    Row {
        title: "GPUs, as their driver counts",
        panels: vec![
            panel(
                "gpu-busy",
                "GPU busy",
                "Share of the time in which a kernel ran.",
                Unit::Percent,
                gpu("DCGM_FI_DEV_GPU_UTIL"),
            )
            .width(12),
            panel(
                "gpu-copies",
                "GPU memory controller busy",
                "Share of the time in which memory was read or written: not how full it is.",
                Unit::Percent,
                gpu("DCGM_FI_DEV_MEM_COPY_UTIL"),
            )
            .width(12),
        ],
    }
}

//! Fleets that are too large for a file.

use super::{Component, Endpoint, InstanceType, Pool, Scenario, Variant, defaults};

/// `endpoints` endpoints with `components` components each, all of one copy on `gpus` GPUs, and
/// with an instance of eight GPUs for each eight GPUs and part of it.
pub fn generated(endpoints: u32, components: u32, gpus: u32) -> Scenario {
    let per_instance = (8 / gpus.clamp(1, 8)).max(1);
    let endpoint = |number: u32| Endpoint {
        name: format!("large-{number}"),
        enhanced_metrics: true,
        publish_frequency: 60,
        gpu_dimension: defaults::gpu_dimension(),
        copies_name_endpoint: true,
        variants: vec![Variant {
            name: defaults::variant(),
            pools: vec![Pool {
                instance_type: "ml.p5.48xlarge".to_owned(),
                count: components.div_ceil(per_instance),
                measured: None,
            }],
        }],
        components: (0..components)
            .map(|index| component(&format!("model-{number}-{index}"), gpus))
            .collect(),
    };
    Scenario {
        region: crate::emulator::REGION.to_owned(),
        listed_per_page: defaults::listed_per_page(),
        datapoints_per_page: defaults::datapoints_per_page(),
        endpoints: (0..endpoints).map(endpoint).collect(),
        instances: vec![InstanceType {
            name: "ml.p5.48xlarge".to_owned(),
            gpus: 8,
            vcpus: 192,
            memory_gib: 2048,
            per_hour: Some(63.296),
        }],
    }
}

fn component(name: &str, gpus: u32) -> Component {
    Component {
        name: name.to_owned(),
        variant: defaults::variant(),
        copies: 1,
        measured_copies: None,
        accelerators: gpus,
        accelerators_by_type: std::collections::BTreeMap::new(),
        partition: None,
        cores: 4.0,
        memory_mb: defaults::memory_mb(),
        base: None,
        invocations_per_minute: 60,
        latency_ms: defaults::latency_ms(),
        gpu_percent: defaults::gpu_percent(),
        gpu_memory_percent: defaults::gpu_memory_percent(),
        cpu_percent: defaults::cpu_percent(),
        memory_percent: defaults::memory_percent(),
        stopped_minutes_ago: None,
    }
}

//! From SageMaker's answers to a topology.

use std::collections::BTreeMap;

use aws_sdk_sagemaker::operation::describe_endpoint::DescribeEndpointOutput;
use aws_sdk_sagemaker::operation::describe_endpoint_config::DescribeEndpointConfigOutput;
use aws_sdk_sagemaker::operation::describe_inference_component::DescribeInferenceComponentOutput;
use aws_sdk_sagemaker::types::{
    InferenceComponentComputeResourceRequirements, InferenceComponentRuntimeConfigSummary,
    InferenceComponentSpecificationSummary, InferenceComponentStatus, ProductionVariant,
    ProductionVariantSummary,
};
use domain::capacity::plan::PublishFrequency;
use domain::capacity::topology::{Component, EndpointTopology, Partition, Pool, TopologySource, Variant};
use domain::names::{ComponentName, EndpointName};
use jiff::Timestamp;

/// Seconds, where the endpoint config says nothing (API reference of `MetricsConfig`).
const DEFAULT_FREQUENCY: i32 = 60;

/// Whether every variant names a model: one that hosts inference components names none.
pub(super) fn has_models_of_its_own(config: &DescribeEndpointConfigOutput) -> bool {
    let variants = config.production_variants();
    !variants.is_empty() && variants.iter().all(|variant| variant.model_name.is_some())
}

pub(super) fn topology(
    endpoint: &EndpointName,
    described: &DescribeEndpointOutput,
    config: &DescribeEndpointConfigOutput,
    components: impl Iterator<Item = (ComponentName, DescribeInferenceComponentOutput)>,
    read_at: Timestamp,
) -> EndpointTopology {
    let metrics = described.metrics_config().or(config.metrics_config());
    let frequency = metrics.and_then(|metrics| metrics.metric_publish_frequency_in_seconds);
    let frequency = u32::try_from(frequency.unwrap_or(DEFAULT_FREQUENCY)).ok();
    // Shadow variants have instances, and a bill, too.
    let configured: BTreeMap<&str, &ProductionVariant> = config
        .production_variants()
        .iter()
        .chain(config.shadow_production_variants())
        .filter_map(|variant| Some((variant.variant_name()?, variant)))
        .collect();
    let running = described.production_variants().iter().chain(described.shadow_production_variants());
    EndpointTopology {
        endpoint: endpoint.clone(),
        source: TopologySource::ControlPlane { read_at },
        enhanced_metrics: Some(metrics.and_then(|it| it.enable_enhanced_metrics).unwrap_or(false)),
        publish_frequency: frequency.and_then(|seconds| PublishFrequency::try_from(seconds).ok()),
        variants: running.filter_map(|running| variant(running, &configured)).collect(),
        components: components.map(|(name, described)| component(name, &described)).collect(),
    }
}

/// The number of instances is only in `DescribeEndpoint`; their type, where there are no pools, only
/// in the endpoint config.
fn variant(
    running: &ProductionVariantSummary,
    configured: &BTreeMap<&str, &ProductionVariant>,
) -> Option<Variant> {
    let name = running.variant_name()?;
    let pools = match running.instance_pools() {
        [] => {
            let configured = configured.get(name)?;
            let of_config = configured.instance_type().map(|kind| kind.as_str().to_owned());
            let pool = |instance_type| Pool { instance_type, count: whole(running.current_instance_count) };
            of_config.map(pool).into_iter().collect()
        }
        pools => pools
            .iter()
            .filter_map(|pool| {
                let instance_type = pool.instance_type()?.as_str().to_owned();
                Some(Pool { instance_type, count: whole(pool.current_instance_count) })
            })
            .collect(),
    };
    Some(Variant { name: name.to_owned(), pools })
}

fn component(name: ComponentName, described: &DescribeInferenceComponentOutput) -> Component {
    let runtime = described.runtime_config();
    // One that is being deleted may stop at any moment: nobody can say how many copies it has.
    let is_ending = described.inference_component_status == Some(InferenceComponentStatus::Deleting);
    let copies = runtime.filter(|_| !is_ending).and_then(|it| whole(it.current_copy_count));
    let by_type: Vec<&InferenceComponentSpecificationSummary> = described.specifications().iter().collect();
    let all = described.specification().map_or(by_type.clone(), |only| vec![only]);
    let any = all.first();
    let needs: Vec<_> = all.iter().map(|it| it.compute_resource_requirements()).collect();
    let placements =
        runtime.map(InferenceComponentRuntimeConfigSummary::placement_status).unwrap_or_default();
    Component {
        name,
        variant: described.variant_name.clone(),
        copies,
        accelerators: described.specification().map_or(0, accelerators),
        accelerators_by_type: by_type
            .iter()
            .filter_map(|it| Some((it.instance_type()?.as_str().to_owned(), accelerators(it))))
            .collect(),
        // Of most instances nobody can tell the type before the slices on them are counted. Where
        // slices differ by type, whole GPUs are at least no fewer than are held.
        partition: agreed(needs.iter().map(|it| it.and_then(partition))),
        milli_cores: agreed(needs.iter().map(|it| {
            it.and_then(|it| it.number_of_cpu_cores_required).map(|cores| rounded(cores * 1000.0))
        })),
        base: any.and_then(|it| it.base_inference_component_name()).and_then(|base| base.parse().ok()),
        placements: placements
            .iter()
            .filter_map(|it| Some((it.instance_type()?.as_str().to_owned(), whole(it.current_copy_count)?)))
            .collect(),
    }
}

/// What is said alike of every instance type; `None` where it differs.
fn agreed<T: PartialEq>(mut said: impl Iterator<Item = Option<T>>) -> Option<T> {
    let first = said.next()?;
    if said.all(|other| other == first) { first } else { None }
}

fn accelerators(specification: &InferenceComponentSpecificationSummary) -> u32 {
    let needs = specification.compute_resource_requirements();
    needs.and_then(|needs| needs.number_of_accelerator_devices_required).map_or(0, rounded)
}

fn partition(needs: &InferenceComponentComputeResourceRequirements) -> Option<Partition> {
    let partition = Partition::try_from(needs.accelerator_partition_type()?.to_owned());
    partition.inspect_err(|error| tracing::warn!(%error, "partition counted as a whole GPU")).ok()
}

fn whole(number: Option<i32>) -> Option<u32> {
    u32::try_from(number?).ok()
}

/// SageMaker sends whole numbers of devices as floats.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
fn rounded(number: f32) -> u32 {
    number.round() as u32
}

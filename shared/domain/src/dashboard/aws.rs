//! The metrics that SageMaker itself publishes and Assay shows or holds against a limit: names,
//! dimension sets, units and statistics.
//!
//! Source: SageMaker developer guide, "monitoring-cloudwatch" and
//! "monitoring-cloudwatch-enhanced-metrics". The sets with an instance or a container exist only
//! where the endpoint config switches on enhanced metrics.

use crate::metric::{COMPONENT_DIMENSION, ENDPOINT_DIMENSION};

/// Requests: counts, errors, latencies.
pub const INVOCATION_NAMESPACE: &str = "AWS/SageMaker";
/// What containers use.
pub const COMPONENT_NAMESPACE: &str = "/aws/sagemaker/InferenceComponents";
/// What instances use.
pub const INSTANCE_NAMESPACE: &str = "/aws/sagemaker/Endpoints";

/// A production variant of an endpoint.
pub const VARIANT_DIMENSION: &str = "VariantName";
/// An instance.
pub const INSTANCE_DIMENSION: &str = "InstanceId";
/// A copy of an inference component.
pub const CONTAINER_DIMENSION: &str = "ContainerId";
/// A GPU, by the name that working code uses.
pub const GPU_DIMENSION: &str = "GpuId";
/// A GPU, by the name in the developer guide.
pub const ACCELERATOR_DIMENSION: &str = "AcceleratorId";

/// A set of dimensions that together name a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// One inference component, all its copies together. CloudWatch names no endpoint here;
    /// SageMaker keeps the names of components unique in a region.
    Component,
    /// One variant of an endpoint.
    Variant,
    /// One copy of a component.
    Copy,
    /// One GPU of a copy, called `GpuId`.
    Gpu,
    /// One GPU of a copy, called `AcceleratorId`.
    Accelerator,
}

impl Grain {
    /// The dimensions, all of which a query must name.
    pub const fn dimensions(self) -> &'static [&'static str] {
        match self {
            Self::Component => &[COMPONENT_DIMENSION],
            Self::Variant => &[ENDPOINT_DIMENSION, VARIANT_DIMENSION],
            Self::Copy => &[
                ENDPOINT_DIMENSION,
                VARIANT_DIMENSION,
                COMPONENT_DIMENSION,
                INSTANCE_DIMENSION,
                CONTAINER_DIMENSION,
            ],
            Self::Gpu => &[
                ENDPOINT_DIMENSION,
                VARIANT_DIMENSION,
                INSTANCE_DIMENSION,
                CONTAINER_DIMENSION,
                COMPONENT_DIMENSION,
                GPU_DIMENSION,
            ],
            Self::Accelerator => &[
                ENDPOINT_DIMENSION,
                VARIANT_DIMENSION,
                INSTANCE_DIMENSION,
                CONTAINER_DIMENSION,
                COMPONENT_DIMENSION,
                ACCELERATOR_DIMENSION,
            ],
        }
    }
}

/// A metric of SageMaker's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AwsMetric {
    /// The CloudWatch namespace.
    pub namespace: &'static str,
    /// The name in it.
    pub name: &'static str,
    /// What its values are, in SageMaker's words.
    pub unit: &'static str,
    /// The sets of dimensions that it is published with.
    pub grains: &'static [Grain],
    /// What it says.
    pub meaning: &'static str,
}

const SERVED: &[Grain] = &[Grain::Component, Grain::Variant, Grain::Copy];
const MODELLED: &[Grain] = &[Grain::Component, Grain::Variant];
const HELD: &[Grain] = &[Grain::Component];
const COMPUTED: &[Grain] = &[Grain::Component, Grain::Gpu, Grain::Accelerator];
const RESERVED: &[Grain] = &[Grain::Variant];

macro_rules! published {
    ($($constant:ident = $namespace:ident $name:literal $unit:literal $grains:ident $meaning:literal;)*) => {
        $(
            #[doc = $meaning]
            pub const $constant: AwsMetric =
                AwsMetric { namespace: $namespace, name: $name, unit: $unit, grains: $grains, meaning: $meaning };
        )*
        /// All of them.
        pub const PUBLISHED: &[AwsMetric] = &[$($constant),*];
    };
}

published! {
    INVOCATIONS = INVOCATION_NAMESPACE "Invocations" "None" SERVED "Requests.";
    INVOCATION_4XX_ERRORS = INVOCATION_NAMESPACE "Invocation4XXErrors" "None" SERVED "1 for each request that was answered with a 4xx code, 0 for each other: the mean is the share.";
    INVOCATION_5XX_ERRORS = INVOCATION_NAMESPACE "Invocation5XXErrors" "None" SERVED "1 for each request that was answered with a 5xx code, 0 for each other: the mean is the share.";
    INVOCATION_MODEL_ERRORS = INVOCATION_NAMESPACE "InvocationModelErrors" "None" SERVED "1 for each request that the model did not answer with a 2xx code, 0 for each other.";
    MID_STREAM_ERRORS = INVOCATION_NAMESPACE "MidStreamErrors" "None" SERVED "Streamed answers that broke off.";
    MODEL_LATENCY = INVOCATION_NAMESPACE "ModelLatency" "Microseconds" SERVED "Time that the container took for a request.";
    OVERHEAD_LATENCY = INVOCATION_NAMESPACE "OverheadLatency" "Microseconds" SERVED "Time that SageMaker added to a request.";
    FIRST_CHUNK_LATENCY = INVOCATION_NAMESPACE "FirstChunkLatency" "Microseconds" SERVED "Time until the first chunk of a streamed answer.";
    CONCURRENT_REQUESTS_PER_COPY = INVOCATION_NAMESPACE "ConcurrentRequestsPerCopy" "Count" MODELLED "Requests in flight on one copy, waiting ones included.";
    CONCURRENT_REQUESTS_PER_MODEL = INVOCATION_NAMESPACE "ConcurrentRequestsPerModel" "Count" MODELLED "Requests in flight on all copies, waiting ones included.";
    CPU_UTILIZATION = COMPONENT_NAMESPACE "CPUUtilizationNormalized" "Percent" HELD "CPU that containers use, of what they reserved or may use.";
    MEMORY_UTILIZATION = COMPONENT_NAMESPACE "MemoryUtilizationNormalized" "Percent" HELD "Memory that containers use, of what they reserved or may use.";
    GPU_UTILIZATION = COMPONENT_NAMESPACE "GPUUtilizationNormalized" "Percent" COMPUTED "GPU compute that containers use, 0 to 100 whatever the number of GPUs.";
    GPU_MEMORY_UTILIZATION = COMPONENT_NAMESPACE "GPUMemoryUtilizationNormalized" "Percent" COMPUTED "GPU memory that containers use, 0 to 100 whatever the number of GPUs.";
    CPU_RESERVATION = INSTANCE_NAMESPACE "CPUReservation" "Percent" RESERVED "CPU that containers reserved, of the instances'.";
    MEMORY_RESERVATION = INSTANCE_NAMESPACE "MemoryReservation" "Percent" RESERVED "Memory that containers reserved, of the instances'.";
    GPU_RESERVATION = INSTANCE_NAMESPACE "GPUReservation" "Percent" RESERVED "GPUs that containers reserved, of the instances'.";
}

//! What keeps a number from being known, or two sources from agreeing.

use serde::Serialize;

/// The kinds of conditions of an endpoint. Each is a metric: 1 while it holds, and 0 for those of
/// [`ConditionKind::STEADY`] while it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionKind {
    /// Usage cannot be known.
    Blind,
    /// Two sources disagree.
    TopologyMismatch,
    /// An instance type has no price.
    PriceMissing,
    /// The type of an instance cannot be told.
    InstanceTypeUnknown,
    /// Copies share a GPU without being partitioned.
    GpuShared,
    /// The only price is that of another region.
    PriceOfOtherRegion,
}

impl ConditionKind {
    /// All of them, in the order of the documentation.
    pub const ALL: &[Self] = &[
        Self::Blind,
        Self::TopologyMismatch,
        Self::PriceMissing,
        Self::InstanceTypeUnknown,
        Self::GpuShared,
        Self::PriceOfOtherRegion,
    ];

    /// Those that are published as 0 too, so that an alarm can tell "no" from "not running".
    pub const STEADY: &[Self] = &[Self::Blind, Self::TopologyMismatch, Self::PriceMissing];

    /// The name in logs and in the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blind => "blind",
            Self::TopologyMismatch => "topology_mismatch",
            Self::PriceMissing => "price_missing",
            Self::InstanceTypeUnknown => "instance_type_unknown",
            Self::GpuShared => "gpu_shared",
            Self::PriceOfOtherRegion => "price_of_other_region",
        }
    }

    /// The metric.
    pub const fn metric_name(self) -> &'static str {
        match self {
            Self::Blind => "MeterBlind",
            Self::TopologyMismatch => "TopologyMismatch",
            Self::PriceMissing => "PriceMissing",
            Self::InstanceTypeUnknown => "InstanceTypeUnknown",
            Self::GpuShared => "GpuShared",
            Self::PriceOfOtherRegion => "PriceOfOtherRegion",
        }
    }

    /// One plain sentence for the reader of a dashboard.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Blind => "Usage is not known: no used and free GPUs, no idle cost are published.",
            Self::TopologyMismatch => {
                "What is measured and what the control plane says differ; both are reported."
            }
            Self::PriceMissing => "An instance type has no price: no cost is published for the endpoint.",
            Self::InstanceTypeUnknown => {
                "The type of an instance cannot be told: no cost is published for the endpoint."
            }
            Self::GpuShared => "Copies report the same GPU; its cost is split between them.",
            Self::PriceOfOtherRegion => "Costs are computed with the price of another region.",
        }
    }
}

/// Why usage cannot be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BlindReason {
    /// `EnableEnhancedMetrics` is false.
    EnhancedMetricsOff,
    /// `ListMetrics` has no series of a single GPU or copy.
    NothingListed,
    /// It has roll-ups only.
    OnlyRollUps,
    /// None of the listed series has data.
    AllSilent,
    /// CloudWatch did not answer completely.
    IncompleteAnswer,
    /// No series of an instance has data, so that the total is not known.
    NoInstanceSeries,
    /// A component has or may have copies, and none of its series has data.
    ComponentSilent,
    /// An instance has no series of its own, or neither a known type nor series of its GPUs.
    GpusUnknown,
}

impl BlindReason {
    /// All of them, in the order of the documentation.
    pub const ALL: &[Self] = &[
        Self::EnhancedMetricsOff,
        Self::NothingListed,
        Self::OnlyRollUps,
        Self::AllSilent,
        Self::IncompleteAnswer,
        Self::NoInstanceSeries,
        Self::ComponentSilent,
        Self::GpusUnknown,
    ];

    /// The name in logs and in the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EnhancedMetricsOff => "enhanced_metrics_off",
            Self::NothingListed => "nothing_listed",
            Self::OnlyRollUps => "only_roll_ups",
            Self::AllSilent => "all_silent",
            Self::IncompleteAnswer => "incomplete_answer",
            Self::NoInstanceSeries => "no_instance_series",
            Self::ComponentSilent => "component_silent",
            Self::GpusUnknown => "gpus_unknown",
        }
    }

    /// The metric, published as 1 while the reason holds.
    pub const fn metric_name(self) -> &'static str {
        match self {
            Self::EnhancedMetricsOff => "BlindEnhancedMetricsOff",
            Self::NothingListed => "BlindNothingListed",
            Self::OnlyRollUps => "BlindOnlyRollUps",
            Self::AllSilent => "BlindAllSilent",
            Self::IncompleteAnswer => "BlindIncompleteAnswer",
            Self::NoInstanceSeries => "BlindNoInstanceSeries",
            Self::ComponentSilent => "BlindComponentSilent",
            Self::GpusUnknown => "BlindGpusUnknown",
        }
    }

    /// One plain sentence that says what to do.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::EnhancedMetricsOff => {
                "Enhanced metrics are off: set MetricsConfig.EnableEnhancedMetrics in a new endpoint config."
            }
            Self::NothingListed => {
                "CloudWatch lists no series of single GPUs or copies: are enhanced metrics on, and since when?"
            }
            Self::OnlyRollUps => {
                "CloudWatch lists only sums over GPUs; they cannot be counted. Are enhanced metrics on?"
            }
            Self::AllSilent => "The listed series have no data in the window.",
            Self::IncompleteAnswer => {
                "CloudWatch did not answer completely (throttled, failed or not allowed); the next run asks again."
            }
            Self::NoInstanceSeries => "No series of an instance has data, so that nobody knows what is idle.",
            Self::ComponentSilent => {
                "A component runs or may run and has no data: it is starting, its metrics are missing, or fleet.toml leaves out its copies and there are none."
            }
            Self::GpusUnknown => {
                "How many GPUs an instance has is not known: add its type to [[instance]] in fleet.toml."
            }
        }
    }
}

/// A condition that holds for an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// Its kind.
    pub kind: ConditionKind,
    /// Why the meter is blind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<BlindReason>,
    /// What exactly, with both numbers where two sources disagree.
    pub detail: String,
}

impl Condition {
    /// The meter is blind, because of `reason`.
    pub fn blind(reason: BlindReason, detail: impl Into<String>) -> Self {
        Self { kind: ConditionKind::Blind, reason: Some(reason), detail: detail.into() }
    }

    /// Any other condition.
    pub fn of(kind: ConditionKind, detail: impl Into<String>) -> Self {
        Self { kind, reason: None, detail: detail.into() }
    }
}

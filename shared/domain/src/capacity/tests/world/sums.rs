//! What SageMaker publishes and the meter passes over: it is listed all the same.

use super::{
    COMPONENTS_NAMESPACE, CPU_METRIC, ENDPOINTS_NAMESPACE, GPU_METRIC, INVOCATIONS_METRIC,
    INVOCATIONS_NAMESPACE, Listed, World,
};

impl World {
    /// All that SageMaker publishes of a component beside the series of its single GPUs and copies,
    /// which are numbered from 0: sums over copies, and the traffic of each copy, also by zone.
    pub(in crate::capacity) fn sums(mut self, component: &str, gpus: u32) -> Self {
        let name = ("InferenceComponentName", component);
        self = self.series(COMPONENTS_NAMESPACE, GPU_METRIC, &[name], 24.0).series(
            COMPONENTS_NAMESPACE,
            CPU_METRIC,
            &[name],
            24.0,
        );
        for gpu in 0..gpus {
            let id = format!("gpu_{gpu}");
            self = self.series(COMPONENTS_NAMESPACE, GPU_METRIC, &[name, ("GpuId", &id)], 12.0);
        }
        let is_copy = |it: &Listed| it.metric == CPU_METRIC && it.dimension("ContainerId").is_some();
        let of_it = |it: &Listed| it.dimension(name.0) == Some(name.1);
        for copy in self.listed().into_iter().filter(|it| is_copy(it) && of_it(it)) {
            let mut dimensions: Vec<(&str, &str)> =
                copy.dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            self = self.series(INVOCATIONS_NAMESPACE, INVOCATIONS_METRIC, &dimensions, 6.0);
            dimensions.push(("AvailabilityZone", "use1-az1"));
            self = self.series(INVOCATIONS_NAMESPACE, INVOCATIONS_METRIC, &dimensions, 6.0);
        }
        self
    }

    /// The sums over the instances of the variant, and over the GPUs of each.
    pub(in crate::capacity) fn sums_of_variant(mut self, instances: &[&str]) -> Self {
        let endpoint = self.endpoint.clone();
        let variant = [("EndpointName", endpoint.as_str()), ("VariantName", "AllTraffic")];
        for instance in instances {
            let own = [&variant[..], &[("InstanceId", *instance)]].concat();
            self = self.series(ENDPOINTS_NAMESPACE, GPU_METRIC, &own, 24.0);
        }
        self.series(ENDPOINTS_NAMESPACE, CPU_METRIC, &variant, 24.0)
            .series(ENDPOINTS_NAMESPACE, GPU_METRIC, &variant, 24.0)
            .series(INVOCATIONS_NAMESPACE, INVOCATIONS_METRIC, &variant, 24.0)
    }
}

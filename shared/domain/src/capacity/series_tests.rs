use super::*;

fn tokens() -> TokenNames {
    TokenNames::from(&crate::fleet::MetricNaming::default())
}

fn listed(namespace: &str, metric: &str, dimensions: &[(&str, &str)]) -> Listed {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Listed {
        namespace: namespace.to_owned(),
        metric: metric.to_owned(),
        dimensions: dimensions.iter().map(own).collect(),
    }
}

fn kind(namespace: &str, metric: &str, dimensions: &[(&str, &str)]) -> Option<Meaning> {
    Series::of(listed(namespace, metric, dimensions), &tokens()).map(|series| series.meaning)
}

const NAME: (&str, &str) = ("InferenceComponentName", "qwen");
const PLACE: [(&str, &str); 3] = [NAME, ("InstanceId", "i-1"), ("ContainerId", "c1")];

#[test]
fn a_gpu_needs_its_instance_its_container_and_its_id() {
    let gpu = GpuUse {
        instance: "i-1".to_owned(),
        gpu: "gpu_0".to_owned(),
        container: "c1".to_owned(),
        component: "qwen".parse().unwrap(),
    };
    for name in ["GpuId", "AcceleratorId"] {
        let mut dimensions = PLACE.to_vec();
        dimensions.push((name, "gpu_0"));
        assert_eq!(kind(COMPONENTS_NAMESPACE, GPU_METRIC, &dimensions), Some(Meaning::Gpu(gpu.clone())));
        dimensions.extend([("EndpointName", "chat"), ("VariantName", "AllTraffic"), ("Region", "us-east-1")]);
        assert_eq!(kind(COMPONENTS_NAMESPACE, GPU_METRIC, &dimensions), Some(Meaning::Gpu(gpu.clone())));
    }
    for roll_up in [
        &[NAME][..],
        &PLACE[..],
        &[NAME, ("GpuId", "gpu_0")],
        &[NAME, ("EndpointName", "chat"), ("VariantName", "AllTraffic")],
        &[("InstanceId", "i-1"), ("ContainerId", "c1"), ("GpuId", "gpu_0")],
        &[NAME, ("InstanceId", "i-1"), ("ContainerId", "c1"), ("GpuId", "")],
    ] {
        assert_eq!(kind(COMPONENTS_NAMESPACE, GPU_METRIC, roll_up), Some(Meaning::RollUp), "{roll_up:?}");
    }
}

#[test]
fn instances_and_their_gpus() {
    let place = [("EndpointName", "chat"), ("VariantName", "AllTraffic"), ("InstanceId", "i-1")];
    let instance = "i-1".to_owned();
    assert_eq!(
        kind(ENDPOINTS_NAMESPACE, CPU_METRIC, &place),
        Some(Meaning::Instance { instance: instance.clone() })
    );
    assert_eq!(kind(ENDPOINTS_NAMESPACE, CPU_METRIC, &place[..2]), Some(Meaning::RollUp));
    let mut gpu = place.to_vec();
    gpu.push(("AcceleratorId", "0"));
    assert_eq!(
        kind(ENDPOINTS_NAMESPACE, GPU_METRIC, &gpu),
        Some(Meaning::InstanceGpu { instance, gpu: "0".to_owned() })
    );
    assert_eq!(kind(ENDPOINTS_NAMESPACE, GPU_METRIC, &place), Some(Meaning::RollUp));
}

#[test]
fn invocations_of_a_component_are_read_from_one_set_of_dimensions() {
    let qwen = Meaning::Invocations("qwen".parse().unwrap());
    assert_eq!(kind(INVOCATIONS_NAMESPACE, INVOCATIONS_METRIC, &[NAME]), Some(qwen));
    let mut copy = PLACE.to_vec();
    copy.extend([("EndpointName", "chat"), ("VariantName", "AllTraffic")]);
    let is_copy =
        matches!(kind(INVOCATIONS_NAMESPACE, INVOCATIONS_METRIC, &copy), Some(Meaning::CopyInvocations(_)));
    assert!(is_copy);
    copy.push(("AvailabilityZone", "use1-az1"));
    assert_eq!(kind(INVOCATIONS_NAMESPACE, INVOCATIONS_METRIC, &copy), Some(Meaning::RollUp));
    let endpoint = [("EndpointName", "chat"), ("VariantName", "AllTraffic")];
    assert_eq!(kind(INVOCATIONS_NAMESPACE, INVOCATIONS_METRIC, &endpoint), Some(Meaning::RollUp));
}

#[test]
fn what_the_meter_has_no_use_for() {
    assert_eq!(kind("AWS/SageMaker", "ModelLatency", &[NAME]), None);
    assert_eq!(kind(&tokens().namespace, "SafetyScore", &[NAME]), None);
    let unknown = [("InferenceComponentName", "unattributed")];
    assert_eq!(kind(&tokens().namespace, "PromptTokens", &unknown), None);
}

#[test]
fn an_entry_that_names_only_its_component_finds_its_endpoint() {
    let mut gpu = PLACE.to_vec();
    gpu.push(("GpuId", "gpu_0"));
    let entry = listed(COMPONENTS_NAMESPACE, GPU_METRIC, &gpu);
    let (chat, qwen): (EndpointName, ComponentName) = ("chat".parse().unwrap(), "qwen".parse().unwrap());

    let nobody = Inventory::of([entry.clone()], &BTreeMap::new(), &tokens());
    assert_eq!((nobody.endpoints.len(), nobody.unowned), (0, 1));

    let by_topology = Inventory::of([entry.clone()], &[(qwen, chat.clone())].into(), &tokens());
    assert_eq!(by_topology.endpoints[&chat].len(), 1);

    let mut other = PLACE.to_vec();
    other.push(("EndpointName", "chat"));
    let by_entry =
        Inventory::of([entry, listed(COMPONENTS_NAMESPACE, CPU_METRIC, &other)], &BTreeMap::new(), &tokens());
    assert_eq!((by_entry.endpoints[&chat].len(), by_entry.unowned), (2, 0));
}

#[test]
fn a_gpu_of_an_unknown_component_belongs_to_the_endpoint_of_its_instance() {
    let mut gpu = PLACE.to_vec();
    gpu.push(("GpuId", "gpu_0"));
    let entry = listed(COMPONENTS_NAMESPACE, GPU_METRIC, &gpu);
    let machine = [("EndpointName", "chat"), ("VariantName", "AllTraffic"), ("InstanceId", "i-1")];
    let machine = listed(ENDPOINTS_NAMESPACE, CPU_METRIC, &machine);
    let traffic = listed(INVOCATIONS_NAMESPACE, INVOCATIONS_METRIC, &[NAME]);
    let elsewhere: BTreeMap<ComponentName, EndpointName> =
        [("qwen".parse().unwrap(), "moved-away".parse().unwrap())].into();
    let chat: EndpointName = "chat".parse().unwrap();

    let unknown = Inventory::of([entry.clone(), traffic, machine.clone()], &BTreeMap::new(), &tokens());
    assert_eq!((unknown.endpoints[&chat].len(), unknown.unowned), (3, 0));

    let moved = Inventory::of([entry, machine], &elsewhere, &tokens());
    assert_eq!(moved.endpoints[&chat].len(), 2, "an instance is on one endpoint only");
}

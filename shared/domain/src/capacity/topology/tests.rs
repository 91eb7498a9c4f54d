use super::*;
use crate::fleet::Fleet;

const FLEET: &str = r#"
    [[endpoint]]
    name = "support-chat"
    components = ["gpt-oss", "qwen", "legal"]
    publish_frequency = 10
    [[endpoint.variant]]
    instance_type = "ml.g6.12xlarge"
    instance_count = 2
    [[endpoint.variant]]
    instance_type = "ml.g5.xlarge"
    [[endpoint.variant]]
    name = "canary"
    instance_type = "ml.p5.48xlarge"
    instance_count = 1
    [[endpoint.component]]
    name = "gpt-oss"
    accelerators = 4
    copies = 1
    variant = "canary"
    [[endpoint.component]]
    name = "qwen"
    accelerators = 1
    partition = "mig-3g.40gb"
    cpu_cores = 1.5
    [[endpoint.component]]
    name = "legal"
    base = "qwen"
    [[endpoint]]
    name = "quiet"
    components = ["a"]
"#;

#[test]
fn a_fleet_file_describes_an_endpoint() {
    let fleet = Fleet::from_toml("fleet.toml", FLEET).unwrap();
    let topologies = fleet.topologies();
    assert_eq!(topologies.len(), 1, "an endpoint without capacity settings is not described");
    let topology = &topologies[&"support-chat".parse().unwrap()];
    assert_eq!(topology.source, TopologySource::FleetFile);
    assert_eq!(topology.publish_frequency.map(u32::from), Some(10));
    assert_eq!(topology.enhanced_metrics, None);
    let pools: Vec<(&str, usize)> =
        topology.variants.iter().map(|it| (it.name.as_str(), it.pools.len())).collect();
    assert_eq!(pools, [("AllTraffic", 2), ("canary", 1)]);
    assert_eq!(topology.instances(), None, "one count is not known");
    let [gpt, qwen, legal] = &topology.components[..] else { panic!("three components") };
    assert_eq!(gpt.expected_gpus(), Some(Gpus::whole(4)));
    assert_eq!((qwen.copies, qwen.expected_gpus(), qwen.milli_cores), (None, None, Some(1500)));
    assert_eq!(qwen.sevenths_per_device(), 3);
    assert_eq!((legal.needs_gpus(), legal.expected_gpus()), (false, Some(Gpus::default())));
}

#[test]
fn every_mistake_in_it_is_told_at_once() {
    let text = r#"
        [[endpoint]]
        name = "chat"
        components = ["a", "b"]
        publish_frequency = 20
        enhanced_metrics = "yes"
        [[endpoint.variant]]
        instance_type = "ml.g5.xlarge"
        [[endpoint.variant]]
        instance_type = "ml.g5.xlarge"
        instance_count = -1
        [[endpoint.component]]
        name = "c"
        variant = "other"
        partition = "half"
        [[endpoint.component]]
        name = "a"
        base = "a"
        accelerator = 1
        [[endpoint.component]]
        name = "a"
        cpu_cores = 0
        [[endpoint]]
        name = "bare"
        components = ["x"]
        publish_frequency = 60
        [capacity]
        namespace = ":x"
        discount_percent = 101
        [[instance]]
        type = "g5.xlarge"
        per_hour = 0
        [[instance]]
        type = "ml.g5.xlarge"
        per_hour = 1
        as_of = "yesterday"
        [[instance]]
        type = "ml.g5.xlarge"
        gpus = 0.5
    "#;
    let error = Fleet::from_toml("fleet.toml", text).unwrap_err();
    let places: Vec<&str> =
        error.list.iter().map(|line| line.split_once(": ").unwrap_or_default().0).collect();
    assert_eq!(
        places,
        [
            "endpoint[0].enhanced_metrics",
            "endpoint[0].publish_frequency",
            "endpoint[0].variant[1].instance_count",
            "endpoint[0].variant[1].instance_type",
            "endpoint[0].component[0].name",
            "endpoint[0].component[0].variant",
            "endpoint[0].component[0].partition",
            "endpoint[0].component[1].base",
            "endpoint[0].component[1].accelerator",
            "endpoint[0].component[2].cpu_cores",
            "endpoint[0].component[2].name",
            "endpoint[1].variant",
            "instance[0].type",
            "instance[0].per_hour",
            "instance[1].as_of",
            "instance[2].gpus",
            "instance[2].type",
            "capacity.namespace",
            "capacity.discount_percent",
        ],
        "{error}"
    );
}

#[test]
fn a_slice_is_its_compute() {
    for (name, sevenths) in [("mig-1g.10gb", 1), ("mig-3g.40gb", 3), ("mig-7g.80gb", 7), ("mig-1g.5gb+me", 1)]
    {
        assert_eq!(Partition::try_from(name.to_owned()).unwrap().sevenths(), sevenths, "{name}");
    }
    for wrong in ["", "mig-", "mig-0g.5gb", "mig-8g.80gb", "3g.40gb", "mig-xg.40gb"] {
        assert!(Partition::try_from(wrong.to_owned()).is_err(), "{wrong}");
    }
}

#[test]
fn a_cached_topology_is_read_back_as_it_was() {
    let fleet = Fleet::from_toml("fleet.toml", FLEET).unwrap();
    let mut topology = fleet.topologies().into_values().next().unwrap();
    topology.source = TopologySource::ControlPlane { read_at: "2026-09-21T14:00:00Z".parse().unwrap() };
    topology.components[0].placements = [("ml.g6.12xlarge".to_owned(), 1)].into();
    let text = serde_json::to_string(&topology).unwrap();
    assert_eq!(serde_json::from_str::<EndpointTopology>(&text).unwrap(), topology);
}

#[test]
fn a_cache_entry_may_lack_what_has_a_default() {
    let text = r#"{"endpoint":"chat","source":{"from":"fleet_file"},
        "variants":[{"name":"AllTraffic","pools":[{"instance_type":"ml.g5.xlarge","count":1}]}],
        "components":[{"name":"a","copies":2,"accelerators":1}]}"#;
    let topology: EndpointTopology = serde_json::from_str(text).unwrap();
    assert_eq!(topology.components[0].expected_gpus(), Some(Gpus::whole(2)));
    let wrong = text.replace("\"source\"", "\"publish_frequency\":20,\"source\"");
    assert!(serde_json::from_str::<EndpointTopology>(&wrong).is_err());
}

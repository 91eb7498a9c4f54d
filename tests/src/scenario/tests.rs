use std::collections::BTreeSet;

use domain::capacity::series::{COMPONENTS_NAMESPACE, ENDPOINTS_NAMESPACE, GPU_METRIC, INVOCATIONS_METRIC};

use super::*;

/// A moment at the start of a minute.
const NOW: i64 = 1_790_000_040;

#[test]
fn every_scenario_is_right_and_explained() {
    let explained = fs::read_to_string(folder().join("README.md")).unwrap();
    for name in names().unwrap() {
        let scenario = Scenario::named(&name).unwrap();
        assert!(!series(&scenario).unwrap().is_empty() || name == "scaled-to-zero", "{name}");
        assert!(explained.contains(&format!("`{name}.toml`")), "{name}");
        let again = Scenario::parse(&toml::to_string(&scenario).unwrap()).unwrap();
        assert_eq!(again, scenario, "{name}");
    }
}

#[test]
fn the_fleet_of_the_blog_lies_where_the_blog_has_it() {
    let scenario = Scenario::named("blog").unwrap();
    let fleet = Fleet::of(&scenario).unwrap();
    let placed = &fleet.endpoints[0];
    let shown: Vec<(&str, usize, Vec<String>)> = placed
        .copies
        .iter()
        .map(|copy| {
            (copy.component.name.as_str(), copy.instance, copy.devices.iter().map(Device::id).collect())
        })
        .collect();
    let gpus = |range: std::ops::Range<usize>| range.map(placement::gpu_id).collect::<Vec<_>>();
    assert_eq!(
        shown,
        [("gpt-oss-20b", 0, gpus(0..4)), ("qwen-7b", 1, gpus(0..1)), ("qwen-7b", 1, gpus(1..2))]
    );
}

#[test]
fn series_of_single_gpus_stand_beside_their_roll_ups() {
    let scenario = Scenario::named("blog").unwrap();
    let all = series(&scenario).unwrap();
    let of = |namespace: &str, metric: &str| -> Vec<&Series> {
        all.iter().filter(|one| one.namespace == namespace && one.metric == metric).collect()
    };
    let names = |one: &Series| one.dimensions.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let gpus = of(COMPONENTS_NAMESPACE, GPU_METRIC);
    assert_eq!(gpus.iter().filter(|one| names(one).len() == 6).count(), 6);
    // A roll-up has one sample for each GPU that is in it: whoever adds all up counts twice.
    let roll_ups: f64 = gpus
        .iter()
        .filter(|one| names(one) == ["InferenceComponentName"])
        .flat_map(|one| one.samples(NOW))
        .map(|sample| sample.count)
        .sum();
    assert!((roll_ups - 6.0).abs() < 1e-9, "{roll_ups}");
    assert_eq!(of(ENDPOINTS_NAMESPACE, GPU_METRIC).iter().filter(|one| names(one).len() == 4).count(), 8);
    let unique: BTreeSet<String> =
        all.iter().map(|one| format!("{} {} {:?}", one.namespace, one.metric, one.dimensions)).collect();
    assert_eq!(unique.len(), all.len());
}

#[test]
fn without_enhanced_metrics_there_are_only_roll_ups() {
    let mut scenario = Scenario::named("blog").unwrap();
    scenario.endpoints[0].enhanced_metrics = false;
    let all = series(&scenario).unwrap();
    let details = ["InstanceId", "ContainerId", "GpuId"];
    let detailed = all.iter().filter(|one| one.dimensions.iter().any(|(name, _)| details.contains(name)));
    assert_eq!(detailed.count(), 0);
    let invocations = all.iter().filter(|one| one.metric == INVOCATIONS_METRIC);
    assert!(invocations.clone().count() == 3 && invocations.into_iter().all(|one| one.frequency == 60));
}

#[test]
fn invocations_are_whole_and_none_is_lost_at_any_frequency() {
    for frequency in [10, 30, 60, 120, 300] {
        let mut scenario = Scenario::named("blog").unwrap();
        scenario.endpoints[0].publish_frequency = frequency;
        scenario.component("qwen-7b").unwrap().invocations_per_minute = 7;
        let all = series(&scenario).unwrap();
        let of_qwen = all.iter().find(|one| {
            one.metric == INVOCATIONS_METRIC
                && one.dimensions == [("InferenceComponentName", "qwen-7b".to_owned())]
        });
        let of_qwen = of_qwen.unwrap();
        let samples = (NOW - 3600 + 1..=NOW).filter(|time| of_qwen.is_running(*time, NOW));
        let counts: Vec<f64> = samples.flat_map(|time| of_qwen.samples(time)).map(|it| it.count).collect();
        assert!(counts.iter().all(|count| count.fract().abs() < 1e-9), "{counts:?}");
        let sum = counts.iter().sum::<f64>();
        assert!((sum - 420.0).abs() <= f64::from(frequency) / 60.0 * 7.0, "{frequency}: {sum}");
    }
}

#[test]
fn every_mistake_of_a_scenario_is_named() {
    let text = r#"
region = "us-east-1"
[[endpoint]]
name = "a"
publish_frequency = 7
[[endpoint.variant]]
pools = [{ type = "ml.none.large", count = 1 }]
[[endpoint.component]]
name = "b"
variant = "nowhere"
partition = "half"
[[endpoint.component]]
name = "b"
base = "c"
"#;
    let mistakes = Scenario::parse(text).unwrap_err().0;
    for mistake in [
        "component b stands twice",
        "endpoint a: 7 is not a publish frequency",
        "endpoint a: ml.none.large has no [[instance]]",
        "endpoint a: component b: there is no variant nowhere",
        "endpoint a: component b: \"half\" is not a MIG slice",
        "endpoint a: component b: there is no component c to be an adapter of",
    ] {
        assert!(mistakes.contains(mistake), "{mistake} is not in {mistakes}");
    }
    let mut full = Scenario::named("blog").unwrap();
    full.component("qwen-7b").unwrap().copies = 5;
    let full = Scenario::parse(&toml::to_string(&full).unwrap()).unwrap_err().0;
    assert_eq!(full, "endpoint support-chat: copy 5 of qwen-7b fits on no instance");
    assert!(Scenario::named("nothing").unwrap_err().0.contains("there are blog, disagreeing, mig"));
}

#[test]
fn a_generated_fleet_is_as_large_as_asked_for() {
    let scenario = generated(2, 10, 8);
    let all = series(&scenario).unwrap();
    let gpus = all.iter().filter(|one| {
        one.namespace == COMPONENTS_NAMESPACE && one.metric == GPU_METRIC && one.dimensions.len() == 6
    });
    assert_eq!(gpus.count(), 2 * 10 * 8);
}

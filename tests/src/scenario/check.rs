//! What contradicts itself in a scenario.

use std::collections::BTreeSet;

use domain::capacity::plan::PublishFrequency;
use domain::capacity::topology::Partition;
use domain::names::{ComponentName, EndpointName};

use super::{Component, Endpoint, Fleet, Scenario};

/// Every mistake, each with its place.
pub(super) fn mistakes(scenario: &Scenario) -> Vec<String> {
    let mut mistakes = Vec::new();
    twice("instance", scenario.instances.iter().map(|it| it.name.as_str()), &mut mistakes);
    twice("endpoint", scenario.endpoints.iter().map(|it| it.name.as_str()), &mut mistakes);
    let components = scenario.endpoints.iter().flat_map(|endpoint| &endpoint.components);
    twice("component", components.map(|it| it.name.as_str()), &mut mistakes);
    for endpoint in &scenario.endpoints {
        let mut of_endpoint = Vec::new();
        check_endpoint(endpoint, scenario, &mut of_endpoint);
        mistakes.extend(of_endpoint.into_iter().map(|what| format!("endpoint {}: {what}", endpoint.name)));
    }
    if mistakes.is_empty() {
        mistakes.extend(Fleet::of(scenario).err().map(|failure| failure.0));
    }
    mistakes
}

fn twice<'a>(what: &str, names: impl Iterator<Item = &'a str>, mistakes: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    let repeated = names.filter(|name| !seen.insert(*name));
    mistakes.extend(repeated.map(|name| format!("{what} {name} stands twice")));
}

fn check_endpoint(endpoint: &Endpoint, scenario: &Scenario, mistakes: &mut Vec<String>) {
    if endpoint.name.parse::<EndpointName>().is_err() {
        mistakes.push("is not a name".to_owned());
    }
    mistakes
        .extend(PublishFrequency::try_from(endpoint.publish_frequency).err().map(|error| error.to_string()));
    if endpoint.variants.is_empty() {
        mistakes.push("has no [[endpoint.variant]]".to_owned());
    }
    for pool in endpoint.variants.iter().flat_map(|variant| &variant.pools) {
        if scenario.instance_type(&pool.instance_type).is_none() {
            mistakes.push(format!("{} has no [[instance]]", pool.instance_type));
        }
    }
    for component in &endpoint.components {
        let mut of_component = Vec::new();
        check_component(component, endpoint, &mut of_component);
        mistakes.extend(of_component.into_iter().map(|what| format!("component {}: {what}", component.name)));
    }
}

fn check_component(component: &Component, endpoint: &Endpoint, mistakes: &mut Vec<String>) {
    if component.name.parse::<ComponentName>().is_err() {
        mistakes.push("is not a name".to_owned());
    }
    if !endpoint.variants.iter().any(|variant| variant.name == component.variant) {
        mistakes.push(format!("there is no variant {}", component.variant));
    }
    if let Some(base) = &component.base
        && !endpoint.components.iter().any(|other| other.name == *base && other.base.is_none())
    {
        mistakes.push(format!("there is no component {base} to be an adapter of"));
    }
    if let Some(partition) = &component.partition {
        mistakes.extend(Partition::try_from(partition.clone()).err().map(|error| error.to_string()));
    }
}

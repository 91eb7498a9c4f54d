//! The capacity part of a table `[[endpoint]]` of `fleet.toml`: `enhanced_metrics`,
//! `publish_frequency`, `[[endpoint.variant]]` and `[[endpoint.component]]`.

use std::collections::BTreeMap;

use super::{Component, EndpointTopology, Partition, Pool, TopologySource, Variant};
use crate::capacity::plan::PublishFrequency;
use crate::names::{ComponentName, EndpointName};
use crate::settings::Section;

/// The variant that SageMaker's own tools create.
const DEFAULT_VARIANT: &str = "AllTraffic";

/// Reads what the table says about the endpoint's capacity; `None` when it says nothing. `listed`
/// are the components that the table names.
pub(crate) fn read_endpoint(
    section: &Section,
    endpoint: Option<&EndpointName>,
    listed: &[ComponentName],
) -> Option<EndpointTopology> {
    let keys = ["enhanced_metrics", "publish_frequency", "variant", "component"];
    let says_something = keys.iter().any(|key| section.has(key));
    let enhanced_metrics = section.has("enhanced_metrics").then(|| section.flag("enhanced_metrics", true));
    let wanted = "10, 30, 60, 120, 180, 240 or 300 seconds";
    let frequency =
        |seconds: u64| u32::try_from(seconds).ok().and_then(|it| PublishFrequency::try_from(it).ok());
    let publish_frequency = section
        .optional_whole("publish_frequency", wanted, |seconds| frequency(seconds).is_some())
        .and_then(frequency);
    let variants = read_variants(section);
    let components = read_components(section, listed, &variants);
    if says_something && variants.is_empty() {
        section.mistake("variant", "must say the instance type of each variant ([[endpoint.variant]])");
    }
    says_something.then_some(())?;
    Some(EndpointTopology {
        endpoint: endpoint?.clone(),
        source: TopologySource::FleetFile,
        enhanced_metrics,
        publish_frequency,
        variants,
        components,
    })
}

/// Several tables of one name are one variant with instance pools.
fn read_variants(section: &Section) -> Vec<Variant> {
    let mut variants: Vec<Variant> = Vec::new();
    for table in section.sections("variant") {
        let name = table.optional_text("name").unwrap_or_else(|| DEFAULT_VARIANT.to_owned());
        let instance_type = table.text("instance_type");
        let count = small(&table, "instance_count");
        let Some(instance_type) = instance_type else { continue };
        let pool = Pool { instance_type, count };
        match variants.iter_mut().find(|variant| variant.name == name) {
            Some(variant) if variant.pools.iter().any(|it| it.instance_type == pool.instance_type) => {
                table.mistake("instance_type", format_args!("{} stands twice", pool.instance_type));
            }
            Some(variant) => variant.pools.push(pool),
            None => variants.push(Variant { name, pools: vec![pool] }),
        }
    }
    variants
}

fn read_components(section: &Section, listed: &[ComponentName], variants: &[Variant]) -> Vec<Component> {
    let mut components: Vec<Component> = Vec::new();
    for table in section.sections("component") {
        let Some(component) = read_component(&table, listed, variants) else { continue };
        if components.iter().any(|other| other.name == component.name) {
            table.mistake("name", format_args!("{} stands twice", component.name));
        }
        components.push(component);
    }
    components
}

fn read_component(table: &Section, listed: &[ComponentName], variants: &[Variant]) -> Option<Component> {
    let component_name = |key: &str, text: Option<String>| {
        let name = text?.parse::<ComponentName>().map_err(|error| table.mistake(key, error)).ok()?;
        if !listed.contains(&name) {
            table.mistake(key, format_args!("{name} is none of the endpoint's components"));
        }
        Some(name)
    };
    let name = component_name("name", table.text("name"));
    let base = component_name("base", table.optional_text("base"));
    if name.is_some() && name == base {
        table.mistake("base", "is the component itself");
    }
    let variant = table.optional_text("variant");
    if let Some(variant) = &variant
        && !variants.iter().any(|known| known.name == *variant)
    {
        table.mistake("variant", format_args!("{variant} is none of the endpoint's variants"));
    }
    let copies = small(table, "copies");
    let accelerators = small(table, "accelerators").unwrap_or(0);
    let partition = table
        .optional_text("partition")
        .and_then(|text| Partition::try_from(text).map_err(|error| table.mistake("partition", error)).ok());
    let cores =
        table.optional_number("cpu_cores", "0.25 to 1000 cores", |cores| (0.25..=1000.0).contains(&cores));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    let milli_cores = cores.map(|cores| (cores * 1000.0).round() as u32);
    Some(Component {
        name: name?,
        variant,
        copies,
        accelerators,
        accelerators_by_type: BTreeMap::new(),
        partition,
        milli_cores,
        base,
        placements: BTreeMap::new(),
    })
}

fn small(table: &Section, key: &str) -> Option<u32> {
    let number = table.optional_whole(key, "a whole number from 0 to 100000", |number| number <= 100_000);
    number.and_then(|number| u32::try_from(number).ok())
}

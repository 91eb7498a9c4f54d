//! Which inference component answered. A capture record does not say: its fields name neither the
//! component nor the model, so this is a chain of sources that an operator orders.
//!
//! `customAttributes` and `InferenceId` are whatever a caller sent. A name from there is believed
//! when the file lists it for the endpoint. For an endpoint that the file does not list, a legal
//! name is believed too, so that a fresh installation works as soon as clients send one; since
//! each new name costs a set of CloudWatch metrics, [`UnlistedLimit`] bounds how many a process
//! believes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::custom_attributes;
use crate::capacity::topology::{self, EndpointTopology};
use crate::capture::CaptureRecord;
use crate::names::{ComponentName, EndpointName};
use crate::settings::Section;

const DEFAULT_KEYS: &[&str] = &["ic", "inference_component", "inferenceComponentName"];
const DEFAULT_UNLISTED: usize = 25;

/// What a component's name was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributedBy {
    /// The `CustomAttributes` header.
    CustomAttributes,
    /// The part of the `InferenceId` before the colon.
    InferenceId,
    /// The model that request or reply names.
    Model,
    /// The start of the object's key.
    KeyPrefix,
    /// The endpoint has one component only.
    SingleComponent,
    /// None of the configured sources said.
    Unattributed,
}

impl AttributedBy {
    /// The sources, in the order in which they are tried when the file does not say.
    pub const SOURCES: &[Self] =
        &[Self::CustomAttributes, Self::InferenceId, Self::Model, Self::KeyPrefix, Self::SingleComponent];

    /// The name in `fleet.toml`, in logs and in the verdict store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CustomAttributes => "custom_attributes",
            Self::InferenceId => "inference_id",
            Self::Model => "model",
            Self::KeyPrefix => "key_prefix",
            Self::SingleComponent => "single_component",
            Self::Unattributed => "unattributed",
        }
    }
}

/// Which component a record belongs to, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribution {
    /// The component, or [`ComponentName::unattributed`].
    pub component: ComponentName,
    /// Where the name comes from.
    pub by: AttributedBy,
    /// Only the caller vouches for the name: hand it to [`UnlistedLimit::admit`].
    pub unlisted: bool,
}

impl Attribution {
    fn none() -> Self {
        let component = ComponentName::unattributed();
        Self { component, by: AttributedBy::Unattributed, unlisted: false }
    }
}

/// How many distinct names of callers one process believes; later ones are unattributed. Keep one
/// for the life of the process.
///
/// A process cannot see what others believed, so the bound on the account is this times the
/// processes that a day starts. Listing an endpoint's components in `fleet.toml` is the tight
/// bound: then nothing else is believed for it.
#[derive(Debug, Clone)]
pub struct UnlistedLimit {
    most: usize,
    believed: BTreeSet<(EndpointName, ComponentName)>,
}

impl UnlistedLimit {
    /// Passes the attribution, or makes it unattributed when it is one name too many.
    pub fn admit(&mut self, endpoint: &EndpointName, attribution: Attribution) -> Attribution {
        if !attribution.unlisted {
            return attribution;
        }
        let name = (endpoint.clone(), attribution.component.clone());
        if !self.believed.contains(&name) {
            if self.believed.len() >= self.most {
                return Attribution::none();
            }
            self.believed.insert(name);
        }
        attribution
    }
}

type Map = BTreeMap<String, ComponentName>;

/// The sections `[attribution]` and `[[endpoint]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rules {
    order: Vec<AttributedBy>,
    keys: Vec<String>,
    models: Map,
    key_prefixes: Map,
    max_unlisted: usize,
    endpoints: BTreeMap<EndpointName, Endpoint>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Endpoint {
    components: Vec<ComponentName>,
    models: Map,
    topology: Option<EndpointTopology>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            order: AttributedBy::SOURCES.to_vec(),
            keys: DEFAULT_KEYS.iter().map(|key| (*key).to_owned()).collect(),
            models: Map::new(),
            key_prefixes: Map::new(),
            max_unlisted: DEFAULT_UNLISTED,
            endpoints: BTreeMap::new(),
        }
    }
}

impl super::Fleet {
    /// Which component answered. `model` is what the payload names, when it could be decoded;
    /// `object_key` is the whole S3 key, URL-decoded.
    pub fn attribute(
        &self,
        endpoint: &EndpointName,
        object_key: &str,
        record: &CaptureRecord<'_>,
        model: Option<&str>,
    ) -> Attribution {
        let rules = &self.attribution;
        let listed = rules.components(endpoint);
        for by in rules.order.iter().copied() {
            let Some(component) = rules.named(by, endpoint, object_key, record, model) else { continue };
            let is_listed = listed.contains(&component);
            if !listed.is_empty() && !is_listed {
                continue;
            }
            let of_caller = matches!(by, AttributedBy::CustomAttributes | AttributedBy::InferenceId);
            return Attribution { component, by, unlisted: of_caller && !is_listed };
        }
        Attribution::none()
    }

    /// A fresh count of the callers' names that are believed.
    pub fn unlisted_limit(&self) -> UnlistedLimit {
        UnlistedLimit { most: self.attribution.max_unlisted, believed: BTreeSet::new() }
    }
}

impl Rules {
    pub(super) fn components(&self, endpoint: &EndpointName) -> &[ComponentName] {
        self.endpoints.get(endpoint).map_or(&[], |endpoint| &endpoint.components)
    }

    /// The endpoint of each component that is listed once.
    pub(super) fn owners(&self) -> BTreeMap<ComponentName, EndpointName> {
        let mut owners: BTreeMap<&ComponentName, Vec<&EndpointName>> = BTreeMap::new();
        for (name, endpoint) in &self.endpoints {
            for component in &endpoint.components {
                owners.entry(component).or_default().push(name);
            }
        }
        let owned = owners.into_iter().filter_map(|(component, endpoints)| match endpoints.as_slice() {
            [only] => Some((component.clone(), (*only).clone())),
            _ => None,
        });
        owned.collect()
    }

    /// What the file says about the capacity of its endpoints.
    pub(super) fn topologies(&self) -> impl Iterator<Item = (&EndpointName, &EndpointTopology)> {
        self.endpoints.iter().filter_map(|(name, endpoint)| Some((name, endpoint.topology.as_ref()?)))
    }

    /// The legal name that one source gives.
    fn named(
        &self,
        by: AttributedBy,
        endpoint: &EndpointName,
        object_key: &str,
        record: &CaptureRecord<'_>,
        model: Option<&str>,
    ) -> Option<ComponentName> {
        let listed = self.endpoints.get(endpoint);
        match by {
            AttributedBy::CustomAttributes => record.custom_attributes.iter().find_map(|header| {
                let value = custom_attributes::find(header, &self.keys)?;
                callers_name(&value)
            }),
            AttributedBy::InferenceId => {
                let id = record.inference_id.as_ref().unwrap_or(&record.event_id);
                named_by_id(id, listed.is_some())
            }
            AttributedBy::Model => {
                let model = model?;
                listed
                    .and_then(|endpoint| endpoint.models.get(model))
                    .or_else(|| self.models.get(model))
                    .cloned()
            }
            AttributedBy::KeyPrefix => {
                let fitting = self.key_prefixes.iter().filter(|(prefix, _)| object_key.starts_with(*prefix));
                fitting.max_by_key(|(prefix, _)| prefix.len()).map(|(_, component)| component.clone())
            }
            AttributedBy::SingleComponent => match listed?.components.as_slice() {
                [only] => Some(only.clone()),
                _ => None,
            },
            AttributedBy::Unattributed => None,
        }
    }

    pub(super) fn read(root: &Section) -> Self {
        let mut rules = root.section("attribution").map(|section| read_rules(&section)).unwrap_or_default();
        for section in root.sections("endpoint") {
            let Some((name, endpoint)) = read_endpoint(&section) else { continue };
            if rules.endpoints.contains_key(&name) {
                section.mistake("name", format_args!("{name} stands twice"));
            }
            rules.endpoints.insert(name, endpoint);
        }
        rules
    }
}

/// A name that a caller gave. Nobody may pose as what could not be attributed.
fn callers_name(text: &str) -> Option<ComponentName> {
    text.trim().parse().ok().filter(|name: &ComponentName| !name.is_unattributed())
}

/// `<component>:<anything>` when the endpoint's components are listed. Otherwise the rest must be
/// a UUID: an application's own `order:17` would become a component.
fn named_by_id(id: &str, is_listed: bool) -> Option<ComponentName> {
    let (name, rest) = id.split_once(':')?;
    let is_uuid = rest.len() == 36
        && rest.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    if is_listed || is_uuid { callers_name(name) } else { None }
}

fn read_rules(section: &Section) -> Rules {
    let mut rules = Rules::default();
    if section.has("order") {
        rules.order.clear();
        for name in section.texts("order") {
            let source = AttributedBy::SOURCES.iter().find(|source| source.as_str() == name);
            match source {
                Some(source) if rules.order.contains(source) => {
                    section.mistake("order", format_args!("{name:?} stands twice"));
                }
                Some(source) => rules.order.push(*source),
                None => {
                    let known: Vec<&str> = AttributedBy::SOURCES.iter().map(|it| it.as_str()).collect();
                    section.mistake("order", format_args!("{name:?} is none of {}", known.join(", ")));
                }
            }
        }
    }
    if section.has("custom_attribute_keys") {
        rules.keys = section.texts("custom_attribute_keys");
        for key in rules.keys.iter().filter(|key| key.contains(['=', ',', ';', '"'])) {
            section.mistake("custom_attribute_keys", format_args!("{key:?} must not hold = , ; or \""));
        }
    }
    rules.models = read_map(section, "models", None);
    rules.key_prefixes = read_map(section, "key_prefixes", None);
    let most = section
        .optional_whole("max_unlisted_components", "a whole number from 0 to 1000", |most| most <= 1000);
    rules.max_unlisted = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(DEFAULT_UNLISTED);
    rules
}

fn read_endpoint(section: &Section) -> Option<(EndpointName, Endpoint)> {
    let name = section
        .text("name")
        .and_then(|name| name.parse().map_err(|error| section.mistake("name", error)).ok());
    let mut components: Vec<ComponentName> = Vec::new();
    let texts = section.texts("components");
    if texts.is_empty() {
        section.mistake("components", "must list the endpoint's inference components");
    }
    for text in texts {
        match text.parse::<ComponentName>() {
            Ok(name) if name.is_unattributed() => {
                section.mistake("components", format_args!("{name} stands for what is not known"));
            }
            Ok(name) if components.contains(&name) => {
                section.mistake("components", format_args!("{name} stands twice"));
            }
            Ok(name) => components.push(name),
            Err(error) => section.mistake("components", error),
        }
    }
    let models = read_map(section, "models", Some(&components));
    let topology = topology::read_endpoint(section, name.as_ref(), &components);
    Some((name?, Endpoint { components, models, topology }))
}

/// A table of texts to component names, which are among `allowed` when that is given.
fn read_map(section: &Section, key: &str, allowed: Option<&[ComponentName]>) -> Map {
    let Some(table) = section.section(key) else { return Map::new() };
    let mut map = Map::new();
    for key in table.keys() {
        let Some(text) = table.text(&key) else { continue };
        match text.parse::<ComponentName>() {
            Err(error) => table.mistake(&key, error),
            Ok(name) if allowed.is_some_and(|allowed| !allowed.contains(&name)) => {
                table.mistake(&key, format_args!("{name} is none of the endpoint's components"));
            }
            Ok(name) => {
                map.insert(key, name);
            }
        }
    }
    map
}

#[cfg(test)]
#[path = "attribution_tests.rs"]
mod tests;

//! The components that the topology describes, by name: a search through the list for each GPU
//! would take the square of their number.

use std::collections::BTreeMap;

use crate::capacity::topology::{Component, EndpointTopology};
use crate::names::ComponentName;

/// Described components; none without a topology.
#[derive(Debug, Default)]
pub(super) struct Roster<'a>(BTreeMap<&'a ComponentName, &'a Component>);

impl<'a> Roster<'a> {
    pub(super) fn of(topology: Option<&'a EndpointTopology>) -> Self {
        let components = topology.map_or(&[][..], |topology| &topology.components);
        Self(components.iter().map(|component| (&component.name, component)).collect())
    }

    pub(super) fn component(&self, name: &ComponentName) -> Option<&'a Component> {
        self.0.get(name).copied()
    }

    /// Which component's containers a component runs in: its base for an adapter, else itself.
    pub(super) fn host<'b>(&self, name: &'b ComponentName) -> &'b ComponentName
    where
        'a: 'b,
    {
        self.component(name).and_then(|component| component.base.as_ref()).unwrap_or(name)
    }

    pub(super) fn components(&self) -> impl Iterator<Item = &'a Component> {
        self.0.values().copied()
    }

    /// Those that run in containers of their own.
    pub(super) fn hosts(&self) -> impl Iterator<Item = &'a Component> {
        self.components().filter(|component| component.base.is_none())
    }
}

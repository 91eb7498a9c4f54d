//! The meter as a whole, from `ListMetrics` entries to the capacity of an endpoint.

mod blind;
mod disagreement;
mod golden;
mod kinds;
mod property;
pub(crate) mod reach;
mod shown;
mod timing;
mod world;

pub(in crate::capacity) use world::World;

//! How many GPUs an endpoint has, which inference component holds them, and what each costs an
//! hour.
//!
//! Read in this order: [`series`] says what an entry of `ListMetrics` stands for; [`plan`] which of
//! them to ask for; [`usage`] what the answers say is in use; [`topology`] what the control plane
//! or `fleet.toml` says there should be; [`instance`] and [`price`] what an instance type has and
//! costs; [`meter`] puts them together, [`condition`] names what keeps a number from being known,
//! and [`report`] shows the whole, each number with its source.
//!
//! A series that is new can take 15 minutes to be listed: for that long a new copy or instance is
//! missing from what is measured, and only the comparison with the topology shows it.
//!
//! Two things always hold: used and free GPUs add up to the total, and the costs of the components
//! and of what stands idle add up to the bill, to the micro-dollar. What is not known is no number.

pub mod series;

pub mod plan;
pub mod usage;

pub mod gpus;
pub mod topology;

pub mod instance;
pub mod price;

pub mod condition;
pub mod meter;
pub mod publish;
pub mod split;

pub mod report;

#[cfg(test)]
pub(crate) mod tests;

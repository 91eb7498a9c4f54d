//! Every message that a person reads, and what holds of all of them.

mod property;
pub(in crate::alert) mod samples;
mod shown;
mod snapshot;

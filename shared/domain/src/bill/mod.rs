//! What Assay itself costs in a month, item by item, from what its code calls.
//!
//! [`workload`] says how much there is to do and how often the functions are invoked for it;
//! [`sample`] what one judged sample costs; [`price`] what AWS asks; [`month`] puts them together.
//! [`watching`] adds the alert rules, which are in Grafana or in CloudWatch.
//! `docs/cost.md` shows the result for three sizes, and a test compares.
//!
//! Every number of calls is that of a month without trouble: retries and failures come on top. Free
//! tiers are not taken off.

mod month;
pub mod price;
pub mod sample;
pub mod watching;
pub mod workload;

#[cfg(test)]
mod tests;

pub use month::{Item, month, sum};

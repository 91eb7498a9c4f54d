//! What Assay decides, as pure functions over plain data.
//!
//! No AWS client, no async runtime, no network, no environment and no clock: Cargo proves the
//! first three (see `Cargo.toml`), `clippy.toml` and a test the others. Time and randomness come
//! in as arguments.
//!
//! Read in this order: [`names`], [`money`] and [`settings`] are the vocabulary; [`capture`] turns one line
//! of a SageMaker data-capture object into [`capture::Exchange`]s; [`fleet`] says which inference
//! component answered and how often to sample it; [`check`] are the free checks; [`rubric`],
//! [`judge`] and [`verdict`] are what a judge is asked, how its reply is read and what is kept;
//! [`capacity`] says what endpoints and components hold and cost; [`alert`] says what an alert
//! means and whom it reaches; [`metric`] is everything that Assay publishes; [`dashboard`] shows it
//! and holds it against limits; [`bill`] says what all of this costs.

pub mod money;
pub mod names;
pub mod settings;
pub mod variables;

pub mod capture;
pub mod fleet;

pub mod capacity;

pub mod check;
pub mod sampling;

pub mod judge;
pub mod rubric;
pub mod verdict;

pub mod alert;
pub mod dashboard;

pub mod metric;
pub mod pacing;

pub mod bill;

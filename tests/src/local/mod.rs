//! The commands of the `local` binary.

mod demo;
mod invoke;
mod report;
mod up;

pub use demo::{demo, demo_with_small_judge};
pub use invoke::invoke;
pub use up::up;

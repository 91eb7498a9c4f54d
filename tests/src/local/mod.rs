//! The commands of the `local` binary.

mod capacity;
mod demo;
mod invoke;
mod report;
mod seed;
mod up;

pub use demo::{demo, demo_with_small_judge};
pub use invoke::invoke;
pub use seed::seed;
pub use up::up;

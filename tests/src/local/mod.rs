//! The commands of the `local` binary.

mod alarm;
mod alone;
mod capacity;
mod check_config;
mod demo;
mod event;
mod invoke;
mod preview_alerts;
mod report;
mod seed;
mod up;

pub use alone::variables;
pub use check_config::check_config;
pub use demo::{demo, demo_with_small_judge};
pub use invoke::{answer, invoke};
pub use preview_alerts::preview_alerts;
pub use seed::seed;
pub use up::up;

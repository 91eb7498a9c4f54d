//! The commands of the `local` binary.

mod demo;
mod invoke;
mod up;

pub use demo::demo;
pub use invoke::invoke;
pub use up::up;

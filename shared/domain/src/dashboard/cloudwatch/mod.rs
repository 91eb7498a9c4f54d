//! The same pictures and limits for a stack without Grafana: dashboard bodies and alarms.

mod alarm;
pub mod template;
mod widget;

pub use alarm::{Alarms, alarms};
pub use widget::{DashboardBody, LeftOut, dashboard};

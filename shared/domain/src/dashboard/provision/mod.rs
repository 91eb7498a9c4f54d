//! What is done to a Grafana so that it holds this stack's dashboards, rules, contact point and
//! route, and nothing of anybody else is touched.
//!
//! 1. [`version`] and [`alerting`] say what the Grafana can do, and whether rules are evaluated.
//! 2. [`Wanted`] is what should be there, [`Found`] what is.
//! 3. [`apply`] and [`remove`] give the [`Step`]s from one to the other; each can be repeated.
//! 4. [`policy`] puts one route into the notification policy that everybody shares.
//!
//! What belongs to a stack is told by fixed uids, by the tag of dashboards and by the label
//! `managed_by` of rules: nothing has to be remembered between deployments.
//!
//! Sources: Grafana HTTP API reference (folder, data source, dashboard, alerting provisioning);
//! Amazon Managed Grafana user guide, "Using Grafana HTTP APIs" and "Configure a workspace".

pub mod alerting;
mod apply;
mod deployment;
mod found;
pub mod policy;
mod refusal;
mod remove;
mod request;
mod same;
mod step;
pub mod version;
mod wanted;

#[cfg(test)]
mod tests;

pub use apply::apply;
pub use deployment::{Deployment, NotAWorkspaceId, WorkspaceId};
pub use found::{Found, Ownership};
pub use refusal::{Refusal, advice};
pub use remove::remove;
pub use request::{Method, Request};
pub use step::{Call, Change, Object, Plan, Step};
pub use version::GrafanaVersion;
pub use wanted::{Host, Place, Prometheus, Wanted, sns_shape};

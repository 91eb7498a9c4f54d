//! Amazon Managed Grafana and the HTTP API of any Grafana.
//!
//! [`Workspaces`] is AWS's API: which version a workspace has and where it is, and a token for it.
//! [`Grafana`] is Grafana's own API, called with such a token.

mod api;
#[cfg(test)]
mod tests;
mod workspace;

pub use crate::address::{Address, NotAnAddress};
pub use api::{Answered, Grafana, GrafanaFault};
pub use workspace::{State, Token, Workspace, Workspaces};

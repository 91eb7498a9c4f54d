//! Amazon Managed Grafana and the HTTP API of Grafana itself: workspaces that keep what they are
//! given, refuse what a real one refuses, and hold things of somebody else from the start.
//!
//! | path | is |
//! |---|---|
//! | `/workspaces/...` | the API of Amazon Managed Grafana, REST JSON |
//! | `/grafana/<workspace>/api/...` | the Grafana of a workspace, and of [`OWN`], which is no workspace |
//! | `GET`, `PUT /_grafana/<workspace>` | all that is in one; make one or change it: see [`Features`] |
//!
//! Sources: Grafana HTTP API reference; Amazon Managed Grafana API reference (2020-08-18). Formats
//! only: Grafana's own code is under the AGPL.

mod alerting;
mod api;
mod contact;
mod content;
mod workspaces;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Call, Reply, StandIn};

use content::Content;

/// The workspace that there is from the start, a Grafana 12.4.
pub const WORKSPACE: &str = "g-0123456789";
/// A Grafana of one's own, 12.1: it has no workspace and knows SNS by its own settings.
pub const OWN: &str = "own";
/// The token of [`OWN`].
pub const OWN_TOKEN: &str = "glsa_own_quokka";

/// What a Grafana is like.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Features {
    /// `9.4`, `10.4`, `12.4` ...
    pub version: String,
    /// The workspace's, such as `ACTIVE`.
    pub status: String,
    /// How often a description says the status before it becomes `ACTIVE`; for ever without.
    pub changing_for: Option<u32>,
    /// Whether rules are evaluated, before Grafana 11.
    pub has_unified_alerting: bool,
    /// Whether SNS has Amazon's settings, or those of Grafana itself.
    pub has_amazon_sns: bool,
    /// Whether `GET /api/alert-notifiers` tells which.
    pub lists_sns: bool,
    /// What a service account may do, whatever was asked for.
    pub role: String,
    /// Rules that it takes.
    pub most_rules: usize,
}

impl Default for Features {
    fn default() -> Self {
        Self {
            version: "12.4".to_owned(),
            status: "ACTIVE".to_owned(),
            changing_for: None,
            has_unified_alerting: true,
            has_amazon_sns: true,
            lists_sns: true,
            role: "ADMIN".to_owned(),
            most_rules: 100,
        }
    }
}

/// All workspaces, shared by what answers for them.
#[derive(Debug, Clone)]
pub(super) struct Estate(Arc<Mutex<BTreeMap<String, Workspace>>>);

/// One workspace.
#[derive(Debug)]
struct Workspace {
    features: Features,
    configuration: Value,
    accounts: Vec<Account>,
    next_id: u64,
    content: Content,
}

#[derive(Debug)]
struct Account {
    id: String,
    name: String,
    tokens: Vec<LiveToken>,
}

#[derive(Debug)]
struct LiveToken {
    id: String,
    name: String,
    key: String,
    ends_at: jiff::Timestamp,
}

impl Estate {
    pub(super) fn new() -> Self {
        let own = Features { version: "12.1".to_owned(), has_amazon_sns: false, ..Features::default() };
        let workspaces = [(WORKSPACE, Features::default()), (OWN, own)];
        let workspaces = workspaces.map(|(id, features)| (id.to_owned(), Workspace::new(features)));
        Self(Arc::new(Mutex::new(workspaces.into())))
    }

    /// All that is in the Grafana of a workspace.
    pub(super) fn shown(&self, id: &str) -> Option<Value> {
        self.lock().get(id).map(Workspace::shown)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Workspace>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Workspace {
    fn new(features: Features) -> Self {
        let configuration = json!({
            "unifiedAlerting": {"enabled": features.has_unified_alerting},
            "plugins": {"pluginAdminEnabled": true},
        });
        Self { features, configuration, accounts: Vec::new(), next_id: 1, content: Content::of_somebody() }
    }

    fn shown(&self) -> Value {
        let tokens: usize = self.accounts.iter().map(|account| account.tokens.len()).sum();
        let accounts: Vec<&str> = self.accounts.iter().map(|account| account.name.as_str()).collect();
        let mut shown = self.content.shown();
        shown["features"] = json!(self.features);
        shown["service_accounts"] = json!(accounts);
        shown["live_tokens"] = tokens.into();
        shown
    }

    fn next_id(&mut self) -> String {
        self.next_id += 1;
        self.next_id.to_string()
    }

    /// 9.4 as 904, 12.4 as 1204.
    fn version(&self) -> u32 {
        let mut parts = self.features.version.split('.').map(|part| part.parse::<u32>().unwrap_or_default());
        parts.next().unwrap_or_default() * 100 + parts.next().unwrap_or_default()
    }
}

/// `/_grafana/`: for tests and people.
#[derive(Debug)]
pub(super) struct Control(pub(super) Estate);

impl StandIn for Control {
    fn name(&self) -> &'static str {
        "grafana-control"
    }

    fn wants(&self, call: &Call) -> bool {
        call.path.starts_with("/_grafana/")
    }

    fn answer(&self, call: &Call) -> Reply {
        let id = call.path.trim_start_matches("/_grafana/");
        if call.method == "GET" {
            return match self.0.shown(id) {
                Some(shown) => Reply::json(200, &shown),
                None => Reply::json(404, &json!({"message": format!("there is no workspace {id}")})),
            };
        }
        match serde_json::from_str::<Features>(&call.body) {
            Ok(features) => {
                let mut workspaces = self.0.lock();
                if call.method == "DELETE" {
                    workspaces.remove(id);
                } else if let Some(workspace) = workspaces.get_mut(id) {
                    workspace.configuration["unifiedAlerting"]["enabled"] =
                        features.has_unified_alerting.into();
                    workspace.features = features;
                } else {
                    workspaces.insert(id.to_owned(), Workspace::new(features));
                }
                Reply::json(200, &Value::Null)
            }
            Err(error) => Reply::json(400, &json!({"message": error.to_string()})),
        }
    }
}

/// The API of Amazon Managed Grafana.
#[derive(Debug)]
pub(super) struct Workspaces {
    pub(super) estate: Estate,
    /// Where this server listens: workspaces say that their Grafana is there.
    pub(super) url: String,
}

/// The API of each Grafana.
#[derive(Debug)]
pub(super) struct Grafana(pub(super) Estate);

fn message(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({"message": text}))
}

//! The API of Amazon Managed Grafana: workspaces, their configuration, service accounts, tokens.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Account, Call, LiveToken, OWN, Reply, StandIn, Workspace, Workspaces};

impl StandIn for Workspaces {
    fn name(&self) -> &'static str {
        "grafana-workspaces"
    }

    fn wants(&self, call: &Call) -> bool {
        call.path.starts_with("/workspaces/")
    }

    fn answer(&self, call: &Call) -> Reply {
        let path: Vec<&str> = call.path.trim_start_matches("/workspaces/").split('/').collect();
        let mut all = self.estate.lock();
        let Some(workspace) = all.get_mut(path[0]).filter(|_| path[0] != OWN) else {
            return error(404, "ResourceNotFoundException");
        };
        let body: Value = serde_json::from_str(&call.body).unwrap_or_default();
        match (call.method.as_str(), &path[1..]) {
            ("GET", []) => workspace.description(path[0], &self.url),
            ("GET", ["configuration"]) => Reply::json(
                200,
                &json!({"configuration": workspace.configuration.to_string(), "grafanaVersion": workspace.features.version}),
            ),
            ("PUT", ["configuration"]) => workspace.configure(&body),
            ("GET", ["serviceaccounts"]) => workspace.list(path[0], &call.query),
            ("POST", ["serviceaccounts"]) => workspace.create_account(path[0], &body),
            ("DELETE", ["serviceaccounts", account]) => workspace.delete_account(path[0], account),
            ("POST", ["serviceaccounts", account, "tokens"]) => {
                workspace.create_token(path[0], account, &body)
            }
            ("DELETE", ["serviceaccounts", account, "tokens", token]) => {
                workspace.delete_token(path[0], account, token)
            }
            _ => error(404, "UnknownOperationException"),
        }
    }
}

impl Workspace {
    fn description(&mut self, id: &str, url: &str) -> Reply {
        let status = self.features.status.clone();
        if let Some(times) = &mut self.features.changing_for {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.features.changing_for = None;
                "ACTIVE".clone_into(&mut self.features.status);
            }
        }
        let workspace = json!({
            "id": id, "name": "local", "status": status, "grafanaVersion": self.features.version,
            "endpoint": format!("{url}/grafana/{id}"),
            "authentication": {"providers": ["AWS_SSO"]}, "created": 1_764_000_000, "modified": 1_764_000_000,
            "dataSources": ["CLOUDWATCH"], "notificationDestinations": ["SNS"],
        });
        Reply::json(200, &json!({"workspace": workspace}))
    }

    /// Switching unified alerting on restarts the workspace and deletes what alerting there was.
    fn configure(&mut self, body: &Value) -> Reply {
        let text = body["configuration"].as_str().unwrap_or_default();
        let Ok(configuration) = serde_json::from_str::<Value>(text) else {
            return error(400, "ValidationException");
        };
        if self.features.status != "ACTIVE" {
            return error(409, "ConflictException");
        }
        let is_on = configuration["unifiedAlerting"]["enabled"] == true;
        if is_on != self.features.has_unified_alerting {
            self.content.forget_alerting();
            self.features.has_unified_alerting = is_on;
            "UPDATING".clone_into(&mut self.features.status);
            self.features.changing_for = Some(1);
        }
        self.configuration = configuration;
        Reply::json(202, &json!({}))
    }

    /// Two a page, so that pages are turned.
    fn list(&self, id: &str, query: &str) -> Reply {
        const PAGE: usize = 2;
        let query: BTreeMap<&str, &str> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let start: usize = query.get("nextToken").and_then(|token| token.parse().ok()).unwrap_or_default();
        let shown = self.accounts.iter().skip(start).take(PAGE).map(|account| {
            json!({"id": account.id, "name": account.name, "isDisabled": "false", "grafanaRole": self.features.role})
        });
        let mut answer = json!({"serviceAccounts": shown.collect::<Vec<_>>(), "workspaceId": id});
        if start + PAGE < self.accounts.len() {
            answer["nextToken"] = (start + PAGE).to_string().into();
        }
        Reply::json(200, &answer)
    }

    fn create_account(&mut self, id: &str, body: &Value) -> Reply {
        let name = body["name"].as_str().unwrap_or_default();
        let is_role =
            ["ADMIN", "EDITOR", "VIEWER"].contains(&body["grafanaRole"].as_str().unwrap_or_default());
        if !(1..=128).contains(&name.len()) || !is_role || self.version() < 900 {
            return error(400, "ValidationException");
        }
        if self.accounts.iter().any(|account| account.name == name) {
            return error(409, "ConflictException");
        }
        let account = self.next_id();
        self.accounts.push(Account { id: account.clone(), name: name.to_owned(), tokens: Vec::new() });
        let answer =
            json!({"id": account, "name": name, "grafanaRole": self.features.role, "workspaceId": id});
        Reply::json(200, &answer)
    }

    fn delete_account(&mut self, id: &str, account: &str) -> Reply {
        let before = self.accounts.len();
        self.accounts.retain(|one| one.id != account);
        if self.accounts.len() == before {
            return error(404, "ResourceNotFoundException");
        }
        Reply::json(200, &json!({"serviceAccountId": account, "workspaceId": id}))
    }

    fn create_token(&mut self, id: &str, account: &str, body: &Value) -> Reply {
        let name = body["name"].as_str().unwrap_or_default().to_owned();
        let seconds = body["secondsToLive"].as_i64().unwrap_or_default();
        let token = self.next_id();
        let Some(owner) = self.accounts.iter_mut().find(|one| one.id == account) else {
            return error(404, "ResourceNotFoundException");
        };
        if name.is_empty() || !(1..=2_592_000).contains(&seconds) {
            return error(400, "ValidationException");
        }
        if owner.tokens.iter().any(|one| one.name == name) {
            return error(409, "ConflictException");
        }
        let key = format!("glsa_quokka_{account}_{token}");
        let ends_at = Timestamp::now() + SignedDuration::from_secs(seconds);
        owner.tokens.push(LiveToken { id: token.clone(), name: name.clone(), key: key.clone(), ends_at });
        let made = json!({"id": token, "name": name, "key": key});
        Reply::json(
            200,
            &json!({"serviceAccountId": account, "serviceAccountToken": made, "workspaceId": id}),
        )
    }

    fn delete_token(&mut self, id: &str, account: &str, token: &str) -> Reply {
        let Some(owner) = self.accounts.iter_mut().find(|one| one.id == account) else {
            return error(404, "ResourceNotFoundException");
        };
        let before = owner.tokens.len();
        owner.tokens.retain(|one| one.id != token);
        if owner.tokens.len() == before {
            return error(404, "ResourceNotFoundException");
        }
        Reply::json(200, &json!({"serviceAccountId": account, "tokenId": token, "workspaceId": id}))
    }
}

fn error(status: u16, code: &str) -> Reply {
    let mut reply = Reply::json(status, &json!({"message": format!("{code}: as the stand-in was asked")}));
    reply.headers.push(("x-amzn-errortype".to_owned(), code.to_owned()));
    reply
}

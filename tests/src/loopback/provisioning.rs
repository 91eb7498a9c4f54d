//! grafana-provisioner with a Grafana, workspaces and CloudFormation that are stood in for. It needs
//! no emulator.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use crate::failure::{During, Failure, Outcome};
use crate::functions::{self, GRAFANA_PROVISIONER};
use crate::permission::{Deployment, Gate, Grant, Policy};
use crate::runtime_api::{Answer, Function};
use crate::stand_in::record::Received;
use crate::stand_in::{OWN_GRAFANA, Options, Server, WORKSPACE};
use crate::template::{self, Template};

/// How long an invocation may take.
const TIME: Duration = Duration::from_mins(2);

/// Where the token of a Grafana of one's own is kept: the parameter `GrafanaTokenArn`.
pub const TOKEN_SECRET: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:grafana-token-AbCdEf";

/// The function and what is around it. It may do what its role in the template allows, and a test in
/// which it tries more fails.
#[derive(Debug)]
pub struct Provisioning {
    /// Grafana, workspaces, CloudFormation.
    pub stand_ins: Server,
    /// The built binary.
    pub function: Function,
    gate: Gate,
    template: Template,
    variables: BTreeMap<String, String>,
    /// What the role allows, by the workspace that the stack has.
    policies: BTreeMap<String, Policy>,
    granted: BTreeSet<Grant>,
    http: reqwest::Client,
    asked: u32,
}

impl Provisioning {
    /// Starts it, with these variables changed.
    pub async fn start(changes: &[(&str, &str)]) -> Outcome<Self> {
        let stand_ins = Server::start(Options::default()).during("start the stand-ins")?;
        let url = stand_ins.url();
        let nothing = Policy::together([]);
        let gate = Gate::open(GRAFANA_PROVISIONER, nothing, &url, &url).await?;
        let own = format!("{url}/grafana/{OWN_GRAFANA}");
        let changes = [&[("GRAFANA_URL", own.as_str())], changes].concat();
        let variables = functions::variables(GRAFANA_PROVISIONER, &gate.url(), &gate.url(), &changes);
        let mut function = Function::start(&functions::binary(GRAFANA_PROVISIONER)?, &variables).await?;
        function.ready(Duration::from_secs(20)).await?;
        let mut provisioning = Self {
            stand_ins,
            function,
            gate,
            template: Template::load()?,
            variables,
            policies: BTreeMap::new(),
            granted: BTreeSet::new(),
            http: reqwest::Client::new(),
            asked: 0,
        };
        provisioning.allow(&json!({"WorkspaceId": WORKSPACE}))?;
        Ok(provisioning)
    }

    /// What CloudFormation does before it asks for these properties: it lets the function into the
    /// workspace. The one of before stays open until it is emptied.
    fn allow(&mut self, properties: &Value) -> Outcome<()> {
        let id = template::logical_id(GRAFANA_PROVISIONER);
        let text = |name: &str| properties[name].as_str().unwrap_or_default();
        let workspace = text("WorkspaceId");
        let parameters = [
            ("GrafanaWorkspaceId", workspace),
            ("GrafanaEnableUnifiedAlerting", text("EnableUnifiedAlerting")),
            ("GrafanaTokenArn", TOKEN_SECRET),
        ];
        let deployment = Deployment::of(self.template.clone(), &id, &self.variables, &parameters);
        self.policies.insert(workspace.to_owned(), Policy::of(&deployment, &id)?);
        self.granted.extend(Policy::of(&deployment.with_every_option(), &id)?.all());
        self.gate.apply(Policy::together(self.policies.values()));
        Ok(())
    }

    /// The permissions that it has used so far.
    pub fn used(&self) -> BTreeSet<Grant> {
        self.gate.used()
    }

    /// The permissions that it could have in such stacks, whatever else their parameters are, and has not
    /// used.
    pub fn unused(&self) -> BTreeSet<Grant> {
        self.granted.difference(&self.used()).cloned().collect()
    }

    /// What it was refused; it fails the test no more.
    pub fn refused(&self) -> BTreeSet<String> {
        self.gate.refused()
    }

    /// Sends a request as CloudFormation does, for the workspace that there is from the start, and
    /// gives what CloudFormation is answered.
    pub async fn stack(
        &mut self,
        kind: &str,
        physical_id: Option<&str>,
        properties: Value,
    ) -> Outcome<Value> {
        self.stack_within(TIME, kind, physical_id, properties).await
    }

    /// The same for a function that has only so much time.
    pub async fn stack_within(
        &mut self,
        time: Duration,
        kind: &str,
        physical_id: Option<&str>,
        properties: Value,
    ) -> Outcome<Value> {
        let (event, path) = self.request(kind, physical_id, properties)?;
        match self.function.invoke(&event, time).await? {
            Answer::Response(_) => {}
            other => return Err(Failure(format!("no response but {other:?}"))),
        }
        let mut answers = self.received("stack-answers").await?;
        answers.retain(|call| call.path == path && call.status == 200);
        match answers.pop().filter(|_| answers.is_empty()) {
            Some(answer) => Ok(answer.body),
            None => Err(Failure(format!("not exactly one answer at {path}"))),
        }
    }

    /// A request of CloudFormation, which lets the function in for it, and the path at which it waits.
    pub fn request(
        &mut self,
        kind: &str,
        physical_id: Option<&str>,
        mut properties: Value,
    ) -> Outcome<(Value, String)> {
        self.asked += 1;
        let path = format!("/stack-answers/{}", self.asked);
        if properties["WorkspaceId"].is_null() {
            properties["WorkspaceId"] = WORKSPACE.into();
        }
        self.allow(&properties)?;
        properties["ServiceToken"] =
            "arn:aws:lambda:us-east-1:000000000000:function:assay-grafana-provisioner".into();
        let mut event = json!({
            "RequestType": kind,
            "ResponseURL": format!("{}{path}?X-Amz-Signature=quokka", self.stand_ins.url()),
            "StackId": "arn:aws:cloudformation:us-east-1:000000000000:stack/assay/1",
            "RequestId": format!("request-{}", self.asked),
            "ResourceType": "Custom::GrafanaContents",
            "LogicalResourceId": "GrafanaContents",
            "ResourceProperties": properties,
        });
        if let Some(id) = physical_id {
            event["PhysicalResourceId"] = id.into();
        }
        Ok((event, path))
    }

    /// Invokes it with an event of one's own.
    pub async fn direct(&mut self, event: Value) -> Outcome<Answer> {
        self.function.invoke(&event, TIME).await
    }

    /// All that is in a Grafana.
    pub fn grafana(&self, workspace: &str) -> Value {
        self.stand_ins.grafana(workspace).unwrap_or_default()
    }

    /// Makes a workspace, or changes what it is like: see [`crate::stand_in::GrafanaFeatures`].
    pub async fn set(&self, workspace: &str, features: Value) -> Outcome<()> {
        let url = format!("{}/_grafana/{workspace}", self.stand_ins.url());
        let answer = self.http.put(url).json(&features).send().await.during("change a workspace")?;
        answer.error_for_status().during("change a workspace").map(drop)
    }

    /// Has a workspace vanish.
    pub async fn delete(&self, workspace: &str) -> Outcome<()> {
        let url = format!("{}/_grafana/{workspace}", self.stand_ins.url());
        let answer = self.http.delete(url).body("{}").send().await.during("delete a workspace")?;
        answer.error_for_status().during("delete a workspace").map(drop)
    }

    /// Calls Grafana as somebody with a session of their own would: not through the function.
    pub async fn by_hand(&self, method: &str, path: &str, body: Value) -> Outcome<Value> {
        let workspaces = format!("{}/workspaces/{WORKSPACE}/serviceaccounts", self.stand_ins.url());
        let post = async |url: &str, body: Value| -> Outcome<Value> {
            let answer = self.http.post(url).json(&body).send().await.during("ask for a token")?;
            answer.json().await.during("read an answer about a token")
        };
        let account = post(&workspaces, json!({"name": "a-person", "grafanaRole": "ADMIN"})).await?;
        let account = format!("{workspaces}/{}", account["id"].as_str().unwrap_or_default());
        let tokens = format!("{account}/tokens");
        let token = post(&tokens, json!({"name": "t", "secondsToLive": 60})).await?;
        let token = token["serviceAccountToken"]["key"].as_str().unwrap_or_default();
        let method = method.parse().map_err(|_| Failure(format!("{method} is no method")))?;
        let url = format!("{}/grafana/{WORKSPACE}/{path}", self.stand_ins.url());
        let request =
            self.http.request(method, url).bearer_auth(token).header("x-disable-provenance", "true");
        let answer = request.json(&body).send().await.during("call Grafana")?;
        let answer = answer.error_for_status().during(format!("call Grafana ({path})"))?;
        let text = answer.text().await.during("read Grafana's answer")?;
        self.http.delete(account).send().await.during("delete the account")?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    /// See [`Server::script`].
    pub async fn script(&self, replies: Value) -> Outcome<()> {
        self.stand_ins.script(&replies).await
    }

    /// See [`Server::forget`].
    pub async fn forget(&self) -> Outcome<()> {
        self.stand_ins.forget().await
    }

    /// See [`Server::received`].
    pub async fn received(&self, stand_in: &str) -> Outcome<Vec<Received>> {
        self.stand_ins.received(stand_in).await
    }

    /// The calls that changed a Grafana, as `PUT /api/...`.
    pub async fn changes(&self) -> Outcome<Vec<String>> {
        let mut calls = self.received("grafana").await?;
        calls.retain(|call| call.method != "GET");
        let inside = |path: &str| path.splitn(4, '/').nth(3).unwrap_or_default().to_owned();
        Ok(calls.iter().map(|call| format!("{} /{}", call.method, inside(&call.path))).collect())
    }
}

//! One task from its beginning to its end.

use adapters::grafana::Grafana;
use domain::dashboard::provision::{
    self, Found, GrafanaVersion, Host, Place, Plan, Prometheus, Refusal, Request, Wanted, WorkspaceId,
    sns_shape,
};
use domain::dashboard::{Identity, Settings};
use serde_json::Value;

use crate::carrying_out::carry_out;
use crate::config::{Config, region_of};
use crate::connecting::{Access, reach, ready_to_alert};
use crate::event::{Action, Target, Task};
use crate::failure::Failure;
use crate::handler::{Times, Tools, guarded};
use crate::reading::read;
use crate::summary::Summary;

/// A task with what it needs.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    pub(crate) tools: &'a Tools,
    pub(crate) config: &'a Config,
    pub(crate) task: &'a Task,
    /// Whose objects.
    pub(crate) identity: &'a Identity,
    /// What they are made of; none for a removal.
    pub(crate) settings: Option<Settings<'a>>,
    pub(crate) times: Times,
}

impl Job<'_> {
    /// Does it. `name` is that of the token.
    pub(crate) async fn run(&self, name: &str) -> Result<Summary, Failure> {
        let mut summary = Summary { is_dry_run: self.task.is_dry_run, ..Summary::default() };
        match &self.task.target {
            Target::Workspace(id) => {
                id.as_str().clone_into(&mut summary.grafana);
                self.in_workspace(id, name, &mut summary).await?;
            }
            Target::Url(address, secret) => {
                address.origin().clone_into(&mut summary.grafana);
                let grafana = Grafana::open(address.clone(), self.tools.secrets.get(secret).await?);
                let version = version_of(&grafana).await?;
                let work = self.in_grafana(&grafana, Host::OpenSource, version, &mut summary);
                guarded(self.times.work, work).await?;
            }
        }
        Ok(summary)
    }

    async fn in_workspace(&self, id: &WorkspaceId, name: &str, summary: &mut Summary) -> Result<(), Failure> {
        let (task, workspaces, until) = (self.task, &self.tools.workspaces, self.times.work);
        let workspace = match (reach(workspaces, id, until).await, task.action) {
            (Ok(Some(workspace)), _) => workspace,
            (Ok(None), Action::Apply) => return Err(Failure::NoWorkspace(id.clone())),
            (Ok(None), Action::Remove) => {
                summary.notes.push("the workspace is gone, and all that was in it".to_owned());
                return Ok(());
            }
            (Err(Failure::Broken { state, .. }), Action::Remove) => {
                let note = format!("the workspace is {state}: nobody can get in, and what is in it stays");
                summary.notes.push(note);
                return Ok(());
            }
            (Err(failure), _) => return Err(failure),
        };
        if workspace.version < GrafanaVersion::OLDEST {
            return Err(Refusal::TooOld(workspace.version).into());
        }
        let version = workspace.version;
        let workspace = ready_to_alert(workspaces, id, workspace, task, until, summary).await?;
        let access = Access::open(workspaces, id, workspace, self.identity, name).await?;
        let grafana = access.grafana();
        let done = guarded(until, self.in_grafana(&grafana, Host::Managed, version, summary)).await;
        let closed = access.close(task, &done).await;
        if let Err(failure) = closed {
            // It ends by itself; what was done is done.
            tracing::warn!(error = %failure, "token or service account not deleted");
            summary.notes.push(format!("not deleted, and ending within ten minutes: the token. {failure}"));
        }
        done
    }

    async fn in_grafana(
        &self,
        grafana: &Grafana,
        host: Host,
        version: GrafanaVersion,
        summary: &mut Summary,
    ) -> Result<(), Failure> {
        summary.version = Some(version.to_string());
        let identity = self.identity;
        let plan = match &self.settings {
            Some(settings) => self.to_apply(grafana, settings, (host, version), summary).await?,
            None => provision::remove(identity, &read(grafana, identity, None, summary).await?),
        };
        carry_out(grafana, identity, plan, summary).await?;
        if self.task.action == Action::Apply {
            let path = format!("dashboards/f/{}", identity.folder_uid());
            summary.folder_url = Some(grafana.address().join(&path).shown().to_owned());
        }
        Ok(())
    }

    async fn to_apply(
        &self,
        grafana: &Grafana,
        settings: &Settings<'_>,
        (host, version): (Host, GrafanaVersion),
        summary: &mut Summary,
    ) -> Result<Plan, Failure> {
        let notifiers = grafana.read(&Request::get("api/alert-notifiers")).await?;
        let plugin = self.prometheus_plugin(grafana).await?;
        let prometheus = self.task.prometheus_uid.as_deref().zip(plugin.as_deref());
        let topic_arn = self.task.topic_arn.as_deref().unwrap_or(&self.config.topic_arn);
        let place = Place {
            host,
            version,
            region: region_of(topic_arn).unwrap_or(&self.tools.region),
            topic_arn,
            sns: sns_shape(&notifiers.unwrap_or_default(), host)?,
            endpoint: self.task.endpoint.clone(),
            prometheus: prometheus.map(|(uid, plugin)| Prometheus { uid, plugin }),
        };
        let wanted = Wanted::new(settings, &place)?;
        let found: Found = read(grafana, self.identity, Some(&wanted), summary).await?;
        Ok(provision::apply(self.identity, &wanted, &found)?)
    }

    /// The plugin of the data source that the dashboard about the engine asks.
    async fn prometheus_plugin(&self, grafana: &Grafana) -> Result<Option<String>, Failure> {
        let Some(uid) = &self.task.prometheus_uid else { return Ok(None) };
        let missing = || Refusal::NoPrometheus(uid.clone());
        let is_plain = uid.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let request = Request::get(format!("api/datasources/uid/{uid}"));
        let source = if is_plain { grafana.read(&request).await? } else { None };
        let source = source.ok_or_else(missing)?;
        let plugin = source["type"].as_str().filter(|plugin| plugin.contains("prometheus"));
        Ok(Some(plugin.ok_or_else(missing)?.to_owned()))
    }
}

/// What a Grafana says about itself.
async fn version_of(grafana: &Grafana) -> Result<GrafanaVersion, Failure> {
    let health: Value = grafana.done(&Request::get("api/health")).await?.body;
    let version = health["version"].as_str().unwrap_or_default().parse();
    let version: GrafanaVersion = version.map_err(|_| Refusal::NoVersion)?;
    if version < GrafanaVersion::OLDEST { Err(Refusal::TooOld(version).into()) } else { Ok(version) }
}

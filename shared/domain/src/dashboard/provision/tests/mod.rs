//! Plans, carried out on a Grafana that is a value.

mod applied;
mod foreign;
mod grafana;
mod kinds;

use serde_json::{Value, json};

use self::grafana::Grafana;
use super::{Host, Place, Prometheus, Wanted};
use crate::alert::rules::{self, Rules};
use crate::dashboard::grafana::SnsShape;
use crate::dashboard::{Identity, RUNBOOKS, Settings};
use crate::fleet::{self, Fleet};
use crate::rubric::{self, Rubric};

const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:grafana-assay-alerts";

/// Everything that a deployment is made of.
struct Given {
    identity: Identity,
    fleet: Fleet,
    rubric: Rubric,
    rules: Rules,
    version: &'static str,
    endpoint: Option<&'static str>,
    engine: bool,
}

impl Given {
    fn shipped() -> Self {
        Self {
            identity: Identity::default(),
            fleet: Fleet::from_toml("fleet.toml", fleet::SHIPPED).unwrap(),
            rubric: Rubric::from_toml("rubric.toml", rubric::SHIPPED).unwrap(),
            rules: Rules::from_toml("alerts.toml", rules::SHIPPED).unwrap(),
            version: "12.4",
            endpoint: None,
            engine: false,
        }
    }

    fn of(name: &str) -> Self {
        Self { identity: name.parse().unwrap(), ..Self::shipped() }
    }

    fn on(version: &'static str) -> Self {
        Self { version, ..Self::shipped() }
    }

    fn settings(&self) -> Settings<'_> {
        Settings {
            identity: &self.identity,
            fleet: &self.fleet,
            rubric: &self.rubric,
            thresholds: self.rules.thresholds(),
            judge_model: Some("judge"),
            daily_budget_usd: Some(10.0),
            runbooks: RUNBOOKS,
        }
    }

    fn wanted(&self) -> Wanted {
        self.try_wanted().unwrap()
    }

    fn try_wanted(&self) -> Result<Wanted, super::Refusal> {
        let place = Place {
            host: Host::Managed,
            version: self.version.parse().unwrap(),
            region: "eu-central-1",
            topic_arn: TOPIC,
            sns: SnsShape::Managed,
            endpoint: self.endpoint.map(|name| name.parse().unwrap()),
            prometheus: self.engine.then_some(Prometheus { uid: "promql", plugin: "prometheus" }),
        };
        Wanted::new(&self.settings(), &place)
    }

    /// Brings a Grafana to what is wanted, and says what was done.
    fn apply(&self, grafana: &mut Grafana) -> Vec<String> {
        let found = grafana.found(&self.identity, &self.wanted());
        grafana.carry_out(&self.identity, super::apply(&self.identity, &self.wanted(), &found).unwrap())
    }

    fn remove(&self, grafana: &mut Grafana) -> Vec<String> {
        let found = grafana.found(&self.identity, &self.wanted());
        grafana.carry_out(&self.identity, super::remove(&self.identity, &found))
    }

    fn refusal(&self, grafana: &Grafana) -> String {
        let found = grafana.found(&self.identity, &self.wanted());
        super::apply(&self.identity, &self.wanted(), &found).unwrap_err().to_string()
    }
}

fn rule(uid: &str, folder: &str, group: &str, managed_by: &str) -> Value {
    json!({"uid": uid, "title": uid, "folderUID": folder, "ruleGroup": group, "labels": {"managed_by": managed_by}})
}

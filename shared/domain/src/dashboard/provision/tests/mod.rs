//! Plans, carried out on a Grafana that is a value.

mod applied;
mod foreign;
mod grafana;
mod kinds;

use serde_json::{Value, json};

use self::grafana::Grafana;
use super::{Host, Place, Prometheus, Wanted};
use crate::dashboard;
use crate::dashboard::grafana::SnsShape;

const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:grafana-assay-alerts";

/// Everything that a deployment is made of.
struct Given {
    stack: dashboard::tests::Given,
    version: &'static str,
    endpoint: Option<&'static str>,
    engine: bool,
}

impl Given {
    fn shipped() -> Self {
        let stack = dashboard::tests::Given::shipped();
        Self { stack, version: "12.4", endpoint: None, engine: false }
    }

    fn of(name: &str) -> Self {
        let mut given = Self::shipped();
        given.stack.identity = name.parse().unwrap();
        given
    }

    fn on(version: &'static str) -> Self {
        Self { version, ..Self::shipped() }
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
        Wanted::new(&self.stack.settings(), &place)
    }

    /// Brings a Grafana to what is wanted, and says what was done.
    fn apply(&self, grafana: &mut Grafana) -> Vec<String> {
        let found = grafana.found(&self.stack.identity, &self.wanted());
        grafana.carry_out(
            &self.stack.identity,
            super::apply(&self.stack.identity, &self.wanted(), &found).unwrap(),
        )
    }

    fn remove(&self, grafana: &mut Grafana) -> Vec<String> {
        let found = grafana.found(&self.stack.identity, &self.wanted());
        grafana.carry_out(&self.stack.identity, super::remove(&self.stack.identity, &found))
    }

    fn refusal(&self, grafana: &Grafana) -> String {
        let found = grafana.found(&self.stack.identity, &self.wanted());
        super::apply(&self.stack.identity, &self.wanted(), &found).unwrap_err().to_string()
    }
}

fn rule(uid: &str, folder: &str, group: &str, managed_by: &str) -> Value {
    json!({"uid": uid, "title": uid, "folderUID": folder, "ruleGroup": group, "labels": {"managed_by": managed_by}})
}

//! Everything that Assay needs, on this machine: stand-ins, emulator, deployed stack.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clients::Clients;
use crate::destinations;
use crate::emulator::{Emulator, REGION};
use crate::failure::{During, Failure, Outcome};
use crate::project;
use crate::samples;
use crate::seed;
use crate::stack::{self, Stack};
use crate::stand_in::{Options, Server, WORKSPACE};

/// Where a local stack differs from the template's defaults; all else is as it is deployed to an
/// account. `docs/getting-started.md` says the same, with what single tests set beside.
const LOCAL: &[(&str, &str)] = &[
    // Everything is judged, so that a look at one object shows all.
    ("SampleRate", "1"),
    ("SampleCapPerHour", "1000"),
    // Only what the demo uploads goes through the queue by itself, so that a local invoke comes first
    // with the objects of its events.
    ("CapturePrefix", samples::PREFIX),
    // Both ways to dashboards and alerts, side by side: the Grafana that is stood in for, and CloudWatch.
    ("GrafanaWorkspaceId", WORKSPACE),
    // The address in events/grafana-provisioner.own-grafana.json.
    ("GrafanaUrl", "https://grafana.example.com"),
    ("ShowInCloudWatch", "always"),
];

/// A running environment. All of it ends when this is dropped.
#[derive(Debug)]
pub struct Environment {
    /// First, so that the functions end before what they talk to.
    pub emulator: Emulator,
    /// What the emulator lacks.
    pub stand_ins: Server,
    /// Clients of the emulator.
    pub clients: Clients,
    /// The deployed stack.
    pub stack: Stack,
    /// Until when the fleet has published its metrics.
    seeded_until: Timestamp,
    /// What is deployed, and with which parameters.
    build: PathBuf,
    parameters: BTreeMap<String, String>,
}

/// Where a running environment is: `.local/endpoints.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Endpoints {
    /// `AWS_ENDPOINT_URL` for the AWS command line or an SDK, with the keys `test` / `test`.
    pub aws_endpoint_url: String,
    /// `AWS_REGION`.
    pub aws_region: String,
    /// The stand-ins: `/_requests`, `/_replies`, `/_stats`.
    pub stand_ins: String,
    /// The stack's outputs.
    pub outputs: BTreeMap<String, String>,
    /// Process ids: of the one that keeps it all up, and of the emulator.
    pub process_ids: BTreeMap<String, u32>,
    /// What the emulator and the functions write.
    pub log: PathBuf,
}

impl Environment {
    /// Builds the functions, starts everything and deploys the template: with what every local
    /// stack needs, and with these parameters beside.
    pub async fn start(options: Options, parameters: &[(&str, &str)]) -> Outcome<Self> {
        let stand_ins = Server::start(options).during("start the stand-ins")?;
        Self::around(stand_ins, parameters).await
    }

    /// The same around stand-ins that run already. Their fleet has published before the functions
    /// are there: no schedule finds half of it.
    pub async fn around(stand_ins: Server, parameters: &[(&str, &str)]) -> Outcome<Self> {
        let build = stack::build().await?;
        let emulator = Emulator::start(&stand_ins.url()).await?;
        let clients = Clients::of(&emulator.url()).await;
        let seeded_until = Timestamp::now();
        seed::seed(&clients.cloudwatch, &stand_ins.scenario(), seeded_until).await?;
        let destinations = destinations::configure(&clients, &stand_ins.url(), "local").await?;
        let settings = samples::upload_settings(&clients, &destinations.toml).await?;
        let secrets = destinations.secrets.join(",");
        let own = [("ConfigUri", settings.as_str()), ("AlertsSecretArns", &secrets)];
        let parameters = [LOCAL, &own, parameters].concat();
        let stack = stack::deploy(&clients, &build, &parameters).await?;
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Ok(Self {
            emulator,
            stand_ins,
            clients,
            stack,
            seeded_until,
            build,
            parameters: parameters.collect(),
        })
    }

    /// Deploys what is built again, with these parameters changed; all others stay as they are.
    pub async fn redeploy(&mut self, changes: &[(&str, &str)]) -> Outcome<()> {
        let mut parameters = self.parameters.clone();
        for (name, value) in changes {
            parameters.insert((*name).to_owned(), (*value).to_owned());
        }
        let all: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.stack = stack::deploy(&self.clients, &self.build, &all).await?;
        self.parameters = parameters;
        Ok(())
    }

    /// Has the fleet publish what it has not yet published: a meter goes blind five minutes after
    /// the last datapoint.
    pub async fn keep_publishing(&mut self) -> Outcome<()> {
        let (from, now) = (self.seeded_until, Timestamp::now());
        seed::seed_between(&self.clients.cloudwatch, &self.stand_ins.scenario(), from, now).await?;
        self.seeded_until = now;
        Ok(())
    }

    /// Where it is.
    pub fn endpoints(&self) -> Endpoints {
        let process_ids = [("local", std::process::id()), ("emulator", self.emulator.process_id())];
        Endpoints {
            aws_endpoint_url: self.emulator.url(),
            aws_region: REGION.to_owned(),
            stand_ins: self.stand_ins.url(),
            outputs: self.stack.outputs.clone(),
            process_ids: process_ids.map(|(name, id)| (name.to_owned(), id)).into(),
            log: self.emulator.log(),
        }
    }
}

impl Endpoints {
    /// Where they are written.
    pub fn path() -> PathBuf {
        project::local().join("endpoints.json")
    }

    /// Writes them for other commands to find.
    pub fn write(&self) -> Outcome<()> {
        let path = Self::path();
        let text = serde_json::to_string_pretty(self).during("write the endpoints as JSON")?;
        fs::write(&path, text + "\n").during(format!("write {}", path.display()))
    }

    /// Those of the environment that is up, if one is: the file may be left from one that was
    /// killed.
    pub async fn of_running() -> Option<Self> {
        let text = fs::read_to_string(Self::path()).ok()?;
        let endpoints: Self = serde_json::from_str(&text).ok()?;
        let health = reqwest::get(format!("{}/_ministack/health", endpoints.aws_endpoint_url)).await;
        health.is_ok_and(|answer| answer.status().is_success()).then_some(endpoints)
    }

    /// The output `name` of the stack.
    pub fn output(&self, name: &str) -> Outcome<&str> {
        let missing = || Failure(format!("the stack has no output {name}"));
        self.outputs.get(name).map(String::as_str).ok_or_else(missing)
    }
}

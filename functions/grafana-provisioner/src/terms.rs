//! What the operator says: `alerts.toml`, `fleet.toml` and `rubric.toml`. Read for each event: a
//! deployment is there to bring what was just changed.

use adapters::settings_folder::{NoSettings, SettingsFile, SettingsFiles};
use domain::alert::rules::{self, Rules};
use domain::dashboard::{Identity, Settings};
use domain::fleet::{self, Fleet};
use domain::rubric::{self, Rubric};
use domain::settings::Mistakes;

use crate::config::Config;

const ALERTS: &str = "alerts.toml";
const FLEET: &str = "fleet.toml";
const RUBRIC: &str = "rubric.toml";

/// The files in force.
#[derive(Debug)]
pub(crate) struct Terms {
    rules: Rules,
    fleet: Fleet,
    rubric: Rubric,
}

impl Terms {
    /// Those of `CONFIG_URI`, where a file that is not there means the one compiled in; without it
    /// all those compiled in.
    pub(crate) async fn read(files: Option<&SettingsFiles>) -> Result<Self, NoSettings> {
        let file = async |name: &str, shipped: &str| match files {
            Some(files) => files.read(name, shipped).await,
            None => Ok(SettingsFile::shipped(name, shipped)),
        };
        let alerts = file(ALERTS, rules::SHIPPED).await?;
        let fleet = file(FLEET, fleet::SHIPPED).await?;
        let rubric = file(RUBRIC, rubric::SHIPPED).await?;
        // All are read before any is complained about.
        let rules = Rules::from_toml(&alerts.source_name, &alerts.text);
        let fleet = Fleet::from_toml(&fleet.source_name, &fleet.text);
        let rubric = Rubric::from_toml(&rubric.source_name, &rubric.text);
        let ((rules, fleet), rubric) = Mistakes::in_both(Mistakes::in_both(rules, fleet), rubric)?;
        Ok(Self { rules, fleet, rubric })
    }

    /// What dashboards and rules are made of.
    pub(crate) fn settings<'a>(&'a self, identity: &'a Identity, config: &'a Config) -> Settings<'a> {
        Settings {
            identity,
            fleet: &self.fleet,
            rubric: &self.rubric,
            thresholds: self.rules.thresholds(),
            judge_model: config.judge_model.as_deref(),
            daily_budget_usd: config.daily_budget_usd,
            runbooks: &config.runbooks,
        }
    }
}

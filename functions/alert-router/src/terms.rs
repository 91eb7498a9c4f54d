//! What the operator says: `alerts.toml`, and how metrics are called by `fleet.toml`.

use std::collections::BTreeMap;

use adapters::settings_folder::{NoSettings, SettingsFile, SettingsFiles};
use domain::alert::rules::{self, Rules};
use domain::fleet::{self, Fleet, MetricNaming};
use domain::names::{ComponentName, EndpointName};
use domain::settings::Mistakes;

use crate::config::Config;

const ALERTS: &str = "alerts.toml";
const FLEET: &str = "fleet.toml";

/// The rules in force, and where the numbers of components are found.
#[derive(Debug)]
pub(crate) struct Terms {
    /// `alerts.toml`, with the destinations of the environment.
    pub(crate) rules: Rules,
    /// How quality metrics are called.
    pub(crate) quality: MetricNaming,
    /// How capacity metrics are called.
    pub(crate) capacity: MetricNaming,
    /// The endpoints of the components that `fleet.toml` lists.
    pub(crate) owners: BTreeMap<ComponentName, EndpointName>,
}

impl Terms {
    /// Those compiled into the binary.
    pub(crate) fn shipped(config: &Config) -> Result<Self, NoSettings> {
        let alerts = SettingsFile::shipped(ALERTS, rules::SHIPPED);
        Self::from_files(&alerts, &SettingsFile::shipped(FLEET, fleet::SHIPPED), config)
    }

    /// Those of `CONFIG_URI`, where a file that is not there means the one compiled in.
    pub(crate) async fn from_folder(files: &SettingsFiles, config: &Config) -> Result<Self, NoSettings> {
        let alerts = files.read(ALERTS, rules::SHIPPED).await?;
        let fleet = files.read(FLEET, fleet::SHIPPED).await?;
        Self::from_files(&alerts, &fleet, config)
    }

    fn from_files(alerts: &SettingsFile, fleet: &SettingsFile, config: &Config) -> Result<Self, NoSettings> {
        let rules = Rules::from_toml(&alerts.source_name, &alerts.text)
            .and_then(|rules| rules.with_destinations(config.destinations.clone()));
        let fleet = Fleet::from_toml(&fleet.source_name, &fleet.text);
        // Both are read before either is complained about.
        let (rules, fleet) = Mistakes::in_both(rules, fleet)?;
        Ok(Self {
            rules,
            quality: fleet.metrics().clone(),
            capacity: fleet.capacity().metrics.clone(),
            owners: fleet.owners(),
        })
    }
}

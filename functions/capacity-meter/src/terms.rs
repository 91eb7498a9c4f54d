//! What the operator says: `fleet.toml`, and what follows from it.

use std::collections::BTreeMap;

use adapters::settings_folder::{NoSettings, SettingsFile, SettingsFiles};
use domain::capacity::instance::Catalogue;
use domain::capacity::series::TokenNames;
use domain::capacity::topology::EndpointTopology;
use domain::fleet::{self, Fleet, MetricNaming};
use domain::names::{ComponentName, EndpointName};

const FILE: &str = "fleet.toml";

/// A fleet file as the meter uses it.
#[derive(Debug)]
pub(crate) struct Terms {
    /// Shapes and prices, before the price list is asked.
    pub(crate) catalogue: Catalogue,
    /// What the file says about the instances and copies of endpoints.
    pub(crate) topologies: BTreeMap<EndpointName, EndpointTopology>,
    /// The endpoints of the components that it lists.
    pub(crate) owners: BTreeMap<ComponentName, EndpointName>,
    /// Where quality-judge publishes token counts.
    pub(crate) tokens: TokenNames,
    /// How the metrics are called.
    pub(crate) naming: MetricNaming,
}

impl Terms {
    /// Those compiled into the binary, for endpoints in `region`.
    pub(crate) fn shipped(region: &str) -> Result<Self, NoSettings> {
        Self::from_file(&SettingsFile::shipped(FILE, fleet::SHIPPED), region)
    }

    /// Those of `CONFIG_URI`, where a file that is not there means the one compiled in.
    pub(crate) async fn from_folder(files: &SettingsFiles, region: &str) -> Result<Self, NoSettings> {
        Self::from_file(&files.read(FILE, fleet::SHIPPED).await?, region)
    }

    fn from_file(file: &SettingsFile, region: &str) -> Result<Self, NoSettings> {
        let fleet = Fleet::from_toml(&file.source_name, &file.text)?;
        Ok(Self {
            catalogue: fleet.capacity().catalogue(region)?,
            topologies: fleet.topologies(),
            owners: fleet.owners(),
            tokens: TokenNames::from(fleet.metrics()),
            naming: fleet.capacity().metrics.clone(),
        })
    }
}

//! What answers are measured against: the rubric, the fleet file, and what follows from them.

use std::sync::Mutex;

use adapters::judge::Brief;
use adapters::settings_folder::{NoSettings, SettingsFile, SettingsFiles};
use domain::fleet::{Fleet, JudgePrice, UnlistedLimit};
use domain::judge::{reply_tokens_at_most, system_text, text_instruction, verdict_schema_text};
use domain::rubric::{Rubric, RubricStamp};
use domain::settings::Mistakes;
use domain::{fleet, rubric};

use crate::config::Config;

/// The rubric and the fleet file in force.
#[derive(Debug)]
pub(crate) struct Standards {
    /// The dimensions that are scored.
    pub(crate) rubric: Rubric,
    /// Names the rubric and its exact text in verdicts.
    pub(crate) stamp: RubricStamp,
    /// The constant part of every judge request.
    pub(crate) brief: Brief,
    /// Attribution, sampling and metric names.
    pub(crate) fleet: Fleet,
    /// What the configured judge costs.
    pub(crate) price: JudgePrice,
    /// Keeps component names that callers make up from becoming metrics, for the process's life.
    pub(crate) unlisted: Mutex<UnlistedLimit>,
}

impl Standards {
    /// Those compiled into the binary.
    pub(crate) fn shipped(config: &Config) -> Result<Self, NoSettings> {
        let rubric = SettingsFile::shipped("rubric.toml", rubric::SHIPPED);
        let fleet = SettingsFile::shipped("fleet.toml", fleet::SHIPPED);
        Self::from_files(&rubric, &fleet, config)
    }

    /// Those of `CONFIG_URI`, where a file that is not there means the one compiled in.
    pub(crate) async fn from_folder(files: &SettingsFiles, config: &Config) -> Result<Self, NoSettings> {
        let rubric = files.read("rubric.toml", rubric::SHIPPED).await?;
        let fleet = files.read("fleet.toml", fleet::SHIPPED).await?;
        Self::from_files(&rubric, &fleet, config)
    }

    fn from_files(rubric: &SettingsFile, fleet: &SettingsFile, config: &Config) -> Result<Self, NoSettings> {
        let fleet_name = &fleet.source_name;
        // Both are read before either is complained about.
        let (rubric, fleet) = Mistakes::in_both(
            Rubric::from_toml(&rubric.source_name, &rubric.text),
            Fleet::from_toml(fleet_name, &fleet.text),
        )?;
        let unpriced = || Mistakes {
            source_name: fleet_name.clone(),
            list: vec![format!(
                "judge_price: has no entry for the judge model {:?}; add its price, or no budget can be kept",
                config.judge_model_id
            )],
        };
        let price = fleet.judge_price(&config.judge_model_id).cloned().ok_or_else(unpriced)?;
        let brief = Brief {
            system: system_text(&rubric),
            schema: verdict_schema_text(&rubric),
            instruction: text_instruction(&rubric),
            max_tokens: reply_tokens_at_most(rubric.enabled().count()),
        };
        let unlisted = Mutex::new(fleet.unlisted_limit());
        Ok(Self { stamp: rubric.stamp(), rubric, brief, fleet, price, unlisted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(model: &str) -> Config {
        let found = |name: &str| match name {
            "JUDGE_MODEL_ID" => Some(model.to_owned()),
            "STATE_TABLE" | "CAPTURE_BUCKET" | "VERDICT_BUCKET" => Some("x".to_owned()),
            _ => None,
        };
        Config::from_lookup(&found).unwrap()
    }

    #[test]
    fn the_shipped_files_are_right_for_the_default_judge() {
        let standards = Standards::shipped(&config("global.anthropic.claude-sonnet-4-6")).unwrap();
        assert_eq!(standards.rubric.enabled().count(), 3);
    }

    #[test]
    fn a_judge_without_a_price_is_refused() {
        let error = Standards::shipped(&config("acme.oracle-9")).unwrap_err().to_string();
        assert!(error.contains("no entry for the judge model \"acme.oracle-9\""), "{error}");
    }

    #[test]
    fn mistakes_in_both_files_are_told_together() {
        let file =
            |name: &str, text: &str| SettingsFile { source_name: name.to_owned(), text: text.to_owned() };
        let (rubric, fleet) = (file("r", "id = 1"), file("f", "typo = 1"));
        let error = Standards::from_files(&rubric, &fleet, &config("x")).unwrap_err().to_string();
        assert!(error.contains("r and f has") && error.contains("id:") && error.contains("typo:"), "{error}");
    }
}

//! What was done, for the log and for whoever invoked the function.

use std::collections::BTreeSet;

use domain::dashboard::provision::{Change, Object};
use serde::Serialize;

/// The result of a task.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Summary {
    /// The workspace, or scheme and host of one's own Grafana.
    pub(crate) grafana: String,
    /// Its version, when it was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    /// Whether it was only asked what would be done.
    pub(crate) is_dry_run: bool,
    /// What was not there.
    pub(crate) created: Vec<Object>,
    /// What was not as it should be.
    pub(crate) updated: Vec<Object>,
    /// What was ours and is no longer wanted.
    pub(crate) deleted: Vec<Object>,
    /// What was right, or stays for a reason that a note tells.
    pub(crate) unchanged: Vec<Object>,
    /// What a person should know.
    pub(crate) notes: Vec<String>,
    /// What Grafana says about the future of calls.
    pub(crate) warnings: BTreeSet<String>,
    /// Where the folder is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) folder_url: Option<String>,
    /// How long it took.
    pub(crate) duration_ms: u64,
}

impl Summary {
    /// Enters a step.
    pub(crate) fn enter(&mut self, change: Change, object: Object) {
        let list = match change {
            Change::Created => &mut self.created,
            Change::Updated => &mut self.updated,
            Change::Deleted => &mut self.deleted,
        };
        list.push(object);
    }

    /// One line.
    pub(crate) fn log(&self) {
        tracing::info!(
            grafana = self.grafana,
            version = self.version,
            is_dry_run = self.is_dry_run,
            created = self.created.len(),
            updated = self.updated.len(),
            deleted = self.deleted.len(),
            unchanged = self.unchanged.len(),
            notes = self.notes.join("; "),
            warnings = self.warnings.iter().map(String::as_str).collect::<Vec<_>>().join("; "),
            duration_ms = self.duration_ms,
            "provisioned"
        );
    }
}

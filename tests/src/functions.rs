//! What each function needs to be told to run here, in one place: its variables.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::emulator::STOOD_IN_FOR;
use crate::failure::{Failure, Outcome};
use crate::project;

/// The function that reads, checks and judges captures.
pub const QUALITY_JUDGE: &str = "quality-judge";
/// The function that meters the fleet.
pub const CAPACITY_METER: &str = "capacity-meter";

/// The function that tells people of alerts.
pub const ALERT_ROUTER: &str = "alert-router";
/// The function that puts dashboards and rules into a Grafana.
pub const GRAFANA_PROVISIONER: &str = "grafana-provisioner";

/// The state table that the functions share.
pub const TABLE: &str = "assay-state";
/// The topic that alerts go to.
pub const ALERT_TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:grafana-assay-alerts";
/// The bucket that captures are put in.
pub const CAPTURES: &str = "captures";
/// The bucket that verdicts come out in.
pub const VERDICTS: &str = "verdicts";

/// The variables of `function`, with AWS at `aws` and what that lacks at `stand_ins`: the default
/// settings, but everything is judged; then `changes`.
pub fn variables(
    function: &str,
    aws: &str,
    stand_ins: &str,
    changes: &[(&str, &str)],
) -> BTreeMap<String, String> {
    let own: &[(&str, &str)] = match function {
        QUALITY_JUDGE => &[
            ("CAPTURE_BUCKET", CAPTURES),
            ("VERDICT_BUCKET", VERDICTS),
            ("JUDGE_MODEL_ID", "global.anthropic.claude-sonnet-4-6"),
            ("JUDGE_TIMEOUT_SECONDS", "5"),
            ("SAMPLE_RATE", "1"),
            ("SAMPLE_CAP_PER_HOUR", "100000"),
        ],
        GRAFANA_PROVISIONER => &[
            ("STACK_NAME", "assay"),
            ("ALERT_TOPIC_ARN", ALERT_TOPIC),
            ("JUDGE_MODEL_ID", "global.anthropic.claude-sonnet-4-6"),
            ("DAILY_BUDGET_USD", "10"),
        ],
        _ => &[],
    };
    let common = [("AWS_ENDPOINT_URL", aws), ("STATE_TABLE", TABLE)];
    let stood_in_for = STOOD_IN_FOR.iter().map(|name| (*name, stand_ins));
    let all =
        common.into_iter().chain(stood_in_for).chain(own.iter().copied()).chain(changes.iter().copied());
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The built binary of `function`.
///
/// # Errors
/// It is not built.
pub fn binary(function: &str) -> Outcome<PathBuf> {
    let path = project::root().join("target/debug").join(function);
    if path.exists() {
        Ok(path)
    } else {
        Err(Failure(format!("{} is missing: run `make test`", path.display())))
    }
}

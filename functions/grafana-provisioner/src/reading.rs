//! What is in a Grafana, as far as it concerns a stack.

use std::collections::BTreeMap;

use adapters::grafana::{Grafana, GrafanaFault};
use domain::dashboard::Identity;
use domain::dashboard::provision::{Found, Refusal, Request, Wanted};
use serde_json::Value;

use crate::failure::Failure;
use crate::summary::Summary;

/// Dashboards in one answer (Grafana HTTP API, "Folder/Dashboard Search API": at most 5,000).
const PAGE: usize = 1000;

/// Reads it all. `wanted` names the dashboards and groups to look at closely; what is to be removed
/// is told by tags and labels.
pub(crate) async fn read(
    grafana: &Grafana,
    identity: &Identity,
    wanted: Option<&Wanted>,
    summary: &mut Summary,
) -> Result<Found, Failure> {
    let folder_uid = identity.folder_uid();
    let get = async |path: String| grafana.read(&Request::get(path)).await;
    let folder = get(format!("api/folders/{folder_uid}")).await?;
    let mut found = Found {
        data_source: get(format!("api/datasources/uid/{}", identity.data_source_uid())).await?,
        listed: listed(grafana).await?,
        rules: alerting(grafana, "api/v1/provisioning/alert-rules", wanted, summary).await?,
        contact_points: alerting(grafana, "api/v1/provisioning/contact-points", wanted, summary).await?,
        policies: get(Request::policies().path).await?.unwrap_or_default(),
        ..Found::default()
    };
    if folder.is_some() {
        let inside = get(format!("api/folders?parentUid={folder_uid}&limit=1000")).await?;
        // A Grafana without folders in folders answers with all there are.
        let inside = array(inside).into_iter().filter(|one| one["parentUid"] == folder_uid);
        found.subfolders = inside.collect();
    }
    found.folder = folder;
    if let Some(wanted) = wanted {
        let (dashboards, groups) = close(grafana, &folder_uid, wanted).await?;
        (found.dashboards, found.groups) = (dashboards, groups);
    }
    Ok(found)
}

type ByName = BTreeMap<String, Value>;

async fn close(grafana: &Grafana, folder: &str, wanted: &Wanted) -> Result<(ByName, ByName), GrafanaFault> {
    let mut dashboards = ByName::new();
    for uid in wanted.dashboards.iter().filter_map(|one| one["uid"].as_str()) {
        let request = Request::get(format!("api/dashboards/uid/{uid}"));
        dashboards.extend(grafana.read(&request).await?.map(|there| (uid.to_owned(), there)));
    }
    let mut groups = ByName::new();
    for title in wanted.groups.iter().filter_map(|one| one["title"].as_str()) {
        let request = Request::get(format!("api/v1/provisioning/folder/{folder}/rule-groups/{title}"));
        groups.extend(grafana.read(&request).await?.map(|there| (title.to_owned(), there)));
    }
    Ok((dashboards, groups))
}

/// A list of the alerting API. It is not there while unified alerting is off.
async fn alerting(
    grafana: &Grafana,
    path: &str,
    wanted: Option<&Wanted>,
    summary: &mut Summary,
) -> Result<Vec<Value>, Failure> {
    let request = Request::get(path);
    let answered = grafana.call(&request).await?;
    summary.warnings.extend(answered.warning.clone().map(|warning| format!("/{path}: {warning}")));
    match answered.status {
        200..300 => Ok(array(Some(answered.body))),
        404 if wanted.is_none() => Ok(Vec::new()),
        404 => Err(Refusal::NoAlerting.into()),
        _ => Err(grafana.refused(&request, &answered).into()),
    }
}

/// All dashboards, page by page.
async fn listed(grafana: &Grafana) -> Result<Vec<Value>, GrafanaFault> {
    let mut all = Vec::new();
    for page in 1.. {
        let request = Request::get(format!("api/search?type=dash-db&limit={PAGE}&page={page}"));
        let part = array(grafana.read(&request).await?);
        let is_last = part.len() < PAGE;
        all.extend(part);
        if is_last {
            break;
        }
    }
    Ok(all)
}

fn array(body: Option<Value>) -> Vec<Value> {
    match body {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

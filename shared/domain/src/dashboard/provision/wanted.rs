//! What should be in a Grafana.

use serde_json::{Value, json};

use super::{GrafanaVersion, Refusal};
use crate::dashboard::board::BoardKind;
use crate::dashboard::grafana::{self, PROMETHEUS, Routing, RuleScope, SeriesLabels, SnsShape, Wiring};
use crate::dashboard::rules::RuleBook;
use crate::dashboard::{Settings, boards};
use crate::names::EndpointName;

/// Whose Grafana it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// Amazon Managed Grafana.
    Managed,
    /// One's own.
    OpenSource,
}

/// A data source for `PromQL`.
#[derive(Debug, Clone, Copy)]
pub struct Prometheus<'a> {
    /// Its uid.
    pub uid: &'a str,
    /// Its plugin: `prometheus`, or Amazon's.
    pub plugin: &'a str,
}

/// Where it all goes.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    /// Whose Grafana.
    pub host: Host,
    /// Which.
    pub version: GrafanaVersion,
    /// The region of the metrics and of the topic.
    pub region: &'a str,
    /// The topic that alerts go to.
    pub topic_arn: &'a str,
    /// What SNS is called here: see [`sns_shape`].
    pub sns: SnsShape,
    /// The one endpoint that rules watch; all of them without.
    pub endpoint: Option<EndpointName>,
    /// For the dashboard about the engine, which is left out without.
    pub prometheus: Option<Prometheus<'a>>,
}

/// All of it, as Grafana takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// The folder.
    pub folder: Value,
    /// The CloudWatch data source.
    pub data_source: Value,
    /// Dashboards.
    pub dashboards: Vec<Value>,
    /// The contact point, and with the settings of the other kind of Grafana.
    pub contact_points: (Value, Value),
    /// Our route; rules name the contact point themselves where there is none.
    pub route: Option<Value>,
    /// Groups of rules.
    pub groups: Vec<Value>,
}

impl Wanted {
    /// What the settings ask for in this place.
    ///
    /// # Errors
    /// The Grafana cannot hold it.
    pub fn new(settings: &Settings, place: &Place) -> Result<Self, Refusal> {
        if place.version < GrafanaVersion::OLDEST {
            return Err(Refusal::TooOld(place.version));
        }
        let labels = if place.version.tells_dimensions_apart() {
            SeriesLabels::OfDimensions
        } else {
            SeriesLabels::OfName
        };
        let scope = match (&place.endpoint, labels) {
            (Some(endpoint), _) => RuleScope::Endpoint(endpoint.clone()),
            (None, SeriesLabels::OfDimensions) => RuleScope::EveryEndpoint,
            (None, SeriesLabels::OfName) => return Err(Refusal::NeedsEndpoint(place.version)),
        };
        let identity = settings.identity;
        let routing = if place.version.routes_by_rule() { Routing::ByRule } else { Routing::ByPolicy };
        let wiring = Wiring { data_source: identity.data_source_uid(), scope, labels, routing };
        let is_shown = |kind: &BoardKind| *kind != BoardKind::Engine || place.prometheus.is_some();
        let kinds: Vec<BoardKind> = BoardKind::ALL.into_iter().filter(is_shown).collect();
        let boards: Vec<_> = kinds.iter().map(|kind| boards::board(*kind, settings)).collect();
        let plugin = place.prometheus.map_or(PROMETHEUS, |source| source.plugin);
        let dashboards = boards.iter().map(|board| {
            let mut dashboard = grafana::dashboard(board, settings, &kinds, plugin);
            choose(&mut dashboard, "datasource", &identity.data_source_uid(), &data_source_name(settings));
            if let Some(source) = place.prometheus {
                choose(&mut dashboard, "promql", source.uid, source.uid);
            }
            dashboard
        });
        let contact = |shape| grafana::contact_point(identity, place.topic_arn, place.region, shape);
        let other = match place.sns {
            SnsShape::Managed => SnsShape::OpenSource,
            SnsShape::OpenSource | SnsShape::Both => SnsShape::Managed,
        };
        Ok(Self {
            folder: json!({"uid": identity.folder_uid(), "title": format!("LLM observability - {}", identity.as_str())}),
            data_source: data_source(settings, place.region),
            dashboards: dashboards.collect(),
            contact_points: (contact(place.sns), contact(other)),
            route: (routing == Routing::ByPolicy).then(|| grafana::route(identity)),
            groups: grafana::rule_groups(&RuleBook::new(settings), &boards, settings, &wiring),
        })
    }
}

/// Which settings SNS has, by `GET /api/alert-notifiers`. A list that cannot be read says what is
/// usual for the host.
///
/// # Errors
/// The list is there, and SNS is not in it.
pub fn sns_shape(notifiers: &Value, host: Host) -> Result<SnsShape, Refusal> {
    let usual = if host == Host::Managed { SnsShape::Managed } else { SnsShape::OpenSource };
    let Some(kinds) = notifiers.as_array().filter(|kinds| !kinds.is_empty()) else { return Ok(usual) };
    let sns = kinds.iter().find(|kind| kind["type"] == "sns").ok_or(Refusal::NoSns)?;
    let has = |name: &str| {
        let options = sns["options"].as_array().into_iter().flatten();
        options.into_iter().any(|option| option["propertyName"] == name)
    };
    Ok(match (has("topic"), has("topic_arn")) {
        (true, false) => SnsShape::Managed,
        (false, true) => SnsShape::OpenSource,
        (true, true) => SnsShape::Both,
        (false, false) => usual,
    })
}

fn data_source_name(settings: &Settings) -> String {
    format!("CloudWatch - {}", settings.identity.as_str())
}

/// Not the default of the Grafana, which others may rely on. `default` is the role of the workspace.
fn data_source(settings: &Settings, region: &str) -> Value {
    let namespaces =
        [settings.fleet.metrics().namespace.as_str(), settings.fleet.capacity().metrics.namespace.as_str()];
    json!({
        "uid": settings.identity.data_source_uid(),
        "name": data_source_name(settings),
        "type": "cloudwatch",
        "access": "proxy",
        "isDefault": false,
        "jsonData": {
            "authType": "default",
            "defaultRegion": region,
            "customMetricsNamespaces": namespaces.join(","),
        },
    })
}

/// Has a dashboard start with this data source; a reader may choose another.
fn choose(dashboard: &mut Value, variable: &str, uid: &str, name: &str) {
    let variables = dashboard["templating"]["list"].as_array_mut().into_iter().flatten();
    for one in variables.filter(|one| one["name"] == variable) {
        one["current"] = json!({"selected": true, "text": name, "value": uid});
    }
}

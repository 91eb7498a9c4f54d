//! From what is remembered and found out of an alert to what a person is told.

use domain::alert::lifecycle::{self, AlertRecord, Change, StepKind};
use domain::alert::notice::{
    Enrichment, Fired, NotIncluded, Notice, Occasion, Part, Quantity, Reading, Related, logs_url,
};
use domain::alert::rules::{Band, Rules, Subject};
use domain::alert::{Alert, Classification, Meaning, StateReason, Status, Threshold};
use jiff::Timestamp;

/// What a message about one alert is made of, beside its record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The alert as this event has it.
    pub(crate) alert: &'a Alert,
    /// What this event changed about it; `None` when it is delivered for another reason.
    pub(crate) change: Option<&'a Change>,
    /// What it is about.
    pub(crate) subject: &'a Subject,
    /// Alerts that it was joined with.
    pub(crate) related: &'a [Related],
    /// What was looked up.
    pub(crate) enrichment: &'a Enrichment,
    /// The limits, and how flapping is damped.
    pub(crate) rules: &'a Rules,
    /// Where the function runs.
    pub(crate) region: &'a str,
    /// The time now.
    pub(crate) now: Timestamp,
}

/// What is told in a delivery.
pub(crate) fn notice(record: &AlertRecord, delivery: &lifecycle::Delivery, context: Context<'_>) -> Notice {
    let step = &delivery.step;
    let has_ended = step.ends_at.is_some();
    let status = if has_ended { Status::Resolved } else { Status::Firing };
    let subject = context.subject;
    let alert = Alert { status, values: step.values.clone(), ends_at: step.ends_at, ..record.alert.clone() };
    let fired = Fired {
        severity: record.highest_severity,
        reading: reading(
            &Alert { values: record.firing_values.clone(), ..record.alert.clone() },
            context.rules,
        ),
    };
    let mut reading = reading(&alert, context.rules);
    if has_ended {
        // The limit that it was past, whatever the value is now.
        reading.threshold = fired.reading.threshold;
    }
    let why = if has_ended { &record.reason } else { &step.reason };
    let mut notice = Notice {
        reading,
        fired: has_ended.then_some(fired),
        alert,
        classification: Classification {
            meaning: step.meaning,
            severity: step.severity,
            reason: without_severity(why).to_owned(),
        },
        occasion: occasion(record, delivery, &context),
        endpoint: subject.endpoint.as_ref().and_then(|name| name.parse().ok()),
        component: subject.component.as_ref().and_then(|name| name.parse().ok()),
        firing_since: step.starts_at,
        ended_at: step.ends_at,
        as_of: context.now,
        repeats: u32::try_from(record.counts.repeats).unwrap_or(u32::MAX),
        related: context.related.to_vec(),
        enrichment: context.enrichment.clone(),
    };
    if let Some(component) = &notice.component {
        let (from, until) = notice.log_window();
        notice.enrichment.logs = logs_url(context.region, component, from, until);
        if notice.enrichment.logs.is_none() {
            let why = "the function's region is not known".to_owned();
            notice.enrichment.not_included.push(NotIncluded { part: Part::Logs, why });
        }
    }
    notice
}

/// A decision's reason begins with the severity, which a message says anyway.
fn without_severity(reason: &str) -> &str {
    match reason.split_once(": ") {
        Some(("info" | "warning" | "error" | "critical", rest)) => rest,
        _ => reason,
    }
}

/// The number and its limit: as the message says, else as `alerts.toml` does.
pub(crate) fn reading(alert: &Alert, rules: &Rules) -> Reading {
    let mut reading = Reading::of(alert);
    reading.value = rules.value(alert);
    let named = reading.metric.clone().or_else(|| alert.metric().map(str::to_owned));
    let Some(measure) = named.and_then(|metric| rules.thresholds().find(&metric)) else { return reading };
    if reading.quantity == Quantity::Plain {
        reading.quantity = Quantity::of_metric(&measure.name);
    }
    reading.metric = Some(measure.name.clone());
    if reading.threshold.is_none() {
        let band = reading.value.map(|value| measure.band(value)).filter(|band| *band != Band::Normal);
        let limit = measure.limit(band.unwrap_or(Band::Warning)).or(measure.critical);
        reading.threshold = limit.map(|value| Threshold { comparison: measure.comparison, value });
    }
    reading
}

fn occasion(record: &AlertRecord, delivery: &lifecycle::Delivery, context: &Context<'_>) -> Occasion {
    let step = &delivery.step;
    let is_joined = !context.related.is_empty();
    match delivery.action {
        StepKind::Open if is_joined => Occasion::Joined,
        StepKind::Open if matches!(context.change, Some(Change::Reopened)) => Occasion::Reopened,
        StepKind::Open => Occasion::Opened,
        StepKind::Raise => step.raised_from.map_or(Occasion::Repeated, |from| Occasion::Raised { from }),
        StepKind::Flapping => Occasion::Flapping {
            changes: u32::try_from(record.counts.flips).unwrap_or(u32::MAX),
            minutes: u32::try_from(context.rules.damping().flap_window.as_mins()).unwrap_or(u32::MAX),
        },
        StepKind::Missed => Occasion::Missed,
        StepKind::Close => Occasion::Recovered,
        StepKind::Silent => silent(context),
        StepKind::Edit => match (step.meaning, context.change) {
            (Meaning::Recovered, _) => Occasion::Recovered,
            (Meaning::WentSilent, _) => silent(context),
            (_, Some(Change::Lowered { from })) => Occasion::Lowered { from: *from },
            (_, Some(Change::CalmedDown)) => Occasion::Settled,
            _ => Occasion::Repeated,
        },
    }
}

/// Why it went silent: the record keeps the newest message that fired, the end is in this event.
fn silent(context: &Context<'_>) -> Occasion {
    let is_end = context.alert.status == Status::Resolved;
    let why: Option<StateReason> = context.alert.state_reason.filter(|_| is_end);
    Occasion::WentSilent { why }
}

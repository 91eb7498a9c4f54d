//! What the answers of CloudWatch say is in use.
//!
//! A series is alive when its newest datapoint is no more than two datapoints older than the
//! newest of its endpoint. Compared with the endpoint and not with the clock, since metrics of a
//! whole endpoint arrive late together, while a copy that has left falls behind alone.
//!
//! An endpoint whose newest datapoint is older than three datapoints and their delay has stopped
//! to publish: then nothing of it is alive.
//!
//! A series without data is silent only when CloudWatch says that its answer is complete.
//! Otherwise it is unanswered, and nothing can be said about what is free.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::plan::{Outlook, Plan, Query, Window};
use super::series::{GpuUse, Meaning, RunningCopy, Tokens};
use crate::names::{ComponentName, EndpointName};

/// `StatusCode` of a result of `GetMetricData`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultStatus {
    /// All datapoints are there.
    Complete,
    /// More follow on another page, or could not be read.
    Partial,
    /// CloudWatch failed.
    InternalError,
    /// Not allowed.
    Forbidden,
}

/// What CloudWatch has answered so far.
#[derive(Debug, Clone)]
pub struct Answers {
    by_query: Vec<Answer>,
    /// Results whose id is none of the plan's.
    pub strangers: usize,
}

#[derive(Debug, Clone, Default)]
struct Answer {
    status: Option<ResultStatus>,
    datapoints: Vec<(Timestamp, f64)>,
}

impl Answers {
    /// Nothing answered yet.
    pub fn to(plan: &Plan) -> Self {
        Self { by_query: vec![Answer::default(); plan.queries().len()], strangers: 0 }
    }

    /// Adds one result of one page: the time and value of each datapoint. A query that is answered
    /// over several pages has the status of the last.
    ///
    /// A call that failed for good is simply not added: its queries stay unanswered.
    pub fn add(
        &mut self,
        id: &str,
        status: ResultStatus,
        datapoints: impl IntoIterator<Item = (Timestamp, f64)>,
    ) {
        let place = id.strip_prefix('q').and_then(|place| place.parse::<usize>().ok());
        match place.and_then(|place| self.by_query.get_mut(place)) {
            Some(answer) => {
                answer.status = Some(status);
                answer.datapoints.extend(datapoints);
            }
            None => self.strangers += 1,
        }
    }
}

/// An instance that is alive.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct MeasuredInstance {
    /// Whether a series of its own is alive, and not only that of a copy on it.
    pub has_own_series: bool,
    /// The variant that it serves, when a dimension says so.
    pub variant: Option<String>,
    /// Its type, when a dimension says so.
    pub instance_type: Option<String>,
    /// Its GPUs, used or not, as far as they were asked for.
    pub gpus: BTreeSet<String>,
}

/// How many tokens an exchange of a component has, on the mean of those that quality-judge saw.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct TokensPerInvocation {
    /// In the request; `None` where no exchange said so.
    pub prompt: Option<f64>,
    /// In the answer; `None` where no exchange said so.
    pub completion: Option<f64>,
}

/// How much of the traffic window a component was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Attendance {
    /// Its series that are alive.
    pub alive: u64,
    /// The datapoints of all its series, also of those that have stopped.
    pub datapoints: u64,
}

/// What is in use on one endpoint.
#[derive(Debug, Clone, Serialize)]
pub struct Usage {
    /// The endpoint.
    pub endpoint: EndpointName,
    /// The time that was looked at.
    pub window: Window,
    /// What was asked for.
    #[serde(skip)]
    pub outlook: Outlook,
    /// The newest datapoint of any of its series.
    pub newest: Option<Timestamp>,
    /// Instances that are alive.
    pub instances: BTreeMap<String, MeasuredInstance>,
    /// GPUs that are alive in the hands of a copy.
    pub gpus: BTreeSet<GpuUse>,
    /// Copies that are alive, with or without a GPU.
    pub copies: BTreeSet<RunningCopy>,
    /// How many datapoints the series of single GPUs of a component, or for one on the CPU those
    /// of its copies, have in the traffic window.
    pub attendance: BTreeMap<ComponentName, Attendance>,
    /// As many as a series has that was there all the time: by the publish frequency, since there
    /// may be none. More where a series has more, for an endpoint may publish oftener than is known.
    pub full_attendance: u64,
    /// Invocations in the window.
    pub invocations: BTreeMap<ComponentName, u64>,
    /// Tokens, where there are counts.
    pub tokens: BTreeMap<ComponentName, TokensPerInvocation>,
    /// Listed series of GPUs, copies and instances without data in the window.
    pub silent: usize,
    /// Instances that had data in the window and have stopped.
    pub instances_left: BTreeSet<String>,
    /// Series of GPUs, copies and instances that CloudWatch did not answer completely.
    pub unanswered: usize,
    /// Components whose invocations CloudWatch did not answer completely.
    pub uncounted: BTreeSet<ComponentName>,
}

impl Usage {
    /// The part of the window whose invocations have arrived.
    pub fn traffic_window(&self) -> Window {
        self.window.settled(self.outlook.frequency)
    }
}

/// Sorts the answers into the usage of each endpoint of the plan.
pub fn usages(plan: &Plan, answers: &Answers) -> BTreeMap<EndpointName, Usage> {
    let mut usages: BTreeMap<EndpointName, Usage> =
        plan.endpoints.iter().map(|(name, outlook)| (name.clone(), empty(name, plan, outlook))).collect();
    let asked = || plan.queries().iter().zip(&answers.by_query);
    for (query, answer) in asked() {
        let Some(usage) = usages.get_mut(&query.endpoint) else { continue };
        if is_presence(query) {
            usage.newest = usage.newest.max(newest(answer, plan.window));
        }
    }
    for (query, answer) in asked() {
        let Some(usage) = usages.get_mut(&query.endpoint) else { continue };
        match &query.series.meaning {
            Meaning::Invocations(component) | Meaning::CopyInvocations(RunningCopy { component, .. }) => {
                add_invocations(usage, component, answer);
            }
            Meaning::Tokens(component, kind) => {
                add_tokens(usage, component, *kind, answer, plan.token_window);
            }
            _ => add_presence(usage, query, answer),
        }
    }
    for usage in usages.values_mut() {
        let instances = &usage.instances;
        usage.instances_left.retain(|instance| !instances.contains_key(instance));
    }
    usages
}

fn empty(endpoint: &EndpointName, plan: &Plan, outlook: &Outlook) -> Usage {
    let frequency = outlook.frequency;
    Usage {
        endpoint: endpoint.clone(),
        window: plan.window,
        outlook: outlook.clone(),
        newest: None,
        instances: BTreeMap::new(),
        gpus: BTreeSet::new(),
        copies: BTreeSet::new(),
        attendance: BTreeMap::new(),
        full_attendance: plan.window.settled(frequency).datapoints(frequency),
        invocations: BTreeMap::new(),
        tokens: BTreeMap::new(),
        silent: 0,
        instances_left: BTreeSet::new(),
        unanswered: 0,
        uncounted: BTreeSet::new(),
    }
}

/// Whether the query asks if something is there, and not how much it did.
fn is_presence(query: &Query) -> bool {
    !matches!(
        query.series.meaning,
        Meaning::Invocations(_) | Meaning::CopyInvocations(_) | Meaning::Tokens(..)
    )
}

/// The newest datapoint with samples. One from outside the window does not count: a stand-in for
/// CloudWatch may send it.
fn newest(answer: &Answer, window: Window) -> Option<Timestamp> {
    let with_samples = answer.datapoints.iter().filter(|(time, value)| *value > 0.0 && window.holds(*time));
    with_samples.map(|(time, _)| *time).max()
}

fn add_presence(usage: &mut Usage, query: &Query, answer: &Answer) {
    let seen = newest(answer, usage.window);
    let frequency = usage.outlook.frequency;
    let is_publishing = usage.newest >= Some(usage.window.end - frequency.span());
    let limit = usage.newest.map(|newest| newest - frequency.silent_after());
    let is_alive = is_publishing && seen.is_some() && seen >= limit;
    add_attendance(usage, query, answer, is_alive);
    if !is_alive {
        if answer.status != Some(ResultStatus::Complete) {
            usage.unanswered += 1;
        } else if seen.is_none() {
            usage.silent += 1;
        }
        if let (Some(_), Meaning::Instance { instance }) = (seen, &query.series.meaning) {
            usage.instances_left.insert(instance.clone());
        }
        return;
    }
    match &query.series.meaning {
        Meaning::Gpu(gpu) => {
            let GpuUse { component, instance, container, .. } = gpu.clone();
            usage.copies.insert(RunningCopy { component, instance, container });
            usage.gpus.insert(gpu.clone());
            note(usage, query, &gpu.instance);
        }
        Meaning::Copy(copy) => {
            usage.copies.insert(copy.clone());
            note(usage, query, &copy.instance);
        }
        Meaning::Instance { instance } => note(usage, query, instance).has_own_series = true,
        Meaning::InstanceGpu { instance, gpu } => {
            let entry = note(usage, query, instance);
            entry.has_own_series = true;
            entry.gpus.insert(gpu.clone());
        }
        _ => {}
    }
}

fn add_attendance(usage: &mut Usage, query: &Query, answer: &Answer, is_alive: bool) {
    let window = usage.traffic_window();
    let in_window = answer.datapoints.iter().filter(|(time, value)| *value > 0.0 && window.holds(*time));
    let datapoints = in_window.count() as u64;
    usage.full_attendance = usage.full_attendance.max(datapoints);
    if let Some(component) = query.series.component() {
        let attendance = usage.attendance.entry(component.clone()).or_default();
        attendance.alive += u64::from(is_alive);
        attendance.datapoints += datapoints;
    }
}

/// Notes what a living series says about its instance.
fn note<'a>(usage: &'a mut Usage, query: &Query, instance: &str) -> &'a mut MeasuredInstance {
    let entry = usage.instances.entry(instance.to_owned()).or_default();
    let series = &query.series;
    if entry.variant.is_none() {
        entry.variant.clone_from(&series.variant);
    }
    if entry.instance_type.is_none() {
        entry.instance_type.clone_from(&series.instance_type);
    }
    entry
}

fn add_invocations(usage: &mut Usage, component: &ComponentName, answer: &Answer) {
    if answer.status != Some(ResultStatus::Complete) {
        usage.uncounted.insert(component.clone());
        return;
    }
    let window = usage.traffic_window();
    let counted = answer.datapoints.iter().filter(|(time, _)| window.holds(*time));
    let sum: f64 = counted.map(|(_, value)| value.max(0.0)).sum();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative; saturates")]
    let sum = sum.round() as u64;
    *usage.invocations.entry(component.clone()).or_default() += sum;
}

/// Takes the newest hour that has a mean. An incomplete answer still holds means of samples.
fn add_tokens(usage: &mut Usage, component: &ComponentName, kind: Tokens, answer: &Answer, window: Window) {
    let in_window = answer.datapoints.iter().filter(|(time, mean)| window.holds(*time) && *mean >= 0.0);
    let Some((_, mean)) = in_window.max_by_key(|(time, _)| *time) else { return };
    let tokens = usage.tokens.entry(component.clone()).or_default();
    match kind {
        Tokens::Prompt => tokens.prompt = Some(*mean),
        Tokens::Completion => tokens.completion = Some(*mean),
    }
}

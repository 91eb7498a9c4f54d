//! The scenario that the stand-ins play. It can be exchanged while they run.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::{Call, Reply};
use crate::failure::Outcome;
use crate::scenario::{Fleet, Scenario, Series, series};

/// A scenario and all that follows from it.
#[derive(Debug)]
pub(super) struct Play {
    pub(super) scenario: Scenario,
    pub(super) series: Vec<Series>,
    /// By component: how many of its copies publish from each type of instance.
    pub(super) placements: BTreeMap<String, BTreeMap<String, u32>>,
}

/// What the stand-ins of one server share.
#[derive(Debug, Clone)]
pub(super) struct Stage(Arc<RwLock<Arc<Play>>>);

impl Stage {
    pub(super) fn new(scenario: Scenario) -> Outcome<Self> {
        Ok(Self(Arc::new(RwLock::new(Arc::new(Play::new(scenario)?)))))
    }

    /// What is played now.
    pub(super) fn now(&self) -> Arc<Play> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Plays another scenario from the next call on.
    pub(super) fn set(&self, scenario: Scenario) -> Outcome<()> {
        let play = Arc::new(Play::new(scenario)?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = play;
        Ok(())
    }
}

impl Play {
    fn new(scenario: Scenario) -> Outcome<Self> {
        let series = series(&scenario)?;
        let mut placements = BTreeMap::<_, BTreeMap<_, u32>>::new();
        for placed in &Fleet::of(&scenario)?.endpoints {
            for copy in &placed.copies {
                let kind = placed.instances[copy.instance].kind.name.clone();
                *placements.entry(copy.component.name.clone()).or_default().entry(kind).or_default() += 1;
            }
        }
        Ok(Self { scenario, series, placements })
    }
}

/// The operation of a JSON 1.1 call to the service with this target prefix.
pub(super) fn operation<'a>(call: &'a Call, prefix: &str) -> Option<&'a str> {
    let target = call.headers.get("x-amz-target")?.to_str().ok()?;
    target.strip_prefix(prefix)?.strip_prefix('.')
}

/// An error as a JSON service of AWS answers it.
pub(super) fn error(status: u16, kind: &str, message: impl Into<String>) -> Reply {
    Reply::json(status, &serde_json::json!({"__type": kind, "message": message.into()}))
}

/// A page of `items` from the place that the token names, and the token of the next page.
pub(super) fn page<T: Clone>(
    items: &[T],
    token: Option<&str>,
    size: usize,
) -> Result<(Vec<T>, Option<String>), String> {
    let start = match token {
        None => 0,
        Some(token) => token
            .strip_prefix("page-")
            .and_then(|place| place.parse::<usize>().ok())
            .filter(|place| *place < items.len())
            .ok_or("The pagination token is not valid")?,
    };
    let end = items.len().min(start + size);
    let next = (end < items.len()).then(|| format!("page-{end}"));
    Ok((items[start..end].to_vec(), next))
}

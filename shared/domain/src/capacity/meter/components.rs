//! What each component has and costs, and what its work costs.

use std::collections::{BTreeMap, BTreeSet};

use super::blindness::{View, is_silent};
use super::claims::Claims;
use super::ledger::Ledger;
use super::roster::Roster;
use super::{ComponentCapacity, Gpus};
use crate::capacity::topology::Component;
use crate::capacity::usage::{Attendance, Usage};
use crate::money::MicroUsd;
use crate::names::ComponentName;

/// The components that are measured or expected, by name.
pub(super) fn components(
    usage: &Usage,
    roster: &Roster<'_>,
    claims: &Claims,
    ledger: &Ledger,
    view: View,
) -> Vec<ComponentCapacity> {
    let copies = claims.copies_by_component();
    let gpus = claims.gpus_by_component();
    let traffic = Traffic::of(usage, roster);
    let names: BTreeSet<&ComponentName> =
        roster.components().map(|it| &it.name).chain(copies.keys().copied()).collect();
    let build = |name: &ComponentName| {
        let known = roster.component(name);
        let base = known.and_then(|component| component.base.clone());
        let is_known = view.is_comparable() && known.is_none_or(|it| !is_silent(it, &copies, &gpus));
        let cost = ledger.components.as_ref().filter(|_| is_known);
        let cost = cost.map(|costs| costs.get(name).copied().unwrap_or_default());
        let work = traffic.of.get(name).filter(|_| base.is_none());
        let invocations = work.and_then(|work| work.invocations);
        let rate = |pieces: Option<u64>, per| traffic.rate(cost?, work?.attendance, pieces?, per);
        ComponentCapacity {
            component: name.clone(),
            copies: is_known.then(|| copies.get(name).copied().unwrap_or_default()),
            gpus: is_known.then(|| gpus.get(name).copied().unwrap_or_default()),
            cost,
            invocations,
            cost_per_thousand_invocations: rate(invocations, 1_000),
            cost_per_million_tokens: rate(work.and_then(|work| work.tokens), 1_000_000),
            expected_copies: known.filter(|it| it.base.is_none()).and_then(|it| it.copies),
            expected_gpus: known.and_then(Component::expected_gpus),
            base,
        }
    };
    names.into_iter().map(build).collect()
}

/// What the components did in the traffic window.
struct Traffic<'a> {
    seconds: i64,
    full_attendance: u64,
    of: BTreeMap<&'a ComponentName, Work>,
}

/// `None` where a count is missing.
#[derive(Clone, Copy)]
struct Work {
    attendance: Attendance,
    invocations: Option<u64>,
    tokens: Option<u64>,
}

impl<'a> Traffic<'a> {
    /// A base does its adapters' work too. Attendance is its own: what is published of an adapter is
    /// the container and GPU of its base once more.
    fn of(usage: &'a Usage, roster: &Roster<'a>) -> Self {
        let mut of: BTreeMap<&ComponentName, Work> = BTreeMap::new();
        for name in usage.invocations.keys().chain(&usage.uncounted) {
            let host = roster.host(name);
            let is_counted = !usage.uncounted.contains(name);
            let invocations = usage.invocations.get(name).copied().filter(|_| is_counted);
            let tokens = invocations.and_then(|invocations| tokens(usage, name, invocations));
            let attendance = usage.attendance.get(host).copied().unwrap_or_default();
            let nothing_yet = Work { attendance, invocations: Some(0), tokens: Some(0) };
            let sum = of.entry(host).or_insert(nothing_yet);
            sum.invocations = sum.invocations.zip(invocations).map(|(one, other)| one.saturating_add(other));
            sum.tokens = sum.tokens.zip(tokens).map(|(one, other)| one.saturating_add(other));
        }
        Self { seconds: usage.traffic_window().seconds(), full_attendance: usage.full_attendance, of }
    }

    /// What `per` pieces of work cost, of a component that costs `cost` an hour now and did
    /// `pieces`, to the nearest micro-dollar. What it cost in the window is what it costs now, by
    /// how much of it was there: a copy that came or left counts for as long as it was there.
    /// `None` without cost or work: a division by nothing is no price.
    fn rate(&self, cost: MicroUsd, attendance: Attendance, pieces: u64, per: u64) -> Option<MicroUsd> {
        let always_there = i128::from(attendance.alive) * i128::from(self.full_attendance);
        let divisor = 3_600 * i128::from(pieces) * always_there;
        let there = i128::from(self.seconds) * i128::from(attendance.datapoints);
        let amount = i128::from(cost.0) * there * i128::from(per);
        if amount <= 0 || divisor <= 0 {
            return None;
        }
        i64::try_from((amount + divisor / 2) / divisor).ok().map(MicroUsd)
    }
}

/// The tokens of so many invocations, if they are like those that quality-judge saw. One count alone
/// would make each token look dear.
fn tokens(usage: &Usage, component: &ComponentName, invocations: u64) -> Option<u64> {
    if invocations == 0 {
        return Some(0);
    }
    let seen = usage.tokens.get(component)?;
    let mean = seen.prompt? + seen.completion?;
    #[expect(clippy::cast_precision_loss, reason = "a mean is not exact either")]
    let tokens = (invocations as f64 * mean).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative; saturates")]
    let tokens = tokens as u64;
    Some(tokens)
}

impl ComponentCapacity {
    /// Whether what is measured is what the topology says, where it says something.
    pub(super) fn agrees(&self) -> bool {
        let same = |measured: Option<Gpus>, expected: Option<Gpus>| {
            measured.zip(expected).is_none_or(|(measured, expected)| measured == expected)
        };
        let is_silent = self.copies.is_none() && self.expected_copies.is_some_and(|copies| copies > 0);
        !is_silent
            && same(self.gpus, self.expected_gpus)
            && self.copies.zip(self.expected_copies).is_none_or(|(measured, expected)| measured == expected)
    }
}

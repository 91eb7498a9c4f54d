//! The demo's tables.

use std::collections::{BTreeMap, BTreeSet};

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, LineStyle, Table};
use domain::rubric::Score;
use domain::verdict::Verdict;

use crate::results::Published;

/// Components by dimension: the mean and of how many.
pub(super) fn scores_table(verdicts: &[&Verdict]) -> Table {
    let mut scores: BTreeMap<&str, BTreeMap<&str, Vec<f64>>> = BTreeMap::new();
    for verdict in verdicts {
        let Ok(of_sample) = verdict.ending() else { continue };
        let component = scores.entry(verdict.subject().component.as_str()).or_default();
        component.entry("composite").or_default().push(of_sample.composite().get());
        for (dimension, judged) in of_sample.iter() {
            component.entry(dimension.as_str()).or_default().extend(judged.score.map(Score::get));
        }
    }
    let dimensions: BTreeSet<&str> = scores.values().flat_map(BTreeMap::keys).copied().collect();
    let mut table = new_table(1, ["component"].into_iter().chain(dimensions.iter().copied()));
    for (component, of_dimension) in &scores {
        let cell =
            |dimension: &&str| of_dimension.get(*dimension).map_or(String::new(), |scores| mean(scores));
        table.add_row(std::iter::once((*component).to_owned()).chain(dimensions.iter().map(cell)));
    }
    table
}

#[expect(clippy::cast_precision_loss, reason = "a few dozen")]
fn mean(scores: &[f64]) -> String {
    format!("{:.3}  ({})", scores.iter().sum::<f64>() / scores.len() as f64, scores.len())
}

/// How often each of these was counted, by component; what was never counted is left out.
pub(super) fn counts_table<'a>(
    published: &Published,
    names: impl Iterator<Item = (&'a str, &'a str)>,
) -> Table {
    let components: BTreeSet<&str> = published.keys().map(|(component, _)| component.as_str()).collect();
    let mut table = new_table(2, ["", "metric"].into_iter().chain(components.iter().copied()));
    for (name, metric) in names {
        let count = |component: &&str| {
            published.get(&((*component).to_owned(), metric.to_owned())).map(|numbers| numbers.sum)
        };
        let counts: Vec<Option<f64>> = components.iter().map(count).collect();
        if counts.iter().any(Option::is_some) {
            let cells = counts.iter().map(|count| count.map_or(String::new(), |count| format!("{count}")));
            table.add_row([name.to_owned(), metric.to_owned()].into_iter().chain(cells));
        }
    }
    table
}

/// Scores, latency, tokens and money, by component.
pub(super) fn metrics_table(published: &Published) -> Table {
    let is_shown = |name: &str| {
        name.ends_with("Score")
            || name.ends_with("Tokens")
            || name.ends_with("Latency")
            || name.ends_with("Usd")
    };
    let components: BTreeSet<&str> = published.keys().map(|(component, _)| component.as_str()).collect();
    let names: BTreeSet<&str> =
        published.keys().map(|(_, name)| name.as_str()).filter(|name| is_shown(name)).collect();
    let mut table = new_table(2, ["metric", ""].into_iter().chain(components.iter().copied()));
    for name in names {
        let is_mean = name.ends_with("Score") || name.ends_with("Latency");
        let cell = |component: &&str| {
            let numbers = published.get(&((*component).to_owned(), name.to_owned()));
            let number = numbers.and_then(|numbers| if is_mean { numbers.mean() } else { Some(numbers.sum) });
            number.map_or(String::new(), |number| {
                if number.fract() == 0.0 { format!("{number}") } else { format!("{number:.3}") }
            })
        };
        let kind = if is_mean { "mean" } else { "sum" };
        table.add_row([name.to_owned(), kind.to_owned()].into_iter().chain(components.iter().map(cell)));
    }
    table
}

/// A table of numbers: `texts` columns of text, the rest to the right. One rule under the header.
pub(super) fn new_table<'a>(texts: usize, header: impl Iterator<Item = &'a str>) -> Table {
    let rule = LineStyle::none().fill('─');
    let mut table = Table::new();
    table.load_style(NOTHING.header_separator(rule)).set_header(header.collect::<Vec<_>>());
    for column in table.column_iter_mut().skip(texts) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

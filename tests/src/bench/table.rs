//! The table that the bench ends with.

use std::fmt;

use comfy_table::{CellAlignment, Table, presets};

/// A number and its unit, as a person reads it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measure {
    number: f64,
    decimals: usize,
    unit: &'static str,
}

impl Measure {
    pub(super) fn new(number: f64, decimals: usize, unit: &'static str) -> Self {
        Self { number, decimals, unit }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, decimals, unit } = self;
        write!(f, "{number:.decimals$}{unit}")
    }
}

/// What a figure is to be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    AtMost(f64),
    AtLeast(f64),
    /// It is shown to compare the others with.
    None,
}

/// The figures so far.
#[derive(Debug, Default)]
pub(super) struct Figures {
    rows: Vec<[String; 5]>,
    pub(super) misses: usize,
}

impl Figures {
    /// Adds one. Its ratio to the target is below 1 where the target is a ceiling and above 1 where
    /// it is a floor, as long as it is met.
    pub(super) fn add(&mut self, what: impl Into<String>, measured: Measure, target: Target) {
        let (limit, sign, is_met) = match target {
            Target::AtMost(limit) => (limit, "<=", measured.number <= limit),
            Target::AtLeast(limit) => (limit, ">=", measured.number >= limit),
            Target::None => {
                let empty = String::new;
                self.rows.push([what.into(), measured.to_string(), empty(), empty(), empty()]);
                return;
            }
        };
        self.misses += usize::from(!is_met);
        let wanted = Measure { number: limit, ..measured };
        self.rows.push([
            what.into(),
            measured.to_string(),
            format!("{sign} {wanted}"),
            format!("{:.2}", measured.number / limit),
            if is_met { "ok" } else { "MISS" }.to_owned(),
        ]);
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(["", "measured", "target", "ratio", ""]);
        for row in &self.rows {
            table.add_row(row);
        }
        for column in 1..4 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        write!(f, "{table}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_miss_is_shown_and_counted() {
        let mut figures = Figures::default();
        figures.add("zip", Measure::new(4.2, 1, " MB"), Target::AtMost(5.0));
        figures.add("rate", Measure::new(190.0, 0, " MB/s"), Target::AtLeast(200.0));
        figures.add("baseline", Measure::new(11.0, 0, " MB/s"), Target::None);
        assert_eq!(figures.misses, 1);
        let text = figures.to_string();
        assert!(text.contains("4.2 MB") && text.contains("<= 5.0 MB") && text.contains("0.84"), "{text}");
        assert!(text.contains(">= 200 MB/s") && text.contains("MISS"), "{text}");
    }
}

//! Numbers for people: `0.71`, `1,204 ms`, `$5.75/h`, `85 %`.

use serde::{Deserialize, Serialize};

use crate::metric::{self, CATALOGUE, Unit};

/// What a number is of, which decides how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Nothing that is known.
    Plain,
    /// A quality score, 0 to 1.
    Score,
    /// 0 to 100.
    Percent,
    /// A duration in milliseconds.
    Milliseconds,
    /// A duration in microseconds, as SageMaker gives its latencies.
    Microseconds,
    /// A duration in seconds.
    Seconds,
    /// US dollars.
    Usd,
    /// US dollars an hour.
    UsdPerHour,
    /// Bytes.
    Bytes,
}

impl Quantity {
    /// What a metric's number is of: by Assay's own catalogue, by SageMaker's names (latencies of
    /// `AWS/SageMaker` are microseconds, utilisations are percent), else plain.
    pub fn of_metric(name: &str) -> Self {
        let per_hour = [metric::COST_PER_HOUR.name, metric::IDLE_COST_PER_HOUR.name];
        let usd = [
            metric::JUDGE_COST.name,
            metric::COST_PER_THOUSAND_INVOCATIONS.name,
            metric::COST_PER_MILLION_TOKENS.name,
        ];
        let microseconds = ["ModelLatency", "OverheadLatency", "ModelSetupTime", "FirstChunkLatency"];
        let own = CATALOGUE.iter().find(|metric| metric.name == name).map(|metric| metric.unit);
        if per_hour.contains(&name) {
            Self::UsdPerHour
        } else if usd.contains(&name) {
            Self::Usd
        } else if own == Some(Unit::Milliseconds) {
            Self::Milliseconds
        } else if own == Some(Unit::Count) {
            Self::Plain
        } else if microseconds.contains(&name) || name.starts_with("FirstChunk") {
            Self::Microseconds
        } else if name.ends_with("Score") || name.ends_with("_score") {
            Self::Score
        } else if name.ends_with("Utilization")
            || name.ends_with("UtilizationNormalized")
            || name.ends_with("Reservation")
        {
            Self::Percent
        } else {
            Self::Plain
        }
    }

    /// By a unit as CloudWatch, Grafana or a person writes it; `None` for an unknown one.
    pub fn of_unit(unit: &str) -> Option<Self> {
        Some(match unit.trim().to_ascii_lowercase().as_str() {
            "score" => Self::Score,
            "%" | "percent" => Self::Percent,
            "ms" | "milliseconds" => Self::Milliseconds,
            "µs" | "us" | "microseconds" => Self::Microseconds,
            "s" | "sec" | "seconds" => Self::Seconds,
            "$" | "usd" | "currencyusd" => Self::Usd,
            "$/h" | "usd/h" | "usd/hour" => Self::UsdPerHour,
            "bytes" | "b" => Self::Bytes,
            "count" | "none" | "short" => Self::Plain,
            _ => return None,
        })
    }

    /// The number with its unit.
    pub fn show(self, number: f64) -> String {
        self.show_with(number, 0)
    }

    /// Two numbers with so many digits that different ones look different: 0.7996 is not shown as
    /// "0.80, fires below 0.80".
    pub fn show_both(self, one: f64, other: f64) -> (String, String) {
        let shown = |more| (self.show_with(one, more), self.show_with(other, more));
        let mut pair = shown(0);
        let mut more = 0;
        while pair.0 == pair.1 && (one - other).abs() > 0.0 && more < 12 {
            more += 1;
            pair = shown(more);
        }
        pair
    }

    /// With `more` decimals than usual.
    fn show_with(self, number: f64, more: usize) -> String {
        if !number.is_finite() {
            return "not a number".to_owned();
        }
        // -0.0 would print with a sign.
        let number = number + 0.0;
        match self {
            Self::Plain => plain(number, more),
            Self::Score => grouped(number, 2 + more),
            Self::Percent => format!("{} %", trimmed(number, usize::from(number.abs() < 10.0) + more)),
            Self::Microseconds => milliseconds(number / 1e3, more),
            Self::Milliseconds => milliseconds(number, more),
            Self::Seconds => milliseconds(number * 1e3, more),
            Self::Usd => usd(number, more),
            Self::UsdPerHour => format!("{}/h", usd(number, more)),
            Self::Bytes => bytes(number, more),
        }
    }
}

fn plain(number: f64, more: usize) -> String {
    let size = number.abs();
    if size >= 1e15 || (size > 0.0 && size < 1e-4) {
        return format!("{number:.*e}", 3 + more);
    }
    let places = match size {
        size if size >= 1e3 => 1,
        size if size >= 10.0 => 2,
        _ => 3,
    };
    // Small numbers keep three digits that say something.
    let places = if size > 0.0 && size < 0.01 { 6 } else { places };
    trimmed(number, places + more)
}

/// Seconds from ten seconds on, minutes from two minutes on.
fn milliseconds(number: f64, more: usize) -> String {
    let size = number.abs();
    if (120_000.0..1e12).contains(&size) && more == 0 {
        let minutes = (number / 60_000.0).trunc();
        let seconds = ((number - minutes * 60_000.0) / 1e3).abs().round();
        if seconds < 60.0 {
            return format!("{} min {seconds} s", grouped(minutes, 0));
        }
    }
    if size >= 10_000.0 {
        return format!("{} s", trimmed(number / 1e3, 1 + more));
    }
    format!("{} ms", trimmed(number, usize::from(size < 10.0) + more))
}

fn usd(number: f64, more: usize) -> String {
    let sign = if number < 0.0 { "-" } else { "" };
    let size = number.abs();
    let places = if size > 0.0 && size < 0.01 { 6 } else { 2 };
    format!("{sign}${}", grouped(size, places + more))
}

fn bytes(number: f64, more: usize) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut number = number;
    let mut unit = 0;
    while number.abs() >= 1024.0 && unit + 1 < UNITS.len() {
        number /= 1024.0;
        unit += 1;
    }
    format!("{} {}", trimmed(number, usize::from(unit > 0) + more), UNITS[unit])
}

/// Without zeros at the end of the decimals.
fn trimmed(number: f64, places: usize) -> String {
    let text = grouped(number, places);
    let trimmed = if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text.as_str()
    };
    if trimmed == "-0" { "0".to_owned() } else { trimmed.to_owned() }
}

/// With commas between thousands.
fn grouped(number: f64, places: usize) -> String {
    if number.abs() >= 1e15 {
        return format!("{number:.3e}");
    }
    let text = format!("{number:.places$}");
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let mut shown = String::from(sign);
    for (place, digit) in whole.char_indices() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    if !decimals.is_empty() {
        shown.push('.');
        shown.push_str(decimals);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        use Quantity::{Bytes, Microseconds, Milliseconds, Percent, Plain, Score, Seconds, Usd, UsdPerHour};
        for (quantity, number, expected) in [
            (Score, 0.712, "0.71"),
            (Score, 0.0, "0.00"),
            (Percent, 85.2, "85 %"),
            (Percent, 3.46, "3.5 %"),
            (Milliseconds, 1204.4, "1,204 ms"),
            (Milliseconds, 3.25, "3.2 ms"),
            (Milliseconds, 12_340.0, "12.3 s"),
            (Milliseconds, 125_000.0, "2 min 5 s"),
            (Microseconds, 1_204_000.0, "1,204 ms"),
            (Seconds, 1.2, "1,200 ms"),
            (Usd, 1204.5, "$1,204.50"),
            (Usd, 0.0042, "$0.004200"),
            (Usd, -3.0, "-$3.00"),
            (UsdPerHour, 5.752, "$5.75/h"),
            (Bytes, 13_207_024_435.2, "12.3 GiB"),
            (Bytes, 512.0, "512 B"),
            (Plain, 0.712, "0.712"),
            (Plain, 1234.0, "1,234"),
            (Plain, 1_234_567.89, "1,234,567.9"),
            (Plain, -0.0, "0"),
            (Plain, 0.000_000_1, "1.000e-7"),
            (Plain, 1e21, "1.000e21"),
            (Milliseconds, 1e300, "1.000e297 s"),
            (Usd, f64::MAX, "$1.798e308"),
            (Plain, f64::NAN, "not a number"),
        ] {
            assert_eq!(quantity.show(number), expected, "{quantity:?} {number}");
        }
    }

    #[test]
    fn a_value_close_to_its_limit_does_not_look_like_it() {
        assert_eq!(Quantity::Score.show_both(0.7996, 0.8), ("0.7996".to_owned(), "0.8000".to_owned()));
        assert_eq!(Quantity::Percent.show_both(85.4, 85.0), ("85.4 %".to_owned(), "85 %".to_owned()));
        assert_eq!(Quantity::Score.show_both(0.8, 0.8), ("0.80".to_owned(), "0.80".to_owned()));
    }

    #[test]
    fn a_metric_says_what_its_numbers_are_of() {
        for (name, expected) in [
            (metric::COMPOSITE_QUALITY_SCORE.name, Quantity::Score),
            (metric::EVALUATION_LATENCY.name, Quantity::Milliseconds),
            (metric::COST_PER_HOUR.name, Quantity::UsdPerHour),
            (metric::JUDGE_COST.name, Quantity::Usd),
            (metric::USED_GPUS.name, Quantity::Plain),
            ("safety_score", Quantity::Score),
            ("ModelLatency", Quantity::Microseconds),
            ("GPUMemoryUtilizationNormalized", Quantity::Percent),
            ("anything", Quantity::Plain),
        ] {
            assert_eq!(Quantity::of_metric(name), expected, "{name}");
        }
        assert_eq!(Quantity::of_unit(" Percent "), Some(Quantity::Percent));
        assert_eq!(Quantity::of_unit("parsec"), None);
    }
}

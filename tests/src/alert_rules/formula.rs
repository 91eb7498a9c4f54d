//! Grafana's formulas, as far as rules use them: numbers with labels, joined by their labels.

use std::collections::BTreeMap;

use super::{Labels, Numbers};
use crate::failure::{During, Failure, Outcome};

/// The value of a formula over the numbers of the steps before it.
pub(super) fn evaluate(formula: &str, steps: &BTreeMap<char, Numbers>) -> Outcome<Numbers> {
    let mut parser = Parser { rest: formula, steps };
    let value = parser.level(0)?;
    if parser.rest.trim().is_empty() {
        return Ok(value);
    }
    Err(Failure(format!("{:?} of the formula {formula} is not understood", parser.rest)))
}

/// Whether `part` says nothing that `whole` does not say.
pub(super) fn holds(whole: &Labels, part: &Labels) -> bool {
    part.iter().all(|(key, value)| whole.get(key) == Some(value))
}

struct Parser<'a> {
    rest: &'a str,
    steps: &'a BTreeMap<char, Numbers>,
}

/// Operators from the loosest to the tightest; a longer one stands before its beginning.
const LEVELS: [&[&str]; 4] = [&["&&"], &[">=", "<=", ">", "<"], &["+", "-"], &["*", "/"]];

impl Parser<'_> {
    fn level(&mut self, depth: usize) -> Outcome<Numbers> {
        let Some(operators) = LEVELS.get(depth) else { return self.atom() };
        let mut left = self.level(depth + 1)?;
        loop {
            self.rest = self.rest.trim_start();
            let found = operators.iter().find(|operator| self.rest.starts_with(**operator));
            let Some(operator) = found else { return Ok(left) };
            self.rest = &self.rest[operator.len()..];
            let right = self.level(depth + 1)?;
            left = join(&left, &right, operator);
        }
    }

    fn atom(&mut self) -> Outcome<Numbers> {
        self.rest = self.rest.trim_start();
        if let Some(rest) = self.rest.strip_prefix('$') {
            let id = rest.chars().next().unwrap_or_default();
            self.rest = rest.get(id.len_utf8()..).unwrap_or_default();
            return self.steps.get(&id).cloned().ok_or_else(|| Failure(format!("there is no number ${id}")));
        }
        let end = self.rest.find(|one: char| !one.is_ascii_digit() && one != '.').unwrap_or(self.rest.len());
        let number = self.rest[..end].parse().during(format!("read a number at {:?}", self.rest))?;
        self.rest = &self.rest[end..];
        Ok(vec![(Labels::new(), number)])
    }
}

/// Grafana joins two numbers when their labels are equal, or those of one are a part of the other's;
/// what finds no partner is dropped. Only where each side is one number they are joined whatever their
/// labels are, and lose them (pkg/expr/mathexp, `union`).
fn join(left: &Numbers, right: &Numbers, operator: &str) -> Numbers {
    let mut joined = Numbers::new();
    for (left_labels, left_value) in left {
        for (right_labels, right_value) in right {
            let labels = if holds(left_labels, right_labels) {
                left_labels
            } else if holds(right_labels, left_labels) {
                right_labels
            } else {
                continue;
            };
            joined.push((labels.clone(), apply(*left_value, *right_value, operator)));
        }
    }
    if let (true, [(_, left)], [(_, right)]) = (joined.is_empty(), left.as_slice(), right.as_slice()) {
        joined.push((Labels::new(), apply(*left, *right, operator)));
    }
    joined
}

fn apply(left: f64, right: f64, operator: &str) -> f64 {
    let truth = |holds: bool| f64::from(u8::from(holds));
    match operator {
        "&&" => truth(left.abs() > 0.0 && right.abs() > 0.0),
        ">=" => truth(left >= right),
        "<=" => truth(left <= right),
        ">" => truth(left > right),
        "<" => truth(left < right),
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        _ => left / right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn formulas_join_by_labels_and_drop_what_has_no_partner() {
        let steps = BTreeMap::from([
            ('B', vec![(labels(&[("e", "1"), ("c", "x")]), 6.0), (labels(&[("e", "1"), ("c", "y")]), 8.0)]),
            ('M', vec![(labels(&[("c", "x")]), 2.0)]),
            ('F', vec![(labels(&[("e", "1")]), 0.0)]),
        ]);
        let whole = labels(&[("e", "1"), ("c", "x")]);
        assert_eq!(evaluate("$B / $M", &steps).unwrap(), [(whole.clone(), 3.0)]);
        assert_eq!(evaluate("$B - $M / 2 > 4 && $F < 1", &steps).unwrap(), [(whole, 1.0)]);
        let truths: Vec<f64> = evaluate("$B >= 8", &steps).unwrap().iter().map(|(_, value)| *value).collect();
        assert_eq!(truths, [0.0, 1.0]);
    }

    #[test]
    fn two_numbers_alone_are_joined_and_lose_their_labels() {
        let (one, other) = (labels(&[("s", "x"), ("c", "x")]), labels(&[("s", "1"), ("c", "x")]));
        let mut steps = BTreeMap::from([('B', vec![(one.clone(), 6.0)]), ('F', vec![(other, 2.0)])]);
        assert_eq!(evaluate("$B / $F", &steps).unwrap(), [(Labels::new(), 3.0)]);
        steps.insert('B', vec![(one, 6.0), (labels(&[("s", "y"), ("c", "y")]), 8.0)]);
        assert_eq!(evaluate("$B / $F", &steps).unwrap(), []);
    }

    #[test]
    fn what_is_not_understood_is_told() {
        for formula in ["$Z", "", "1 +", "1 ! 2", "$"] {
            assert!(evaluate(formula, &BTreeMap::new()).is_err(), "{formula}");
        }
    }
}

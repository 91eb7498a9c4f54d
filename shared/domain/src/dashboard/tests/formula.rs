//! Grafana's formulas, as far as rules use them: numbers with labels, joined by their labels.

use std::collections::BTreeMap;

pub(super) type Labels = BTreeMap<String, String>;

/// Numbers by label set; a plain number has one without labels.
pub(super) type Numbers = Vec<(Labels, f64)>;

/// The value of a formula.
pub(super) fn evaluate(formula: &str, steps: &BTreeMap<char, Numbers>) -> Numbers {
    let mut parser = Parser { rest: formula, steps };
    let value = parser.level(0);
    assert_eq!(parser.rest.trim(), "", "{formula} is not understood");
    value
}

struct Parser<'a> {
    rest: &'a str,
    steps: &'a BTreeMap<char, Numbers>,
}

/// Operators from the loosest to the tightest; a longer one stands before its beginning.
const LEVELS: [&[&str]; 4] = [&["&&"], &[">=", "<=", ">", "<"], &["+", "-"], &["*", "/"]];

impl Parser<'_> {
    fn level(&mut self, depth: usize) -> Numbers {
        let Some(operators) = LEVELS.get(depth) else { return self.atom() };
        let mut left = self.level(depth + 1);
        loop {
            self.rest = self.rest.trim_start();
            let found = operators.iter().find(|operator| self.rest.starts_with(**operator));
            let Some(operator) = found else { return left };
            self.rest = &self.rest[operator.len()..];
            let right = self.level(depth + 1);
            left = join(&left, &right, operator);
        }
    }

    fn atom(&mut self) -> Numbers {
        self.rest = self.rest.trim_start();
        if let Some(rest) = self.rest.strip_prefix('$') {
            let id = rest.chars().next().unwrap();
            self.rest = &rest[1..];
            return self.steps.get(&id).unwrap_or_else(|| panic!("no step {id}")).clone();
        }
        let end = self.rest.find(|one: char| !one.is_ascii_digit() && one != '.').unwrap_or(self.rest.len());
        let number = self.rest[..end].parse().unwrap_or_else(|_| panic!("no number: {}", self.rest));
        self.rest = &self.rest[end..];
        vec![(Labels::new(), number)]
    }
}

/// Grafana joins two numbers when their labels are equal, or those of one are a part of the other's;
/// what finds no partner is dropped.
fn join(left: &Numbers, right: &Numbers, operator: &str) -> Numbers {
    let mut joined = Numbers::new();
    for (left_labels, left_value) in left {
        for (right_labels, right_value) in right {
            let holds =
                |whole: &Labels, part: &Labels| part.iter().all(|(key, value)| whole.get(key) == Some(value));
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

#[test]
fn formulas_join_by_labels_and_drop_what_has_no_partner() {
    let labels = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<Labels>()
    };
    let steps = BTreeMap::from([
        ('B', vec![(labels(&[("e", "1"), ("c", "x")]), 6.0), (labels(&[("e", "1"), ("c", "y")]), 8.0)]),
        ('M', vec![(labels(&[("c", "x")]), 2.0)]),
        ('F', vec![(labels(&[("e", "1")]), 0.0)]),
    ]);
    let whole = labels(&[("e", "1"), ("c", "x")]);
    assert_eq!(evaluate("$B / $M", &steps), [(whole.clone(), 3.0)]);
    assert_eq!(evaluate("$B - $M / 2 > 4 && $F < 1", &steps), [(whole, 1.0)]);
    assert_eq!(evaluate("$B >= 8", &steps).iter().map(|(_, value)| *value).collect::<Vec<_>>(), [0.0, 1.0]);
}

//! A metric's last hour in a few characters.

use serde::Serialize;

/// Values of a metric at even distances, oldest first; `None` where nothing was measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Trend(Vec<Option<f64>>);

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Where nothing was measured.
const GAP: char = '·';

impl Trend {
    /// Of `points`; what is not a finite number is a gap.
    pub fn new(points: impl IntoIterator<Item = Option<f64>>) -> Self {
        Self(points.into_iter().map(|point| point.filter(|value| value.is_finite())).collect())
    }

    /// Lowest and highest; `None` when nothing was measured.
    pub fn range(&self) -> Option<(f64, f64)> {
        let measured = || self.0.iter().flatten().copied();
        Some((measured().reduce(f64::min)?, measured().reduce(f64::max)?))
    }

    /// One character for each point, from lowest to highest, a dot for a gap; neighbours are
    /// averaged when there are more than `width` points. A level line is drawn at half height.
    /// Empty when nothing was measured.
    pub fn sparkline(&self, width: usize) -> String {
        let points = self.averaged(width.max(1));
        let Some((lowest, highest)) = Self(points.clone()).range() else { return String::new() };
        // Halved, so that the distance of the two largest numbers is finite.
        let span = highest / 2.0 - lowest / 2.0;
        let bar = |value: f64| {
            let share = if span > 0.0 { (value / 2.0 - lowest / 2.0) / span } else { 0.5 };
            let steps = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
            BARS[steps.iter().filter(|step| share * 8.0 >= **step).count()]
        };
        points.into_iter().map(|point| point.map_or(GAP, bar)).collect()
    }

    fn averaged(&self, width: usize) -> Vec<Option<f64>> {
        let count = self.0.len().min(width);
        let bucket = |place: usize| {
            let start = place * self.0.len() / count;
            let end = (place + 1) * self.0.len() / count;
            mean(&self.0[start..end])
        };
        (0..count).map(bucket).collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a bucket has few points")]
fn mean(points: &[Option<f64>]) -> Option<f64> {
    let measured: Vec<f64> = points.iter().flatten().copied().collect();
    let count = measured.len() as f64;
    // Divided first, so that the sum of large numbers stays finite.
    (!measured.is_empty()).then(|| measured.iter().map(|value| value / count).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn trend(points: &[f64]) -> Trend {
        Trend::new(points.iter().map(|value| Some(*value)))
    }

    #[test]
    fn the_lowest_is_at_the_bottom_and_the_highest_at_the_top() {
        assert_eq!(trend(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]).sparkline(60), "▁▂▃▄▅▆▇██");
        assert_eq!(trend(&[0.93, 0.71]).sparkline(60), "█▁");
        assert_eq!(trend(&[-f64::MAX, f64::MAX]).sparkline(60), "▁█");
    }

    #[test]
    fn a_level_line_is_neither_high_nor_low() {
        assert_eq!(trend(&[3.0, 3.0, 3.0]).sparkline(60), "▅▅▅");
    }

    #[test]
    fn gaps_are_shown_and_are_not_zeros() {
        let trend = Trend::new([Some(0.9), None, Some(f64::NAN), Some(0.8)]);
        assert_eq!(trend.sparkline(60), "█··▁");
        assert_eq!(trend.range(), Some((0.8, 0.9)));
        assert_eq!(Trend::new([None, None]).sparkline(60), "");
        assert_eq!(Trend::default().sparkline(60), "");
    }

    #[test]
    fn more_points_than_room_are_averaged() {
        assert_eq!(trend(&[0.0, 0.0, 4.0, 4.0, 8.0, 8.0]).sparkline(3), "▁▅█");
    }

    proptest! {
        #[test]
        fn no_points_make_it_longer_than_the_room(
            points in prop::collection::vec(prop::option::of(any::<f64>()), 0..200), width in 0_usize..80,
        ) {
            let line = Trend::new(points.clone()).sparkline(width);
            prop_assert!(line.chars().count() <= width.max(1).min(points.len()));
        }
    }
}

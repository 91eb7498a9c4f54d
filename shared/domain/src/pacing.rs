//! How many judge calls run at once: fewer after a throttle, slowly more while it is calm.

/// An additive-increase, multiplicative-decrease limit (the rule of TCP congestion avoidance,
/// RFC 5681): halved by a throttle, raised by about one after as many successes as it allows.
#[derive(Debug, Clone)]
pub struct Pace {
    limit: f64,
    most: f64,
    /// Calls that were under way when the limit was last halved. Their throttles say nothing new.
    before_cut: usize,
}

impl Pace {
    /// Starts at `most`: judge quotas are unknown, and the first throttle halves it.
    pub fn new(most: u16) -> Self {
        let most = f64::from(most.max(1));
        Self { limit: most, most, before_cut: 0 }
    }

    /// How many calls may be under way now; at least 1.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 65535")]
    pub fn limit(&self) -> usize {
        self.limit as usize
    }

    /// Notes a call that was not throttled.
    pub fn calm(&mut self) {
        self.before_cut = self.before_cut.saturating_sub(1);
        self.limit = (self.limit + 1.0 / self.limit).min(self.most);
    }

    /// Notes a throttled call while `under_way` others run.
    pub fn throttled(&mut self, under_way: usize) {
        if self.before_cut > 0 {
            self.before_cut -= 1;
            return;
        }
        self.limit = (self.limit / 2.0).max(1.0);
        self.before_cut = under_way;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_burst_of_throttles_halves_once() {
        let mut pace = Pace::new(16);
        (0..16).rev().for_each(|under_way| pace.throttled(under_way));
        assert_eq!(pace.limit(), 8);
        pace.throttled(7);
        assert_eq!(pace.limit(), 4);
    }

    #[test]
    fn recovers_to_its_ceiling_and_never_stops() {
        let mut pace = Pace::new(4);
        for _ in 0..10 {
            pace.throttled(0);
        }
        assert_eq!(pace.limit(), 1);
        for _ in 0..100 {
            pace.calm();
        }
        assert_eq!(pace.limit(), 4);
    }
}

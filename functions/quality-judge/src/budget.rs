//! The judge's budget of a day. Before a call an upper bound of its price is set aside; afterwards the
//! day's spending is moved to what the call cost.

use std::collections::BTreeMap;
use std::time::Duration;

use adapters::Fault;
use adapters::state::Spending;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use domain::money::MicroUsd;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::object::Tools;

/// The UTC day whose budget a judge call is paid from.
pub(crate) fn day(now: Timestamp) -> Date {
    Offset::UTC.to_datetime(now).date()
}

/// Money set aside for one judge call. It belongs to the day that it was taken from, whenever the
/// call is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reservation {
    /// The day.
    pub(crate) day: Date,
    /// The most that the call can cost.
    pub(crate) amount: MicroUsd,
}

impl Reservation {
    /// What is to be booked when the call cost `spent`.
    pub(crate) fn settled(self, spent: MicroUsd) -> Booking {
        let given_back = MicroUsd::default() - self.amount;
        Booking { day: self.day, change: Spending { spent: spent + given_back, reserved: given_back } }
    }

    /// What is to be booked when there was no call.
    pub(crate) fn unused(self) -> Booking {
        self.settled(MicroUsd::default())
    }
}

/// What a day's spending is to be moved by: negative where less was used than set aside.
#[derive(Debug)]
pub(crate) struct Booking {
    day: Date,
    change: Spending,
}

/// Bookings that are still to be made.
#[derive(Debug, Default)]
pub(crate) struct Ledger(BTreeMap<Date, Spending>);

impl Ledger {
    /// Notes one.
    pub(crate) fn note(&mut self, booking: &Booking) {
        *self.0.entry(booking.day).or_default() += booking.change;
    }

    /// Takes over what `other` has noted.
    pub(crate) fn append(&mut self, other: Self) {
        for (day, change) in other.0 {
            *self.0.entry(day).or_default() += change;
        }
    }

    /// Whether nothing is noted.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Moves the days' spending. What could not be booked stays noted.
    pub(crate) async fn book<J>(&mut self, tools: &Tools<J>) -> Result<(), Fault> {
        while let Some((&day, &change)) = self.0.first_key_value() {
            tools.state.settle(day, change, Timestamp::now()).await?;
            self.0.remove(&day);
        }
        Ok(())
    }
}

/// Pauses of half a minute in all: calls of others end meanwhile, or were broken off and never will.
pub(crate) fn patience() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_secs(1))
        .with_max_delay(Duration::from_secs(8))
        .with_max_times(6)
        .with_jitter()
        .build()
}

impl<J> Tools<J> {
    /// Sets `amount` aside, or answers what the day's budget is used for when that is too much.
    pub(crate) async fn set_aside(&self, amount: MicroUsd) -> Result<Result<Reservation, Spending>, Fault> {
        let now = Timestamp::now();
        let day = day(now);
        let reserved = self.state.reserve(day, amount, self.config.daily_budget, now).await?;
        Ok(reserved.map(|()| Reservation { day, amount }))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn what_was_set_aside_before_midnight_is_settled_on_that_day() {
        let mut ledger = Ledger::default();
        let (before, after) = (date(2026, 11, 24), date(2026, 11, 25));
        let reserved = |day, amount| Reservation { day, amount: MicroUsd(amount) };
        ledger.note(&reserved(before, 500).settled(MicroUsd(200)));
        ledger.note(&reserved(after, 500).settled(MicroUsd(600)));
        let mut all = Ledger::default();
        all.note(&reserved(before, 500).unused());
        all.append(ledger);
        all.note(&reserved(after, 500).settled(MicroUsd(500)));
        let change = |spent, reserved| Spending { spent: MicroUsd(spent), reserved: MicroUsd(reserved) };
        assert_eq!(all.0, BTreeMap::from([(before, change(-800, -1000)), (after, change(100, -1000))]));
    }

    #[test]
    fn a_day_ends_at_midnight_utc() {
        assert_eq!(day("2026-11-24T23:59:59.9Z".parse().unwrap()), date(2026, 11, 24));
        assert_eq!(day("2026-11-25T01:00:00+02:00".parse().unwrap()), date(2026, 11, 24));
    }
}

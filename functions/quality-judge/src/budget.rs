//! The judge's budget of a day. Before a call an upper bound of its price is set aside; afterwards the
//! day's spending is moved to what the call cost.

use std::collections::BTreeMap;

use adapters::Fault;
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
        Booking { day: self.day, amount: spent - self.amount }
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
    amount: MicroUsd,
}

/// Bookings that are still to be made.
#[derive(Debug, Default)]
pub(crate) struct Ledger(BTreeMap<Date, MicroUsd>);

impl Ledger {
    /// Notes one.
    pub(crate) fn note(&mut self, booking: &Booking) {
        if booking.amount != MicroUsd::default() {
            *self.0.entry(booking.day).or_default() += booking.amount;
        }
    }

    /// Moves the days' spending. What could not be booked stays noted.
    pub(crate) async fn book<J>(&mut self, tools: &Tools<J>) -> Result<(), Fault> {
        while let Some((&day, &amount)) = self.0.first_key_value() {
            tools.state.move_budget(day, amount, Timestamp::now()).await?;
            self.0.remove(&day);
        }
        Ok(())
    }
}

impl<J> Tools<J> {
    /// Sets `amount` aside, and answers the reservation and what the day's budget has left behind it:
    /// negative when it is not enough.
    pub(crate) async fn set_aside(&self, amount: MicroUsd) -> Result<(Reservation, MicroUsd), Fault> {
        let now = Timestamp::now();
        let reservation = Reservation { day: day(now), amount };
        let before = self.state.move_budget(reservation.day, amount, now).await?;
        Ok((reservation, self.config.daily_budget - before - amount))
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
        ledger.note(&reserved(before, 500).unused());
        ledger.note(&reserved(after, 500).settled(MicroUsd(500)));
        assert_eq!(ledger.0, BTreeMap::from([(before, MicroUsd(-800)), (after, MicroUsd(100))]));
    }

    #[test]
    fn a_day_ends_at_midnight_utc() {
        assert_eq!(day("2026-11-24T23:59:59.9Z".parse().unwrap()), date(2026, 11, 24));
        assert_eq!(day("2026-11-25T01:00:00+02:00".parse().unwrap()), date(2026, 11, 24));
    }
}

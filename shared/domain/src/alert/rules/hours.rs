//! Times of the day and days of the week, in a named time zone.

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::settings::Section;

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// A recurring part of the week.
#[derive(Debug, Clone)]
pub(super) struct Hours {
    /// From, included, until, excluded; over midnight when until is not later. The whole day when
    /// missing.
    span: Option<(Time, Time)>,
    /// The days on which it begins; every day when empty.
    days: Vec<Weekday>,
    zone: TimeZone,
    /// As the file has it, for the explanation.
    shown: String,
}

impl Hours {
    /// Reads `hours`, `days` and `zone` of a section; `None` when it has neither hours nor days.
    pub(super) fn read(section: &Section, default_zone: &TimeZone) -> Option<Self> {
        let zone = read_zone(section, "zone");
        let span_text = section.optional_text("hours");
        let day_texts = section.one_or_more("days");
        if span_text.is_none() && day_texts.is_empty() {
            if zone.is_some() {
                section.mistake("zone", "says nothing without hours or days");
            }
            return None;
        }
        let span = span_text.as_deref().and_then(|text| {
            let span = parse_span(text);
            if span.is_none() {
                section.mistake("hours", format_args!("must be like \"08:00-18:00\", is {text:?}"));
            }
            span
        });
        let mut days = Vec::new();
        for text in &day_texts {
            match parse_days(text) {
                Some(more) => days.extend(more),
                None => {
                    section.mistake("days", format_args!("must be like \"mon\" or \"mon-fri\", is {text:?}"));
                }
            }
        }
        let zone = zone.unwrap_or_else(|| default_zone.clone());
        let name = zone.iana_name().unwrap_or("UTC");
        let shown: Vec<String> = day_texts.into_iter().chain(span_text).chain([name.to_owned()]).collect();
        Some(Self { span, days, shown: shown.join(" "), zone })
    }

    /// Whether it is that time.
    pub(super) fn contain(&self, now: Timestamp) -> bool {
        let local = self.zone.to_datetime(now);
        let (time, today) = (local.time(), local.weekday());
        let is_on = |day: Weekday| self.days.is_empty() || self.days.contains(&day);
        match self.span {
            None => is_on(today),
            Some((from, until)) if from < until => is_on(today) && time >= from && time < until,
            // What began yesterday evening belongs to yesterday.
            Some((from, until)) => {
                (time >= from && is_on(today)) || (time < until && is_on(today.previous()))
            }
        }
    }

    /// When that time next may be over: at the end of the span, or of the day.
    pub(super) fn end(&self, now: Timestamp) -> Option<Timestamp> {
        let local = self.zone.to_datetime(now);
        let until = self.span.map_or(Time::midnight(), |(_, until)| until);
        let today = local.date().to_datetime(until);
        let end = if today > local { today } else { local.date().tomorrow().ok()?.to_datetime(until) };
        self.zone.to_timestamp(end).ok()
    }

    pub(super) fn shown(&self) -> &str {
        &self.shown
    }
}

/// A zone of the IANA database, which is compiled in: `Europe/Berlin`.
pub(super) fn read_zone(section: &Section, key: &str) -> Option<TimeZone> {
    let name = section.optional_text(key)?;
    let zone = TimeZoneDatabase::bundled().get(&name).ok();
    if zone.is_none() {
        section
            .mistake(key, format_args!("{name:?} is not a time zone, such as \"Europe/Berlin\" or \"UTC\""));
    }
    zone
}

fn parse_span(text: &str) -> Option<(Time, Time)> {
    let (from, until) = text.split_once('-')?;
    Some((parse_time(from.trim(), false)?, parse_time(until.trim(), true)?))
}

/// `24:00` is the midnight at which a day ends.
fn parse_time(text: &str, is_end: bool) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number = |digits: &str| (digits.len() == 2).then(|| digits.parse::<i8>().ok()).flatten();
    let (hour, minute) = (number(hour)?, number(minute)?);
    if is_end && (hour, minute) == (24, 0) {
        return Some(Time::midnight());
    }
    Time::new(hour, minute, 0, 0).ok()
}

fn parse_days(text: &str) -> Option<Vec<Weekday>> {
    let day = |word: &str| DAYS.iter().position(|(name, _)| *name == word.trim().to_ascii_lowercase());
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (day(first)?, day(last)?),
        None => (day(text)?, day(text)?),
    };
    let count = (last + DAYS.len() - first) % DAYS.len() + 1;
    Some((first..first + count).map(|place| DAYS[place % DAYS.len()].1).collect())
}

#[cfg(test)]
mod tests {
    use crate::settings;

    use super::*;

    fn hours(text: &str) -> Hours {
        settings::read("t", text, |root| Hours::read(root, &TimeZone::UTC)).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let friday_night = hours("hours = '22:00-06:00'\ndays = 'fri'");
        assert!(friday_night.contain(at("2026-09-25T23:00:00Z")));
        assert!(friday_night.contain(at("2026-09-26T05:59:00Z")));
        assert!(!friday_night.contain(at("2026-09-25T05:00:00Z")));
        assert!(!friday_night.contain(at("2026-09-26T06:00:00Z")));
        assert!(!friday_night.contain(at("2026-09-26T23:00:00Z")));
    }

    #[test]
    fn hours_follow_the_zone_through_summer_and_winter() {
        let office = hours("hours = '09:00-17:00'\ndays = 'mon-fri'\nzone = 'America/New_York'");
        // 09:30 in New York: 13:30 UTC in July, 14:30 UTC in January.
        assert!(office.contain(at("2026-07-01T13:30:00Z")));
        assert!(!office.contain(at("2026-01-07T13:30:00Z")));
        assert!(office.contain(at("2026-01-07T14:30:00Z")));
        // Saturday, 01:00 UTC, is Friday evening there.
        assert!(!office.contain(at("2026-01-10T01:00:00Z")));
    }

    #[test]
    fn days_wrap_around_the_week_and_a_day_can_end_at_24() {
        let weekend = hours("days = 'sat-mon'\nhours = '00:00-24:00'");
        assert!(weekend.contain(at("2026-09-27T12:00:00Z")));
        assert!(weekend.contain(at("2026-09-28T23:59:59Z")));
        assert!(!weekend.contain(at("2026-09-29T00:00:00Z")));
    }

    #[test]
    fn hours_end_with_their_span_and_days_at_midnight() {
        for (text, now, end) in [
            ("hours = '22:00-06:00'", "2026-09-25T23:00:00Z", "2026-09-26T06:00:00Z"),
            ("hours = '22:00-06:00'", "2026-09-26T05:59:00Z", "2026-09-26T06:00:00Z"),
            (
                "hours = '09:00-17:00'\nzone = 'America/New_York'",
                "2026-07-01T13:30:00Z",
                "2026-07-01T21:00:00Z",
            ),
            ("days = 'sat'", "2026-09-26T12:00:00Z", "2026-09-27T00:00:00Z"),
        ] {
            assert_eq!(hours(text).end(at(now)), Some(at(end)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_a_mistake() {
        for wrong in
            ["hours = '8-18'", "hours = '08:00-25:00'", "days = 'monday'", "zone = 'CEST'\ndays = 'mon'"]
        {
            let result = settings::read("t", wrong, |root| Hours::read(root, &TimeZone::UTC));
            assert_eq!(result.unwrap_err().list.len(), 1, "{wrong}");
        }
        assert!(settings::read("t", "zone = 'UTC'", |root| Some(Hours::read(root, &TimeZone::UTC))).is_err());
    }
}

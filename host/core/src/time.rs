//! Time zones and the calendar: from days and clock times to moments.
//!
//! The zone database is the one bundled with the program. In a gap of the
//! clock a time moves forward, in a fold the earlier one counts.

use std::fmt;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Span, ToSpan, Zoned};
use std::sync::LazyLock;

use crate::model::UnixMillis;

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time zone by its IANA name.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Returns the zone with this IANA name (`Europe/Berlin`, `UTC`), if the
    /// bundled database has it.
    pub fn named(name: &str) -> Option<Self> {
        ZONES.get(name).ok().map(Self)
    }

    /// Returns the zone's name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// Returns the moment of a time of a day.
    pub fn instant_at(&self, day: Date, at: Time) -> UnixMillis {
        let ambiguous = self.0.to_ambiguous_timestamp(day.to_datetime(at));
        match ambiguous.compatible() {
            Ok(timestamp) => timestamp.into(),
            // Only the very ends of the calendar have no timestamp.
            Err(_) if day.year() < 0 => UnixMillis(i64::MIN),
            Err(_) => UnixMillis(i64::MAX),
        }
    }

    /// Returns the moment at which a day is over: at `end_of_day`, or at 24:00.
    pub fn day_over_at(&self, day: Date, end_of_day: Option<Time>) -> UnixMillis {
        match end_of_day {
            Some(time) => self.instant_at(day, time),
            None => match day.tomorrow() {
                Ok(next) => self.instant_at(next, Time::midnight()),
                Err(_) => UnixMillis(i64::MAX),
            },
        }
    }

    /// Returns a moment in this zone.
    pub fn zoned_at(&self, instant: UnixMillis) -> Zoned {
        instant.timestamp().to_zoned(self.0.clone())
    }

    /// Returns the date and the clock time that it is at a moment.
    pub fn clock_at(&self, instant: UnixMillis) -> DateTime {
        self.0.to_datetime(instant.timestamp())
    }

    /// Returns the day it is at a moment.
    pub fn day_of(&self, instant: UnixMillis) -> Date {
        self.clock_at(instant).date()
    }
}

/// Returns the sooner of two moments or spans of time, of which each may be absent.
pub(crate) fn sooner<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    [one, other].into_iter().flatten().min()
}

/// Returns the day that many days later, if the calendar has it.
pub fn plus_days(day: Date, days: i32) -> Option<Date> {
    let span: Span = Span::new().try_days(days).ok()?;
    day.checked_add(span).ok()
}

/// Returns the moment one calendar day later in a zone: the same clock time.
pub fn next_day(zone: &Zone, instant: UnixMillis) -> UnixMillis {
    let zoned = zone.zoned_at(instant);
    zoned
        .checked_add(1.day())
        .map_or(UnixMillis(i64::MAX), |later| later.timestamp().into())
}

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::{Zone, plus_days};
    use jiff::civil::{date, time};

    #[test]
    fn a_time_in_a_gap_moves_forward_and_in_a_fold_the_earlier_counts() {
        let berlin = Zone::named("Europe/Berlin").expect("bundled");
        let gap = berlin.instant_at(date(2026, 3, 29), time(2, 30, 0, 0));
        assert_eq!(gap.to_string(), "2026-03-29T01:30:00Z");
        let fold = berlin.instant_at(date(2026, 10, 25), time(2, 30, 0, 0));
        assert_eq!(fold.to_string(), "2026-10-25T00:30:00Z");
    }

    #[test]
    fn a_day_is_over_when_the_tenant_says_so() {
        let berlin = Zone::named("Europe/Berlin").expect("bundled");
        let day = date(2026, 3, 31);
        assert_eq!(
            berlin.day_over_at(day, None).to_string(),
            "2026-03-31T22:00:00Z"
        );
        let at_five = berlin.day_over_at(day, Some(time(17, 0, 0, 0)));
        assert_eq!(at_five.to_string(), "2026-03-31T15:00:00Z");
    }

    #[test]
    fn unknown_zones_and_impossible_days_are_none() {
        assert_eq!(Zone::named("Europe/Atlantis"), None);
        assert_eq!(plus_days(date(9999, 12, 31), 1), None);
        assert_eq!(plus_days(date(2024, 2, 28), 1), Some(date(2024, 2, 29)));
    }
}

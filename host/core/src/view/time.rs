//! Time through the view: answers for `as_of`, and notes when they would change.

use jiff::civil::{Date, Time};

use super::{ReadError, Traced, TrackedView};
use crate::model::{INTEGER_LIMIT, Name, UnixMillis, Value};
use crate::time::{Zone, plus_days};

impl TrackedView {
    /// Says whether a moment has come; if not, the identity wakes then.
    pub fn reached(&mut self, moment: UnixMillis) -> bool {
        let reached = moment <= self.as_of();
        if !reached {
            self.note_wake(Some(moment));
        }
        let what = || format!("reached {moment}");
        self.note_as(Traced::Time(moment), what, || reached.to_string());
        reached
    }

    /// Says whether a time of a day has come.
    ///
    /// # Errors
    ///
    /// [`ReadError`] for an unknown zone, or while the identity's own zone
    /// isn't worked out yet.
    pub fn date_reached(&mut self, day: Date, at: Time, zone: &str) -> Result<bool, ReadError> {
        let moment = self.instant_at(day, at, zone)?;
        Ok(self.reached(moment))
    }

    /// Says whether a day is over, by the tenant's end of day.
    ///
    /// # Errors
    ///
    /// As [`TrackedView::date_reached`].
    pub fn day_over(&mut self, day: Date, zone: &str) -> Result<bool, ReadError> {
        let zone = self.zone(zone)?;
        let moment = zone.day_over_at(day, self.state().model.end_of_day);
        Ok(self.reached(moment))
    }

    /// Returns the moment of a time of a day.
    ///
    /// # Errors
    ///
    /// As [`TrackedView::date_reached`].
    pub fn instant_at(&mut self, day: Date, at: Time, zone: &str) -> Result<UnixMillis, ReadError> {
        let moment = self.zone(zone)?.instant_at(day, at);
        if moment.0.unsigned_abs() > INTEGER_LIMIT.unsigned_abs() {
            return Err(ReadError::Argument(format!(
                "`{day}` is beyond the calendar"
            )));
        }
        Ok(moment)
    }

    /// Returns the day that many days later.
    ///
    /// # Errors
    ///
    /// [`ReadError::Argument`] beyond the calendar (years -9999 to 9999).
    pub fn plus_days(&mut self, day: Date, days: i32) -> Result<Date, ReadError> {
        plus_days(day, days).ok_or_else(|| {
            ReadError::Argument(format!("{days} days from {day} is beyond the calendar"))
        })
    }

    /// Returns the day it is; the identity wakes at the next midnight.
    ///
    /// # Errors
    ///
    /// As [`TrackedView::date_reached`].
    pub fn today(&mut self, zone: &str) -> Result<Date, ReadError> {
        let zone = self.zone(zone)?;
        let today = zone.day_of(self.as_of());
        let midnight = zone.day_over_at(today, None);
        self.reached(midnight);
        Ok(today)
    }

    fn zone(&mut self, name: &str) -> Result<Zone, ReadError> {
        if !name.is_empty() {
            return Zone::named(name)
                .ok_or_else(|| ReadError::Argument(format!("there is no time zone `{name}`")));
        }
        self.own_zone()
    }

    /// Returns the identity's zone: an attribute like any other where the tenant
    /// defines one; a value that names no zone falls back to the tenant's.
    pub(crate) fn own_zone(&mut self) -> Result<Zone, ReadError> {
        let own = self.own_attribute(Name::new("zone"))?;
        let named = own.as_ref().and_then(Value::as_text).and_then(Zone::named);
        Ok(named.unwrap_or_else(|| self.state().model.zone.clone()))
    }
}

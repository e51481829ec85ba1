//! Days and moments: comparing, moving and rounding them.
//!
//! *Now* is never read: a comparison asks the view whether a moment is reached,
//! and a rounded now is worked out of the day, with a wake-up for the day on
//! which it changes. What has no offset is in the identity's zone.

use jiff::Span;
use jiff::civil::{Date, DateTime, Time};

use super::pattern::DateFormat;
use super::{Evaluation, Transform, TransformFailure};
use crate::model::{INTEGER_LIMIT, UnixMillis, Value};
use crate::time::Zone;

/// A day or a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A whole day; compared with a moment it is its beginning.
    Day(Date),
    /// A moment.
    Instant(UnixMillis),
}

impl Moment {
    /// Reads a day, a moment with offset, or one without in a zone.
    pub fn parse(text: &str, zone: &Zone) -> Option<Self> {
        if let Ok(instant) = text.parse::<UnixMillis>() {
            return Self::checked(instant);
        }
        if text.len() <= "-009999-12-31".len() && !text.contains(['T', 't', ' ']) {
            return text.parse::<Date>().ok().map(Self::Day);
        }
        let clock: DateTime = text.parse().ok()?;
        Self::checked(zone.instant_at(clock.date(), clock.time()))
    }

    /// Returns a moment that rules can hold, too.
    pub(super) fn checked(instant: UnixMillis) -> Option<Self> {
        let is_within = instant.0.unsigned_abs() <= INTEGER_LIMIT.unsigned_abs();
        is_within.then_some(Self::Instant(instant))
    }

    /// Returns the moment, or the beginning of the day.
    pub fn instant(self, zone: &Zone) -> UnixMillis {
        match self {
            Self::Day(day) => zone.instant_at(day, Time::midnight()),
            Self::Instant(instant) => instant,
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::Day(day) => Value::Date(day),
            Self::Instant(instant) => Value::Instant(instant),
        }
    }
}

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// `s`
    Second,
    /// `m`
    Minute,
    /// `h`
    Hour,
    /// `d`
    Day,
    /// `w`
    Week,
    /// `M`
    Month,
    /// `y`
    Year,
}

/// One step of date arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// That many units later; earlier when negative.
    Shift(i64, Unit),
    /// To the beginning of the unit, or of the next one when rounding up.
    Round(Unit),
}

/// Date arithmetic, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// Whether it begins with `now`.
    pub of_now: bool,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

impl Expression {
    /// Reads an expression such as `now+1y-2d/d` or `-3M`.
    ///
    /// # Errors
    ///
    /// A text that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (of_now, mut rest) = match text.strip_prefix("now") {
            Some(rest) => (true, rest.trim_start()),
            None => (false, text),
        };
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let sign = rest.chars().next().unwrap_or_default();
            rest = rest[sign.len_utf8()..].trim_start();
            if !matches!(sign, '+' | '-' | '/') {
                return Err(format!("`{sign}` is not one of `+`, `-` and `/`"));
            }
            let digits = rest.find(|c: char| !c.is_ascii_digit());
            let (number, after) = rest.split_at(digits.unwrap_or(rest.len()));
            let letter = after.chars().next();
            let unit = unit(letter).ok_or_else(|| {
                let found = letter.map_or_else(|| "nothing".to_owned(), |c| format!("`{c}`"));
                format!("{found} is not one of the units y, M, w, d, h, m and s")
            })?;
            steps.push(match sign {
                '/' if !number.is_empty() => {
                    return Err("a `/` is followed by a unit alone".to_owned());
                }
                '/' if unit == Unit::Week => return Err("weeks can't be rounded to".to_owned()),
                '/' => Step::Round(unit),
                sign => {
                    let count: i64 = number
                        .parse::<i32>()
                        .map_err(|_| "a `+` or `-` is followed by a number".to_owned())?
                        .into();
                    Step::Shift(if sign == '-' { -count } else { count }, unit)
                }
            });
            rest = after[1..].trim_start();
        }
        if steps.is_empty() && !of_now {
            return Err("it is empty".to_owned());
        }
        Ok(Self { of_now, steps })
    }

    /// Says whether nothing is rounded: such a now can be compared exactly.
    pub fn is_exact(&self) -> bool {
        !self.steps.iter().any(|step| matches!(step, Step::Round(_)))
    }

    /// Says whether `now` in it changes with the day at most: it is rounded to
    /// days or coarser, and moved by whole days at most before that.
    pub fn is_coarse(&self) -> bool {
        let before_rounding = self.before_rounding();
        let rounding = self.steps.get(before_rounding.len());
        matches!(rounding, Some(Step::Round(unit)) if *unit >= Unit::Day)
            && before_rounding
                .iter()
                .all(|step| matches!(step, Step::Shift(_, unit) if *unit >= Unit::Day))
    }

    fn before_rounding(&self) -> &[Step] {
        let end = self
            .steps
            .iter()
            .position(|step| matches!(step, Step::Round(_)));
        &self.steps[..end.unwrap_or(self.steps.len())]
    }
}

fn unit(letter: Option<char>) -> Option<Unit> {
    Some(match letter? {
        'y' => Unit::Year,
        'M' => Unit::Month,
        'w' => Unit::Week,
        'd' => Unit::Day,
        'h' => Unit::Hour,
        'm' => Unit::Minute,
        's' => Unit::Second,
        _ => return None,
    })
}

/// A moment, moved and rounded.
#[derive(Clone, Debug)]
pub struct DateMath {
    /// What is moved; `now` when the expression begins with it.
    pub input: Transform,
    /// How; coarse when it begins with `now`.
    pub expression: Expression,
    /// Whether rounding goes to the beginning of the next unit.
    pub round_up: bool,
}

/// One side of a comparison.
#[derive(Clone, Debug)]
pub enum Side {
    /// Now, moved by exact steps.
    Now(Vec<Step>),
    /// What a transform comes to.
    Of(Transform),
}

/// How two moments are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Earlier.
    Less,
    /// Earlier or the same.
    LessOrEqual,
    /// Later.
    Greater,
    /// Later or the same.
    GreaterOrEqual,
}

impl Operator {
    /// Every operator with the word that configuration uses.
    pub const ALL: [(&'static str, Self); 4] = [
        ("LT", Self::Less),
        ("LTE", Self::LessOrEqual),
        ("GT", Self::Greater),
        ("GTE", Self::GreaterOrEqual),
    ];

    fn holds<T: Ord>(self, left: T, right: T) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }

    fn turned(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

/// One of two values, by which moment is earlier; nothing when one isn't there.
#[derive(Clone, Debug)]
pub struct Compare {
    /// The left side.
    pub first: Side,
    /// The right side. At most one side is now.
    pub second: Side,
    /// How they are compared.
    pub operator: Operator,
    /// The value when it holds.
    pub positive: Transform,
    /// The value when it doesn't.
    pub negative: Transform,
}

/// A moment, written another way.
#[derive(Clone, Debug)]
pub struct Format {
    /// The moment.
    pub input: Transform,
    /// How a text is read.
    pub from: DateFormat,
    /// How it is written.
    pub to: DateFormat,
}

impl Evaluation<'_> {
    /// Returns a transform's value as a moment.
    fn moment(
        &mut self,
        transform: &Transform,
        operation: &'static str,
        format: &DateFormat,
    ) -> Result<Option<Moment>, TransformFailure> {
        Ok(match self.value(transform)? {
            None => None,
            Some(Value::Date(day)) => Some(Moment::Day(day)),
            Some(Value::Instant(instant)) => Some(Moment::Instant(instant)),
            Some(Value::Text(text)) if text.is_empty() => None,
            Some(Value::Text(text)) => {
                let zone = self.zone()?;
                let read = format.read(&text, &zone);
                read.map_err(|()| {
                    TransformFailure::wrong_type(operation, "a date or a moment as written there")
                })?
            }
            Some(Value::Integer(number)) => {
                let zone = self.zone()?;
                let read = format.read(&number.to_string(), &zone);
                read.map_err(|()| {
                    TransformFailure::wrong_type(operation, "a date or a moment as written there")
                })?
            }
            Some(_) => {
                return Err(TransformFailure::wrong_type(
                    operation,
                    "a date or a moment",
                ));
            }
        })
    }

    pub(super) fn format(&mut self, format: &Format) -> Result<Option<Value>, TransformFailure> {
        const OPERATION: &str = "dateFormat";
        let Some(moment) = self.moment(&format.input, OPERATION, &format.from)? else {
            return Ok(None);
        };
        let zone = self.zone()?;
        match format.to.write(moment, &zone) {
            Some(text) => Ok(Some(Value::text(text))),
            None => Err(TransformFailure::bad_value(
                OPERATION,
                "the moment can't be written so",
            )),
        }
    }

    pub(super) fn date_math(&mut self, math: &DateMath) -> Result<Option<Value>, TransformFailure> {
        const OPERATION: &str = "dateMath";
        let zone;
        let moment = if math.expression.of_now {
            zone = self.zone()?;
            self.rounded_now(math, &zone)
        } else {
            let Some(start) = self.moment(&math.input, OPERATION, &DateFormat::Iso8601)? else {
                return Ok(None);
            };
            zone = self.zone()?;
            walk(start, &math.expression.steps, math.round_up, &zone)
        };
        match moment {
            Some(moment) => Ok(Some(moment.into_value())),
            None => Err(TransformFailure::bad_value(
                OPERATION,
                "the moment is beyond the calendar",
            )),
        }
    }

    /// Works out a now that is rounded to days or coarser, and wakes the
    /// identity on the day on which it changes.
    fn rounded_now(&mut self, math: &DateMath, zone: &Zone) -> Option<Moment> {
        /// Every rounded now changes within a year and a month clamped.
        const LONGEST_DAYS: i32 = 800;
        let to_rounding = math.expression.before_rounding().len() + 1;
        let (rounding, after) = math.expression.steps.split_at(to_rounding);
        let on = |day: Date| walk(Moment::Day(day), rounding, math.round_up, zone);
        let today = zone.day_of(self.view.as_of());
        let rounded = on(today);
        let later = |days: i32| crate::time::plus_days(today, days);
        let changed = |days: i32| later(days).is_none_or(|day| on(day) != rounded);
        let (mut same, mut other) = (0, LONGEST_DAYS);
        while same + 1 < other {
            let middle = same + (other - same) / 2;
            match changed(middle) {
                true => other = middle,
                false => same = middle,
            }
        }
        if let Some(day) = later(other) {
            let changes = zone.instant_at(day, Time::midnight());
            self.view.reached(changes);
        }
        walk(rounded?, after, math.round_up, zone)
    }

    pub(super) fn compare(&mut self, compare: &Compare) -> Result<Option<Value>, TransformFailure> {
        let Some(holds) = self.comparison(compare)? else {
            return Ok(None);
        };
        self.value(if holds {
            &compare.positive
        } else {
            &compare.negative
        })
    }

    fn comparison(&mut self, compare: &Compare) -> Result<Option<bool>, TransformFailure> {
        let (steps, other, operator) = match (&compare.first, &compare.second) {
            (Side::Of(first), Side::Of(second)) => {
                let Some(first) = self.compared(first)? else {
                    return Ok(None);
                };
                let Some(second) = self.compared(second)? else {
                    return Ok(None);
                };
                return Ok(Some(compare.operator.holds(first, second)));
            }
            (Side::Now(steps), Side::Of(other)) => (steps, other, compare.operator),
            (Side::Of(other), Side::Now(steps)) => (steps, other, compare.operator.turned()),
            (Side::Now(_), Side::Now(_)) => {
                let message = "now can't be compared with itself";
                return Err(TransformFailure::bad_value("dateCompare", message));
            }
        };
        let Some(other) = self.compared(other)? else {
            return Ok(None);
        };
        let zone = self.zone()?;
        // What is said of now a month ago is said of now and a month later.
        let back: Vec<Step> = steps
            .iter()
            .rev()
            .map(|step| match *step {
                Step::Shift(count, unit) => Step::Shift(-count, unit),
                round => round,
            })
            .collect();
        let Some(threshold) = walk(Moment::Instant(other), &back, false, &zone) else {
            let message = "the moment is beyond the calendar";
            return Err(TransformFailure::bad_value("dateCompare", message));
        };
        let threshold = threshold.instant(&zone);
        Ok(Some(match operator {
            Operator::GreaterOrEqual => self.view.reached(threshold),
            Operator::Greater => self.view.reached(threshold.plus_ms(1)),
            Operator::Less => !self.view.reached(threshold),
            Operator::LessOrEqual => !self.view.reached(threshold.plus_ms(1)),
        }))
    }

    fn compared(&mut self, side: &Transform) -> Result<Option<UnixMillis>, TransformFailure> {
        let moment = self.moment(side, "dateCompare", &DateFormat::Iso8601)?;
        match moment {
            None => Ok(None),
            Some(moment) => Ok(Some(moment.instant(&self.zone()?))),
        }
    }
}

/// Takes a moment through the steps; none beyond the calendar.
fn walk(start: Moment, steps: &[Step], round_up: bool, zone: &Zone) -> Option<Moment> {
    steps.iter().try_fold(start, |moment, step| match *step {
        Step::Shift(count, unit) => shift(moment, count, unit, zone),
        Step::Round(unit) => round(moment, unit, round_up, zone),
    })
}

fn shift(moment: Moment, count: i64, unit: Unit, zone: &Zone) -> Option<Moment> {
    let milliseconds = match unit {
        Unit::Second => 1_000,
        Unit::Minute => 60_000,
        Unit::Hour => 3_600_000,
        _ => {
            let span = Span::new();
            let span = match unit {
                Unit::Day => span.try_days(count),
                Unit::Week => span.try_weeks(count),
                Unit::Month => span.try_months(count),
                _ => span.try_years(count),
            };
            let span = span.ok()?;
            return match moment {
                Moment::Day(day) => day.checked_add(span).ok().map(Moment::Day),
                Moment::Instant(instant) => {
                    let later = zone.clock_at(instant).checked_add(span).ok()?;
                    Moment::checked(zone.instant_at(later.date(), later.time()))
                }
            };
        }
    };
    let later = moment.instant(zone).0.checked_add(count * milliseconds)?;
    Moment::checked(UnixMillis(later)).filter(|_| in_calendar(later))
}

/// Says whether the calendar of the zone database has the moment.
fn in_calendar(instant: i64) -> bool {
    jiff::Timestamp::from_millisecond(instant).is_ok()
}

fn round(moment: Moment, unit: Unit, up: bool, zone: &Zone) -> Option<Moment> {
    let clock = match moment {
        Moment::Day(day) if unit < Unit::Day => return Some(Moment::Day(day)),
        Moment::Day(day) => day.to_datetime(Time::midnight()),
        Moment::Instant(instant) => zone.clock_at(instant),
    };
    if unit >= Unit::Day {
        let day = clock.date();
        let first = match unit {
            Unit::Day | Unit::Week => day,
            Unit::Month => day.first_of_month(),
            _ => day.first_of_year(),
        };
        return match up {
            true => shift(Moment::Day(first), 1, unit, zone),
            false => Some(Moment::Day(first)),
        };
    }
    let time = clock.time();
    let (hour, minute, second) = match unit {
        Unit::Hour => (time.hour(), 0, 0),
        Unit::Minute => (time.hour(), time.minute(), 0),
        _ => (time.hour(), time.minute(), time.second()),
    };
    let begin = Time::new(hour, minute, second, 0).ok()?;
    // Within an hour of the clock going back both hours have the same name:
    // counting back from the moment stays in the right one.
    let past = time.duration_since(begin).as_millis();
    let instant = moment.instant(zone).0 - i64::try_from(past).ok()?;
    let begin = Moment::checked(UnixMillis(instant))?;
    match up {
        true => shift(begin, 1, unit, zone),
        false => Some(begin),
    }
}

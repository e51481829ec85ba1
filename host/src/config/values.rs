//! Single settings: words, amounts, durations, times of day, typed values.
//! Each reader reports what is wrong and answers none then.

use std::str::FromStr;

use idr_core::definitions::{Bound, OnTrip, Threshold};
use idr_core::filter::Filter;
use idr_core::model::{INTEGER_LIMIT, Text, UnixMillis, Value, ValueType};
use idr_core::text::nearest;
use idr_core::time::Zone;
use jiff::civil::{Date, DateTime, Time};
use rust_decimal::Decimal;

use super::document::Scope;
use super::secret::SecretReference;
use crate::report::shown_address;

/// Reads one of a few words.
pub(super) fn word<T: Copy>(scope: &Scope<'_>, text: &str, words: &[(&str, T)]) -> Option<T> {
    let found = words.iter().find(|(word, _)| *word == text);
    if found.is_none() {
        let known = || words.iter().map(|(word, _)| *word);
        let hint = match nearest(text, known()) {
            Some(nearest) => format!("write `{nearest}`"),
            None => format!(
                "the words here are {}",
                known().collect::<Vec<_>>().join(", ")
            ),
        };
        scope.report_with_hint(format!("`{text}` is not known here"), hint);
    }
    found.map(|(_, value)| *value)
}

/// Reads one of a few words, or takes the default where there is none.
pub(super) fn word_or_default<T: Copy + Default>(
    scope: &Scope<'_>,
    text: Option<&str>,
    words: &[(&str, T)],
) -> T {
    text.and_then(|text| word(scope, text, words))
        .unwrap_or_default()
}

/// Reads a type, which is `text` unless it is said otherwise.
pub(super) fn value_type(scope: &Scope<'_>, text: Option<&str>) -> ValueType {
    word_or_default(&scope.at("type"), text, &ValueType::ALL)
}

/// Reports a text that is missing or empty; returns it otherwise.
pub(super) fn required<'t>(scope: &Scope<'_>, key: &str, text: Option<&'t str>) -> Option<&'t str> {
    match text {
        None => scope.at(key).report("it is missing"),
        Some("") => scope.at(key).report("it is empty"),
        Some(_) => {}
    }
    text.filter(|text| !text.is_empty())
}

/// Reads `50` or `"2%"`.
pub(super) fn threshold(scope: &Scope<'_>, value: &toml::Value) -> Option<Threshold> {
    let read = match value {
        toml::Value::Integer(count) => u64::try_from(*count).ok().map(Threshold::Count),
        toml::Value::String(text) => text
            .strip_suffix('%')
            .and_then(basis_points)
            .map(Threshold::BasisPoints),
        _ => None,
    };
    match read {
        Some(Threshold::BasisPoints(0)) => scope.report_with_hint(
            "a percentage always allows one change, also 0 %",
            "write 0 to allow none",
        ),
        None => scope.report_with_hint(
            format!("`{}` is no number of changes", plainly(value)),
            "write a number such as 50, or a percentage such as \"2%\" or \"0.25%\"",
        ),
        Some(_) => {}
    }
    read
}

const ON_TRIP: [(&str, OnTrip); 2] = [
    ("hold-run", OnTrip::HoldRun),
    ("hold-kind", OnTrip::HoldKind),
];

/// Reads `50`, `"2%"`, or `{ limit = "2%", window = "7d", on_trip = "hold-kind" }`.
pub(super) fn bound(scope: &Scope<'_>, value: &toml::Value) -> Option<Bound> {
    const KEYS: [&str; 3] = ["limit", "window", "on_trip"];
    let toml::Value::Table(table) = value else {
        return Some(Bound {
            limit: threshold(scope, value)?,
            window_ms: None,
            on_trip: OnTrip::HoldRun,
        });
    };
    for key in table.keys().filter(|key| !KEYS.contains(&key.as_str())) {
        let hint = nearest(key, KEYS).map(|near| format!("write `{near}`"));
        let place = scope.at(key);
        place.report_with_hint_opt("this key is unknown", hint);
    }
    let text = |key: &str| -> Option<&str> {
        let value = table.get(key)?;
        if !value.is_str() {
            let message = format!("`{}` is no text", plainly(value));
            scope.at(key).report(message);
        }
        value.as_str()
    };
    let window_ms = text("window").and_then(|text| duration_ms(&scope.at("window"), text));
    let on_trip = word_or_default(&scope.at("on_trip"), text("on_trip"), &ON_TRIP);
    let Some(limit) = table.get("limit") else {
        scope.at("limit").report("it is missing");
        return None;
    };
    Some(Bound {
        limit: threshold(&scope.at("limit"), limit)?,
        window_ms,
        on_trip,
    })
}

fn basis_points(percentage: &str) -> Option<u32> {
    let points = Decimal::from_str(percentage.trim()).ok()? * Decimal::ONE_HUNDRED;
    let points = points.is_integer().then_some(points)?;
    u32::try_from(points)
        .ok()
        .filter(|points| *points <= 10_000)
}

/// Reads a duration, such as `0`, `30s` or `1d 12h`, in milliseconds.
pub(super) fn duration_ms(scope: &Scope<'_>, text: &str) -> Option<i64> {
    let read = parse_duration(text);
    if read.is_none() {
        scope.report_with_hint(
            format!("`{text}` is no duration"),
            "write 0, or numbers with units (w, d, h, m, s, ms) such as `3d` or `1h 30m`",
        );
    }
    read
}

/// Reads a duration, such as `0`, `30s` or `1d 12h`, in milliseconds; none when
/// it isn't one.
pub fn parse_duration(text: &str) -> Option<i64> {
    if text.trim() == "0" {
        return Some(0);
    }
    let units = [
        ("w", 7 * 86_400_000),
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("ms", 1),
        ("m", 60_000),
        ("s", 1_000),
    ];
    let mut rest = text.trim();
    let mut total: i64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        rest = rest[digits..].trim_start();
        let (unit, factor) = units.iter().find(|(unit, _)| rest.starts_with(unit))?;
        rest = rest[unit.len()..].trim_start();
        total = total.checked_add(number.checked_mul(*factor)?)?;
    }
    Some(total)
}

/// Reads an instant, as TOML's own or as text; see [`parse_instant`].
pub(super) fn instant(scope: &Scope<'_>, value: &toml::Value, zone: &Zone) -> Option<UnixMillis> {
    let read = match value {
        toml::Value::Datetime(moment) => parse_instant(&moment.to_string(), zone),
        toml::Value::String(text) => parse_instant(text, zone),
        _ => None,
    };
    if read.is_none() {
        scope.report_with_hint(
            format!("`{}` is not an instant", plainly(value)),
            "write 2026-03-31T17:00:00Z; or 2026-03-31T17:00:00 or 2026-03-31, in the tenant's time zone",
        );
    }
    read
}

/// Reads an instant: RFC 3339 with an offset, or a date and a time, or a date
/// (its beginning), in a time zone; none when it is none of these.
pub fn parse_instant(text: &str, zone: &Zone) -> Option<UnixMillis> {
    if let Ok(instant) = text.parse() {
        return Some(instant);
    }
    if let Some(date) = parse_date(text) {
        return Some(zone.instant_at(date, Time::midnight()));
    }
    let civil: DateTime = text.parse().ok()?;
    Some(zone.instant_at(civil.date(), civil.time()))
}

/// Reads a date, and nothing else.
pub fn parse_date(text: &str) -> Option<Date> {
    // jiff reads a date with an hour only, and ignores an unknown ending.
    let is_short = text.len() <= "2026-03-31".len();
    text.parse().ok().filter(|_| is_short)
}

/// Returns the filter that means a group, `department=Sales`: everybody whose
/// attribute has this value, or with `department=` none. None when it names no
/// attribute.
pub fn group_filter(group: &str) -> Option<String> {
    let (attribute, value) = group.split_once('=')?;
    let (attribute, value) = (attribute.trim(), value.trim());
    let absent = format!("{attribute}.isNull()");
    let is_one_name = Filter::parse(&absent).is_ok_and(|filter| {
        let paths = filter.paths();
        let path = paths.first().filter(|_| paths.len() == 1);
        path.is_some_and(|path| path.segments().len() == 1 && path.to_string() == attribute)
    });
    if !is_one_name {
        return None;
    }
    if value.is_empty() {
        return Some(absent);
    }
    let value = value.replace('\\', "\\\\").replace('"', "\\\"");
    Some(format!("{attribute} == \"{value}\""))
}

/// Reads a time of day, as TOML's own (`17:00:00`) or as text.
pub(super) fn time_of_day(scope: &Scope<'_>, value: &toml::Value) -> Option<Time> {
    let read = match value {
        toml::Value::Datetime(moment) if moment.date.is_none() => parse_time(&moment.to_string()),
        toml::Value::String(text) => parse_time(text),
        _ => None,
    };
    if read.is_none() {
        scope.report_with_hint(
            format!("`{}` is no time of day", plainly(value)),
            "write a time such as 17:00:00; leave it out when days end at 24:00",
        );
    }
    read
}

fn parse_time(text: &str) -> Option<Time> {
    if text.len() == 5 {
        return Time::from_str(&format!("{text}:00")).ok();
    }
    Time::from_str(text).ok()
}

/// Reads a number within bounds.
pub(super) fn within(scope: &Scope<'_>, number: i64, least: u64, most: u64) -> Option<u64> {
    let read = u64::try_from(number)
        .ok()
        .filter(|number| (least..=most).contains(number));
    if read.is_none() {
        scope.report(format!("{number} is not between {least} and {most}"));
    }
    read
}

/// Reads a value of whatever type it is written as.
pub(super) fn typed(scope: &Scope<'_>, value: &toml::Value) -> Option<Value> {
    let read = match value {
        toml::Value::String(text) => Some(Value::text(text)),
        toml::Value::Integer(integer) => (integer.unsigned_abs() <= INTEGER_LIMIT.unsigned_abs())
            .then_some(Value::Integer(*integer)),
        toml::Value::Float(float) => Decimal::from_str(&float.to_string())
            .ok()
            .map(Value::Decimal),
        toml::Value::Boolean(boolean) => Some(Value::Boolean(*boolean)),
        toml::Value::Datetime(moment) => return date_or_instant(scope, moment),
        toml::Value::Array(elements) => elements
            .iter()
            .map(|element| element.as_str().map(Text::from))
            .collect::<Option<Vec<_>>>()
            .map(Value::Many),
        toml::Value::Table(_) => None,
    };
    let Some(read) = read else {
        scope.report_with_hint(
            format!("`{}` can't be a value here", plainly(value)),
            "write a text, a number, true or false, a date, a moment, or a list of texts",
        );
        return None;
    };
    let normalised = read.normalised();
    if normalised.is_none() {
        scope.report_with_hint("an empty value is no value", "leave it out");
    }
    normalised
}

fn date_or_instant(scope: &Scope<'_>, moment: &toml::value::Datetime) -> Option<Value> {
    let text = moment.to_string();
    let wanted = match (moment.date, moment.time, moment.offset) {
        (Some(_), None, None) => ValueType::Date,
        (Some(_), Some(_), Some(_)) => ValueType::Instant,
        _ => {
            scope.report_with_hint(
                format!("`{text}` is neither a day nor a moment"),
                "write a day such as 2026-03-31, or a moment with its offset such as 2026-03-31T17:00:00Z",
            );
            return None;
        }
    };
    match wanted.parse(&text) {
        Ok(value) => value,
        Err(error) => {
            scope.report(error.to_string());
            None
        }
    }
}

/// Reads a value of a type.
pub(super) fn of_type(scope: &Scope<'_>, value: &toml::Value, wanted: ValueType) -> Option<Value> {
    match typed(scope, value)?.convert(wanted) {
        Ok(value) => value,
        Err(error) => {
            scope.report(error.to_string());
            None
        }
    }
}

/// Returns a value as it would be said.
fn plainly(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Says whether something can be sent to.
pub(crate) fn is_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// Checks an address, or where one is that nobody else may know.
pub(super) fn check_address(scope: &Scope<'_>, url: &str) {
    if !is_address(url) && SecretReference::parse(url).is_none() {
        scope.report_with_hint(
            format!("`{}` is no address that can be sent to", shown_address(url)),
            "write one that begins with https://, or `env:NAME` or `file:PATH` where it is a secret",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{basis_points, group_filter, parse_duration, parse_time};
    use jiff::civil::time;

    #[test]
    fn durations_are_numbers_with_units() {
        assert_eq!(parse_duration("0"), Some(0));
        assert_eq!(parse_duration("250ms"), Some(250));
        assert_eq!(parse_duration("1d 12h"), Some(129_600_000));
        assert_eq!(parse_duration("1h30m"), Some(5_400_000));
        for wrong in ["", "3", "d", "3 days", "-1d", "1.5h", "99999999999999w"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_group_is_one_value_of_an_attribute() {
        let filter = |text| group_filter(text);
        assert_eq!(
            filter("department=Sales").as_deref(),
            Some(r#"department == "Sales""#)
        );
        assert_eq!(
            filter(r#"Cost Center = a"\=b"#).as_deref(),
            Some(r#"Cost Center == "a\"\\=b""#)
        );
        assert_eq!(
            filter("department=").as_deref(),
            Some("department.isNull()")
        );
        for wrong in ["department", "=Sales", "a || b=c", "manager.name=x"] {
            assert_eq!(filter(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn percentages_are_exact_to_the_hundredth() {
        assert_eq!(basis_points("2"), Some(200));
        assert_eq!(basis_points("0.25"), Some(25));
        assert_eq!(basis_points("100"), Some(10_000));
        for wrong in ["", "0.001", "101", "-1", "two"] {
            assert_eq!(basis_points(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_may_leave_out_the_seconds() {
        assert_eq!(parse_time("17:00"), Some(time(17, 0, 0, 0)));
        assert_eq!(parse_time("17:00:30"), Some(time(17, 0, 30, 0)));
        assert_eq!(parse_time("24:00"), None);
    }
}

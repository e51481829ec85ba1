//! How moments are written: named formats, and patterns of letters as Java's
//! `SimpleDateFormat` has them (`yyyy-MM-dd'T'HH:mm`).

use jiff::civil::Date;
use jiff::fmt::strtime::{self, BrokenDownTime};

use super::moment::Moment;
use crate::model::UnixMillis;
use crate::time::Zone;

/// Milliseconds from 1601, from which Windows counts, to 1970.
const WIN32_EPOCH_MS: i64 = 11_644_473_600_000;

/// What Windows writes for "never", besides 0.
const WIN32_NEVER: i64 = i64::MAX;

/// How a moment is written.
#[derive(Clone, Debug)]
pub enum DateFormat {
    /// RFC 3339 in UTC; a day or a moment without offset is read too.
    Iso8601,
    /// As LDAP writes it, in UTC: `20260331170000.0Z`.
    Ldap,
    /// `MM/dd/yyyy`.
    PeopleSoft(DatePattern),
    /// Milliseconds since 1970.
    EpochTimeJava,
    /// Tenths of microseconds since 1601; 0 and the greatest number mean never.
    EpochTimeWin32,
    /// By a pattern.
    Pattern(DatePattern),
}

/// A checked pattern.
#[derive(Clone, Debug)]
pub struct DatePattern {
    strtime: String,
    has_time: bool,
    has_offset: bool,
}

impl DateFormat {
    /// The names of formats.
    pub const NAMES: [&'static str; 5] = [
        "ISO8601",
        "LDAP",
        "PEOPLE_SOFT",
        "EPOCH_TIME_JAVA",
        "EPOCH_TIME_WIN32",
    ];

    /// Returns the format with this name, or with this pattern.
    ///
    /// # Errors
    ///
    /// A text that says what a pattern can't have.
    pub fn named(text: &str) -> Result<Self, String> {
        Ok(match text {
            "ISO8601" => Self::Iso8601,
            "LDAP" => Self::Ldap,
            "PEOPLE_SOFT" => Self::PeopleSoft(DatePattern::parse("MM/dd/yyyy")?),
            "EPOCH_TIME_JAVA" => Self::EpochTimeJava,
            "EPOCH_TIME_WIN32" => Self::EpochTimeWin32,
            pattern => Self::Pattern(DatePattern::parse(pattern)?),
        })
    }

    /// Writes a moment; none when it can't be written so.
    pub fn write(&self, moment: Moment, zone: &Zone) -> Option<String> {
        let instant = moment.instant(zone);
        let zoned = zone.zoned_at(instant);
        match self {
            Self::Iso8601 => Some(instant.to_string()),
            Self::Ldap => strtime::format("%Y%m%d%H%M%S.0Z", instant.timestamp()).ok(),
            Self::EpochTimeJava => Some(instant.0.to_string()),
            Self::EpochTimeWin32 => {
                let ticks = instant.0.checked_add(WIN32_EPOCH_MS)?.checked_mul(10_000)?;
                Some(ticks.to_string())
            }
            Self::PeopleSoft(pattern) | Self::Pattern(pattern) => {
                strtime::format(&pattern.strtime, &zoned).ok()
            }
        }
    }

    /// Reads a moment: none for one that never is, an error for what isn't
    /// written so.
    ///
    /// # Errors
    ///
    /// `()`: the text is not of this format.
    pub(super) fn read(&self, text: &str, zone: &Zone) -> Result<Option<Moment>, ()> {
        let text = text.trim();
        match self {
            Self::Iso8601 => Moment::parse(text, zone).map(Some).ok_or(()),
            Self::Ldap => {
                let (digits, rest) = text.split_at_checked(14).ok_or(())?;
                let fraction = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
                let parsed = strtime::parse("%Y%m%d%H%M%S", digits).map_err(drop)?;
                let clock = parsed.to_datetime().map_err(drop)?;
                let offset = match fraction {
                    "Z" => "+0000",
                    other => other,
                };
                let offset = strtime::parse("%z", offset).map_err(drop)?.offset();
                let timestamp = offset.ok_or(())?.to_timestamp(clock).map_err(drop)?;
                Ok(Some(Moment::Instant(timestamp.into())))
            }
            Self::EpochTimeJava => {
                let instant: i64 = text.parse().map_err(drop)?;
                Moment::checked(UnixMillis(instant)).map(Some).ok_or(())
            }
            Self::EpochTimeWin32 => match text.parse::<i64>().map_err(drop)? {
                0 | WIN32_NEVER => Ok(None),
                ticks => {
                    let instant = UnixMillis(ticks.div_euclid(10_000) - WIN32_EPOCH_MS);
                    Moment::checked(instant).map(Some).ok_or(())
                }
            },
            Self::PeopleSoft(pattern) | Self::Pattern(pattern) => {
                pattern.read(text, zone).map(Some).ok_or(())
            }
        }
    }
}

impl DatePattern {
    /// Reads a pattern of letters.
    ///
    /// # Errors
    ///
    /// A text that says what it can't have.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        let mut read = Self {
            strtime: String::new(),
            has_time: false,
            has_offset: false,
        };
        let mut rest = pattern;
        while let Some(first) = rest.chars().next() {
            if first == '\'' {
                let quoted = rest[1..].find('\'').ok_or("a quote is not closed")?;
                // Two quotes are one.
                let literal = if quoted == 0 { "'" } else { &rest[1..=quoted] };
                read.literal(literal);
                rest = &rest[quoted + 2..];
            } else if first.is_ascii_alphabetic() {
                let end = rest.find(|c| c != first).unwrap_or(rest.len());
                read.field(first, end)?;
                rest = &rest[end..];
            } else {
                let end = rest
                    .find(|c: char| c == '\'' || c.is_ascii_alphabetic())
                    .unwrap_or(rest.len());
                read.literal(&rest[..end]);
                rest = &rest[end..];
            }
        }
        if read.strtime.is_empty() {
            return Err("it is empty".to_owned());
        }
        Ok(read)
    }

    fn literal(&mut self, text: &str) {
        self.strtime += &text.replace('%', "%%");
    }

    fn field(&mut self, letter: char, count: usize) -> Result<(), String> {
        let field = match (letter, count) {
            ('y' | 'u', 2) => "%y",
            ('y' | 'u', _) => "%Y",
            ('M' | 'L', 1) => "%-m",
            ('M' | 'L', 2) => "%m",
            ('M' | 'L', 3) => "%b",
            ('M' | 'L', _) => "%B",
            ('d', 1) => "%-d",
            ('d', _) => "%d",
            ('D', 3) => "%j",
            ('E', 4..) => "%A",
            ('E', _) => "%a",
            ('H', 1) => "%-H",
            ('H', 2) => "%H",
            ('h', 1) => "%-I",
            ('h', 2) => "%I",
            ('m', 1) => "%-M",
            ('m', 2) => "%M",
            ('s', 1) => "%-S",
            ('s', 2) => "%S",
            ('S', 3) => "%3f",
            ('a', _) => "%p",
            ('Z', _) => "%z",
            ('X', 3) => "%:z",
            ('X', 2) => "%z",
            _ => {
                let field = letter.to_string().repeat(count);
                return Err(format!("`{field}` is not a field that is known here"));
            }
        };
        self.has_time |= matches!(letter, 'H' | 'h');
        self.has_offset |= matches!(letter, 'Z' | 'X');
        self.strtime += field;
        Ok(())
    }

    fn read(&self, text: &str, zone: &Zone) -> Option<Moment> {
        let utc = text.strip_suffix('Z').filter(|_| self.has_offset);
        let text = utc.map_or_else(|| text.to_owned(), |text| format!("{text}+00:00"));
        let parsed: BrokenDownTime = strtime::parse(&self.strtime, &text)
            .or_else(|_| strtime::parse(self.strtime.replace("%z", "%:z"), &text))
            .ok()?;
        if self.has_offset {
            return Some(Moment::Instant(parsed.to_timestamp().ok()?.into()));
        }
        let day: Date = parsed.to_date().ok()?;
        if !self.has_time {
            return Some(Moment::Day(day));
        }
        let time = parsed.to_time().ok()?;
        Moment::checked(zone.instant_at(day, time))
    }
}

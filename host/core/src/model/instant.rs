//! Moments: milliseconds since the Unix epoch, UTC.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
///
/// Written as RFC 3339 in UTC, with milliseconds only where there are some.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// Returns the moment that many milliseconds later.
    #[must_use]
    pub fn plus_ms(self, milliseconds: i64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }

    /// Returns the moment as jiff's timestamp; out of its range, the nearest end of it.
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        })
    }
}

impl From<Timestamp> for UnixMillis {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp.as_millisecond())
    }
}

impl FromStr for UnixMillis {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<Timestamp>().map(Self::from)
    }
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.timestamp().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::UnixMillis;

    #[test]
    fn is_written_and_read_as_rfc_3339() {
        let instant: UnixMillis = "2026-03-29T03:00:00+02:00".parse().expect("an instant");
        assert_eq!(instant.to_string(), "2026-03-29T01:00:00Z");
        assert_eq!(UnixMillis(1_500).to_string(), "1970-01-01T00:00:01.5Z");
    }
}

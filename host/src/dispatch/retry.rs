//! When something is tried again, and when it is given up.

use idr_core::model::UnixMillis;

use crate::config::DispatchSettings;
use crate::connect::ConnectError;

/// An attempt in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// Why.
    pub(super) message: String,
    /// Whether trying again may help.
    pub(super) passing: bool,
    /// Whether it is certain that nothing has reached the application.
    pub(super) is_untouched: bool,
}

impl Failure {
    /// A failure that may pass by itself.
    pub(super) fn passing(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            passing: true,
            is_untouched: false,
        }
    }

    /// A failure that stays until a person does something about it.
    pub(super) fn lasting(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            passing: false,
            is_untouched: false,
        }
    }
}

impl From<&ConnectError> for Failure {
    fn from(error: &ConnectError) -> Self {
        Self {
            message: crate::tenant::spoken(error),
            passing: error.is_retryable(),
            is_untouched: false,
        }
    }
}

/// Returns when the next attempt is made behind this many; none when the effect
/// is given up.
pub(super) fn next(
    settings: &DispatchSettings,
    attempts: u32,
    failure: &Failure,
    now: UnixMillis,
) -> Option<UnixMillis> {
    if !failure.passing || attempts >= settings.attempts {
        return None;
    }
    let doubled = 1_i64
        .checked_shl(attempts.saturating_sub(1))
        .and_then(|factor| settings.retry_after_ms.checked_mul(factor));
    let after = doubled
        .filter(|ms| *ms > 0)
        .map_or(settings.retry_at_most_after_ms, |ms| {
            ms.min(settings.retry_at_most_after_ms)
        });
    Some(now.plus_ms(after))
}

#[cfg(test)]
mod tests {
    use idr_core::model::UnixMillis;

    use super::{Failure, next};
    use crate::config::DispatchSettings;

    fn after(attempts: u32) -> Option<i64> {
        let settings = DispatchSettings {
            attempts: 100,
            retry_after_ms: 60_000,
            retry_at_most_after_ms: 500_000,
            webhook_timeout_ms: 1,
        };
        let failure = Failure::passing("busy");
        next(&settings, attempts, &failure, UnixMillis(7)).map(|at| at.0 - 7)
    }

    #[test]
    fn waits_twice_as_long_each_time_and_never_too_long() {
        let waits: Vec<_> = (1..=5).filter_map(after).collect();
        assert_eq!(waits, [60_000, 120_000, 240_000, 480_000, 500_000]);
        assert_eq!(after(99), Some(500_000));
        assert_eq!(after(100), None);
    }

    #[test]
    fn what_lasts_is_given_up_at_once() {
        let failure = Failure::lasting("no");
        let settings = DispatchSettings::default();
        assert_eq!(next(&settings, 1, &failure, UnixMillis(0)), None);
    }
}

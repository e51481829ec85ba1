//! What a rule asks the host about whom it is asked about, and what it is told:
//! as data, so that it can be shown, and asked again about somebody else.

use std::fmt;

use idr_core::definitions::RuleIndex;
use idr_core::model::{AccountStatus, UnixMillis, Value};
use idr_core::view::{AccountHandle, AccountSummary, ReadError, TrackedView};
use jiff::civil::{Date, Time};

use super::kind::spoken_value;
use super::read::Read;

/// What everything that is transferred counts as besides its text.
const FIXED_BYTES: usize = 16;

/// One question of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Query {
    Read(Read),
    Reached(UnixMillis),
    DateReached { day: Date, at: Time, zone: String },
    DayOver { day: Date, zone: String },
    InstantAt { day: Date, at: Time, zone: String },
    PlusDays { day: Date, days: i32 },
    Today { zone: String },
}

/// What a rule is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Told {
    Value(Option<Value>),
    Truth(bool),
    Text(String),
    Texts(Vec<String>),
    Accounts(Vec<AccountSummary>),
    Account(Option<AccountHandle>),
    Status(AccountStatus),
    Instant(UnixMillis),
    Day(Date),
}

impl Query {
    /// Asks the view, on behalf of a rule.
    pub(super) fn ask(&self, rule: RuleIndex, view: &mut TrackedView) -> Result<Told, ReadError> {
        Ok(match self {
            Self::Read(read) => return ask_to_read(read, rule, view),
            Self::Reached(moment) => Told::Truth(view.reached(*moment)),
            Self::DateReached { day, at, zone } => Told::Truth(view.date_reached(*day, *at, zone)?),
            Self::DayOver { day, zone } => Told::Truth(view.day_over(*day, zone)?),
            Self::InstantAt { day, at, zone } => Told::Instant(view.instant_at(*day, *at, zone)?),
            Self::PlusDays { day, days } => Told::Day(view.plus_days(*day, *days)?),
            Self::Today { zone } => Told::Day(view.today(zone)?),
        })
    }
}

fn ask_to_read(read: &Read, rule: RuleIndex, view: &mut TrackedView) -> Result<Told, ReadError> {
    Ok(match read {
        Read::Attribute(name) => Told::Value(view.attribute(name)?),
        Read::ManagerAttribute(name) => Told::Value(view.manager_attribute(name)?),
        Read::Accounts(application) => Told::Accounts(view.accounts(application)?),
        Read::FirstAccount(application) => Told::Account(view.first_account(application)?),
        Read::AccountAttribute { handle, name, .. } => {
            Told::Value(view.account_attribute(*handle, name)?)
        }
        Read::Holds {
            application,
            attribute,
            value,
        } => Told::Truth(view.holds(application, attribute, value)?),
        Read::Held {
            application,
            attribute,
        } => Told::Texts(view.held(application, attribute)?),
        Read::HasAssigned(role) => Told::Truth(view.has_assigned(role)?),
        Read::HasDetected(role) => Told::Truth(view.has_detected(role)?),
        Read::BaselineExists => Told::Truth(view.baseline_exists()?),
        Read::BaselineAttribute(name) => Told::Value(view.baseline_attribute(name)?),
        Read::HadAssigned(role) => Told::Truth(view.had_assigned(role)?),
        Read::Application => Told::Text(view.shown_application()?.to_string()),
        Read::NativeIdentity => Told::Text(view.shown_native_identity()?),
        Read::Status => Told::Status(view.shown_status()?),
        Read::OwnAttribute { name, .. } => Told::Value(view.shown_attribute(name)?),
        Read::AccessIsDesired => Told::Truth(view.access_is_desired()?),
        Read::AccessHasRole(role) => Told::Truth(view.access_has_role(role)?),
        Read::AccessRoles => {
            let roles = view.access_roles()?;
            Told::Texts(roles.iter().map(ToString::to_string).collect())
        }
        Read::AccessHolds {
            application,
            attribute,
            value,
        } => Told::Truth(view.access_holds(application, attribute, value)?),
        Read::AccessHeld {
            application,
            attribute,
        } => Told::Texts(view.access_held(application, attribute)?),
        Read::Parameter(name) => {
            let parameters = &view.model().rule(rule).parameters;
            let place = parameters.binary_search_by(|(known, _)| known.as_str().cmp(name));
            Told::Value(place.ok().map(|place| parameters[place].1.clone()))
        }
    })
}

/// As people are shown it.
impl fmt::Display for Query {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(read) => read.fmt(formatter),
            Self::Reached(moment) => write!(formatter, "reached {moment}"),
            Self::DateReached { day, at, zone } => {
                write!(formatter, "date-reached {day} {at} {zone:?}")
            }
            Self::DayOver { day, zone } => write!(formatter, "day-over {day} {zone:?}"),
            Self::InstantAt { day, at, zone } => {
                write!(formatter, "instant-at {day} {at} {zone:?}")
            }
            Self::PlusDays { day, days } => write!(formatter, "plus-days {day} {days}"),
            Self::Today { zone } => write!(formatter, "today {zone:?}"),
        }
    }
}

impl Told {
    /// Returns what it counts as when it is transferred, in bytes.
    pub(super) fn transfer_bytes(&self) -> usize {
        match self {
            Self::Value(None)
            | Self::Truth(_)
            | Self::Account(_)
            | Self::Status(_)
            | Self::Instant(_)
            | Self::Day(_) => 0,
            Self::Value(Some(value)) => transfer_bytes(value),
            Self::Text(text) => text.len(),
            Self::Texts(texts) => texts.iter().map(|text| FIXED_BYTES + text.len()).sum(),
            Self::Accounts(accounts) => accounts
                .iter()
                .map(|account| FIXED_BYTES + account.native_identity.len())
                .sum(),
        }
    }

    /// Returns the value, where it is one; several texts are one as well.
    pub(super) fn into_value(self) -> Option<Value> {
        match self {
            Self::Value(value) => value,
            Self::Texts(texts) => Some(Value::many(texts)),
            _ => None,
        }
    }
}

/// As people are shown it.
impl fmt::Display for Told {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(None) => formatter.write_str("none"),
            Self::Value(Some(value)) => formatter.write_str(&spoken_value(value)),
            Self::Truth(truth) => truth.fmt(formatter),
            Self::Text(text) => formatter.write_str(text),
            Self::Texts(texts) => write!(formatter, "{texts:?}"),
            Self::Accounts(accounts) if accounts.is_empty() => formatter.write_str("none"),
            Self::Accounts(accounts) => {
                let spoken = accounts.iter().map(|account| {
                    let status = account.status.map_or("vanished", AccountStatus::as_str);
                    format!("{} ({status})", account.native_identity)
                });
                formatter.write_str(&spoken.collect::<Vec<_>>().join(", "))
            }
            Self::Account(None) => formatter.write_str("none"),
            Self::Account(Some(handle)) => handle.fmt(formatter),
            Self::Status(status) => formatter.write_str(status.as_str()),
            Self::Instant(UnixMillis(milliseconds)) => milliseconds.fmt(formatter),
            Self::Day(day) => day.fmt(formatter),
        }
    }
}

/// Returns what a value counts as when it is transferred, in bytes.
pub(super) fn transfer_bytes(value: &Value) -> usize {
    match value {
        Value::Text(text) => FIXED_BYTES + text.len(),
        Value::Decimal(decimal) => FIXED_BYTES + decimal.to_string().len(),
        Value::Many(texts) => texts.iter().map(|text| FIXED_BYTES + text.len()).sum(),
        Value::Integer(_) | Value::Boolean(_) | Value::Date(_) | Value::Instant(_) => FIXED_BYTES,
    }
}

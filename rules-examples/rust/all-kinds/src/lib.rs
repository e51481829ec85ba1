//! Every kind of rule in one component, told by parameters what to read.
//!
//! It makes no sense as a rule: its answers are drawn from what it read, so
//! that whatever is read differently is answered differently. That is good for
//! testing a host, and it shows how one component serves several kinds.
//!
//! Parameters:
//! - `reads` (list of texts): what is read, in this order
//! - `seed` (integer, default 0): two rules that read the same answer differently
//! - `gone-without` (text): an application; the lifecycle state of whoever has
//!   no account there is `gone`
//! - `tiers` (text): the application whose accounts logical accounts are made of
//! - `held` (text): an application and an attribute; its entitlements may break a
//!   policy
//!
//! | read                          | what is drawn from                              |
//! |-------------------------------|-------------------------------------------------|
//! | `attribute NAME`              | the value                                       |
//! | `both NAME NAME`              | both values, in one call                        |
//! | `manager-attribute NAME`      | the value                                       |
//! | `parameter NAME`              | the value                                       |
//! | `account APPLICATION NAME`    | status and value of each account                |
//! | `first APPLICATION NAME NAME` | both values of the first account, if there is   |
//! | `over NAME`                   | whether that day is over                        |
//! | `reached NAME HOUR`           | whether that hour of that day has come          |
//! | `passed NAME`                 | whether that moment has come                    |
//! | `at NAME HOUR`                | the moment of that hour of that day             |
//! | `plus NAME DAYS`              | the day that many days later                    |
//! | `today`                       | the day it is                                   |
//! | `holds APPLICATION NAME TEXT` | whether that entitlement is held                |
//! | `held APPLICATION NAME`       | the entitlements held                           |
//! | `assigned ROLE`               | whether the role is assigned                    |
//! | `detected ROLE`               | whether the role is detected                    |
//! | `seen`                        | whether events have seen the identity (triggers)|
//! | `baseline NAME`               | the value before (triggers)                     |
//! | `had ROLE`                    | whether the role was assigned (triggers)        |
//! | `own NAME`                    | the value (rules about a single account only)   |
//! | `status`                      | the account's status (those only)               |
//! | `native-identity`             | application and native identity (those only)    |
//! | `tier APPLICATION NAME`       | as `account` (logical accounts only)            |
//! | `desired`                     | whether what is called for is judged (policies) |
//! | `has ROLE`                    | whether the access has that role (policies)     |
//! | `roles`                       | the roles of the access (policies)              |
//! | `can APPLICATION NAME TEXT`   | whether it has that entitlement (policies)      |
//! | `granted APPLICATION NAME`    | the entitlements of the access (policies)       |
//!
//! Instead of a read there may be `info TEXT` or `warn TEXT`, which log, and
//! `declined TEXT`, `invalid TEXT`, `failed TEXT` and `throw TEXT`, which end it:
//! the last goes wrong as the language does, here with a panic.
//!
//! The attribute `echo`, of an identity or of an account, isn't drawn: its value is
//! that of the last read.

wit_bindgen::generate!({ path: "../../../wit/0.1.2", world: "all-kinds" });

mod panics;

use exports::idr::rules::account_selection::{self, Need, Selection};
use exports::idr::rules::attribute_promotion::{self, Promotion};
use exports::idr::rules::identity_creation::{self, Creation, NewIdentity};
use exports::idr::rules::logical_account::{self, Composed, Part};
use exports::idr::rules::policy::{self, Entitlement, Grant, Violation};
use exports::idr::rules::role_assignment::{self, Eligibility};
use exports::idr::rules::target_mapping::{self, Mapping, Target};
use exports::idr::rules::{
    account_correlation, after_refresh, before_refresh, identity_trigger, lifecycle_state,
    manager_correlation, value_change,
};
use idr::rules::subject::{self, AccountStatus};
use idr::rules::types::{Date, Lookup, Proposal, RuleError, TimeOfDay, Value};
use idr::rules::{access, account, baseline, entitlements, log, parameters, roles, tiers, time};

struct Rule;
export!(Rule);

/// An empty zone is the identity's own, or else the tenant's.
const THEIR_ZONE: &str = "";

impl account_correlation::Guest for Rule {
    fn correlate() -> Result<Option<Lookup>, RuleError> {
        match draw()? % 7 {
            0 => Err(declined()),
            number => Ok(lookup(number)),
        }
    }
}

impl identity_creation::Guest for Rule {
    fn create() -> Result<Creation, RuleError> {
        match draw()? % 5 {
            0 => Err(declined()),
            1 => Ok(Creation::Skip("by chance".into())),
            number => Ok(Creation::Create(NewIdentity {
                name: Some(format!("v{number}")),
                identity_type: None,
            })),
        }
    }
}

impl before_refresh::Guest for Rule {
    fn propose() -> Result<Vec<Proposal>, RuleError> {
        proposals(draw()?)
    }
}

impl after_refresh::Guest for Rule {
    fn propose() -> Result<Vec<Proposal>, RuleError> {
        proposals(draw()?)
    }
}

impl value_change::Guest for Rule {
    fn propose(
        attribute: String,
        old_value: Option<Value>,
        new_value: Option<Value>,
    ) -> Result<Vec<Proposal>, RuleError> {
        let drawn = draw()?;
        let change = [attribute, spoken(old_value), spoken(new_value)].join("/");
        proposals(stirred(drawn, &change))
    }
}

fn proposals(drawn: u64) -> Result<Vec<Proposal>, RuleError> {
    match drawn % 7 {
        0 => Err(declined()),
        1 => Ok(Vec::new()),
        2 => Ok(vec![proposal("team", None)]),
        3 => Ok(vec![proposal("department", Some(drawn))]),
        4 => Ok(vec![proposal("location", Some(drawn))]),
        _ => Ok(vec![
            proposal("team", Some(drawn)),
            proposal("location", Some(drawn + 1)),
        ]),
    }
}

fn proposal(attribute: &str, value: Option<u64>) -> Proposal {
    Proposal {
        attribute: attribute.into(),
        value: value.map(|number| Value::Text(format!("v{}", number % 4))),
    }
}

impl manager_correlation::Guest for Rule {
    fn correlate(manager: Value) -> Result<Option<Lookup>, RuleError> {
        let drawn = draw()?;
        let Value::Text(manager) = manager else {
            return Err(RuleError::Invalid("the manager is no text".into()));
        };
        match stirred(drawn, &manager) % 7 {
            0 => Err(declined()),
            number => Ok(lookup(number)),
        }
    }
}

fn lookup(drawn: u64) -> Option<Lookup> {
    let attribute = match drawn {
        1 => return None,
        2 | 3 => "location",
        _ => "title",
    };
    Some(Lookup {
        attribute: attribute.into(),
        value: format!("v{}", drawn % 4),
    })
}

impl attribute_promotion::Guest for Rule {
    fn promote(attribute: String) -> Result<Promotion, RuleError> {
        if attribute == "echo" {
            return Ok(match last_read()? {
                Some(value) => Promotion::Set(value),
                None => Promotion::Clear,
            });
        }
        match draw()? % 9 {
            0 => Ok(Promotion::Clear),
            1 => Ok(Promotion::Next),
            2 => Err(declined()),
            number => Ok(Promotion::Set(Value::Text(format!("v{}", number % 4)))),
        }
    }
}

impl lifecycle_state::Guest for Rule {
    fn state() -> Result<String, RuleError> {
        if let Some(Value::Text(application)) = parameters::parameter("gone-without") {
            let accounts = subject::accounts(&application);
            if accounts
                .iter()
                .all(|account| account.status == AccountStatus::Vanished)
            {
                return Ok("gone".into());
            }
        }
        match draw()? % 8 {
            0 => Err(declined()),
            1 => Ok("no such state".into()),
            2 => Ok("gone".into()),
            3 | 4 => Ok("leave".into()),
            _ => Ok("active".into()),
        }
    }
}

impl role_assignment::Guest for Rule {
    fn assign(candidates: Vec<String>) -> Result<Vec<Eligibility>, RuleError> {
        let drawn = draw()?;
        if drawn % 11 == 0 {
            return Err(declined());
        }
        let answers = (0..candidates.len() as u64).map(|index| match (drawn + index) % 5 {
            0 | 1 => Eligibility::Yes,
            2 => Eligibility::CannotTell("by chance".into()),
            _ => Eligibility::No,
        });
        Ok(answers.collect())
    }
}

impl identity_trigger::Guest for Rule {
    fn fires(_trigger: String) -> Result<bool, RuleError> {
        match draw()? % 5 {
            0 => Err(declined()),
            number => Ok(number % 2 == 0),
        }
    }
}

impl logical_account::Guest for Rule {
    fn compose(application: String) -> Result<Vec<Composed>, RuleError> {
        let drawn = stirred(draw()?, &application);
        let tiers = match parameters::parameter("tiers") {
            Some(Value::Text(application)) => application,
            _ => return Err(RuleError::Invalid("`tiers` is not text".into())),
        };
        let mut accounts = tiers::accounts(&tiers);
        accounts.retain(|account| account.status != AccountStatus::Vanished);
        let part = |account: &tiers::Account| Part {
            application: tiers.clone(),
            native_identity: account.native_identity.clone(),
        };
        match drawn % 7 {
            0 => Err(declined()),
            1 => Ok(Vec::new()),
            // One of all.
            2 => Ok(Vec::from_iter(accounts.first().map(|first| Composed {
                native_identity: format!("v{}", drawn % 4),
                status: first.status,
                attributes: Vec::new(),
                parts: accounts.iter().map(part).collect(),
            }))),
            // One of each.
            _ => Ok((drawn..)
                .zip(&accounts)
                .map(|(number, account)| Composed {
                    native_identity: account.native_identity.clone(),
                    status: account.status,
                    attributes: vec![logical_account::Attribute {
                        name: "level".into(),
                        value: Value::Text(format!("v{}", number % 4)),
                    }],
                    parts: vec![part(account)],
                })
                .collect()),
        }
    }
}

impl policy::Guest for Rule {
    fn judge(policy: String) -> Result<Vec<Violation>, RuleError> {
        let drawn = stirred(draw()?, &policy);
        match drawn % 7 {
            0 => Err(declined()),
            1 | 2 => Ok(Vec::new()),
            // One by all roles.
            3 => {
                let grants: Vec<Grant> = access::roles().into_iter().map(Grant::Role).collect();
                Ok(violation("by chance".into(), grants).into_iter().collect())
            }
            // One by all entitlements.
            4 => Ok(violation("by chance".into(), granted()?)
                .into_iter()
                .collect()),
            // One by each role.
            _ => Ok((drawn..)
                .zip(access::roles())
                .filter_map(|(number, role)| {
                    violation(format!("v{}", number % 4), vec![Grant::Role(role)])
                })
                .collect()),
        }
    }
}

/// Returns a violation, if anything breaks the policy.
fn violation(description: String, grants: Vec<Grant>) -> Option<Violation> {
    (!grants.is_empty()).then_some(Violation {
        description,
        grants,
    })
}

/// Returns the entitlements of the access that `held` names.
fn granted() -> Result<Vec<Grant>, RuleError> {
    let held = match parameters::parameter("held") {
        None => return Ok(Vec::new()),
        Some(Value::Text(held)) => held,
        Some(_) => return Err(RuleError::Invalid("`held` is not text".into())),
    };
    let (application, attribute) = held.split_once(' ').unwrap_or((&held, ""));
    let grants = access::held(application, attribute)
        .into_iter()
        .map(|value| {
            Grant::Entitlement(Entitlement {
                application: application.into(),
                attribute: attribute.into(),
                value,
            })
        });
    Ok(grants.collect())
}

impl account_selection::Guest for Rule {
    fn select(need: Need) -> Result<Selection, RuleError> {
        let asked = format!("{}/{}", need.application, need.role.unwrap_or_default());
        let drawn = stirred(draw()?, &asked);
        match drawn % 5 {
            0 => Err(declined()),
            1 => Ok(Selection::Ask),
            2 if need.may_create => Ok(Selection::NewAccount),
            _ if need.candidates.is_empty() => Ok(Selection::Ask),
            _ => {
                let index = (drawn % need.candidates.len() as u64) as usize;
                let account = &need.candidates[index];
                Ok(Selection::Existing(account.native_identity.clone()))
            }
        }
    }
}

impl target_mapping::Guest for Rule {
    fn map_target(target: Target) -> Result<Mapping, RuleError> {
        if target.attribute == "echo" {
            return Ok(last_read()?.map_or(Mapping::Clear, Mapping::Set));
        }
        let native_identity = target.native_identity.unwrap_or_default();
        let asked = [target.application, target.attribute, native_identity].join("/");
        let drawn = stirred(draw()?, &asked);
        match drawn % 7 {
            0 => Err(declined()),
            1 => Ok(Mapping::Clear),
            2 => Ok(Mapping::Leave),
            _ => Ok(Mapping::Set(Value::Text(format!("v{}", drawn % 4)))),
        }
    }
}

fn declined() -> RuleError {
    RuleError::Declined("by chance".into())
}

/// Reads what the parameters say, and draws a number from what that gives.
fn draw() -> Result<u64, RuleError> {
    let seed = match parameters::parameter("seed") {
        None => 0,
        Some(Value::Integer(seed)) => seed as u64,
        Some(_) => return Err(RuleError::Invalid("`seed` is not an integer".into())),
    };
    let mut drawn = Drawn(seed);
    for read in reads()? {
        drawn.text(&spoken(read_one(&read)?));
    }
    Ok(drawn.0 >> 7)
}

/// Stirs a text into a number.
fn stirred(mut drawn: u64, text: &str) -> u64 {
    for byte in text.bytes() {
        drawn = drawn.wrapping_mul(31).wrapping_add(u64::from(byte));
    }
    drawn
}

fn last_read() -> Result<Option<Value>, RuleError> {
    let mut last = None;
    for read in reads()? {
        last = read_one(&read)?;
    }
    Ok(last)
}

fn reads() -> Result<Vec<String>, RuleError> {
    match parameters::parameter("reads") {
        Some(Value::Many(reads)) => Ok(reads),
        _ => Err(RuleError::Invalid("`reads` is not a list of texts".into())),
    }
}

fn read_one(read: &str) -> Result<Option<Value>, RuleError> {
    let (what, rest) = read.split_once(' ').unwrap_or((read, ""));
    match what {
        "info" => log::info(rest),
        "warn" => log::warn(rest),
        "declined" => return Err(RuleError::Declined(rest.into())),
        "invalid" => return Err(RuleError::Invalid(rest.into())),
        "failed" => return Err(RuleError::Failed(rest.into())),
        "throw" => panic!("{rest}"),
        _ => return read_value(read),
    }
    Ok(None)
}

fn read_value(read: &str) -> Result<Option<Value>, RuleError> {
    let words: Vec<&str> = read.split(' ').collect();
    Ok(match words.as_slice() {
        ["attribute", name] => subject::attribute(name),
        ["both", one, other] => {
            let names = [(*one).to_owned(), (*other).to_owned()];
            Some(Value::Text(all(subject::attributes(&names))))
        }
        ["manager-attribute", name] => subject::manager_attribute(name),
        ["parameter", name] => parameters::parameter(name),
        ["account", application, name] => Some(Value::Text(accounts(application, name))),
        ["first", application, one, other] => subject::first_account(application).map(|handle| {
            let names = [(*one).to_owned(), (*other).to_owned()];
            Value::Text(all(subject::account_attributes(handle, &names)))
        }),
        ["over", name] => day(name)?.map(|day| Value::Boolean(time::day_over(day, THEIR_ZONE))),
        ["reached", name, hour] => match day(name)? {
            Some(day) => Some(Value::Boolean(time::date_reached(
                day,
                o_clock(hour)?,
                THEIR_ZONE,
            ))),
            None => None,
        },
        ["passed", name] => match subject::attribute(name) {
            None => None,
            Some(Value::Instant(moment)) => Some(Value::Boolean(time::reached(moment))),
            Some(_) => return Err(RuleError::Invalid(format!("`{name}` is not an instant"))),
        },
        ["at", name, hour] => match day(name)? {
            Some(day) => Some(Value::Instant(time::instant_at(
                day,
                o_clock(hour)?,
                THEIR_ZONE,
            ))),
            None => None,
        },
        ["plus", name, days] => match (day(name)?, days.parse()) {
            (_, Err(_)) => return Err(RuleError::Invalid(format!("`{days}` is not a number"))),
            (day, Ok(days)) => day.map(|day| Value::Date(time::plus_days(day, days))),
        },
        ["today"] => Some(Value::Date(time::today(THEIR_ZONE))),
        ["holds", application, name, text] => {
            Some(Value::Boolean(entitlements::holds(application, name, text)))
        }
        ["held", application, name] => Some(Value::Many(entitlements::held(application, name))),
        ["assigned", role] => Some(Value::Boolean(roles::has_assigned(role))),
        ["detected", role] => Some(Value::Boolean(roles::has_detected(role))),
        ["seen"] => Some(Value::Boolean(baseline::exists())),
        ["baseline", name] => baseline::attribute(name),
        ["had", role] => Some(Value::Boolean(baseline::had_assigned(role))),
        ["own", name] => account::attribute(name),
        ["status"] => Some(Value::Text(status(account::status()).into())),
        ["native-identity"] => Some(Value::Text(format!(
            "{} {}",
            account::application(),
            account::native_identity()
        ))),
        ["tier", application, name] => Some(Value::Text(tiers(application, name))),
        ["desired"] => Some(Value::Boolean(access::is_desired())),
        ["has", role] => Some(Value::Boolean(access::has_role(role))),
        ["roles"] => Some(Value::Many(access::roles())),
        ["can", application, name, text] => {
            Some(Value::Boolean(access::holds(application, name, text)))
        }
        ["granted", application, name] => Some(Value::Many(access::held(application, name))),
        _ => return Err(RuleError::Invalid(format!("`{read}` is no read"))),
    })
}

/// Tells the status and a value of each account.
fn accounts(application: &str, name: &str) -> String {
    let mut told = String::new();
    for account in subject::accounts(application) {
        told += status(account.status);
        told += &spoken(subject::account_attribute(account.handle, name));
    }
    told
}

/// Tells values one after the other.
fn all(values: Vec<Option<Value>>) -> String {
    values.into_iter().map(spoken).collect()
}

fn tiers(application: &str, name: &str) -> String {
    let mut told = String::new();
    for account in tiers::accounts(application) {
        told += status(account.status);
        told += &spoken(tiers::attribute(account.handle, name));
    }
    told
}

fn day(name: &str) -> Result<Option<Date>, RuleError> {
    match subject::attribute(name) {
        None => Ok(None),
        Some(Value::Date(day)) => Ok(Some(day)),
        Some(_) => Err(RuleError::Invalid(format!("`{name}` is not a date"))),
    }
}

fn o_clock(hour: &str) -> Result<TimeOfDay, RuleError> {
    match hour.parse() {
        Ok(hour @ 0..=23) => Ok(TimeOfDay {
            hour,
            minute: 0,
            second: 0,
        }),
        _ => Err(RuleError::Invalid(format!("`{hour}` is not an hour"))),
    }
}

fn status(status: AccountStatus) -> &'static str {
    match status {
        AccountStatus::Enabled => "enabled",
        AccountStatus::Disabled => "disabled",
        AccountStatus::Locked => "locked",
        AccountStatus::Vanished => "vanished",
    }
}

/// What has been read so far, mixed into a number: FNV-1a over the texts.
struct Drawn(u64);

impl Drawn {
    fn text(&mut self, text: &str) {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

fn spoken(value: Option<Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::Text(text) | Value::Decimal(text)) => text,
        Some(Value::Integer(number) | Value::Instant(number)) => number.to_string(),
        Some(Value::Boolean(truth)) => yes_or_no(truth).into(),
        Some(Value::Date(day)) => format!("{:04}-{:02}-{:02}", day.year, day.month, day.day),
        Some(Value::Many(texts)) => texts.join(", "),
    }
}

fn yes_or_no(truth: bool) -> &'static str {
    if truth { "yes" } else { "no" }
}

//! A file of cases: TOML, read and checked.
//!
//! What the cases of a file share stands under `[defaults]`; an entry of a
//! case's own replaces it.

use std::collections::BTreeMap;
use std::fmt;

use idr_core::definitions::RuleLimits;
use idr_core::model::{AccountStatus, Text, UnixMillis, Value};
use idr_core::rule::{
    AccountNeed, Creation, Eligibility, Lookup, Promotion, Proposal, Target, ValueChange,
};
use idr_core::time::Zone;
use jiff::civil::{Date, Time};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use toml::value::Datetime;

use super::super::kind::{Answer, Question, RuleKind};
use super::consequences::{
    AccessSetting, OwnedNeed, OwnedTarget, RawAccess, RawNeed, RawTarget, expected_breaches,
    expected_composed, expected_mapping, expected_selection, in_order,
};

/// One case, checked.
#[derive(Clone, Debug)]
pub struct Case {
    /// What is shown by it.
    pub name: String,
    /// What the rule finds when it reads.
    pub setting: Setting,
    /// What should come out.
    pub expectation: Expectation,
    pub(super) question: OwnedQuestion,
}

impl Case {
    /// Returns what the rule is asked.
    pub fn question(&self) -> Question<'_> {
        self.question.as_question()
    }
}

#[derive(Clone, Debug)]
pub(super) enum OwnedQuestion {
    CorrelateAccount,
    CreateIdentity,
    CorrelateManager(Value),
    BeforeRefresh,
    AfterRefresh,
    ValueChange(OwnedChange),
    Promote(String),
    State,
    Assign(Vec<String>),
    Fires(String),
    Compose(String),
    Judge(String),
    SelectAccount(OwnedNeed),
    MapTarget(OwnedTarget),
}

/// How an attribute has changed.
#[derive(Clone, Debug)]
pub(super) struct OwnedChange {
    pub(super) attribute: String,
    pub(super) old: Option<Value>,
    pub(super) new: Option<Value>,
}

/// What the rule finds when it reads.
#[derive(Clone, Debug)]
pub struct Setting {
    pub(super) as_of: UnixMillis,
    pub(super) zone: Zone,
    pub(super) end_of_day: Option<Time>,
    pub(super) attributes: BTreeMap<String, Value>,
    pub(super) manager_attributes: Option<BTreeMap<String, Value>>,
    pub(super) accounts: Vec<AccountSetting>,
    /// The account that a rule about a single account is asked about.
    pub(super) account: Option<AccountSetting>,
    pub(super) assigned: Vec<String>,
    pub(super) detected: Vec<String>,
    pub(super) baseline: Option<BaselineSetting>,
    /// What a policy judges.
    pub(super) access: AccessSetting,
    pub(super) parameters: BTreeMap<String, Value>,
    pub(super) limits: RuleLimits,
}

#[derive(Clone, Debug)]
pub(super) struct AccountSetting {
    pub(super) application: String,
    pub(super) native_identity: String,
    /// None when it has vanished.
    pub(super) status: Option<AccountStatus>,
    pub(super) attributes: BTreeMap<String, Value>,
}

#[derive(Clone, Debug)]
pub(super) struct BaselineSetting {
    pub(super) attributes: BTreeMap<String, Value>,
    pub(super) assigned: Vec<String>,
}

/// What should come out of a case.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// The answer, or a part of the error's text.
    pub outcome: Result<Answer, String>,
    /// When the identity should be refreshed again, if the case says so.
    pub wakes: Option<Wakes>,
    /// What should be read, each once, in order, if the case says so.
    pub reads: Option<Vec<String>>,
    /// The most fuel that a fresh instance may use, if the case says so.
    pub fuel: Option<u64>,
}

/// When an identity should be refreshed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wakes {
    /// Not because of time.
    Never,
    /// At that moment.
    At(UnixMillis),
}

impl fmt::Display for Wakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => formatter.write_str("never"),
            Self::At(moment) => moment.fmt(formatter),
        }
    }
}

/// A file of cases isn't right.
#[derive(Debug, Error)]
pub enum CaseError {
    /// It isn't TOML of the right shape.
    #[error(transparent)]
    Shape(#[from] toml::de::Error),
    /// It is of another version.
    #[error("version {0} isn't known, only version 1")]
    Version(u32),
    /// An entry of a case makes no sense.
    #[error("case `{case}`: {problem}")]
    Entry {
        /// The case's name, or `defaults`.
        case: String,
        /// What is wrong.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    version: u32,
    #[serde(default)]
    defaults: RawCase,
    #[serde(default)]
    case: Vec<RawCase>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCase {
    pub(super) name: Option<String>,
    pub(super) as_of: Option<Datetime>,
    pub(super) zone: Option<String>,
    pub(super) end_of_day: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) attribute: Option<String>,
    pub(super) candidates: Option<Vec<String>>,
    pub(super) trigger: Option<String>,
    pub(super) manager: Option<toml::Value>,
    pub(super) changed: Option<RawChange>,
    pub(super) logical: Option<String>,
    pub(super) policy: Option<String>,
    pub(super) need: Option<RawNeed>,
    pub(super) target: Option<RawTarget>,
    pub(super) access: Option<RawAccess>,
    pub(super) account: Option<RawAccount>,
    pub(super) attributes: Option<RawValues>,
    pub(super) manager_attributes: Option<RawValues>,
    pub(super) accounts: Option<Vec<RawAccount>>,
    pub(super) assigned: Option<Vec<String>>,
    pub(super) detected: Option<Vec<String>>,
    pub(super) baseline: Option<RawBaseline>,
    pub(super) parameters: Option<RawValues>,
    pub(super) limits: Option<RawLimits>,
    pub(super) expect: Option<toml::Value>,
    pub(super) error: Option<String>,
    pub(super) wakes_at: Option<toml::Value>,
    pub(super) reads: Option<Vec<String>>,
    pub(super) fuel: Option<u64>,
}

pub(super) type RawValues = BTreeMap<String, toml::Value>;

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAccount {
    pub(super) application: String,
    pub(super) native_identity: String,
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) attributes: RawValues,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawChange {
    pub(super) attribute: String,
    pub(super) old: Option<toml::Value>,
    pub(super) new: Option<toml::Value>,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBaseline {
    #[serde(default)]
    pub(super) attributes: RawValues,
    #[serde(default)]
    pub(super) assigned: Vec<String>,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLimits {
    pub(super) fuel: Option<u64>,
    pub(super) time_ms: Option<u64>,
    pub(super) memory_bytes: Option<usize>,
    pub(super) transfer_bytes: Option<usize>,
    pub(super) output_bytes: Option<usize>,
    pub(super) log_lines: Option<usize>,
}

/// Reads a file of cases.
///
/// # Errors
///
/// [`CaseError`], the first one found.
pub fn parse(text: &str) -> Result<Vec<Case>, CaseError> {
    let file: RawFile = toml::from_str(text)?;
    if file.version != 1 {
        return Err(CaseError::Version(file.version));
    }
    let mut cases = Vec::new();
    for (index, case) in file.case.into_iter().enumerate() {
        let case = case.over(&file.defaults);
        let name = case
            .name
            .clone()
            .unwrap_or_else(|| format!("number {}", index + 1));
        let checked = case.check(&name);
        cases.push(checked.map_err(|problem| CaseError::Entry {
            case: name,
            problem,
        })?);
    }
    Ok(cases)
}

impl RawCase {
    /// Fills in what the case leaves open. What is asked and what is expected
    /// come in groups of which a case has one entry.
    fn over(self, defaults: &Self) -> Self {
        let defaults = defaults.clone();
        let asks = self.kind.is_some()
            || self.attribute.is_some()
            || self.candidates.is_some()
            || self.trigger.is_some()
            || self.manager.is_some()
            || self.changed.is_some()
            || self.logical.is_some()
            || self.policy.is_some()
            || self.need.is_some()
            || self.target.is_some();
        let expects = self.expect.is_some() || self.error.is_some();
        let unless = |given: bool, default: Self| if given { Self::default() } else { default };
        let asked = unless(asks, defaults.clone());
        let expected = unless(expects, defaults.clone());
        Self {
            name: self.name,
            as_of: self.as_of.or(defaults.as_of),
            zone: self.zone.or(defaults.zone),
            end_of_day: self.end_of_day.or(defaults.end_of_day),
            kind: self.kind.or(asked.kind),
            attribute: self.attribute.or(asked.attribute),
            candidates: self.candidates.or(asked.candidates),
            trigger: self.trigger.or(asked.trigger),
            manager: self.manager.or(asked.manager),
            changed: self.changed.or(asked.changed),
            logical: self.logical.or(asked.logical),
            policy: self.policy.or(asked.policy),
            need: self.need.or(asked.need),
            target: self.target.or(asked.target),
            access: self.access.or(defaults.access),
            account: self.account.or(defaults.account),
            attributes: self.attributes.or(defaults.attributes),
            manager_attributes: self.manager_attributes.or(defaults.manager_attributes),
            accounts: self.accounts.or(defaults.accounts),
            assigned: self.assigned.or(defaults.assigned),
            detected: self.detected.or(defaults.detected),
            baseline: self.baseline.or(defaults.baseline),
            parameters: self.parameters.or(defaults.parameters),
            limits: self.limits.or(defaults.limits),
            expect: self.expect.or(expected.expect),
            error: self.error.or(expected.error),
            wakes_at: self.wakes_at.or(defaults.wakes_at),
            reads: self.reads.or(defaults.reads),
            fuel: self.fuel.or(defaults.fuel),
        }
    }

    fn check(mut self, name: &str) -> Result<Case, String> {
        let mut accounts = self
            .accounts
            .take()
            .unwrap_or_default()
            .into_iter()
            .map(RawAccount::check)
            .collect::<Result<Vec<_>, _>>()?;
        in_order(&mut accounts);
        let question = self.take_question(&accounts)?;
        let kind = question.kind();
        if kind.is_about_an_account() && self.account.is_none() {
            return Err(format!("{kind} is asked about an `account`"));
        }
        let outcome = match (self.expect, self.error) {
            (Some(expected), None) => Ok(expected_answer(kind, &expected)?),
            (None, Some(error)) => Err(error),
            _ => return Err("one of `expect` and `error` is needed".into()),
        };
        let zone = self.zone.as_deref().unwrap_or("UTC");
        let limits = self
            .limits
            .map_or_else(RuleLimits::default, RawLimits::check);
        let mut attributes = values(self.attributes.unwrap_or_default())?;
        if let OwnedQuestion::ValueChange(OwnedChange {
            attribute,
            new: Some(new),
            ..
        }) = &question
        {
            let present = attributes.entry(attribute.clone());
            present.or_insert_with(|| new.clone());
        }
        let setting = Setting {
            as_of: instant(&self.as_of.ok_or("`as_of` is missing")?)?,
            zone: Zone::named(zone).ok_or_else(|| format!("there is no time zone `{zone}`"))?,
            end_of_day: self
                .end_of_day
                .as_deref()
                .map(end_of_day)
                .transpose()?
                .flatten(),
            attributes,
            manager_attributes: self.manager_attributes.map(values).transpose()?,
            accounts,
            account: self.account.map(RawAccount::check).transpose()?,
            assigned: self.assigned.unwrap_or_default(),
            detected: self.detected.unwrap_or_default(),
            baseline: self.baseline.map(RawBaseline::check).transpose()?,
            access: self.access.map(RawAccess::check).unwrap_or_default(),
            parameters: values(self.parameters.unwrap_or_default())?,
            limits,
        };
        let expectation = Expectation {
            outcome,
            wakes: self.wakes_at.as_ref().map(wakes).transpose()?,
            reads: self.reads,
            fuel: self.fuel,
        };
        Ok(Case {
            name: name.to_owned(),
            setting,
            expectation,
            question,
        })
    }
}

impl RawCase {
    /// Works out what a case asks: the entry that goes with the question says
    /// so, and `kind` where there is none.
    fn take_question(&mut self, accounts: &[AccountSetting]) -> Result<OwnedQuestion, String> {
        let mut asked = Vec::new();
        asked.extend(self.attribute.take().map(OwnedQuestion::Promote));
        asked.extend(self.candidates.take().map(OwnedQuestion::Assign));
        asked.extend(self.trigger.take().map(OwnedQuestion::Fires));
        asked.extend(self.logical.take().map(OwnedQuestion::Compose));
        asked.extend(self.policy.take().map(OwnedQuestion::Judge));
        if let Some(raw) = self.manager.take() {
            let named = value(&raw)?.normalised().ok_or("`manager` is empty")?;
            asked.push(OwnedQuestion::CorrelateManager(named));
        }
        if let Some(raw) = self.changed.take() {
            asked.push(OwnedQuestion::ValueChange(raw.check()?));
        }
        if let Some(raw) = self.need.take() {
            asked.push(OwnedQuestion::SelectAccount(raw.check(accounts)?));
        }
        let target = self.target.take();
        asked.extend(target.map(|raw| OwnedQuestion::MapTarget(raw.check())));
        asked.extend(question_of_kind(self.kind.as_deref())?);
        let question = asked.pop().unwrap_or(OwnedQuestion::State);
        if !asked.is_empty() {
            return Err(
                "only one of `attribute`, `candidates`, `changed`, `kind`, `logical`, `manager`, \
                 `need`, `policy`, `target`, `trigger` is asked"
                    .into(),
            );
        }
        Ok(question)
    }
}

/// Returns the question that a kind is asked without any entry of its own.
fn question_of_kind(kind: Option<&str>) -> Result<Option<OwnedQuestion>, String> {
    let Some(word) = kind else {
        return Ok(None);
    };
    Ok(Some(match RuleKind::named(word) {
        Some(RuleKind::AccountCorrelation) => OwnedQuestion::CorrelateAccount,
        Some(RuleKind::IdentityCreation) => OwnedQuestion::CreateIdentity,
        Some(RuleKind::BeforeRefresh) => OwnedQuestion::BeforeRefresh,
        Some(RuleKind::AfterRefresh) => OwnedQuestion::AfterRefresh,
        Some(RuleKind::LifecycleState) => OwnedQuestion::State,
        Some(_) => {
            return Err(format!(
                "`kind = \"{word}\"` is said by the entry that it is asked with"
            ));
        }
        None => return Err(format!("`{word}` is no kind of rule")),
    }))
}

impl OwnedQuestion {
    pub(super) fn of(question: Question<'_>) -> Self {
        match question {
            Question::CorrelateAccount => Self::CorrelateAccount,
            Question::CreateIdentity => Self::CreateIdentity,
            Question::CorrelateManager(named) => Self::CorrelateManager(named.clone()),
            Question::BeforeRefresh => Self::BeforeRefresh,
            Question::AfterRefresh => Self::AfterRefresh,
            Question::ValueChange(change) => Self::ValueChange(OwnedChange {
                attribute: change.attribute.to_owned(),
                old: change.old.cloned(),
                new: change.new.cloned(),
            }),
            Question::Promote(attribute) => Self::Promote(attribute.to_owned()),
            Question::State => Self::State,
            Question::Assign(candidates) => Self::Assign(candidates.to_vec()),
            Question::Fires(trigger) => Self::Fires(trigger.to_owned()),
            Question::Compose(application) => Self::Compose(application.to_owned()),
            Question::Judge(policy) => Self::Judge(policy.to_owned()),
            Question::SelectAccount(need) => Self::SelectAccount(OwnedNeed {
                application: need.application.to_owned(),
                role: need.role.map(str::to_owned),
                candidates: need.candidates.to_vec(),
                may_create: need.may_create,
            }),
            Question::MapTarget(target) => Self::MapTarget(OwnedTarget {
                application: target.application.to_owned(),
                attribute: target.attribute.to_owned(),
                native_identity: target.native_identity.map(str::to_owned),
            }),
        }
    }

    fn kind(&self) -> RuleKind {
        self.as_question().kind()
    }

    fn as_question(&self) -> Question<'_> {
        match self {
            Self::CorrelateAccount => Question::CorrelateAccount,
            Self::CreateIdentity => Question::CreateIdentity,
            Self::CorrelateManager(named) => Question::CorrelateManager(named),
            Self::BeforeRefresh => Question::BeforeRefresh,
            Self::AfterRefresh => Question::AfterRefresh,
            Self::ValueChange(change) => Question::ValueChange(ValueChange {
                attribute: &change.attribute,
                old: change.old.as_ref(),
                new: change.new.as_ref(),
            }),
            Self::Promote(attribute) => Question::Promote(attribute),
            Self::State => Question::State,
            Self::Assign(candidates) => Question::Assign(candidates),
            Self::Fires(trigger) => Question::Fires(trigger),
            Self::Compose(application) => Question::Compose(application),
            Self::Judge(policy) => Question::Judge(policy),
            Self::SelectAccount(need) => Question::SelectAccount(AccountNeed {
                application: &need.application,
                role: need.role.as_deref(),
                candidates: &need.candidates,
                may_create: need.may_create,
            }),
            Self::MapTarget(target) => Question::MapTarget(Target {
                application: &target.application,
                attribute: &target.attribute,
                native_identity: target.native_identity.as_deref(),
            }),
        }
    }
}

impl RawChange {
    fn check(self) -> Result<OwnedChange, String> {
        let said = |raw: Option<toml::Value>| match raw {
            Some(raw) => value(&raw).map(Value::normalised),
            None => Ok(None),
        };
        let (old, new) = (said(self.old)?, said(self.new)?);
        if old == new {
            return Err("`changed` says that `old` and `new` are the same".into());
        }
        Ok(OwnedChange {
            attribute: self.attribute,
            old,
            new,
        })
    }
}

impl RawLimits {
    fn check(self) -> RuleLimits {
        let usual = RuleLimits::default();
        RuleLimits {
            fuel: self.fuel.unwrap_or(usual.fuel),
            time_ms: self.time_ms.unwrap_or(usual.time_ms),
            memory_bytes: self.memory_bytes.unwrap_or(usual.memory_bytes),
            transfer_bytes: self.transfer_bytes.unwrap_or(usual.transfer_bytes),
            output_bytes: self.output_bytes.unwrap_or(usual.output_bytes),
            log_lines: self.log_lines.unwrap_or(usual.log_lines),
            // A case is one evaluation.
            log_lines_per_run: usual.log_lines_per_run,
        }
    }
}

impl RawAccount {
    fn check(self) -> Result<AccountSetting, String> {
        let status = match self.status.as_deref().unwrap_or("enabled") {
            "enabled" => Some(AccountStatus::Enabled),
            "disabled" => Some(AccountStatus::Disabled),
            "locked" => Some(AccountStatus::Locked),
            "vanished" => None,
            other => {
                return Err(format!(
                    "`{other}` is no status: it is enabled, disabled, locked or vanished"
                ));
            }
        };
        Ok(AccountSetting {
            application: self.application,
            native_identity: self.native_identity,
            status,
            attributes: values(self.attributes)?,
        })
    }
}

impl RawBaseline {
    fn check(self) -> Result<BaselineSetting, String> {
        Ok(BaselineSetting {
            attributes: values(self.attributes)?,
            assigned: self.assigned,
        })
    }
}

/// Reads values; empty ones are absent, as everywhere.
pub(super) fn values(raw: RawValues) -> Result<BTreeMap<String, Value>, String> {
    let mut values = BTreeMap::new();
    for (name, raw) in raw {
        let value = value(&raw).map_err(|problem| format!("`{name}`: {problem}"))?;
        if let Some(value) = value.normalised() {
            values.insert(name, value);
        }
    }
    Ok(values)
}

/// Reads a value: TOML has a form of its own for each type but decimals, which
/// may be written `{ decimal = "12.50" }` where the digits matter.
pub(super) fn value(raw: &toml::Value) -> Result<Value, String> {
    let no_value = || format!("`{raw}` is no value of an attribute");
    Ok(match raw {
        toml::Value::String(text) => Value::text(text),
        toml::Value::Integer(integer) => Value::Integer(*integer),
        toml::Value::Float(float) => decimal(&float.to_string())?,
        toml::Value::Boolean(boolean) => Value::Boolean(*boolean),
        toml::Value::Datetime(datetime) if datetime.time.is_none() => Value::Date(
            datetime
                .to_string()
                .parse::<Date>()
                .map_err(|_| no_value())?,
        ),
        toml::Value::Datetime(datetime) => Value::Instant(instant(datetime)?),
        toml::Value::Array(items) => {
            let texts = items.iter().map(|item| item.as_str().map(Text::from));
            Value::Many(texts.collect::<Option<_>>().ok_or_else(no_value)?)
        }
        toml::Value::Table(table) => match table.get("decimal").and_then(toml::Value::as_str) {
            Some(text) if table.len() == 1 => decimal(text)?,
            _ => return Err(no_value()),
        },
    })
}

fn decimal(text: &str) -> Result<Value, String> {
    let parsed = Decimal::from_str_exact(text);
    parsed
        .map(Value::Decimal)
        .map_err(|_| format!("`{text}` is no decimal number"))
}

fn instant(datetime: &Datetime) -> Result<UnixMillis, String> {
    datetime.to_string().parse().map_err(|_| {
        format!("`{datetime}` is no instant: write one with an offset, as 2026-03-31T17:00:00Z")
    })
}

/// Reads `18:00`; `24:00` is the usual end.
fn end_of_day(text: &str) -> Result<Option<Time>, String> {
    if text == "24:00" {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|_| format!("`{text}` is no time such as 18:00"))
}

fn wakes(raw: &toml::Value) -> Result<Wakes, String> {
    match raw {
        toml::Value::String(word) if word == "never" => Ok(Wakes::Never),
        toml::Value::Datetime(datetime) => Ok(Wakes::At(instant(datetime)?)),
        other => Err(format!(
            "`wakes_at` is an instant or \"never\", not `{other}`"
        )),
    }
}

fn expected_answer(kind: RuleKind, raw: &toml::Value) -> Result<Answer, String> {
    let answer = match kind {
        RuleKind::AccountCorrelation | RuleKind::ManagerCorrelation => {
            expected_lookup(raw).map(Answer::Lookup)
        }
        RuleKind::IdentityCreation => expected_creation(raw).map(Answer::Creation),
        RuleKind::BeforeRefresh | RuleKind::ValueChange | RuleKind::AfterRefresh => {
            expected_proposals(raw)?.map(Answer::Proposals)
        }
        RuleKind::AttributePromotion => expected_promotion(raw)?.map(Answer::Promotion),
        RuleKind::LifecycleState => raw.as_str().map(|state| Answer::State(state.to_owned())),
        RuleKind::RoleAssignment => raw
            .as_array()
            .and_then(|answers| answers.iter().map(expected_eligibility).collect())
            .map(Answer::Eligibilities),
        RuleKind::IdentityTrigger => raw.as_bool().map(Answer::Fires),
        RuleKind::LogicalAccount => expected_composed(raw)?.map(Answer::Composed),
        RuleKind::Policy => expected_breaches(raw).map(Answer::Breaches),
        RuleKind::AccountSelection => expected_selection(raw).map(Answer::Selection),
        RuleKind::TargetMapping => expected_mapping(raw)?.map(Answer::Mapping),
    };
    answer.ok_or_else(|| {
        let form = match kind {
            RuleKind::AccountCorrelation | RuleKind::ManagerCorrelation => {
                "{ attribute = NAME, value = TEXT } or \"nobody\""
            }
            RuleKind::IdentityCreation => {
                "{ create = { name = NAME, type = WORD } } or { skip = \"WHY\" }"
            }
            RuleKind::BeforeRefresh | RuleKind::ValueChange | RuleKind::AfterRefresh => {
                "a list of { attribute = NAME, value = VALUE }, without `value` for none"
            }
            RuleKind::AttributePromotion => "{ set = VALUE }, \"clear\" or \"next\"",
            RuleKind::LifecycleState => "the name of a state",
            RuleKind::RoleAssignment => "a list of \"yes\", \"no\" and { cannot-tell = \"WHY\" }",
            RuleKind::IdentityTrigger => "true or false",
            RuleKind::LogicalAccount => {
                "a list of { native_identity = TEXT, status = WORD, attributes = { NAME = VALUE }, \
                 parts = [{ application = NAME, native_identity = TEXT }] }"
            }
            RuleKind::Policy => {
                "a list of { description = TEXT, grants = [...] }, each grant { role = NAME } or \
                 { application = NAME, attribute = NAME, value = TEXT }"
            }
            RuleKind::AccountSelection => {
                "{ existing = NATIVE_IDENTITY }, \"new-account\" or \"ask\""
            }
            RuleKind::TargetMapping => "{ set = VALUE }, \"clear\" or \"leave\"",
        };
        format!("`expect` is {form}, not `{raw}`")
    })
}

fn expected_lookup(raw: &toml::Value) -> Option<Option<Lookup>> {
    match raw {
        toml::Value::String(word) if word == "nobody" => Some(None),
        toml::Value::Table(table) if table.len() == 2 => {
            let text = |key: &str| Some(table.get(key)?.as_str()?.to_owned());
            Some(Some(Lookup {
                attribute: text("attribute")?,
                value: text("value")?,
            }))
        }
        _ => None,
    }
}

fn expected_creation(raw: &toml::Value) -> Option<Creation> {
    let table = raw.as_table().filter(|table| table.len() == 1)?;
    if let Some(why) = table.get("skip") {
        return Some(Creation::Skip(why.as_str()?.to_owned()));
    }
    let proposal = table.get("create")?.as_table()?;
    let known = |key: &String| matches!(key.as_str(), "name" | "type");
    let are_texts = proposal.values().all(toml::Value::is_str);
    let text = |key: &str| Some(proposal.get(key)?.as_str()?.to_owned());
    (proposal.keys().all(known) && are_texts).then(|| Creation::Create {
        name: text("name"),
        identity_type: text("type"),
    })
}

fn expected_proposals(raw: &toml::Value) -> Result<Option<Vec<Proposal>>, String> {
    let mut proposals = Vec::new();
    for raw in raw.as_array().into_iter().flatten() {
        let Some(table) = raw.as_table() else {
            return Ok(None);
        };
        let attribute = table.get("attribute").and_then(toml::Value::as_str);
        let known = |key: &String| matches!(key.as_str(), "attribute" | "value");
        let (Some(attribute), true) = (attribute, table.keys().all(known)) else {
            return Ok(None);
        };
        let value = table.get("value").map(value).transpose()?;
        proposals.push(Proposal {
            attribute: attribute.to_owned(),
            value: value.and_then(Value::normalised),
        });
    }
    Ok(raw.is_array().then_some(proposals))
}

fn expected_promotion(raw: &toml::Value) -> Result<Option<Promotion>, String> {
    match raw {
        toml::Value::String(word) if word == "clear" => Ok(Some(Promotion::Clear)),
        toml::Value::String(word) if word == "next" => Ok(Some(Promotion::Next)),
        toml::Value::Table(table) if table.len() == 1 => match table.get("set") {
            Some(raw) => {
                let value = value(raw)?.normalised();
                Ok(Some(value.map_or(Promotion::Clear, Promotion::Set)))
            }
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

fn expected_eligibility(raw: &toml::Value) -> Option<Eligibility> {
    match raw {
        toml::Value::String(word) if word == "yes" => Some(Eligibility::Yes),
        toml::Value::String(word) if word == "no" => Some(Eligibility::No),
        toml::Value::Table(table) if table.len() == 1 => {
            let why = table.get("cannot-tell")?.as_str()?;
            Some(Eligibility::CannotTell(why.to_owned()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn problem(text: &str) -> String {
        parse(text).expect_err("a mistake").to_string()
    }

    #[test]
    fn a_cases_own_entries_replace_the_defaults() {
        let cases = parse(
            r#"
            version = 1
            [defaults]
            as_of = 2026-03-31T12:00:00Z
            candidates = ["A"]
            expect = ["yes"]
            [[case]]
            name = "as the defaults say"
            [[case]]
            trigger = "renamed"
            expect = true
            [[case]]
            error = "no"
            "#,
        )
        .expect("cases");
        let questions: Vec<String> = cases
            .iter()
            .map(|case| case.question().to_string())
            .collect();
        assert_eq!(
            questions,
            [
                "role-assignment of `A`",
                "identity-trigger `renamed`",
                "role-assignment of `A`"
            ]
        );
        assert_eq!(cases[1].name, "number 2");
        assert!(cases[2].expectation.outcome.is_err());
    }

    #[test]
    fn mistakes_are_named() {
        let case = |entries: &str| {
            problem(&format!(
                "version = 1\n[[case]]\nname = \"c\"\nas_of = 2026-03-31T12:00:00Z\n{entries}"
            ))
        };
        insta::assert_snapshot!(problem("version = 2"), @"version 2 isn't known, only version 1");
        insta::assert_snapshot!(case(""), @"case `c`: one of `expect` and `error` is needed");
        insta::assert_snapshot!(case("expect = 7"), @"case `c`: `expect` is the name of a state, not `7`");
        insta::assert_snapshot!(
            case("attribute = \"a\"\ntrigger = \"t\"\nexpect = true"),
            @"case `c`: only one of `attribute`, `candidates`, `changed`, `kind`, `logical`, `manager`, `need`, `policy`, `target`, `trigger` is asked"
        );
        insta::assert_snapshot!(
            case("changed = { attribute = \"a\", old = \"\" }\nexpect = []"),
            @"case `c`: `changed` says that `old` and `new` are the same"
        );
        insta::assert_snapshot!(
            case("changed = { attribute = \"a\", new = 7 }\nexpect = true"),
            @"case `c`: `expect` is a list of { attribute = NAME, value = VALUE }, without `value` for none, not `true`"
        );
        insta::assert_snapshot!(
            case("kind = \"account-correlation\"\nexpect = \"nobody\""),
            @"case `c`: account-correlation is asked about an `account`"
        );
        insta::assert_snapshot!(
            case("kind = \"role-assignment\"\nexpect = []"),
            @r#"case `c`: `kind = "role-assignment"` is said by the entry that it is asked with"#
        );
        insta::assert_snapshot!(
            case("kind = \"weather\"\nexpect = []"),
            @"case `c`: `weather` is no kind of rule"
        );
        let account = "account = { application = \"hr\", native_identity = \"7\" }";
        insta::assert_snapshot!(
            case(&format!("{account}\nmanager = \"\"\nexpect = \"nobody\"")),
            @"case `c`: `manager` is empty"
        );
        insta::assert_snapshot!(
            case(&format!("{account}\nmanager = 7\nexpect = \"somebody\"")),
            @r#"case `c`: `expect` is { attribute = NAME, value = TEXT } or "nobody", not `"somebody"`"#
        );
        insta::assert_snapshot!(
            case(&format!("{account}\nkind = \"identity-creation\"\nexpect = {{ create = {{ nmae = \"a\" }} }}")),
            @r#"case `c`: `expect` is { create = { name = NAME, type = WORD } } or { skip = "WHY" }, not `{ create = { nmae = "a" } }`"#
        );
        insta::assert_snapshot!(
            case("expect = \"a\"\nzone = \"Mars/Olympus\""),
            @"case `c`: there is no time zone `Mars/Olympus`"
        );
        insta::assert_snapshot!(
            case("expect = \"a\"\nwakes_at = \"later\""),
            @r#"case `c`: `wakes_at` is an instant or "never", not `"later"`"#
        );
        insta::assert_snapshot!(
            case("expect = \"a\"\nattributes = { start = 2026-03-31T12:00:00 }"),
            @"case `c`: `start`: `2026-03-31T12:00:00` is no instant: write one with an offset, as 2026-03-31T17:00:00Z"
        );
        assert!(case("expcet = \"a\"").contains("unknown field `expcet`"));
    }
}

//! Writes a case as TOML: the other way round from reading it.

use std::collections::BTreeMap;

use idr_core::definitions::RuleLimits;
use idr_core::model::{AccountStatus, UnixMillis, Value};
use idr_core::rule::{Creation, Eligibility, Lookup, Promotion, Proposal};
use serde::Serialize;
use toml::Table;
use toml::value::Datetime;

use super::super::kind::Answer;
use super::consequences::{
    RawAccess, RawNeed, RawTarget, raw_breach, raw_composed, raw_mapping, raw_selection,
};
use super::format::{
    AccountSetting, Case, OwnedChange, OwnedQuestion, RawAccount, RawBaseline, RawCase, RawChange,
    RawLimits, RawValues, Wakes,
};

/// Returns a case as `[[case]]`, with these notes as comments above it.
///
/// What TOML can't express (moments before the year 0) is left out.
pub(super) fn write(case: &Case, notes: &[String]) -> String {
    let mut text = String::new();
    for note in notes {
        text += &format!("# {note}\n");
    }
    let file = WrittenFile {
        case: [raw_case(case)],
    };
    text + &toml::to_string(&file).expect("a case can be written")
}

#[derive(Serialize)]
struct WrittenFile {
    case: [RawCase; 1],
}

fn raw_case(case: &Case) -> RawCase {
    let setting = &case.setting;
    let expected = &case.expectation;
    let mut raw = RawCase {
        name: Some(case.name.clone()),
        as_of: datetime(setting.as_of),
        zone: Some(setting.zone.name().to_owned()),
        end_of_day: setting
            .end_of_day
            .map(|time| time.strftime("%H:%M:%S").to_string()),
        attributes: filled(&setting.attributes),
        manager_attributes: setting.manager_attributes.as_ref().and_then(filled),
        accounts: Some(setting.accounts.iter().map(raw_account).collect())
            .filter(|accounts: &Vec<RawAccount>| !accounts.is_empty()),
        account: setting.account.as_ref().map(raw_account),
        assigned: Some(setting.assigned.clone()).filter(|roles| !roles.is_empty()),
        detected: Some(setting.detected.clone()).filter(|roles| !roles.is_empty()),
        baseline: setting.baseline.as_ref().map(|baseline| RawBaseline {
            attributes: raw_values(&baseline.attributes),
            assigned: baseline.assigned.clone(),
        }),
        parameters: filled(&setting.parameters),
        limits: raw_limits(&setting.limits),
        expect: expected.outcome.as_ref().ok().map(raw_answer),
        error: expected.outcome.as_ref().err().cloned(),
        wakes_at: expected.wakes.and_then(|wakes| match wakes {
            Wakes::Never => Some(toml::Value::String("never".to_owned())),
            Wakes::At(moment) => datetime(moment).map(toml::Value::Datetime),
        }),
        reads: expected.reads.clone(),
        fuel: expected.fuel,
        ..RawCase::default()
    };
    match &case.question {
        OwnedQuestion::Promote(attribute) => raw.attribute = Some(attribute.clone()),
        OwnedQuestion::Assign(candidates) => raw.candidates = Some(candidates.clone()),
        OwnedQuestion::Fires(trigger) => raw.trigger = Some(trigger.clone()),
        OwnedQuestion::CorrelateManager(named) => raw.manager = raw_value(named),
        OwnedQuestion::ValueChange(change) => raw.changed = Some(raw_change(change)),
        OwnedQuestion::Compose(application) => raw.logical = Some(application.clone()),
        OwnedQuestion::Judge(policy) => {
            raw.policy = Some(policy.clone());
            raw.access = Some(RawAccess::of(&setting.access));
        }
        OwnedQuestion::SelectAccount(need) => raw.need = Some(RawNeed::of(need)),
        OwnedQuestion::MapTarget(target) => raw.target = Some(RawTarget::of(target)),
        OwnedQuestion::CorrelateAccount
        | OwnedQuestion::CreateIdentity
        | OwnedQuestion::BeforeRefresh
        | OwnedQuestion::AfterRefresh
        | OwnedQuestion::State => {
            raw.kind = Some(case.question().kind().as_str().to_owned());
        }
    }
    raw
}

fn raw_change(change: &OwnedChange) -> RawChange {
    RawChange {
        attribute: change.attribute.clone(),
        old: change.old.as_ref().and_then(raw_value),
        new: change.new.as_ref().and_then(raw_value),
    }
}

fn raw_account(account: &AccountSetting) -> RawAccount {
    RawAccount {
        application: account.application.clone(),
        native_identity: account.native_identity.clone(),
        status: Some(
            account
                .status
                .map_or("vanished", AccountStatus::as_str)
                .to_owned(),
        ),
        attributes: raw_values(&account.attributes),
    }
}

/// Returns the limits that aren't the usual ones.
fn raw_limits(limits: &RuleLimits) -> Option<RawLimits> {
    let usual = RuleLimits::default();
    if *limits == usual {
        return None;
    }
    Some(RawLimits {
        fuel: Some(limits.fuel),
        time_ms: Some(limits.time_ms),
        memory_bytes: Some(limits.memory_bytes),
        transfer_bytes: Some(limits.transfer_bytes),
        output_bytes: Some(limits.output_bytes),
        log_lines: Some(limits.log_lines),
    })
}

fn filled(values: &BTreeMap<String, Value>) -> Option<RawValues> {
    (!values.is_empty()).then(|| raw_values(values))
}

pub(super) fn raw_values(values: &BTreeMap<String, Value>) -> RawValues {
    values
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), raw_value(value)?)))
        .collect()
}

pub(super) fn raw_value(value: &Value) -> Option<toml::Value> {
    Some(match value {
        Value::Text(text) => toml::Value::String(text.to_string()),
        Value::Integer(integer) => toml::Value::Integer(*integer),
        Value::Decimal(decimal) => table([("decimal", decimal.to_string().into())]),
        Value::Boolean(boolean) => toml::Value::Boolean(*boolean),
        Value::Date(date) => toml::Value::Datetime(date.to_string().parse().ok()?),
        Value::Instant(instant) => toml::Value::Datetime(datetime(*instant)?),
        Value::Many(texts) => texts_of(texts),
    })
}

fn datetime(instant: UnixMillis) -> Option<Datetime> {
    instant.to_string().parse().ok()
}

fn texts_of(texts: &[impl AsRef<str>]) -> toml::Value {
    texts
        .iter()
        .map(|text| toml::Value::String(text.as_ref().to_owned()))
        .collect::<Vec<_>>()
        .into()
}

pub(super) fn table<const N: usize>(entries: [(&str, toml::Value); N]) -> toml::Value {
    let entries = entries.map(|(key, value)| (key.to_owned(), value));
    toml::Value::Table(Table::from_iter(entries))
}

fn raw_answer(answer: &Answer) -> toml::Value {
    match answer {
        Answer::Lookup(None) => "nobody".into(),
        Answer::Lookup(Some(Lookup { attribute, value })) => table([
            ("attribute", attribute.clone().into()),
            ("value", value.clone().into()),
        ]),
        Answer::Creation(creation) => raw_creation(creation),
        Answer::Proposals(proposals) => proposals
            .iter()
            .map(raw_proposal)
            .collect::<Vec<_>>()
            .into(),
        Answer::Promotion(Promotion::Set(value)) => match raw_value(value) {
            Some(value) => table([("set", value)]),
            None => "clear".into(),
        },
        Answer::Promotion(Promotion::Clear) => "clear".into(),
        Answer::Promotion(Promotion::Next) => "next".into(),
        Answer::State(state) => state.clone().into(),
        Answer::Eligibilities(answers) => answers
            .iter()
            .map(raw_eligibility)
            .collect::<Vec<_>>()
            .into(),
        Answer::Fires(fires) => (*fires).into(),
        Answer::Composed(accounts) => accounts.iter().map(raw_composed).collect::<Vec<_>>().into(),
        Answer::Breaches(breaches) => breaches.iter().map(raw_breach).collect::<Vec<_>>().into(),
        Answer::Selection(selection) => raw_selection(selection),
        Answer::Mapping(mapping) => raw_mapping(mapping),
    }
}

fn raw_creation(creation: &Creation) -> toml::Value {
    match creation {
        Creation::Skip(why) => table([("skip", why.clone().into())]),
        Creation::Create {
            name,
            identity_type,
        } => {
            let parts = [("name", name), ("type", identity_type)];
            let given = parts
                .into_iter()
                .filter_map(|(key, text)| Some((key.to_owned(), text.clone()?.into())));
            table([("create", toml::Value::Table(Table::from_iter(given)))])
        }
    }
}

fn raw_proposal(proposal: &Proposal) -> toml::Value {
    let attribute = ("attribute", proposal.attribute.clone().into());
    match proposal.value.as_ref().and_then(raw_value) {
        Some(value) => table([attribute, ("value", value)]),
        None => table([attribute]),
    }
}

fn raw_eligibility(eligibility: &Eligibility) -> toml::Value {
    match eligibility {
        Eligibility::Yes => "yes".into(),
        Eligibility::No => "no".into(),
        Eligibility::CannotTell(why) => table([("cannot-tell", why.clone().into())]),
    }
}

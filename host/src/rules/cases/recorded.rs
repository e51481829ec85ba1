//! From a real evaluation to a case: what the rule found when it read, and no
//! more than that.

use std::collections::{BTreeMap, BTreeSet};

use idr_core::definitions::{Model, RuleIndex};
use idr_core::model::{Account, Name, Text, Value};
use idr_core::time::Zone;
use idr_core::view::TrackedView;

use super::super::call::Call;
use super::super::component::RuleComponent;
use super::super::error::Trouble;
use super::super::kind::{Answer, Question, RuleKind};
use super::super::read::Read;
use super::consequences::AccessSetting;
use super::format::{
    AccountSetting, BaselineSetting, Case, Expectation, OwnedQuestion, Setting, Wakes, parse,
};
use super::mask::Masker;
use super::run::run;
use super::write::write;

/// What a rule was asked in a tenant, what it found, and what it answered.
#[derive(Clone, Debug)]
pub struct RecordedCase {
    question: OwnedQuestion,
    setting: Setting,
    answer: Result<Answer, Trouble>,
}

/// A recorded case as text, in the form of `cases.toml` without the version.
#[derive(Clone, Debug)]
pub struct WrittenCase {
    /// The text.
    pub text: String,
    /// What whoever uses it should know: what was masked, and what that changed.
    pub notes: Vec<String>,
}

impl RecordedCase {
    /// Takes down what was read; the view is left as it was.
    pub(in super::super) fn of(
        rule: RuleIndex,
        question: Question<'_>,
        calls: &[Call],
        answer: &Result<Answer, Trouble>,
        view: &mut TrackedView,
    ) -> Self {
        let start = view.mark();
        // Whether an account has vanished is asked without being the rule.
        view.read_as(None);
        let setting = setting_of(rule, question, calls, view);
        view.read_as(Some(rule));
        view.rewind(&start);
        Self {
            question: OwnedQuestion::of(question),
            setting,
            answer: answer.clone(),
        }
    }

    /// Writes the case with sensitive values replaced by others of their type.
    /// What it expects is what the component answers to the case as written.
    pub fn write(&self, name: &str, component: &RuleComponent, model: &Model) -> WrittenCase {
        let mut masker = Masker::new(model);
        let case = Case {
            name: name.to_owned(),
            setting: masker.setting(&self.setting),
            question: masker.question(&self.question, &self.setting),
            expectation: Expectation {
                outcome: Err(String::new()),
                wakes: None,
                reads: None,
                fuel: None,
            },
        };
        let report = run(component, &case);
        let case = Case {
            expectation: Expectation {
                outcome: match &report.outcome {
                    Ok(answer) => Ok(answer.clone()),
                    Err(trouble) => Err(trouble.to_string()),
                },
                wakes: Some(report.wakes_at.map_or(Wakes::Never, Wakes::At)),
                reads: Some(report.reads()),
                fuel: None,
            },
            ..case
        };
        let is_same = match (&report.outcome, &self.answer) {
            (Ok(got), Ok(real)) => got == real,
            (Err(got), Err(real)) => got.cause() == real.cause(),
            (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
        };
        let masked = masker.masked();
        let mut notes = Vec::new();
        if !masked.is_empty() {
            let masked: Vec<String> = masked.iter().map(|name| format!("`{name}`")).collect();
            notes.push(format!(
                "{} masked: other values of the same type stand here",
                masked.join(", ")
            ));
        }
        if !is_same {
            notes.push(self.why_another(!masked.is_empty()));
        }
        let text = write(&case, &notes);
        notes.extend(problem_of(&text, component));
        WrittenCase { text, notes }
    }
}

impl RecordedCase {
    /// Says why the case as written is answered differently.
    fn why_another(&self, is_masked: bool) -> String {
        match &self.answer {
            Err(Trouble::Read(refused)) => {
                format!("in the tenant it is refused what a case allows: {refused}")
            }
            _ if is_masked => {
                "masking changes the answer: what is expected is the answer to the masked values"
                    .to_owned()
            }
            _ => "in the tenant the answer is another: a case can't express all of it".to_owned(),
        }
    }
}

/// Says what is wrong with a case as written: it is read back and run.
fn problem_of(text: &str, component: &RuleComponent) -> Option<String> {
    let cases = match parse(&format!("version = 1\n{text}")) {
        Ok(cases) => cases,
        Err(error) => return Some(format!("the case can't be read back: {error}")),
    };
    let reports = cases.iter().map(|case| run(component, case));
    let problems: Vec<String> = reports.flat_map(|report| report.problems).collect();
    (!problems.is_empty()).then(|| format!("the case fails: {}", problems.join("; ")))
}

fn setting_of(
    rule: RuleIndex,
    question: Question<'_>,
    calls: &[Call],
    view: &mut TrackedView,
) -> Setting {
    let model = view.model().clone();
    let is_of_account = question.kind().is_about_an_account();
    let own_zone = match is_of_account {
        true => None,
        false => view.attribute("zone").ok().flatten(),
    };
    let own_zone = own_zone.as_ref().and_then(Value::as_text);
    Setting {
        as_of: view.as_of(),
        zone: own_zone
            .and_then(Zone::named)
            .unwrap_or_else(|| model.zone.clone()),
        end_of_day: model.end_of_day,
        attributes: values(calls, |read| match read {
            Read::Attribute(name) => Some(name),
            _ => None,
        }),
        manager_attributes: Some(values(calls, |read| match read {
            Read::ManagerAttribute(name) => Some(name),
            _ => None,
        }))
        .filter(|values| !values.is_empty()),
        accounts: match is_of_account {
            true => Vec::new(),
            false => accounts(calls, question, view),
        },
        account: is_of_account.then(|| shown_account(calls, view)).flatten(),
        assigned: roles(calls, |read| match read {
            Read::HasAssigned(role) => Some(role),
            _ => None,
        }),
        detected: roles(calls, |read| match read {
            Read::HasDetected(role) => Some(role),
            _ => None,
        }),
        baseline: (question.kind() == RuleKind::IdentityTrigger)
            .then(|| baseline(calls, view))
            .flatten(),
        access: access(calls),
        parameters: values(calls, |read| match read {
            Read::Parameter(name) => Some(name),
            _ => None,
        }),
        limits: model.rule(rule).limits,
    }
}

/// Returns the values that were read of one sort, by name.
fn values<'c>(
    calls: &'c [Call],
    name_of: impl Fn(&'c Read) -> Option<&'c String>,
) -> BTreeMap<String, Value> {
    let mut values = BTreeMap::new();
    for call in calls {
        let name = call.read.as_ref().and_then(&name_of);
        if let (Some(name), Some(value)) = (name, &call.value) {
            values.insert(name.clone(), value.clone());
        }
    }
    values
}

/// Returns the roles about which a question of one sort was answered with yes.
fn roles<'c>(calls: &'c [Call], role_of: impl Fn(&'c Read) -> Option<&'c String>) -> Vec<String> {
    let yes = calls.iter().filter(|call| call.answer == "true");
    let roles: BTreeSet<&String> = yes
        .filter_map(|call| call.read.as_ref().and_then(&role_of))
        .collect();
    roles.into_iter().cloned().collect()
}

fn baseline(calls: &[Call], view: &mut TrackedView) -> Option<BaselineSetting> {
    let exists = view.baseline_exists().unwrap_or(false);
    exists.then(|| BaselineSetting {
        attributes: values(calls, |read| match read {
            Read::BaselineAttribute(name) => Some(name),
            _ => None,
        }),
        assigned: roles(calls, |read| match read {
            Read::HadAssigned(role) => Some(role),
            _ => None,
        }),
    })
}

/// Returns what was seen of the access that a policy judges.
fn access(calls: &[Call]) -> AccessSetting {
    let mut roles: BTreeSet<String> = BTreeSet::new();
    let mut entitlements: BTreeSet<(String, String, String)> = BTreeSet::new();
    let mut desired = false;
    for call in calls {
        let listed = || {
            let mut texts = Vec::new();
            if let Some(value) = &call.value {
                value.each_text(|text| texts.push(text.to_owned()));
            }
            texts
        };
        match &call.read {
            Some(Read::AccessIsDesired) => desired = call.answer == "true",
            Some(Read::AccessHasRole(role)) if call.answer == "true" => {
                roles.insert(role.clone());
            }
            Some(Read::AccessRoles) => roles.extend(listed()),
            Some(Read::AccessHolds {
                application,
                attribute,
                value,
            }) if call.answer == "true" => {
                entitlements.insert((application.clone(), attribute.clone(), value.clone()));
            }
            Some(Read::AccessHeld {
                application,
                attribute,
            }) => entitlements.extend(
                listed()
                    .into_iter()
                    .map(|value| (application.clone(), attribute.clone(), value)),
            ),
            _ => {}
        }
    }
    AccessSetting {
        desired,
        roles: roles.into_iter().collect(),
        entitlements: entitlements.into_iter().collect(),
    }
}

fn shown_account(calls: &[Call], view: &TrackedView) -> Option<AccountSetting> {
    let account = view.account().ok()?;
    Some(AccountSetting {
        application: account.key.application.to_string(),
        native_identity: account.key.native_identity.clone(),
        status: Some(account.status),
        attributes: values(calls, |read| match read {
            Read::OwnAttribute { name, .. } => Some(name),
            _ => None,
        }),
    })
}

/// Returns the accounts in every application that was looked at or asked about,
/// each with what was read of it.
fn accounts(calls: &[Call], question: Question<'_>, view: &mut TrackedView) -> Vec<AccountSetting> {
    let asked_about = match question {
        Question::SelectAccount(need) => Some(need.application.to_owned()),
        _ => None,
    };
    let reads = || calls.iter().filter_map(|call| call.read.as_ref());
    let applications: BTreeSet<&String> = reads()
        .filter_map(|read| match read {
            Read::Accounts(application)
            | Read::FirstAccount(application)
            | Read::AccountAttribute { application, .. }
            | Read::Held { application, .. }
            | Read::Holds { application, .. } => Some(application),
            _ => None,
        })
        .chain(&asked_about)
        .collect();
    let mut settings = Vec::new();
    for application in applications {
        for summary in view.accounts(application).unwrap_or_default() {
            let of_account = |read: &Read| matches!(read, Read::AccountAttribute { handle, .. } if *handle == summary.handle);
            let own = calls
                .iter()
                .filter(|call| call.read.as_ref().is_some_and(of_account));
            let account = &view.record().accounts[summary.handle as usize];
            let mut attributes = entitlements(calls, application, account);
            for call in own {
                if let (Some(Read::AccountAttribute { name, .. }), Some(value)) =
                    (&call.read, &call.value)
                {
                    attributes.insert(name.clone(), value.clone());
                }
            }
            settings.push(AccountSetting {
                application: application.clone(),
                native_identity: summary.native_identity,
                status: summary.status,
                attributes,
            });
        }
    }
    settings
}

/// Returns what an account has of the entitlements that were asked about: all
/// of them where they were listed.
fn entitlements(calls: &[Call], of: &str, account: &Account) -> BTreeMap<String, Value> {
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    let texts = |attribute: &str| {
        let mut texts = Vec::new();
        let value = Name::known(attribute).and_then(|name| account.attribute(name));
        if let Some(value) = value {
            value.each_text(|text| texts.push(Text::from(text)));
        }
        texts
    };
    let mut add = |attribute: &str, added: Vec<Text>| {
        if added.is_empty() {
            return;
        }
        let value = found
            .entry(attribute.to_owned())
            .or_insert_with(|| Value::Many(Vec::new()));
        if let Value::Many(known) = value {
            known.extend(added);
            known.sort();
            known.dedup();
        }
    };
    for read in calls.iter().filter_map(|call| call.read.as_ref()) {
        match read {
            Read::Held {
                application,
                attribute,
            } if application == of => add(attribute, texts(attribute)),
            Read::Holds {
                application,
                attribute,
                value,
            } if application == of => {
                let mut held = texts(attribute);
                held.retain(|text| text == value);
                add(attribute, held);
            }
            _ => {}
        }
    }
    found
}

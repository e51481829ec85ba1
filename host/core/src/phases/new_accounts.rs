//! New accounts: whoever is asked for access where there is no account gets one,
//! made by the application's template.

use super::entitlements::Unplaced;
use super::mapping::{self, Mapped, Place};
use super::provisioning::reason;
use super::standing::Standing;
use super::synchronisation;
use crate::definitions::{AccountTemplate, Application};
use crate::model::finding::PROVISIONING;
use crate::model::{
    AccountAction, AccountKey, AccountOperation, AttributeChange, Claim, ClaimOrigin, Finding,
    Name, NewClaim, ReadKey, Severity, Value, ValueChange, ValueType,
};
use crate::plan::Draft;
use crate::rule::RuleEvaluator;
use crate::view::{Availability, SnapshotError, TrackedView};

/// Returns the accounts that are to be created for what is asked for and has none.
pub(super) fn plan(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    unplaced: &[Unplaced],
    standing: &Standing,
    draft: &mut Draft,
) -> Result<Vec<AccountAction>, SnapshotError> {
    let mut asked: Vec<&Unplaced> = unplaced.iter().collect();
    asked.retain(|known| known.accounts.is_empty() && !standing.is_closed(known.application));
    let mut actions = Vec::new();
    for asked in asked.chunk_by(|one, other| one.application == other.application) {
        actions.extend(create(view, evaluator, asked, standing, draft)?);
    }
    Ok(actions)
}

/// Returns the account that several roles ask for in one application.
fn create(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    asked: &[&Unplaced],
    standing: &Standing,
    draft: &mut Draft,
) -> Result<Option<AccountAction>, SnapshotError> {
    let model = view.model().clone();
    let Some(application) = model.application(asked[0].application) else {
        return Ok(None);
    };
    let mut reasons: Vec<_> = asked
        .iter()
        .map(|known| reason(known.role, known.source))
        .collect();
    reasons.sort();
    reasons.dedup();
    // What is under way stays as it was sent; the rest follows once it is there.
    if let Some(sent) = standing.creation(application.name) {
        return Ok(Some(AccountAction {
            reasons,
            ..sent.clone()
        }));
    }
    let Some(template) = &application.provisioning.template else {
        draft.findings.push(no_template(application, asked));
        return Ok(None);
    };
    let filled_in = fill_in(view, evaluator, application, template, draft)?;
    let Some((native_identity, mut changes)) = filled_in else {
        return Ok(None);
    };
    changes.extend(entitlements(asked));
    changes.sort();
    let hops = asked.iter().map(|known| view.role_chain(known.role)).max();
    let hops = hops.max(Some(view.chain_of_absence(application.name)));
    Ok(Some(AccountAction {
        account: AccountKey {
            application: application.name,
            native_identity,
        },
        operation: AccountOperation::Create,
        to: None,
        changes,
        reasons,
        hops: hops.unwrap_or(0),
        since: view.as_of(),
    }))
}

/// Returns the entitlements that several roles ask for, as changes.
fn entitlements(asked: &[&Unplaced]) -> Vec<AttributeChange> {
    let lists = asked.iter().flat_map(|known| &known.entitlements);
    let pairs =
        lists.flat_map(|(attribute, values)| values.iter().map(|value| (*attribute, value)));
    let mut pairs: Vec<(Name, &String)> = pairs.collect();
    pairs.sort();
    pairs.dedup();
    let groups = pairs.chunk_by(|(one, _), (other, _)| one == other);
    let change = |group: &[(Name, &String)]| AttributeChange {
        attribute: group[0].0,
        change: ValueChange::Add(group.iter().map(|(_, value)| (*value).clone()).collect()),
    };
    groups.map(change).collect()
}

/// Returns a new account's native identity and attributes; nothing where
/// something that it needs is missing, with a finding that names it.
fn fill_in(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    application: &Application,
    template: &AccountTemplate,
    draft: &mut Draft,
) -> Result<Option<(String, Vec<AttributeChange>)>, SnapshotError> {
    let mut missing: Vec<&str> = Vec::new();
    let mut failed = false;
    let mut map = |view: &mut TrackedView, draft: &mut Draft, mapping, attribute, value_type| {
        let place = Place {
            application: application.name,
            attribute,
            native_identity: None,
            value_type,
        };
        let mapped = mapping::value(view, evaluator, mapping, place, draft)?;
        failed |= mapped == Mapped::Failed;
        Ok::<_, SnapshotError>(match mapped {
            Mapped::Value(value) => value,
            Mapped::Leave | Mapped::Failed => None,
        })
    };
    let mapping = &template.native_identity;
    let attribute = Name::new("native_identity");
    let native_identity = map(view, draft, mapping, attribute, ValueType::Text)?;
    if native_identity.is_none() {
        missing.push("native_identity");
    }
    let mut values: Vec<(Name, Value)> = Vec::new();
    for attribute in &template.attributes {
        let schema = application.attribute(attribute.name);
        let value_type = schema.map_or(ValueType::Text, |known| known.value_type);
        let value = match &attribute.mapping {
            Some(mapping) => map(view, draft, mapping, attribute.name, value_type)?,
            None => None,
        };
        match value.or_else(|| attribute.default.clone()) {
            Some(value) => values.push((attribute.name, value)),
            None if attribute.required => missing.push(&attribute.name),
            None => {}
        }
    }
    let is_made = |name: &Name| template.attributes.iter().any(|known| known.name == *name);
    let followed = synchronisation::of_new_account(view, evaluator, application.name, draft)?;
    values.extend(followed.into_iter().filter(|(name, _)| !is_made(name)));
    let Some(Value::Text(native_identity)) = native_identity.filter(|_| missing.is_empty()) else {
        // Where something failed, that is what is to be mended.
        if !failed {
            draft.findings.push(incomplete(application, &missing));
        }
        return Ok(None);
    };
    if failed {
        return Ok(None);
    }
    if let Some(namespace) = template.unique
        && let Some(finding) = claim(view, application, namespace, &native_identity, draft)?
    {
        draft.findings.push(finding);
        return Ok(None);
    }
    let changes = values
        .into_iter()
        .map(|(attribute, value)| AttributeChange {
            attribute,
            change: ValueChange::Set(Some(value)),
        });
    Ok(Some((native_identity.to_string(), changes.collect())))
}

/// Claims a native identity, unless it is somebody else's: then that is found.
fn claim(
    view: &mut TrackedView,
    application: &Application,
    namespace: Name,
    native_identity: &str,
    draft: &mut Draft,
) -> Result<Option<Finding>, SnapshotError> {
    let claim = Claim::on(namespace, native_identity);
    match view.availability(&claim)? {
        Availability::Own => Ok(None),
        Availability::Free => {
            let origin = ClaimOrigin::Derived;
            draft.claims.push(NewClaim { claim, origin });
            Ok(None)
        }
        Availability::Taken => {
            view.note_read(ReadKey::Claim(claim));
            Ok(Some(Finding {
                severity: Severity::Error,
                phase: PROVISIONING,
                subject: application.name.to_string(),
                cause: Name::new("not-unique"),
                message: format!(
                    "the native identity that a new account would get is or was another \
                     identity's in `{namespace}`"
                ),
                hint: Some(format!(
                    "let it come from a unique attribute, or free it: idr claim list --namespace \
                     {namespace}"
                )),
            }))
        }
    }
}

fn incomplete(application: &Application, missing: &[&str]) -> Finding {
    Finding {
        severity: Severity::Error,
        phase: PROVISIONING,
        subject: application.name.to_string(),
        cause: Name::new("attributes-missing"),
        message: format!(
            "no account is made in `{}`: it needs {}",
            application.name,
            missing.join(", ")
        ),
        hint: Some(
            "give the identity attributes that they come from values, or write a `default`"
                .to_owned(),
        ),
    }
}

fn no_template(application: &Application, asked: &[&Unplaced]) -> Finding {
    let mut roles: Vec<_> = asked.iter().map(|known| known.role.to_string()).collect();
    roles.dedup();
    Finding {
        severity: Severity::Warning,
        phase: PROVISIONING,
        subject: application.name.to_string(),
        cause: Name::new("no-account"),
        message: format!(
            "{} asks for access in `{}`, where it has no account and none is made",
            roles.join(", "),
            application.name
        ),
        hint: Some(format!(
            "write `[account]` in the file of `{}`, or see to it that there is one",
            application.name
        )),
    }
}

//! Logical accounts: accounts of a logical application, made of accounts of others.
//!
//! Settled before anything else, from accounts alone, so that attributes,
//! profiles and filters read them as they read any account. They are stored with
//! the identity and made anew in each of its refreshes.

use super::{failure, store_failure};
use crate::definitions::{Application, Composition, LogicalApplication, Model, RuleIndex, Tier};
use crate::model::finding::LOGICAL_ACCOUNTS;
use crate::model::{
    Account, AccountKey, AccountStatus, Finding, Link, LogicalAccount, Name, Severity, Value,
};
use crate::plan::Draft;
use crate::rule::{ComposedAccount, RuleEvaluator};
use crate::text::{fold, nearest};
use crate::view::{PRESENCE, STATUS, SnapshotError, TrackedView};

/// Settles the identity's logical accounts, sorted, and shows them in the view
/// beside its other accounts.
pub(crate) fn settle(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    draft: &mut Draft,
) -> Result<(), SnapshotError> {
    view.hide_logical_accounts();
    let model = view.model().clone();
    let mut found = Vec::new();
    for application in &model.applications {
        let Some(logical) = &application.logical else {
            continue;
        };
        let (composed, led) = view.counting(|view| match &logical.composition {
            Composition::Tiers(tiers) => Ok(by_tiers(view, application, logical, tiers)),
            Composition::Rule(rule) => by_rule(view, evaluator, application, logical, *rule, draft),
        });
        found.extend(composed?);
        view.note_composed(application.name, led);
    }
    found.sort_by(|one, other| one.account.key.cmp(&other.account.key));
    view.show_logical_accounts(found);
    Ok(())
}

/// Makes one account of each account of the primary tier that all other tiers
/// have an account for.
fn by_tiers(
    view: &mut TrackedView,
    application: &Application,
    logical: &LogicalApplication,
    tiers: &[Tier],
) -> Vec<LogicalAccount> {
    let mut found = Vec::new();
    for leading in qualified(view, tiers, logical.primary) {
        let mut parts = vec![leading];
        for tier in tiers
            .iter()
            .filter(|tier| tier.application != logical.primary)
        {
            let candidates = qualified(view, tiers, tier.application);
            if let Some((own, of_leading)) = tier.matched {
                view.note_account_read(leading, of_leading);
                for &candidate in &candidates {
                    view.note_account_read(candidate, own);
                }
            }
            let accounts = &view.record().accounts;
            let mut candidates = candidates.into_iter();
            let part = candidates.find(|&index| fits(tier, &accounts[leading], &accounts[index]));
            parts.extend(part);
        }
        if parts.len() == tiers.len() {
            note_reads(view, logical, &parts);
            let accounts = &view.record().accounts;
            found.push(joined(application, logical, accounts, &parts));
        }
    }
    found
}

/// Notes that what an account is made of is read.
fn note_reads(view: &mut TrackedView, logical: &LogicalApplication, parts: &[usize]) {
    for &part in parts {
        view.note_account_asked(part, PRESENCE);
        view.note_account_asked(part, STATUS);
        for mapped in &logical.attributes {
            if view.record().accounts[part].key.application == mapped.application {
                view.note_account_read(part, mapped.attribute);
            }
        }
    }
}

/// Returns the accounts that qualify for a tier, by their places.
fn qualified(view: &mut TrackedView, tiers: &[Tier], application: Name) -> Vec<usize> {
    let filter = tiers.iter().find(|tier| tier.application == application);
    let filter = filter.and_then(|tier| tier.filter.as_ref());
    let mut accounts = view.usable_accounts(application);
    if let Some(filter) = filter {
        // What a filter over one's own accounts reads is always there.
        accounts.retain(|&index| view.account_matches(index, filter).unwrap_or(false));
    }
    accounts
}

/// Says whether an account of a tier goes with one of the primary tier.
fn fits(tier: &Tier, leading: &Account, account: &Account) -> bool {
    let Some((own, of_leading)) = tier.matched else {
        return true;
    };
    let texts = |value: Option<&Value>| {
        let mut texts = Vec::new();
        if let Some(value) = value {
            value.each_text(|text| texts.push(fold(text)));
        }
        texts
    };
    let leading = texts(leading.attribute(of_leading));
    let mut own = texts(account.attribute(own)).into_iter();
    own.any(|text| leading.contains(&text))
}

/// Joins accounts, the leading one first.
fn joined(
    application: &Application,
    logical: &LogicalApplication,
    accounts: &[Account],
    parts: &[usize],
) -> LogicalAccount {
    let leading = &accounts[parts[0]];
    let mut attributes: Vec<(Name, Value)> = Vec::new();
    for mapped in &logical.attributes {
        let mut of = parts.iter().map(|&part| &accounts[part]);
        let part = of.find(|account| account.key.application == mapped.application);
        if let Some(value) = part.and_then(|account| account.attribute(mapped.attribute)) {
            attributes.push((mapped.name, value.clone()));
        }
    }
    attributes.sort_by_key(|(name, _)| *name);
    LogicalAccount {
        account: Account {
            key: AccountKey {
                application: application.name,
                native_identity: leading.key.native_identity.clone(),
            },
            status: status(parts.iter().map(|&part| accounts[part].status)),
            missing_since: None,
            taken_away: false,
            attributes,
            native_entitlements: Vec::new(),
            link: Link::Logical,
            owner: None,
        },
        parts: parts
            .iter()
            .map(|&part| accounts[part].key.clone())
            .collect(),
    }
}

/// Enabled as long as one of the parts is; else as the leading one is.
fn status(mut parts: impl Iterator<Item = AccountStatus>) -> AccountStatus {
    let leading = parts.next().unwrap_or_default();
    match parts.any(|part| part == AccountStatus::Enabled) {
        true => AccountStatus::Enabled,
        false => leading,
    }
}

/// Asks the rule, where there is an account of the primary tier or has been.
/// Without an answer that makes sense the accounts that there are stay.
fn by_rule(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    application: &Application,
    logical: &LogicalApplication,
    rule: RuleIndex,
    draft: &mut Draft,
) -> Result<Vec<LogicalAccount>, SnapshotError> {
    let kept: Vec<LogicalAccount> = {
        let known = view.record().identity.logical_accounts.iter();
        let own = known.filter(|known| known.account.key.application == application.name);
        own.cloned().collect()
    };
    if kept.is_empty() && view.usable_accounts(logical.primary).is_empty() {
        return Ok(Vec::new());
    }
    view.read_as(Some(rule));
    let answer = evaluator.compose_accounts(rule, application.name, view);
    view.read_as(None);
    let model = view.model().clone();
    match answer {
        Ok(composed) => {
            let accounts = &view.record().accounts;
            let checked = composed
                .into_iter()
                .map(|composed| check(&model, application, accounts, composed));
            match checked.collect::<Result<Vec<_>, _>>() {
                Ok(found) => Ok(found),
                Err((message, hint)) => {
                    draft.findings.push(Finding {
                        severity: Severity::Error,
                        phase: LOGICAL_ACCOUNTS,
                        subject: application.name.to_string(),
                        cause: Name::new("unusable-account"),
                        message,
                        hint,
                    });
                    Ok(kept)
                }
            }
        }
        Err(error) => {
            let failed = failure(LOGICAL_ACCOUNTS, Severity::Error, &application.name, error)
                .map_err(store_failure)?;
            draft.retry_after(failed.retry_after_ms);
            draft.findings.push(failed.finding);
            Ok(kept)
        }
    }
}

/// Checks what a rule has composed; else returns what is wrong, and a hint.
fn check(
    model: &Model,
    application: &Application,
    accounts: &[Account],
    composed: ComposedAccount,
) -> Result<LogicalAccount, (String, Option<String>)> {
    let native_identity = composed.native_identity;
    let mut attributes = Vec::new();
    for (name, value) in composed.attributes {
        let known = Name::known(&name).and_then(|name| application.attribute(name));
        let Some(known) = known else {
            let names = application.schema.iter().map(|known| known.name.as_str());
            return Err((
                format!(
                    "account `{native_identity}` has an attribute `{name}`, which the schema hasn't"
                ),
                nearest(&name, names).map(|name| format!("write `{name}`")),
            ));
        };
        let Ok(value) = value.convert(known.value_type) else {
            return Err((
                format!(
                    "attribute `{name}` of account `{native_identity}` is no `{}`",
                    known.value_type
                ),
                Some("let the rule give a value of the type in the schema".to_owned()),
            ));
        };
        attributes.extend(value.map(|value| (known.name, value)));
    }
    attributes.sort_by_key(|(name, _)| *name);
    let mut parts = Vec::new();
    for (of, native) in composed.parts {
        let key = Name::known(&of).map(|of| AccountKey {
            application: of,
            native_identity: native.clone(),
        });
        let mut known = accounts.iter().map(|account| &account.key);
        let Some(key) = key.filter(|key| known.any(|known| known == key)) else {
            let is_application = Name::known(&of).is_some_and(|of| model.application(of).is_some());
            let names = model.applications.iter().map(|known| known.name.as_str());
            return Err((
                format!(
                    "account `{native_identity}` is made of `{native}` in `{of}`, which the identity doesn't have"
                ),
                match is_application {
                    true => None,
                    false => nearest(&of, names).map(|name| format!("write `{name}`")),
                },
            ));
        };
        parts.push(key);
    }
    Ok(LogicalAccount {
        account: Account {
            key: AccountKey {
                application: application.name,
                native_identity,
            },
            status: composed.status,
            missing_since: None,
            taken_away: false,
            attributes,
            native_entitlements: Vec::new(),
            link: Link::Logical,
            owner: None,
        },
        parts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definitions::LogicalAttribute;
    use crate::filter::Filter;
    use crate::model::{IdentityRecord, UnixMillis};
    use crate::testing::{Scripts, account, attribute, from_account, model, person, plan};

    /// `crm`: an account of `ad` in the group `crm`, and one of `hr` whose desk is
    /// the place of that of `ad`.
    fn crm(composition: Composition) -> Model {
        let mut model = model(
            &["desk", "groups", "place"],
            vec![attribute("seat", vec![from_account("crm", "desk")])],
        );
        let mut crm = model.applications[0].clone();
        crm.name = Name::new("crm");
        let from = |name: &str, application: &str| LogicalAttribute {
            name: Name::new(name),
            application: Name::new(application),
            attribute: Name::new(name),
        };
        crm.logical = Some(LogicalApplication {
            primary: Name::new("ad"),
            composition,
            attributes: vec![from("desk", "hr"), from("groups", "ad")],
        });
        model.applications.insert(1, crm);
        model
    }

    fn tiers() -> Composition {
        let filter = Filter::parse(r#"groups.containsAll({"crm"})"#).expect("a filter");
        Composition::Tiers(vec![
            Tier {
                application: Name::new("ad"),
                filter: Some(filter),
                matched: None,
            },
            Tier {
                application: Name::new("hr"),
                filter: None,
                matched: Some((Name::new("desk"), Name::new("place"))),
            },
        ])
    }

    fn refreshed(model: &Model, record: IdentityRecord) -> (IdentityRecord, Vec<Finding>) {
        let mut scripts = Scripts::default();
        let planned = plan(model.clone(), &mut scripts, UnixMillis(1_000), record);
        let mut record = planned.record;
        let findings = planned.changes.findings.clone().unwrap_or_default();
        record.hide_logical_accounts();
        record.identity.apply(planned.changes);
        record.show_logical_accounts();
        (record, findings)
    }

    fn shown(record: &IdentityRecord) -> String {
        let logical = record.accounts.iter();
        let logical = logical.filter(|known| known.link == Link::Logical);
        let texts = logical.map(|known| {
            let desk = known.attribute(Name::new("desk"));
            let desk = desk.map(ToString::to_string).unwrap_or_default();
            format!(
                "{} {} {desk}",
                known.key.native_identity,
                known.status.as_str()
            )
        });
        texts.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn there_is_one_while_there_is_an_account_of_each_tier() {
        let model = crm(tiers());
        let ad = |group: &str| account("ad", &[("groups", group), ("place", "D7")]);
        let hr = |desk: &str| account("hr", &[("desk", desk)]);

        let (record, _) = refreshed(&model, person(vec![ad("crm"), hr("d7")]));
        assert_eq!(shown(&record), "1 enabled d7");
        // Attributes read it as any account.
        let seat = record.identity.value(Name::new("seat"));
        assert_eq!(seat, Some(&Value::text("d7")));

        let without = |mut record: IdentityRecord, accounts: Vec<Account>| {
            let identity = std::mem::take(&mut record.identity);
            let mut record = person(accounts);
            record.identity = identity;
            record.show_logical_accounts();
            refreshed(&model, record).0
        };
        let elsewhere = without(record.clone(), vec![ad("crm"), hr("d8")]);
        assert_eq!(shown(&elsewhere), "");
        assert_eq!(elsewhere.identity.logical_accounts, []);
        assert_eq!(
            shown(&without(record.clone(), vec![ad("mail"), hr("d7")])),
            ""
        );
        assert_eq!(shown(&without(record, vec![ad("crm")])), "");
    }

    #[test]
    fn it_is_enabled_as_long_as_one_of_its_parts_is() {
        let model = crm(tiers());
        let with = |of_ad: AccountStatus, of_hr: AccountStatus| {
            let mut ad = account("ad", &[("groups", "crm"), ("place", "d7")]);
            let mut hr = account("hr", &[("desk", "d7")]);
            (ad.status, hr.status) = (of_ad, of_hr);
            shown(&refreshed(&model, person(vec![ad, hr])).0)
        };
        use AccountStatus::{Disabled, Enabled, Locked};
        assert_eq!(with(Disabled, Enabled), "1 enabled d7");
        assert_eq!(with(Enabled, Disabled), "1 enabled d7");
        assert_eq!(with(Disabled, Locked), "1 disabled d7");
    }

    #[test]
    fn what_a_rule_composes_is_checked_and_else_nothing_changes() {
        let model = crm(Composition::Rule(RuleIndex(0)));
        let composed = |part: &str, attribute: &str| {
            let mut scripts = Scripts {
                composed: Some(vec![ComposedAccount {
                    native_identity: "c1".to_owned(),
                    status: AccountStatus::Locked,
                    attributes: vec![(attribute.to_owned(), Value::Integer(7))],
                    parts: vec![("ad".to_owned(), part.to_owned())],
                }]),
                ..Scripts::default()
            };
            let record = person(vec![account("ad", &[])]);
            let planned = plan(model.clone(), &mut scripts, UnixMillis(1_000), record);
            let logical = planned.changes.logical_accounts.unwrap_or_default();
            let findings = planned.changes.findings.unwrap_or_default();
            let made = logical.iter().map(|known| {
                let desk = known.account.attribute(Name::new("desk"));
                format!("{} {desk:?}", known.account.key.native_identity)
            });
            let said = findings.iter().map(|finding| finding.message.clone());
            made.chain(said).collect::<Vec<_>>().join("; ")
        };
        insta::assert_snapshot!(composed("1", "desk"), @r#"c1 Some(Text("7"))"#);
        insta::assert_snapshot!(composed("2", "desk"), @"account `c1` is made of `2` in `ad`, which the identity doesn't have");
        insta::assert_snapshot!(composed("1", "desks"), @"account `c1` has an attribute `desks`, which the schema hasn't");
    }
}

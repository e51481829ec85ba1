//! Roles: assigned by what somebody is, then detected from what accounts hold.
//!
//! Reads the settled attributes, manager and lifecycle state, and the actual
//! entitlements. Triggers look at the outcome.

use super::{Interrupt, entitlements, failure, read_failure, store_failure};
use crate::definitions::{
    AutomaticRoles, LifecycleState, Model, RequestedRoles, Role, RoleType, RuleIndex, Selector,
};
use crate::model::finding::ROLES;
use crate::model::{Finding, Identity, Name, RoleAssignment, RoleDetection, RoleVerdict, Severity};
use crate::plan::Draft;
use crate::rule::{Eligibility, RuleEvaluator};
use crate::view::{Node, ReadError, Slot, SnapshotError, TrackedView};

/// The roles as this plan settles them, each sorted.
#[derive(Debug)]
pub(crate) struct SettledRoles {
    pub(crate) assigned: Vec<RoleAssignment>,
    pub(crate) detected: Vec<RoleDetection>,
}

/// Works out assigned and detected roles.
pub(crate) fn plan(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    draft: &mut Draft,
) -> Result<SettledRoles, SnapshotError> {
    view.open_entitlements();
    let model = view.model().clone();
    let assigned = assign(view, evaluator, &model, draft).map_err(store_failure)?;
    let detected = detect(view, &model);
    Ok(SettledRoles { assigned, detected })
}

/// Says whether a change to this role could concern an identity, as far as its
/// selector can tell from what is stored: a rule's answer isn't asked for.
///
/// # Errors
///
/// [`ReadError`] when the selector can't be read.
pub fn may_concern(view: &mut TrackedView, model: &Model, role: &Role) -> Result<bool, ReadError> {
    match &role.selector {
        _ if view.record().identity.has_assigned(role.name) => Ok(true),
        _ if is_decided(&view.record().identity, role.name) => Ok(true),
        None => Ok(false),
        Some(Selector::Rule(_)) => Ok(true),
        Some(selector) => selects(view, model, selector),
    }
}

/// Says whether a person has decided something about the role.
fn is_decided(identity: &Identity, role: Name) -> bool {
    let decisions = &identity.by_hand.roles;
    decisions.iter().any(|decision| decision.role == role)
}

fn assign(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    model: &Model,
    draft: &mut Draft,
) -> Result<Vec<RoleAssignment>, Interrupt> {
    let held = |view: &TrackedView, role: Name| held_by_rule(&view.record().identity, role);
    let mut assigned = Vec::new();
    let automatic = lifecycle_state(view, model).map(|state| state.automatic_roles);
    match automatic.unwrap_or_default() {
        AutomaticRoles::Remove => {}
        AutomaticRoles::Freeze => {
            let roles = model.roles.iter().map(|role| role.name);
            assigned.extend(roles.filter(|role| held(view, *role)));
        }
        AutomaticRoles::Evaluate => {
            let mut rules: Vec<RuleIndex> = Vec::new();
            for role in &model.roles {
                let eligible = match &role.selector {
                    None => continue,
                    Some(Selector::Rule(rule)) => {
                        if !rules.contains(rule) {
                            rules.push(*rule);
                        }
                        continue;
                    }
                    Some(selector) => selects(view, model, selector),
                };
                let eligible = match eligible {
                    Ok(eligible) => eligible,
                    Err(error) => {
                        draft.findings.push(unreadable(role, &read_failure(error)?));
                        held(view, role.name)
                    }
                };
                if eligible {
                    assigned.push(role.name);
                }
            }
            for rule in rules {
                ask_rule(view, evaluator, model, rule, &mut assigned, draft)?;
            }
        }
    }
    let by_hand = decide(view, model, &mut assigned, draft);
    assigned.sort();
    // A role that an earlier wave took away and this one gives back was never lost.
    let identity = &view.record().identity;
    let since = |role: Name| {
        let settled = identity.settled_holding(role);
        let known = settled.or_else(|| identity.holding(role));
        known.map_or(view.as_of(), |held| held.since)
    };
    Ok(assigned
        .iter()
        .map(|&role| RoleAssignment {
            role,
            since: since(role),
            by_hand: by_hand.contains(&role),
        })
        .collect())
}

/// Says whether the identity had a role by its selector when events were last
/// processed: then it stays where the selector can't be asked.
fn held_by_rule(identity: &Identity, role: Name) -> bool {
    identity
        .settled_holding(role)
        .is_some_and(|held| !held.by_hand)
}

/// Carries out what people have decided about roles that selectors give:
/// takes away what is denied, and adds what is assigned. Returns those added.
fn decide(
    view: &mut TrackedView,
    model: &Model,
    assigned: &mut Vec<Name>,
    draft: &mut Draft,
) -> Vec<Name> {
    let decisions = view.record().identity.by_hand.roles.clone();
    let in_force: Vec<_> = decisions
        .into_iter()
        .filter(|decision| {
            let over = decision.until.is_some_and(|until| view.reached(until));
            !over && decision.from.is_none_or(|from| view.reached(from))
        })
        .collect();
    let with = |verdict| {
        let decisions = in_force.iter();
        decisions.filter(move |decision| decision.verdict == verdict)
    };
    assigned.retain(|role| !with(RoleVerdict::Denied).any(|denied| denied.role == *role));
    let mut by_hand = Vec::new();
    let requested = lifecycle_state(view, model).map(|state| state.requested_roles);
    let keeps = requested.unwrap_or_default() == RequestedRoles::Keep;
    for decision in with(RoleVerdict::Assigned) {
        let role = model.role(decision.role);
        if role.is_none_or(|role| role.role_type != RoleType::Business) {
            draft.findings.push(Finding {
                severity: Severity::Warning,
                phase: ROLES,
                subject: decision.role.to_string(),
                cause: Name::new("unknown-role"),
                message: format!(
                    "{} assigned it, but it is no business role any more",
                    decision.actor
                ),
                hint: Some(
                    "define it in roles/*.toml, or take it back: idr role revoke".to_owned(),
                ),
            });
        } else if keeps && !assigned.contains(&decision.role) {
            by_hand.push(decision.role);
        }
    }
    assigned.extend(&by_hand);
    by_hand
}

/// Returns the definition of the lifecycle state that this plan has settled.
fn lifecycle_state<'m>(view: &TrackedView, model: &'m Model) -> Option<&'m LifecycleState> {
    match view.slot(Node::LifecycleState) {
        Slot::LifecycleState(Some(state), _) => model.state(*state),
        _ => None,
    }
}

/// Says whether a selector other than a rule lets the identity through.
fn selects(view: &mut TrackedView, model: &Model, selector: &Selector) -> Result<bool, ReadError> {
    match selector {
        Selector::MatchList(terms) => {
            for (attribute, wanted) in terms {
                let mut matched = false;
                if let Some(value) = view.attribute(attribute)? {
                    value.each_text(|text| matched |= wanted.iter().any(|wanted| wanted == text));
                }
                if !matched {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Selector::Filter(filter) => filter.matches(view),
        Selector::Population(index) => model.populations[*index].filter.matches(view),
        Selector::Rule(_) => Ok(false),
    }
}

/// Asks an assignment rule about all the roles that it decides.
fn ask_rule(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    model: &Model,
    rule: RuleIndex,
    assigned: &mut Vec<Name>,
    draft: &mut Draft,
) -> Result<(), Interrupt> {
    let decides = |role: &&Role| matches!(role.selector, Some(Selector::Rule(by)) if by == rule);
    let candidates: Vec<Name> = model
        .roles
        .iter()
        .filter(decides)
        .map(|role| role.name)
        .collect();
    view.read_as(Some(rule));
    let answer = evaluator.assign(rule, &candidates, view);
    view.read_as(None);
    let identity = &view.record().identity;
    match answer {
        Ok(answers) => {
            for (&role, answer) in candidates.iter().zip(answers) {
                let eligible = match answer {
                    Eligibility::Yes => true,
                    Eligibility::No => false,
                    Eligibility::CannotTell(why) => {
                        draft.findings.push(Finding {
                            severity: Severity::Warning,
                            phase: ROLES,
                            subject: role.to_string(),
                            cause: Name::new("cannot-tell"),
                            message: format!("the rule can't tell: {why}; the role stays as it is"),
                            hint: None,
                        });
                        held_by_rule(identity, role)
                    }
                };
                if eligible {
                    assigned.push(role);
                }
            }
        }
        Err(error) => {
            let subject = model.rule(rule).name;
            let failed = failure(ROLES, Severity::Error, &subject, error)?;
            draft.retry_after(view.as_of(), failed.retry_after_ms);
            draft.findings.push(failed.finding);
            let held = |role: &&Name| held_by_rule(identity, **role);
            assigned.extend(candidates.iter().filter(held));
        }
    }
    Ok(())
}

fn unreadable(role: &Role, error: &ReadError) -> Finding {
    Finding {
        severity: Severity::Error,
        phase: ROLES,
        subject: role.name.to_string(),
        cause: Name::new(error.cause()),
        message: format!("{error}; the role stays as it is"),
        hint: error.hint(),
    }
}

/// Detects IT roles: each profile must be satisfied by one account.
fn detect(view: &mut TrackedView, model: &Model) -> Vec<RoleDetection> {
    let present: Vec<usize> = (0..view.record().accounts.len())
        .filter(|&index| !view.is_vanished(index))
        .collect();
    let mut detected = Vec::new();
    for role in &model.roles {
        if role.role_type != RoleType::It || role.profiles.is_empty() {
            continue;
        }
        let mut accounts = Vec::new();
        let all = role.profiles.iter().all(|profile| {
            let before = accounts.len();
            accounts.extend(
                present
                    .iter()
                    .map(|&index| &view.record().accounts[index])
                    .filter(|account| entitlements::satisfies(account, profile))
                    .map(|account| account.key.clone()),
            );
            accounts.len() > before
        });
        if all {
            accounts.sort();
            accounts.dedup();
            detected.push(RoleDetection {
                role: role.name,
                accounts,
            });
        }
    }
    detected
}

#[cfg(test)]
mod tests {
    use crate::definitions::{AutomaticRoles, Model, Profile, Role, RoleType, RuleIndex, Selector};
    use crate::filter::Filter;
    use crate::model::{Holding, IdentityRecord, Name, RoleAssignment, UnixMillis, Value};
    use crate::phases::entitlements::ledger;
    use crate::rule::Eligibility;
    use crate::testing::{Scripts, account, attribute, from_account, model, person, refresh};

    const NOW: UnixMillis = UnixMillis(1_000);

    fn role(name: &str, role_type: RoleType, selector: Option<Selector>) -> Role {
        Role {
            name: Name::new(name),
            role_type,
            selector,
            requires: Vec::new(),
            profiles: Vec::new(),
        }
    }

    fn tenant(roles: Vec<Role>) -> Model {
        let department = attribute("department", vec![from_account("hr", "department")]);
        let mut model = model(&["department", "groups"], vec![department]);
        model.roles = roles;
        model.roles.sort_by_key(|role| role.name);
        model
    }

    fn in_sales() -> IdentityRecord {
        person(vec![account("hr", &[("department", "sales")])])
    }

    fn assigned(record: &IdentityRecord) -> Vec<&'static str> {
        record
            .identity
            .assigned
            .iter()
            .map(|known| known.role.as_str())
            .collect()
    }

    #[test]
    fn match_lists_and_filters_assign_and_keep_since() {
        let filter = Filter::parse("department == \"sales\"").expect("a filter");
        let listed = vec![(
            Name::new("department"),
            vec!["sales".to_owned(), "it".to_owned()],
        )];
        let roles = || {
            vec![
                role(
                    "listed",
                    RoleType::Business,
                    Some(Selector::MatchList(listed.clone())),
                ),
                role(
                    "sales",
                    RoleType::Business,
                    Some(Selector::Filter(filter.clone())),
                ),
                role("by hand", RoleType::Business, None),
            ]
        };
        let mut scripts = Scripts::default();
        let first = refresh(tenant(roles()), &mut scripts, NOW, in_sales());
        assert_eq!(assigned(&first), ["listed", "sales"]);
        let later = refresh(tenant(roles()), &mut scripts, UnixMillis(9_000), first);
        assert!(
            later
                .identity
                .assigned
                .iter()
                .all(|known| known.since == NOW)
        );
    }

    #[test]
    fn a_role_that_one_wave_takes_away_and_the_next_gives_back_was_never_lost() {
        let filter = Filter::parse("department == \"sales\"").expect("a filter");
        let roles = vec![role(
            "sales",
            RoleType::Business,
            Some(Selector::Filter(filter)),
        )];
        let mut record = in_sales();
        record.identity.baseline.assigned = vec![(
            Name::new("sales"),
            Some(Holding {
                since: UnixMillis(400),
                by_hand: false,
            }),
        )];
        record.identity.lifecycle_state = Some(Name::new("gone"));
        record.identity.lifecycle_since = Some(NOW);
        record.identity.baseline.lifecycle_state = Some(Some(Name::new("active")));
        record.identity.baseline.lifecycle_since = Some(UnixMillis(300));
        let settled = refresh(tenant(roles), &mut Scripts::default(), NOW, record).identity;
        assert_eq!(
            settled.holding(Name::new("sales")).map(|held| held.since),
            Some(UnixMillis(400))
        );
        assert_eq!(settled.lifecycle_state, Some(Name::new("active")));
        assert_eq!(settled.lifecycle_since, Some(UnixMillis(300)));
    }

    #[test]
    fn a_rule_that_cannot_tell_leaves_the_role_as_it_is() {
        let by_rule = || Some(Selector::Rule(RuleIndex(0)));
        let roles = ["a", "b", "c"].map(|name| role(name, RoleType::Business, by_rule()));
        let mut record = in_sales();
        record.identity.assigned = vec![RoleAssignment {
            role: Name::new("c"),
            since: NOW,
            by_hand: false,
        }];
        let cannot_tell = || Eligibility::CannotTell("no data".to_owned());
        let eligibility = vec![Eligibility::Yes, cannot_tell(), cannot_tell()];
        let mut scripts = Scripts {
            eligibility,
            ..Scripts::default()
        };
        let refreshed = refresh(tenant(roles.to_vec()), &mut scripts, NOW, record);
        assert_eq!(assigned(&refreshed), ["a", "c"]);
        assert_eq!(refreshed.identity.findings.len(), 2);
    }

    #[test]
    fn a_rule_that_cannot_tell_leaves_the_role_as_it_was_before_the_first_wave() {
        let by_rule = || Some(Selector::Rule(RuleIndex(0)));
        let roles = || tenant(vec![role("a", RoleType::Business, by_rule())]);
        let mut scripts = Scripts {
            eligibility: vec![Eligibility::Yes],
            ..Scripts::default()
        };
        let first_wave = refresh(roles(), &mut scripts, NOW, in_sales());
        assert_eq!(assigned(&first_wave), ["a"]);
        scripts.eligibility = vec![Eligibility::CannotTell("no data".to_owned())];
        let second_wave = refresh(roles(), &mut scripts, NOW, first_wave);
        assert!(assigned(&second_wave).is_empty());
    }

    #[test]
    fn a_lifecycle_state_may_freeze_or_remove_roles() {
        let with = |automatic_roles| {
            let filter = Filter::parse("department == \"sales\"").expect("a filter");
            let sales = role("sales", RoleType::Business, Some(Selector::Filter(filter)));
            let mut model = tenant(vec![sales, role("old", RoleType::Business, None)]);
            model.lifecycle.states[0].automatic_roles = automatic_roles;
            let mut record = in_sales();
            record.identity.assigned = vec![RoleAssignment {
                role: Name::new("old"),
                since: NOW,
                by_hand: false,
            }];
            refresh(model, &mut Scripts::default(), NOW, record)
        };
        assert_eq!(assigned(&with(AutomaticRoles::Evaluate)), ["sales"]);
        assert_eq!(assigned(&with(AutomaticRoles::Freeze)), ["old"]);
        assert!(assigned(&with(AutomaticRoles::Remove)).is_empty());
    }

    #[test]
    fn a_profile_must_be_satisfied_by_one_account() {
        let wanted = vec!["read".to_owned(), "write".to_owned()];
        let mut editor = role("editor", RoleType::It, None);
        editor.profiles = vec![Profile {
            application: Name::new("ad"),
            entitlements: vec![(Name::new("groups"), wanted)],
        }];
        let holding = |native: &str, groups: &[&str]| {
            let mut account = account("ad", &[]);
            account.key.native_identity = native.to_owned();
            let groups = groups.iter().map(|group| (*group).to_owned()).collect();
            account.attributes = vec![(Name::new("groups"), Value::Many(groups))];
            account
        };
        let apart = person(vec![
            holding("1", &["read"]),
            holding("2", &["write", "print"]),
        ]);
        let refreshed = refresh(
            tenant(vec![editor.clone()]),
            &mut Scripts::default(),
            NOW,
            apart,
        );
        assert!(refreshed.identity.detected.is_empty());
        let together = person(vec![holding("1", &["read", "write", "print"])]);
        let model = tenant(vec![editor]);
        let refreshed = refresh(model.clone(), &mut Scripts::default(), NOW, together);
        assert!(refreshed.identity.has_detected(Name::new("editor")));
        let additional: Vec<_> = ledger(&refreshed, &model, NOW)
            .into_iter()
            .filter(|entry| entry.detected_roles.is_empty())
            .map(|entry| entry.entitlement.value)
            .collect();
        assert_eq!(additional, ["print"]);
    }
}

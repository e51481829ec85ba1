//! Roles: assigned by what somebody is, then detected from what accounts hold.
//!
//! Reads the settled attributes, manager and lifecycle state, and the actual
//! entitlements. Triggers look at the outcome.

use super::{Interrupt, detection, failure, read_failure, store_failure};
use crate::definitions::{
    AutomaticRoles, LifecycleState, Model, RequestedRoles, Role, RuleIndex, Selector,
};
use crate::model::finding::ROLES;
use crate::model::{
    AssignmentSource, Finding, Identity, Name, RoleAssignment, RoleDecision, RoleDetection,
    RoleVerdict, Severity,
};
use crate::plan::Draft;
use crate::rule::{Eligibility, RuleEvaluator};
use crate::view::{Node, ReadError, Slot, SnapshotError, Topic, TrackedView};

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
    view.explain(Some(Topic::Roles));
    let assigned = assign(view, evaluator, &model, draft).map_err(store_failure)?;
    let detected = detection::detect(view, &model, &assigned);
    view.explain(None);
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
        _ if is_granted(view, role.name) => Ok(true),
        None => Ok(false),
        Some(Selector::Rule(_)) => Ok(true),
        Some(selector) => selects(view, model, selector),
    }
}

/// Says whether a person has decided something about the role, or within it.
fn is_decided(identity: &Identity, role: Name) -> bool {
    let mut decisions = identity.by_hand.roles.iter();
    decisions.any(|decision| decision.role == role || decision.within == Some(role))
}

/// Says whether the lifecycle state grants the role.
fn is_granted(view: &TrackedView, role: Name) -> bool {
    lifecycle_state(view, view.model()).is_some_and(|state| state.roles.contains(&role))
}

/// Says whether a role is in use now.
pub(super) fn is_in_use(view: &mut TrackedView, role: &Role) -> bool {
    !role.disabled
        && role.active_from.is_none_or(|from| view.reached(from))
        && !role.active_until.is_some_and(|until| view.reached(until))
}

fn assign(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    model: &Model,
    draft: &mut Draft,
) -> Result<Vec<RoleAssignment>, Interrupt> {
    let mut roles = by_selectors(view, evaluator, model, draft)?;
    let in_force = decisions_in_force(view);
    let of = |verdict| {
        let decisions = in_force.iter();
        decisions.filter(move |decision| decision.verdict == verdict)
    };
    roles.retain(|role| !of(RoleVerdict::Denied).any(|denied| denied.role == *role));
    let mut given: Vec<(Name, AssignmentSource)> = roles
        .into_iter()
        .map(|role| (role, AssignmentSource::Rule))
        .collect();
    let mut give = |role: Name, source| {
        if !given.iter().any(|(known, _)| *known == role) {
            given.push((role, source));
        }
    };
    let state = lifecycle_state(view, model);
    for &role in state.map_or(&[][..], |state| &state.roles) {
        give(role, AssignmentSource::State);
    }
    let requested = state.map(|state| state.requested_roles).unwrap_or_default();
    let keeps = requested == RequestedRoles::Keep;
    for decision in of(RoleVerdict::Assigned).filter(|decision| decision.within.is_none()) {
        let role = model.role(decision.role);
        if role.is_none_or(|role| !role.role_type.manual) {
            draft.findings.push(not_assignable(decision));
        } else if keeps {
            give(decision.role, AssignmentSource::Manual);
        }
    }
    given.retain(|(role, _)| {
        let role = model.role(*role);
        role.is_some_and(|role| is_in_use(view, role))
    });
    given.sort();
    let requests: Vec<&RoleDecision> = of(RoleVerdict::Assigned).collect();
    // A role that an earlier wave took away and this one gives back was never lost.
    let identity = &view.record().identity;
    let since = |role: Name| {
        let settled = identity.settled_holding(role);
        let known = settled.or_else(|| identity.holding(role));
        known.map_or(view.as_of(), |held| held.since)
    };
    let mut assigned: Vec<RoleAssignment> = given
        .into_iter()
        .map(|(role, source)| {
            let mut requests = requests.iter();
            let request = requests.find(|known| known.role == role && known.within.is_none());
            RoleAssignment {
                role,
                since: since(role),
                source,
                account: request.and_then(|request| request.account.clone()),
                permits: Vec::new(),
            }
        })
        .collect();
    if keeps {
        permit(view, model, &requests, &mut assigned, draft);
    }
    Ok(assigned)
}

/// Returns the roles that selectors give, as far as the lifecycle state lets them.
fn by_selectors(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    model: &Model,
    draft: &mut Draft,
) -> Result<Vec<Name>, Interrupt> {
    let ((), chain) = view.counting(|view| view.note_node_read(Node::LifecycleState));
    view.note_role_chain(None, chain);
    let automatic = lifecycle_state(view, model).map(|state| state.automatic_roles);
    let mut selected = Vec::new();
    match automatic.unwrap_or_default() {
        AutomaticRoles::Remove => {}
        AutomaticRoles::Freeze => {
            let kept = model.roles.iter().filter(|role| keeps(view, role));
            selected.extend(kept.map(|role| role.name));
        }
        AutomaticRoles::Evaluate => {
            let mut rules: Vec<RuleIndex> = Vec::new();
            let (places, chain) = view.counting(|view| maybe_selected(view, model));
            view.note_role_chain(None, chain);
            for place in places? {
                let role = &model.roles[place];
                let eligible = match &role.selector {
                    None => continue,
                    Some(Selector::Rule(rule)) => {
                        if !rules.contains(rule) {
                            rules.push(*rule);
                        }
                        continue;
                    }
                    Some(selector) => {
                        let (eligible, chain) =
                            view.counting(|view| selects(view, model, selector));
                        view.note_role_chain(Some(role.name), chain);
                        eligible
                    }
                };
                let eligible = match eligible {
                    Ok(eligible) => eligible,
                    Err(error) => {
                        draft.findings.push(unreadable(role, &read_failure(error)?));
                        keeps(view, role)
                    }
                };
                if eligible {
                    selected.push(role.name);
                }
            }
            for rule in rules {
                ask_rule(view, evaluator, model, rule, &mut selected, draft)?;
            }
        }
    }
    Ok(selected)
}

/// Returns the places of the roles whose selectors are worth asking.
fn maybe_selected(view: &mut TrackedView, model: &Model) -> Result<Vec<usize>, Interrupt> {
    model.roles.maybe_selected(|attribute, each| {
        match view.attribute(&attribute).map_err(read_failure) {
            Ok(value) => {
                value.iter().for_each(each);
                Ok(true)
            }
            // Each role that reads it says so.
            Err(Ok(_)) => Ok(false),
            Err(Err(interrupt)) => Err(interrupt),
        }
    })
}

/// Says whether a role stays where its selector isn't asked: it was had by it,
/// and is in use. One that went out of use meanwhile is lost, so there is no
/// moment at which it would come back.
fn keeps(view: &mut TrackedView, role: &Role) -> bool {
    if !held_by_rule(&view.record().identity, role.name) {
        return false;
    }
    let mark = view.mark();
    let in_use = is_in_use(view, role);
    if !in_use {
        view.rewind(&mark);
    }
    in_use
}

/// Says whether the identity had a role by its selector when events were last
/// processed.
fn held_by_rule(identity: &Identity, role: Name) -> bool {
    identity
        .settled_holding(role)
        .is_some_and(|held| held.source == AssignmentSource::Rule)
}

/// Returns what people have decided about roles and holds now.
fn decisions_in_force(view: &mut TrackedView) -> Vec<RoleDecision> {
    let decisions = view.record().identity.by_hand.roles.clone();
    let in_force = |decision: &RoleDecision| {
        let over = decision.until.is_some_and(|until| view.reached(until));
        !over && decision.from.is_none_or(|from| view.reached(from))
    };
    decisions.into_iter().filter(in_force).collect()
}

/// Puts permitted roles that people have requested into the assignments that
/// permit them.
fn permit(
    view: &mut TrackedView,
    model: &Model,
    requests: &[&RoleDecision],
    assigned: &mut [RoleAssignment],
    draft: &mut Draft,
) {
    for request in requests {
        let Some(within) = request.within else {
            continue;
        };
        let permits = |role: &Role| role.permits.contains(&request.role);
        let Some(role) = model.role(request.role) else {
            draft.findings.push(not_permitted(request, within));
            continue;
        };
        if !model.role(within).is_some_and(permits) {
            draft.findings.push(not_permitted(request, within));
        } else if let Some(assignment) = assigned.iter_mut().find(|known| known.role == within)
            && is_in_use(view, role)
        {
            assignment.permits.push(request.role);
        }
    }
    for assignment in assigned {
        assignment.permits.sort();
    }
}

fn not_assignable(decision: &RoleDecision) -> Finding {
    Finding {
        severity: Severity::Warning,
        phase: ROLES,
        subject: decision.role.to_string(),
        cause: Name::new("unknown-role"),
        message: format!(
            "{} assigned it, but it is no role that people may assign any more",
            decision.actor
        ),
        hint: Some("define it in roles/*.toml, or take it back: idr role revoke".to_owned()),
    }
}

fn not_permitted(decision: &RoleDecision, within: Name) -> Finding {
    Finding {
        severity: Severity::Warning,
        phase: ROLES,
        subject: decision.role.to_string(),
        cause: Name::new("not-permitted"),
        message: format!(
            "{} assigned it within `{within}`, which doesn't permit it any more",
            decision.actor
        ),
        hint: Some("list it in that role's `permits`, or take it back: idr role revoke".to_owned()),
    }
}

/// Returns the definition of the lifecycle state that this plan has settled.
pub(super) fn lifecycle_state<'m>(
    view: &TrackedView,
    model: &'m Model,
) -> Option<&'m LifecycleState> {
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
    selected: &mut Vec<Name>,
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
    let (answer, chain) = view.counting(|view| evaluator.assign(rule, &candidates, view));
    for role in &candidates {
        view.note_role_chain(Some(*role), chain);
    }
    view.read_as(None);
    let kept =
        |view: &mut TrackedView, role: Name| model.role(role).is_some_and(|role| keeps(view, role));
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
                        kept(view, role)
                    }
                };
                if eligible {
                    selected.push(role);
                }
            }
        }
        Err(error) => {
            let subject = model.rule(rule).name;
            let failed = failure(ROLES, Severity::Error, &subject, error)?;
            draft.retry_after(failed.retry_after_ms);
            draft.findings.push(failed.finding);
            selected.extend(candidates.iter().filter(|role| kept(view, **role)));
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

#[cfg(test)]
mod tests {
    use crate::definitions::{
        AutomaticRoles, Detection, Model, Population, Profile, ProfileSet, Role, RoleType, Roles,
        RuleIndex, Selector,
    };
    use crate::filter::Filter;
    use proptest::prelude::*;

    use crate::model::{
        Account, AssignmentSource, Holding, IdentityRecord, Name, RoleAssignment, RoleDecision,
        RoleDetection, RoleVerdict, UnixMillis, Value, ValueType,
    };
    use crate::phases::entitlements::ledger;
    use crate::phases::role_metadata::role_metadata;
    use crate::rule::Eligibility;
    use crate::testing::{Scripts, account, attribute, from_account, model, person, refresh};

    const NOW: UnixMillis = UnixMillis(1_000);

    fn role(name: &str, role_type: RoleType, selector: Option<Selector>) -> Role {
        Role {
            name: Name::new(name),
            role_type,
            disabled: false,
            active_from: None,
            active_until: None,
            selector,
            requires: Vec::new(),
            permits: Vec::new(),
            detection: Vec::new(),
            parts: Vec::new(),
            risk_weight: 0,
        }
    }

    fn held(role: &str) -> RoleAssignment {
        RoleAssignment::by_rule(Name::new(role), NOW)
    }

    fn all(profiles: Vec<Profile>) -> ProfileSet {
        ProfileSet {
            any: false,
            profiles,
        }
    }

    fn tenant(roles: Vec<Role>) -> Model {
        let department = attribute("department", vec![from_account("hr", "department")]);
        let mut model = model(&["department", "groups"], vec![department]);
        model.roles = roles.into();
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
                    RoleType::business(),
                    Some(Selector::MatchList(listed.clone())),
                ),
                role(
                    "sales",
                    RoleType::business(),
                    Some(Selector::Filter(filter.clone())),
                ),
                role("by hand", RoleType::business(), None),
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
            RoleType::business(),
            Some(Selector::Filter(filter)),
        )];
        let mut record = in_sales();
        record.identity.baseline.assigned = vec![(
            Name::new("sales"),
            Some(Holding {
                since: UnixMillis(400),
                source: AssignmentSource::Rule,
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
        let roles = ["a", "b", "c"].map(|name| role(name, RoleType::business(), by_rule()));
        let mut record = in_sales();
        record.identity.assigned = vec![held("c")];
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
        let roles = || tenant(vec![role("a", RoleType::business(), by_rule())]);
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
            let sales = role(
                "sales",
                RoleType::business(),
                Some(Selector::Filter(filter)),
            );
            let mut model = tenant(vec![sales, role("old", RoleType::business(), None)]);
            model.lifecycle.states[0].automatic_roles = automatic_roles;
            let mut record = in_sales();
            record.identity.assigned = vec![held("old")];
            refresh(model, &mut Scripts::default(), NOW, record)
        };
        assert_eq!(assigned(&with(AutomaticRoles::Evaluate)), ["sales"]);
        assert_eq!(assigned(&with(AutomaticRoles::Freeze)), ["old"]);
        assert!(assigned(&with(AutomaticRoles::Remove)).is_empty());
    }

    #[test]
    fn a_profile_must_be_satisfied_by_one_account() {
        let wanted = vec!["read".to_owned(), "write".to_owned()];
        let mut editor = role("editor", RoleType::it(), None);
        editor.detection = vec![all(vec![Profile {
            application: Name::new("ad"),
            entitlements: vec![(Name::new("groups"), wanted)],
            filter: None,
        }])];
        let holding = |native: &str, groups: &[&str]| {
            let mut account = account("ad", &[]);
            account.key.native_identity = native.to_owned();
            let groups = groups.iter().map(|group| (*group).into()).collect();
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

    fn profile(values: &[&str]) -> Profile {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Profile {
            application: Name::new("ad"),
            entitlements: vec![(Name::new("groups"), values)],
            filter: None,
        }
    }

    fn ad(native: &str, groups: &[&str]) -> Account {
        let mut account = account("ad", &[]);
        account.key.native_identity = native.to_owned();
        let groups = groups.iter().map(|group| (*group).into()).collect();
        account.attributes = vec![(Name::new("groups"), Value::Many(groups))];
        account
    }

    fn detected(record: &IdentityRecord) -> Vec<String> {
        let accounts = |known: &RoleDetection| {
            let keys = known.accounts.iter();
            let keys: Vec<_> = keys.map(|key| key.native_identity.as_str()).collect();
            format!("{} on {}", known.role, keys.join("+"))
        };
        record.identity.detected.iter().map(accounts).collect()
    }

    #[test]
    fn every_account_that_satisfies_all_profiles_alone_is_a_detection() {
        let mut it = role("dba", RoleType::it(), None);
        it.detection = vec![all(vec![profile(&["a"]), profile(&["b"])])];
        let refreshed = |accounts| {
            let model = tenant(vec![it.clone()]);
            refresh(model, &mut Scripts::default(), NOW, person(accounts))
        };
        let two = refreshed(vec![
            ad("1", &["a", "b"]),
            ad("2", &["b", "a"]),
            ad("3", &["a"]),
        ]);
        assert_eq!(detected(&two), ["dba on 1", "dba on 2"]);
        let together = refreshed(vec![ad("1", &["a"]), ad("2", &["b"]), ad("3", &["c"])]);
        assert_eq!(detected(&together), ["dba on 1+2"]);
        assert!(detected(&refreshed(vec![ad("1", &["a"])])).is_empty());
    }

    #[test]
    fn of_profiles_that_are_alternatives_one_is_enough() {
        let with = |any| {
            let mut it = role("dba", RoleType::it(), None);
            let profiles = vec![profile(&["a"]), profile(&["b"])];
            it.detection = vec![ProfileSet { any, profiles }];
            let record = person(vec![ad("1", &["b"])]);
            refresh(tenant(vec![it]), &mut Scripts::default(), NOW, record)
        };
        assert!(detected(&with(false)).is_empty());
        assert_eq!(detected(&with(true)), ["dba on 1"]);
    }

    #[test]
    fn a_type_may_be_detected_only_where_an_assigned_role_calls_for_it() {
        let with = |detection, permits: &[&str]| {
            let mut it = role(
                "dba",
                RoleType {
                    detection,
                    ..RoleType::it()
                },
                None,
            );
            it.detection = vec![all(vec![profile(&["a"])])];
            let in_department = vec![(Name::new("department"), vec!["sales".to_owned()])];
            let selector = Some(Selector::MatchList(in_department));
            let mut business = role("sales", RoleType::business(), selector);
            business.permits = permits.iter().map(|name| Name::new(name)).collect();
            let mut record = in_sales();
            record.accounts.push(ad("1", &["a"]));
            record.accounts.sort_by_key(|account| account.key.clone());
            refresh(
                tenant(vec![it, business]),
                &mut Scripts::default(),
                NOW,
                record,
            )
        };
        assert_eq!(detected(&with(Detection::Always, &[])), ["dba on 1"]);
        assert!(detected(&with(Detection::IfAssigned, &[])).is_empty());
        assert_eq!(
            detected(&with(Detection::IfAssigned, &["dba"])),
            ["dba on 1"]
        );
        assert!(detected(&with(Detection::Never, &["dba"])).is_empty());
    }

    fn assigned_to(role: &str, within: Option<&str>) -> RoleDecision {
        RoleDecision {
            role: Name::new(role),
            verdict: RoleVerdict::Assigned,
            within: within.map(Name::new),
            account: None,
            from: None,
            until: None,
            actor: "ana".to_owned(),
            reason: String::new(),
            at: NOW,
        }
    }

    #[test]
    fn a_permitted_role_stands_in_the_assignment_that_permits_it() {
        let in_department = vec![(Name::new("department"), vec!["sales".to_owned()])];
        let mut business = role(
            "sales",
            RoleType::business(),
            Some(Selector::MatchList(in_department)),
        );
        business.permits = vec![Name::new("dba")];
        let roles = vec![business, role("dba", RoleType::it(), None)];
        let mut record = in_sales();
        record.identity.by_hand.roles = vec![assigned_to("dba", Some("sales"))];
        let first = refresh(tenant(roles.clone()), &mut Scripts::default(), NOW, record);
        assert_eq!(first.identity.assigned[0].permits, [Name::new("dba")]);
        let metadata = role_metadata(&first.identity, &tenant(roles.clone()));
        assert_eq!(metadata[0].missing, [Name::new("dba")]);
        let mut moved = first;
        moved.accounts[0].attributes = vec![(Name::new("department"), Value::text("it"))];
        let moved = refresh(tenant(roles), &mut Scripts::default(), NOW, moved);
        assert!(moved.identity.assigned.is_empty());
        assert!(moved.identity.findings.is_empty());
    }

    #[test]
    fn a_role_is_in_use_between_its_dates_and_wakes_whom_it_concerns() {
        let in_department = vec![(Name::new("department"), vec!["sales".to_owned()])];
        let roles = |disabled| {
            let selector = Some(Selector::MatchList(in_department.clone()));
            let mut role = role("sales", RoleType::business(), selector);
            role.disabled = disabled;
            role.active_from = Some(UnixMillis(2_000));
            role.active_until = Some(UnixMillis(3_000));
            tenant(vec![role])
        };
        let at = |at, disabled, record| {
            refresh(
                roles(disabled),
                &mut Scripts::default(),
                UnixMillis(at),
                record,
            )
        };
        let before = at(1_000, false, in_sales());
        assert!(assigned(&before).is_empty());
        assert_eq!(before.identity.wake.phases, Some(UnixMillis(2_000)));
        let within = at(2_000, false, before);
        assert_eq!(assigned(&within), ["sales"]);
        assert_eq!(within.identity.wake.phases, Some(UnixMillis(3_000)));
        assert!(assigned(&at(2_500, true, within.clone())).is_empty());
        let after = at(3_000, false, within);
        assert!(assigned(&after).is_empty());
        assert_eq!(after.identity.wake.phases, None);
    }

    #[test]
    fn a_kept_role_that_goes_out_of_use_has_no_moment_to_come_back() {
        let mut sales = role("sales", RoleType::business(), None);
        sales.selector = Some(Selector::Rule(RuleIndex(0)));
        sales.active_from = Some(UnixMillis(5_000));
        let mut scripts = Scripts {
            eligibility: vec![Eligibility::CannotTell("no data".to_owned())],
            ..Scripts::default()
        };
        let mut record = in_sales();
        record.identity.assigned = vec![held("sales")];
        let refreshed = refresh(tenant(vec![sales]), &mut scripts, NOW, record);
        assert!(assigned(&refreshed).is_empty());
        assert_eq!(refreshed.identity.wake.phases, None);
    }

    #[test]
    fn a_state_grants_its_roles_and_no_denial_takes_them() {
        let mut model = tenant(vec![role("badge", RoleType::business(), None)]);
        model.lifecycle.states[0].roles = vec![Name::new("badge")];
        let mut record = in_sales();
        record.identity.by_hand.roles = vec![RoleDecision {
            verdict: RoleVerdict::Denied,
            ..assigned_to("badge", None)
        }];
        let refreshed = refresh(model, &mut Scripts::default(), NOW, record);
        let badge = &refreshed.identity.assigned[0];
        assert_eq!(
            (badge.role.as_str(), badge.source.as_str()),
            ("badge", "state")
        );
    }

    proptest! {
        /// What is found by value is what asking every role finds.
        #[test]
        fn no_role_is_overlooked(
            department in "[abc]|7|7[.]0|07",
            level in 6..9_i64,
            rate in "6|7|7[.]0|7[.]5",
            groups in proptest::collection::vec("[abc]|7", 0..3),
            filters in proptest::collection::vec((0..FILTERS.len(), 0..3_usize), 1..6),
        ) {
            let filter = |place: usize| Filter::parse(FILTERS[place]).expect("a filter");
            let populations: Vec<Population> = filters.iter().enumerate().map(|(index, (place, _))| {
                Population { name: Name::new(&format!("p{index}")), filter: filter(*place) }
            }).collect();
            let selector = |index: usize, place: usize, kind: usize| match kind {
                0 => Selector::Filter(filter(place)),
                1 => Selector::Population(index),
                _ => Selector::MatchList(LISTS[place % LISTS.len()].iter().map(|(attribute, text)| {
                    (Name::new(attribute), vec!["x".to_owned(), (*text).to_owned()])
                }).collect()),
            };
            let roles: Vec<Role> = filters.iter().enumerate().map(|(index, (place, kind))| {
                let selector = selector(index, *place, *kind);
                role(&format!("r{index}"), RoleType::business(), Some(selector))
            }).collect();
            let mut account = account("hr", &[("department", &department)]);
            account.attributes.push((Name::new("level"), Value::Integer(level)));
            let rate = ValueType::Decimal.parse(&rate).expect("a number").expect("not blank");
            account.attributes.push((Name::new("rate"), rate));
            account.attributes.push((Name::new("tags"), Value::many(&groups)));
            account.attributes.retain(|(_, value)| *value != Value::Many(Vec::new()));
            account.attributes.sort();
            let mut record = person(vec![account]);
            let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
            record.accounts.insert(0, ad("1", &groups));
            let mut model = tenant(Vec::new());
            for (name, value_type) in [
                ("level", ValueType::Integer),
                ("rate", ValueType::Decimal),
                ("tags", ValueType::Many),
            ] {
                let mut known = attribute(name, vec![from_account("hr", name)]);
                known.value_type = value_type;
                model.attributes.push(known);
            }
            model.attributes.sort_by_key(|known| known.name);
            model.populations = populations;
            // All of them at once, and each alone, asked whatever its place is.
            let mut fast = model.clone();
            fast.roles = Roles::new(roles.clone(), &model.populations);
            let mut slow = model;
            slow.roles = Roles::asked_one_by_one(roles);
            let fast = refresh(fast, &mut Scripts::default(), NOW, record.clone());
            let slow = refresh(slow, &mut Scripts::default(), NOW, record);
            prop_assert_eq!(assigned(&fast), assigned(&slow));
        }
    }

    /// Codes that read as numbers are asked for as texts and as numbers.
    const FILTERS: [&str; 14] = [
        "department == \"a\"",
        "department == \"b\" && links.groups == \"a\"",
        "links.groups.notNull() && department.in({\"a\", \"b\", \"7\"})",
        "department != \"a\"",
        "department i== \"A\" || department == \"c\"",
        "links == \"1\" && department.notNull()",
        "!(department == \"a\")",
        "department == \"7\"",
        "department == 7",
        "level == \"7\" || department == \"b\"",
        "level == \"7.0\"",
        "level.in({6, \"07\"})",
        "rate == 7 && tags.containsAll({\"7\", \"a\"})",
        "tags == 7",
    ];

    const LISTS: [&[(&str, &str)]; 4] = [
        &[("department", "7")],
        &[("level", "7"), ("department", "a")],
        &[("rate", "7.5")],
        &[("tags", "7")],
    ];
}

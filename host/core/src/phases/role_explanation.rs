//! Why an identity has a role, or hasn't: every part of what decides about it,
//! asked whether it needs to be or not.
//!
//! Goes by the same readings as `roles` and `detection`, and changes nothing.
//! `idr explain NAME role ROLE` and `--why-not` show it.

use super::{Interrupt, entitlements, read_failure, roles, store_failure};
use crate::definitions::{AutomaticRoles, Model, Profile, RequestedRoles, Role, Selector};
use crate::filter::Filter;
use crate::model::{RoleVerdict, UnixMillis};
use crate::rule::{Eligibility, RuleEvaluator};
use crate::view::{ReadError, SnapshotError, Topic, Traced, TrackedView};

/// Notes in the view's trace what decides about a role. Everything up to the
/// roles is settled.
pub(crate) fn explain(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    role: &Role,
) -> Result<(), SnapshotError> {
    let model = view.model().clone();
    view.explain(Some(Topic::Role(role.name)));
    use_of(view, role);
    let done = selector(view, evaluator, &model, role);
    decisions(view, &model, role);
    if !role.detection.is_empty() {
        detection(view, role);
    }
    around(view, &model, role);
    view.explain(None);
    match done {
        Err(Interrupt::Snapshot(error)) => Err(error),
        Err(interrupt @ Interrupt::Unsettled(_)) => Err(store_failure(interrupt)),
        Ok(()) => Ok(()),
    }
}

fn use_of(view: &mut TrackedView, role: &Role) {
    if role.disabled {
        view.step(|| "the role".to_owned(), "is disabled: nobody has it");
    }
    if let Some(from) = role.active_from {
        let way = match view.reached(from) {
            true => "has come into use",
            false => "isn't in use yet: nobody has it",
        };
        view.step(|| "the role".to_owned(), way);
    }
    if let Some(until) = role.active_until
        && view.reached(until)
    {
        view.step(
            || "the role".to_owned(),
            "is out of use: nobody has it any more",
        );
    }
}

fn selector(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    model: &Model,
    role: &Role,
) -> Result<(), Interrupt> {
    let state = roles::lifecycle_state(view, model);
    let automatic = state.map(|state| state.automatic_roles).unwrap_or_default();
    let named = state.map_or("no lifecycle state".to_owned(), |state| {
        format!("lifecycle state {}", state.name)
    });
    view.step(
        || named,
        match automatic {
            AutomaticRoles::Evaluate => "lets selectors give roles",
            AutomaticRoles::Freeze => "leaves roles by selector as they are",
            AutomaticRoles::Remove => "takes roles by selector away",
        },
    );
    match &role.selector {
        None => view.step(
            || "selector".to_owned(),
            "there is none: people or states assign it, or it is detected",
        ),
        Some(Selector::MatchList(terms)) => {
            let mut all = true;
            let mut parts = Vec::new();
            for (attribute, wanted) in terms {
                let mut matched = false;
                match view.attribute(attribute) {
                    Ok(value) => {
                        if let Some(value) = value {
                            value.each_text(|text| matched |= wanted.iter().any(|w| w == text));
                        }
                    }
                    Err(error) => return unreadable(view, error),
                }
                all &= matched;
                parts.push((format!("{attribute} is {}", wanted.join(" or ")), matched));
            }
            view.step(|| "selector: all of a match list".to_owned(), holds(all));
            for (what, matched) in parts {
                part(view, 1, what, matched);
            }
        }
        Some(Selector::Filter(filter)) => return by_filter(view, "selector: a filter", filter),
        Some(Selector::Population(place)) => {
            let population = &model.populations[*place];
            let what = format!("selector: population {}", population.name);
            return by_filter(view, &what, &population.filter);
        }
        Some(Selector::Rule(rule)) => {
            // It is asked about all of its roles, as a refresh does.
            let decides =
                |known: &&Role| matches!(known.selector, Some(Selector::Rule(by)) if by == *rule);
            let candidates: Vec<_> = model.roles.iter().filter(decides).map(|r| r.name).collect();
            view.read_as(Some(*rule));
            let answer = evaluator.assign(*rule, &candidates, view);
            view.read_as(None);
            let place = candidates.iter().position(|name| *name == role.name);
            let way = match (answer, place) {
                (Ok(answers), Some(place)) => match answers.into_iter().nth(place) {
                    Some(Eligibility::Yes) => "says yes".to_owned(),
                    Some(Eligibility::No) => "says no".to_owned(),
                    Some(Eligibility::CannotTell(why)) => {
                        format!("can't tell: {why}; the role stays as it is")
                    }
                    None => "gives no answer; the role stays as it is".to_owned(),
                },
                (Ok(_), None) => "isn't asked about it".to_owned(),
                (Err(_), _) => "failed: the role stays as it is".to_owned(),
            };
            view.step(|| format!("selector: rule {}", model.rule(*rule).name), way);
        }
    }
    Ok(())
}

fn by_filter(view: &mut TrackedView, what: &str, filter: &Filter) -> Result<(), Interrupt> {
    match filter.parts(view) {
        Ok(parts) => {
            let all = parts.first().is_some_and(|part| part.holds);
            view.step(|| what.to_owned(), holds(all));
            for known in parts {
                part(view, known.depth + 1, known.text, known.holds);
            }
            Ok(())
        }
        Err(error) => unreadable(view, error),
    }
}

fn unreadable(view: &mut TrackedView, error: ReadError) -> Result<(), Interrupt> {
    let error = read_failure(error)?;
    let way = format!("can't be read: {error}; the role stays as it is");
    view.step(|| "selector".to_owned(), way);
    Ok(())
}

fn part(view: &mut TrackedView, depth: usize, what: String, is_so: bool) {
    view.note_as(Traced::Step(depth), || what, || holds(is_so).to_owned());
}

fn holds(is_so: bool) -> &'static str {
    if is_so { "holds" } else { "doesn't hold" }
}

/// What people and the lifecycle state say about it.
fn decisions(view: &mut TrackedView, model: &Model, role: &Role) {
    for decision in view.record().identity.by_hand.roles.clone() {
        if decision.role != role.name {
            continue;
        }
        let over = |view: &mut TrackedView, at: Option<UnixMillis>| {
            at.is_some_and(|until| view.reached(until))
        };
        let way = if over(view, decision.until) {
            "is over"
        } else if decision.from.is_some_and(|from| !view.reached(from)) {
            "doesn't hold yet"
        } else {
            match decision.verdict {
                RoleVerdict::Assigned => "is in force",
                RoleVerdict::Denied => "is in force: no selector gives it",
            }
        };
        let within = decision.within.map(|role| format!(" within {role}"));
        view.step(
            || {
                let (verdict, actor) = (decision.verdict.as_str(), &decision.actor);
                format!("{verdict} by {actor}{}", within.unwrap_or_default())
            },
            way,
        );
    }
    let Some(state) = roles::lifecycle_state(view, model) else {
        return;
    };
    let name = || format!("lifecycle state {}", state.name);
    if state.roles.contains(&role.name) {
        view.step(name, "gives it");
    }
    let mut decisions = view.record().identity.by_hand.roles.iter();
    let requested = decisions.any(|known| known.role == role.name);
    if requested && state.requested_roles != RequestedRoles::Keep {
        view.step(name, "takes away what people have assigned");
    }
}

/// What accounts hold of what its profiles call for.
fn detection(view: &mut TrackedView, role: &Role) {
    for set in &role.detection {
        view.step(
            || "detection".to_owned(),
            match set.any {
                true => "needs one of these profiles",
                false => "needs all of these profiles",
            },
        );
        for profile in &set.profiles {
            let (mut satisfied, mut lacking) = (Vec::new(), Vec::new());
            for index in 0..view.record().accounts.len() {
                if view.is_vanished(index) {
                    continue;
                }
                let account = &view.record().accounts[index];
                if account.key.application != profile.application {
                    continue;
                }
                let name = account.key.native_identity.clone();
                match entitlements::satisfies(account, profile) {
                    true => satisfied.push(name),
                    false => lacking.push(name),
                }
            }
            let way = match (satisfied.as_slice(), lacking.as_slice()) {
                ([], []) => "no account there".to_owned(),
                ([], lacking) => format!("not satisfied by {}", lacking.join(", ")),
                (satisfied, _) => format!("satisfied by {}", satisfied.join(", ")),
            };
            view.note_as(Traced::Step(1), || spoken(profile), || way);
        }
    }
}

fn spoken(profile: &Profile) -> String {
    let mut parts: Vec<String> = Vec::new();
    for (attribute, values) in &profile.entitlements {
        parts.push(format!("{attribute} {}", values.join(" and ")));
    }
    parts.extend(profile.filter.iter().map(ToString::to_string));
    format!("{}: {}", profile.application, parts.join(", "))
}

/// Which of the roles that the identity has call for it.
fn around(view: &mut TrackedView, model: &Model, role: &Role) {
    for assignment in view.record().identity.assigned.clone() {
        let Some(known) = model.role(assignment.role) else {
            continue;
        };
        let way = if known.requires.contains(&role.name) {
            "requires it"
        } else if assignment.permits.contains(&role.name) {
            "permits it, and a person has assigned it within that"
        } else if known.permits.contains(&role.name) {
            "permits it"
        } else {
            continue;
        };
        view.step(|| format!("assigned role {}", known.name), way);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::definitions::{Model, Role, RoleType, Selector};
    use crate::filter::Filter;
    use crate::model::{IdentityRecord, Name, RoleDecision, RoleVerdict, UnixMillis};
    use crate::plan::{PlanContext, Planner};
    use crate::testing::{
        Nobody, Scripts, account, attribute, from_account, model, person, refresh,
    };
    use crate::view::Traced;

    const NOW: UnixMillis = UnixMillis(1_000);

    fn sales(selector: &str) -> Role {
        Role {
            name: Name::new("sales"),
            role_type: RoleType::business(),
            disabled: false,
            active_from: None,
            active_until: Some(UnixMillis(5_000)),
            selector: Some(Selector::Filter(Filter::parse(selector).expect("a filter"))),
            requires: Vec::new(),
            permits: Vec::new(),
            detection: Vec::new(),
            risk_weight: 0,
        }
    }

    fn tenant(role: Role) -> Model {
        let names = ["department", "location"];
        let attributes = names.map(|name| attribute(name, vec![from_account("hr", name)]));
        let mut model = model(&names, attributes.into());
        model.roles = vec![role].into();
        model
    }

    /// Returns what decides about the role, with the steps set in by their depth.
    fn explained(model: Model, record: IdentityRecord) -> Vec<String> {
        let mut scripts = Scripts::default();
        let record = refresh(model.clone(), &mut scripts, NOW, record);
        let context = PlanContext {
            model: Arc::new(model),
            snapshot: Arc::new(Nobody),
            as_of: NOW,
        };
        let trace = Planner::new(&mut scripts).explain_role(&context, record, Name::new("sales"));
        let trace = trace.expect("there is no store to fail").into_iter();
        let steps = trace.filter_map(|entry| match entry.kind {
            Traced::Step(depth) => {
                let margin = "  ".repeat(depth);
                Some(format!("{margin}{} {}", entry.what, entry.answer))
            }
            Traced::Read(_) | Traced::Time(_) => None,
        });
        steps.collect()
    }

    #[test]
    fn every_part_of_a_selector_is_asked() {
        let role = sales("department == \"sales\" && !(location == \"x\")");
        let record = person(vec![account("hr", &[("location", "x")])]);
        assert_eq!(
            explained(tenant(role), record),
            [
                "lifecycle state active lets selectors give roles",
                "selector: a filter doesn't hold",
                "  all of doesn't hold",
                "    department == \"sales\" doesn't hold",
                "    not doesn't hold",
                "      location == \"x\" holds",
            ]
        );
    }

    #[test]
    fn what_people_have_decided_is_told_with_whether_it_holds() {
        let role = sales("department == \"sales\"");
        let mut record = person(vec![account("hr", &[("department", "sales")])]);
        let denied = RoleDecision {
            role: role.name,
            verdict: RoleVerdict::Denied,
            within: None,
            account: None,
            from: None,
            until: Some(UnixMillis(2_000)),
            actor: "ana".to_owned(),
            reason: String::new(),
            at: UnixMillis(0),
        };
        record.identity.by_hand.roles = vec![denied];
        let mut steps = explained(tenant(role), record);
        assert_eq!(
            steps.pop().expect("the last step"),
            "denied by ana is in force: no selector gives it"
        );
        assert_eq!(steps[1], "selector: a filter holds");
    }
}

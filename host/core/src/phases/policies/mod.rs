//! Policies: what nobody should have together, or be.
//!
//! Judged on what is there and on what is called for. A violation is state: it
//! is there for as long as it is so, and remembers since when. What people have
//! decided about it is an input. Where a policy holds, the newer of what can't
//! go together is kept out of the provisioning plan, and somebody is asked.
//!
//! Reads what identity and access have settled. The scorecard is worked out in
//! between: it counts violations, and risk policies are judged by it.

mod breaches;
mod deciders;
mod hold;
mod sides;

use std::sync::Arc;

use super::roles::SettledRoles;
use super::selection::Selected;
use super::{Failure, Interrupt, entitlements, failure, read_failure, risk, store_failure};
use crate::definitions::{Model, Policy, PolicyAction, PolicyKind, RuleIndex};
use crate::model::finding::POLICIES;
use crate::model::{
    Basis, Finding, Held, Name, PolicyVerdict, Scorecard, Severity, UnixMillis, Violation,
    ViolationStatus,
};
use crate::plan::Draft;
use crate::planted::{self, Bug};
use crate::rule::{RuleEvaluator, RuleFailure};
use crate::view::{JudgedAccess, ReadError, SnapshotError, TrackedView};
use entitlements::{CalledRole, Holdings};
use sides::{Fact, Sides};

/// What governance comes to in one plan.
#[derive(Debug, Default)]
pub(crate) struct Governed {
    /// Sorted by policy.
    pub(crate) violations: Vec<Violation>,
    pub(crate) scorecard: Option<Scorecard>,
    /// What mustn't be provisioned.
    pub(crate) held: Held,
    /// What is asked: of whom by name, if of anybody, and the words.
    pub(crate) asks: Vec<(Option<String>, String)>,
    /// Whether a policy that wasn't to be judged would have been judged otherwise.
    pub(crate) left_out: bool,
}

/// Judges policies and scores risk. With `only`, the violations of other
/// policies stay as they are.
pub(crate) fn plan(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    (settled, selected): (&SettledRoles, &Selected),
    only: Option<&[Name]>,
    draft: &mut Draft,
) -> Result<Governed, SnapshotError> {
    let model = Arc::clone(view.model());
    let mut judge = Judge {
        model: &model,
        only,
        settled,
        selected,
        facts: Facts::default(),
        governed: Governed::default(),
    };
    if !model.policies.is_empty() {
        judge.gather(view);
        let places = judge.places(view).map_err(store_failure)?;
        if !places.is_empty() {
            view.show_roles(&settled.assigned, &settled.detected);
        }
        for place in places {
            let policy = &model.policies[place];
            if !matches!(policy.kind, PolicyKind::Risk(_)) {
                let judged = judge.judge(view, evaluator, policy, draft);
                judged.map_err(store_failure)?;
            }
        }
    }
    judge.keep_others(view, false);
    let violations = &judge.governed.violations;
    let scorecard = risk::plan(view, settled, violations, draft)?;
    judge.governed.scorecard = scorecard;
    let of_risk = |policy: &&Policy| matches!(policy.kind, PolicyKind::Risk(_));
    for policy in model.policies.iter().filter(of_risk) {
        let judged = judge.judge(view, evaluator, policy, draft);
        judged.map_err(store_failure)?;
    }
    judge.keep_others(view, true);
    judge.finish(view, draft)
}

/// What policies are judged on.
#[derive(Debug, Default)]
struct Facts {
    called: Vec<CalledRole>,
    holdings: Holdings,
}

/// Judges the policies of one identity.
struct Judge<'a> {
    model: &'a Model,
    only: Option<&'a [Name]>,
    settled: &'a SettledRoles,
    selected: &'a Selected,
    facts: Facts,
    governed: Governed,
}

/// What a policy comes to for an identity.
enum Verdict {
    /// There is nothing wrong.
    Kept,
    /// It is violated so.
    Violated(Basis, Sides),
}

/// Why a policy can't be judged.
enum Stop {
    Failed(Box<Failure>),
    Interrupt(Interrupt),
}

impl Judge<'_> {
    /// Works out what separations of duties are judged on, where there are any.
    fn gather(&mut self, view: &mut TrackedView) {
        let policies = &self.model.policies;
        if policies.are_of_roles() {
            self.facts.called = entitlements::called_roles(view, self.settled);
        }
        if policies.are_of_entitlements() {
            let named = |at, value: &str| policies.names(at, value);
            self.facts.holdings = entitlements::holdings(view, self.settled, self.selected, named);
        }
    }

    /// Returns the places of the policies that could concern the identity, in order.
    fn places(&self, view: &mut TrackedView) -> Result<Vec<usize>, Interrupt> {
        let policies = &self.model.policies;
        let mut places = policies.of_everybody().to_vec();
        let called = self.facts.called.iter().map(|known| known.role);
        let detected = self.settled.detected.iter().map(|known| known.role);
        for role in called.chain(detected) {
            policies.with_role(role, &mut places);
        }
        let holdings = &self.facts.holdings;
        let missing = holdings.missing.iter().map(|(entitlement, _)| entitlement);
        let there = holdings.present.iter().chain(&holdings.removing);
        for known in there.chain(missing) {
            let at = (known.account.application, known.attribute);
            policies.with_entitlement(at, &known.value, &mut places);
        }
        for account in &view.record().accounts {
            policies.with_application(account.key.application, &mut places);
        }
        policies.with_attributes(
            |attribute, each| match view.attribute(&attribute).map_err(read_failure) {
                Ok(value) => {
                    value.iter().for_each(each);
                    Ok(true)
                }
                // Each policy that reads it says so.
                Err(Ok(_)) => Ok(false),
                Err(Err(interrupt)) => Err(interrupt),
            },
            &mut places,
        )?;
        places.sort_unstable();
        places.dedup();
        Ok(places)
    }

    fn judge(
        &mut self,
        view: &mut TrackedView,
        evaluator: &mut dyn RuleEvaluator,
        policy: &Policy,
        draft: &mut Draft,
    ) -> Result<(), Interrupt> {
        let new = match self.verdict(view, evaluator, policy) {
            Ok(Verdict::Kept) => None,
            Ok(Verdict::Violated(basis, sides)) => {
                Some(self.violation(view, policy, basis, &sides))
            }
            Err(Stop::Interrupt(interrupt)) => return Err(interrupt),
            Err(Stop::Failed(failed)) => {
                draft.retry_after(failed.retry_after_ms);
                draft.findings.push(failed.finding);
                self.unjudged(view, policy)
            }
        };
        self.governed.violations.extend(new);
        Ok(())
    }

    fn verdict(
        &self,
        view: &mut TrackedView,
        evaluator: &mut dyn RuleEvaluator,
        policy: &Policy,
    ) -> Result<Verdict, Stop> {
        let read = |result: Result<bool, ReadError>| result.map_err(|error| stop(policy, error));
        let is_violated = match &policy.kind {
            PolicyKind::Roles { .. } | PolicyKind::Entitlements { .. } => {
                let sides = self.duties(&policy.kind);
                sides.basis().map(|basis| (basis, sides))
            }
            PolicyKind::Filter(filter) => {
                read(filter.matches(view))?.then(|| (Basis::Actual, Sides::default()))
            }
            PolicyKind::Accounts {
                application,
                filter,
                most,
            } => {
                let mut there = Vec::new();
                for index in 0..view.record().accounts.len() {
                    let key = &view.record().accounts[index].key;
                    if key.application != *application {
                        continue;
                    }
                    let text = format!("{} {}", key.application, key.native_identity);
                    if view.is_vanished(index) {
                        continue;
                    }
                    let counts = match filter {
                        Some(filter) => read(view.account_matches(index, filter))?,
                        None => true,
                    };
                    if counts {
                        there.push(Fact::there(text));
                    }
                }
                let too_many = there.len() > usize::try_from(*most).unwrap_or(usize::MAX);
                too_many.then(|| {
                    let sides = Sides {
                        left: there,
                        right: Vec::new(),
                    };
                    (Basis::Actual, sides)
                })
            }
            PolicyKind::Risk(least) => {
                let card = &self.governed.scorecard;
                let is_high = card.is_some_and(|card| card.composite >= *least);
                is_high.then(|| (Basis::Actual, Sides::default()))
            }
            PolicyKind::Rule(rule) => self.breaches(view, evaluator, policy, *rule)?,
        };
        let Some((basis, sides)) = is_violated else {
            return Ok(Verdict::Kept);
        };
        for filter in &policy.excluded {
            if read(filter.matches(view))? {
                return Ok(Verdict::Kept);
            }
        }
        Ok(Verdict::Violated(basis, sides))
    }

    /// Returns the two sides of a separation of duties; other policies have none.
    fn duties(&self, kind: &PolicyKind) -> Sides {
        match kind {
            PolicyKind::Roles { left, right } => Sides {
                left: self.role_facts(left),
                right: self.role_facts(right),
            },
            PolicyKind::Entitlements { left, right } => {
                let side = |wanted| sides::held(&self.facts.holdings, wanted, self.model);
                Sides {
                    left: side(left),
                    right: side(right),
                }
            }
            PolicyKind::Filter(_)
            | PolicyKind::Accounts { .. }
            | PolicyKind::Risk(_)
            | PolicyKind::Rule(_) => Sides::default(),
        }
    }

    /// Asks a rule about what is there, and about what is called for where that is
    /// more.
    fn breaches(
        &self,
        view: &mut TrackedView,
        evaluator: &mut dyn RuleEvaluator,
        policy: &Policy,
        rule: RuleIndex,
    ) -> Result<Option<(Basis, Sides)>, Stop> {
        let accesses = breaches::accesses(view, self.settled, self.selected);
        let mut ask = |access: Arc<JudgedAccess>| {
            view.read_as(Some(rule));
            view.show_access(Some(access));
            let answer = evaluator.judge(rule, policy.name, view);
            view.show_access(None);
            view.read_as(None);
            answer.map_err(|error| failed(&self.model.rule(rule).name, error))
        };
        let actual = ask(accesses.actual)?;
        let desired = match accesses.desired {
            Some(access) => ask(access)?,
            None => actual.clone(),
        };
        let basis = match (actual.is_empty(), desired.is_empty()) {
            (true, true) => return Ok(None),
            (false, true) => Basis::Actual,
            (true, false) => Basis::Desired,
            (false, false) => Basis::Both,
        };
        let grants = accesses.grants;
        Ok(Some((
            basis,
            breaches::sides(&actual, &desired, &grants, self.model),
        )))
    }

    /// Returns which of these roles the identity has or should have.
    fn role_facts(&self, wanted: &[Name]) -> Vec<Fact> {
        let of = |role: &Name| {
            let detected = self
                .settled
                .detected
                .iter()
                .any(|known| known.role == *role);
            let called = self.facts.called.iter().filter(|known| known.role == *role);
            let assigned = called.clone().any(|known| known.by == *role);
            let since = called.map(|known| known.since).min();
            let is_there = detected || assigned;
            (is_there || since.is_some()).then(|| Fact {
                text: role.to_string(),
                actual: is_there,
                desired: true,
                // What is there can't be kept out.
                since: since.filter(|_| !detected),
                what: Some(hold::What::Role(*role)),
            })
        };
        wanted.iter().filter_map(of).collect()
    }

    fn violation(
        &mut self,
        view: &mut TrackedView,
        policy: &Policy,
        basis: Basis,
        sides: &Sides,
    ) -> Violation {
        let status = status(view, policy.name);
        let known = known(view, policy.name);
        let mut violation = Violation {
            policy: policy.name,
            since: known.map_or(view.as_of(), |known| known.since),
            basis,
            left: sides::texts(&sides.left, basis),
            right: sides::texts(&sides.right, basis),
            status,
            held: Vec::new(),
            ended: None,
        };
        if holds(policy, status) {
            let newer = match policy.kind {
                PolicyKind::Rule(_) => hold::named(sides),
                _ => hold::newer(sides),
            };
            violation.held = hold::texts(&newer);
            hold::keep_out(&newer, &mut self.governed.held);
        }
        violation
    }

    /// Returns the violation of a policy that can't be judged: it stays as it was.
    /// Where the policy holds, nobody knows what may be given, so nothing more is;
    /// what is on its way stays.
    fn unjudged(&mut self, view: &mut TrackedView, policy: &Policy) -> Option<Violation> {
        let status = status(view, policy.name);
        let mut violation = known(view, policy.name).cloned();
        let known_held = violation.as_ref().map_or(&[][..], |known| &known.held);
        let held = match &policy.kind {
            _ if !holds(policy, status) => Vec::new(),
            // Whom it leaves out can't be told; what is violated can.
            PolicyKind::Roles { .. } | PolicyKind::Entitlements { .. } => {
                hold::newer(&self.duties(&policy.kind))
            }
            PolicyKind::Rule(_) => {
                let accesses = breaches::accesses(view, self.settled, self.selected);
                accesses.to_come(&view.record().identity, known_held, self.model)
            }
            PolicyKind::Filter(_) | PolicyKind::Accounts { .. } | PolicyKind::Risk(_) => Vec::new(),
        };
        hold::keep_out(&held, &mut self.governed.held);
        if let Some(violation) = &mut violation {
            violation.status = status;
            violation.held = hold::texts(&held);
        }
        violation
    }

    /// Lets the violations of policies that aren't to be judged stay as they
    /// are: of those of risk, or of all others.
    fn keep_others(&mut self, view: &TrackedView, of_risk: bool) {
        let Some(only) = self.only else {
            return;
        };
        let is_meant = |policy: &&Policy| {
            matches!(policy.kind, PolicyKind::Risk(_)) == of_risk && !only.contains(&policy.name)
        };
        let violations = &mut self.governed.violations;
        for policy in self.model.policies.iter().filter(is_meant) {
            let place = violations.iter().position(|new| new.policy == policy.name);
            let judged = place.map(|place| violations.remove(place));
            let kept = known(view, policy.name).cloned();
            self.governed.left_out |= judged != kept;
            violations.extend(kept);
        }
    }

    /// Says what is violated, asks who decides, and puts violations that are over
    /// beside those that aren't.
    fn finish(
        mut self,
        view: &mut TrackedView,
        draft: &mut Draft,
    ) -> Result<Governed, SnapshotError> {
        let Governed {
            violations,
            held,
            asks,
            ..
        } = &mut self.governed;
        for violation in violations.iter() {
            let Some(policy) = self.model.policies.get(violation.policy) else {
                continue;
            };
            let status = violation.status;
            let is_held = holds(policy, status);
            // What is denied and kept out isn't so.
            let is_desired = violation.basis == Basis::Desired;
            let is_kept_out = is_held && is_desired && status == ViolationStatus::Denied;
            let is_asked = is_held && status != ViolationStatus::Denied;
            let deciders = match is_asked {
                true => deciders::of(view, policy, &violation.held)?,
                false => Vec::new(),
            };
            if status != ViolationStatus::Mitigated && !is_kept_out {
                let mut finding = finding(policy, violation);
                if deciders.contains(&None) {
                    finding.message += "; without an owner or a manager nobody is asked";
                }
                draft.findings.push(finding);
            }
            for decider in deciders {
                let (what, name) = (spoken(policy, violation), &view.record().identity.name);
                let policy = policy.name;
                let ask = format!("decide whether `{name}` may violate policy `{policy}`: {what}");
                asks.push((decider, ask));
            }
        }
        let identity = &view.record().identity;
        if self.model.policies.keep_previous() {
            for previous in identity.settled_violations() {
                if violations
                    .iter()
                    .all(|known| known.policy != previous.policy)
                {
                    violations.push(Violation {
                        ended: previous.ended.or(Some(view.as_of())),
                        held: Vec::new(),
                        ..previous.clone()
                    });
                }
            }
        }
        violations.sort_by_key(|known| known.policy);
        held.roles.sort();
        held.roles.dedup();
        held.entitlements.sort();
        held.entitlements.dedup();
        Ok(self.governed)
    }
}

/// Says whether a policy keeps the newer grant out.
fn holds(policy: &Policy, status: ViolationStatus) -> bool {
    policy.action == PolicyAction::Hold && status != ViolationStatus::Mitigated
}

/// Returns the violation of a policy that was there when events were last
/// processed, or that an earlier wave found: what that gave up and this one finds
/// again always was.
fn known(view: &TrackedView, policy: Name) -> Option<&Violation> {
    let identity = &view.record().identity;
    let settled = identity.settled_violations().iter();
    let mut known = settled.chain(&identity.violations);
    known.find(|known| known.policy == policy && known.ended.is_none())
}

/// Returns what people have decided about the violation of a policy.
fn status(view: &mut TrackedView, policy: Name) -> ViolationStatus {
    let mut decisions = view.record().identity.by_hand.policies.iter();
    let Some(decision) = decisions.find(|known| known.policy == policy) else {
        return ViolationStatus::Open;
    };
    match (decision.verdict, decision.until) {
        (PolicyVerdict::Denied, _) => ViolationStatus::Denied,
        (PolicyVerdict::Allowed, None) => ViolationStatus::Mitigated,
        (PolicyVerdict::Allowed, Some(until)) => match is_over(view, until) {
            true => ViolationStatus::Expired,
            false => ViolationStatus::Mitigated,
        },
    }
}

fn is_over(view: &mut TrackedView, until: UnixMillis) -> bool {
    match planted::is(Bug::ForgetMitigationEnd) {
        true => until <= view.as_of(),
        false => view.reached(until),
    }
}

fn stop(policy: &Policy, error: ReadError) -> Stop {
    failed(&policy.name, RuleFailure::Read(error))
}

fn failed(subject: &str, error: RuleFailure) -> Stop {
    match failure(POLICIES, Severity::Error, subject, error) {
        Ok(failed) => Stop::Failed(Box::new(failed)),
        Err(interrupt) => Stop::Interrupt(interrupt),
    }
}

/// Says how a policy is violated.
fn spoken(policy: &Policy, violation: &Violation) -> String {
    let quoted = |texts: &[String]| {
        let texts: Vec<String> = texts.iter().map(|text| format!("`{text}`")).collect();
        texts.join(", ")
    };
    let (left, right) = (quoted(&violation.left), quoted(&violation.right));
    let what = match &policy.kind {
        PolicyKind::Roles { .. } | PolicyKind::Entitlements { .. } => {
            format!("{left} can't go with {right}")
        }
        PolicyKind::Filter(filter) => format!("it is let through by {filter}"),
        PolicyKind::Accounts { most: 0, .. } => format!("it has {left}"),
        PolicyKind::Accounts { most, .. } => format!("it has {left}, more than {most}"),
        PolicyKind::Risk(least) => format!("its composite score is {least} or more"),
        PolicyKind::Rule(_) if left.is_empty() => violation.right.join("; "),
        PolicyKind::Rule(_) => format!("{}: {left}", violation.right.join("; ")),
    };
    match violation.basis {
        Basis::Desired => format!("{what}, as they are called for"),
        Basis::Actual | Basis::Both => what,
    }
}

fn finding(policy: &Policy, violation: &Violation) -> Finding {
    let status = match violation.status {
        ViolationStatus::Expired => "; it isn't allowed any more",
        ViolationStatus::Denied => "; it was denied",
        ViolationStatus::Open | ViolationStatus::Mitigated => "",
    };
    Finding {
        severity: policy.severity,
        phase: POLICIES,
        subject: policy.name.to_string(),
        cause: Name::new("policy-violation"),
        message: format!("{}{status}", spoken(policy, violation)),
        hint: Some("decide: idr policy allow, or idr policy deny".to_owned()),
    }
}

#[cfg(test)]
mod tests;

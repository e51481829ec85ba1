//! Identities: what a refresh reads and settles for one person, bot or service.

use std::borrow::Cow;
use std::fmt;

use super::{
    Account, AccountAction, AccountKey, Claim, EntitlementDecision, EventTally, Finding, Link,
    LogicalAccount, Name, PolicyDecision, Provisioning, Scorecard, SentAction, UnixMillis, Value,
    Violation, WorkItem,
};

/// The number of an identity: given in input order, never reused, never changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(pub i64);

impl fmt::Display for Uid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What kind of identity it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentityType {
    /// An employee or another person.
    #[default]
    Person,
    /// A person who isn't employed.
    Contractor,
    /// A technical identity of a service.
    Service,
    /// A robot.
    Bot,
    /// A group of people who share work; never refreshed, scored or pruned.
    Workgroup,
}

impl IdentityType {
    /// Every case with the word used in configuration, documents and reports.
    pub const ALL: [(&'static str, Self); 5] = [
        ("person", Self::Person),
        ("contractor", Self::Contractor),
        ("service", Self::Service),
        ("bot", Self::Bot),
        ("workgroup", Self::Workgroup),
    ];

    /// Returns the word used in configuration, documents and reports.
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL
            .iter()
            .find(|(_, identity_type)| *identity_type == self);
        found.expect("every case is listed").0
    }
}

/// Where an attribute's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provenance {
    /// The source at this place in `identity.toml`, counted from 0.
    Source(u16),
    /// Kept from an earlier refresh, since then: no source had an account, or
    /// the evaluation failed.
    Kept(UnixMillis),
    /// Edited by a person.
    Manual,
    /// Proposed by the rule of this name.
    Proposed(Name),
}

/// The settled value of one identity attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeState {
    /// The value; absent when it was cleared or never set.
    pub value: Option<Value>,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// A value that a person has set by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManualEdit {
    /// The identity attribute.
    pub attribute: Name,
    /// The value set; absent when the attribute was emptied.
    pub value: Option<Value>,
    /// What the sources said when it was set. With edit mode
    /// `until-feed-changes` the edit ends when they say something else.
    pub feed_value: Option<Value>,
    /// Who set it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: UnixMillis,
}

/// A role that the identity should have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleAssignment {
    /// The role.
    pub role: Name,
    /// The instant of the refresh that assigned it.
    pub since: UnixMillis,
    /// What gives it; of several the first in the order of the cases.
    pub source: AssignmentSource,
    /// The account that a person has chosen for it.
    pub account: Option<AccountKey>,
    /// The roles that it permits and that people have assigned within it, sorted.
    pub permits: Vec<Name>,
}

impl RoleAssignment {
    /// Returns the assignment of a role by its selector.
    pub fn by_rule(role: Name, since: UnixMillis) -> Self {
        Self {
            role,
            since,
            source: AssignmentSource::Rule,
            account: None,
            permits: Vec::new(),
        }
    }
}

/// What gives a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AssignmentSource {
    /// Its selector.
    Rule,
    /// The lifecycle state.
    State,
    /// A person.
    Manual,
}

impl AssignmentSource {
    /// Every case with the word used in documents and reports.
    pub const ALL: [(&'static str, Self); 3] = [
        ("rule", Self::Rule),
        ("state", Self::State),
        ("manual", Self::Manual),
    ];

    /// Returns the word used in documents and reports.
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, source)| *source == self);
        found.expect("every case is listed").0
    }
}

/// How an identity has a role that is assigned to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The instant of the refresh that assigned it.
    pub since: UnixMillis,
    /// What gives it.
    pub source: AssignmentSource,
}

/// What a person has decided about a role of an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleDecision {
    /// The role.
    pub role: Name,
    /// What was decided.
    pub verdict: RoleVerdict,
    /// The assigned role that permits it: it holds while that one is assigned.
    pub within: Option<Name>,
    /// The account that it is for.
    pub account: Option<AccountKey>,
    /// When it begins to hold; at once when absent.
    pub from: Option<UnixMillis>,
    /// When it ceases to hold; never when absent.
    pub until: Option<UnixMillis>,
    /// Who decided it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: UnixMillis,
}

/// Which way a person has decided about a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoleVerdict {
    /// The identity has it, whatever selectors say.
    Assigned,
    /// No selector gives it (a negative assignment). A person's assignment
    /// still does.
    Denied,
}

impl RoleVerdict {
    /// Every case with the word used in documents and reports.
    pub const ALL: [(&'static str, Self); 2] =
        [("assigned", Self::Assigned), ("denied", Self::Denied)];

    /// Returns the word used in documents and reports.
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, verdict)| *verdict == self);
        found.expect("every case is listed").0
    }
}

/// A lifecycle state that a person has set, whatever the lifecycle rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateOverride {
    /// The state.
    pub state: Name,
    /// When the rule decides again; never when absent.
    pub until: Option<UnixMillis>,
    /// The state that the rule had given before: that of somebody for whom it
    /// has not answered since this was over.
    pub before: Option<Name>,
    /// Who set it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: UnixMillis,
}

impl StateOverride {
    /// Says whether it holds at an instant.
    pub fn is_in_force(&self, at: UnixMillis) -> bool {
        self.until.is_none_or(|until| at < until)
    }
}

/// Everything that people have decided about an identity: inputs of a refresh.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByHand {
    /// Edited attributes, sorted by attribute.
    pub edits: Vec<ManualEdit>,
    /// Decisions about roles, sorted by role, verdict and what it is within;
    /// one of each.
    pub roles: Vec<RoleDecision>,
    /// The lifecycle state, where a person has set it.
    pub state: Option<StateOverride>,
    /// Decisions about entitlements gained or lost natively, sorted by what they
    /// are about; one of each.
    pub entitlements: Vec<EntitlementDecision>,
    /// Decisions about policy violations, sorted by policy; one of each.
    pub policies: Vec<PolicyDecision>,
}

impl ByHand {
    /// Returns who has decided something that holds at an instant, each with what it
    /// is about.
    pub fn deciders(&self, at: UnixMillis) -> Vec<(&str, String)> {
        let holds = |until: Option<UnixMillis>| until.is_none_or(|until| at < until);
        let roles = self.roles.iter().filter(|known| holds(known.until));
        let roles = roles.map(|known| (&known.actor, format!("role `{}`", known.role)));
        let policies = self.policies.iter().filter(|known| holds(known.until));
        let policies = policies.map(|known| (&known.actor, format!("policy `{}`", known.policy)));
        let entitlements = self.entitlements.iter().map(|known| {
            let about = format!("entitlement `{}`", known.about.value);
            (&known.actor, about)
        });
        let state = self.state.iter().filter(|known| known.is_in_force(at));
        let state = state.map(|known| (&known.actor, "the lifecycle state".to_owned()));
        let all = roles.chain(policies).chain(entitlements).chain(state);
        all.map(|(actor, about)| (actor.as_str(), about)).collect()
    }
}

/// What the after-refresh rule has proposed: an input of the next refresh.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proposals {
    /// The attributes, sorted by name, with their values; none clears.
    pub attributes: Vec<(Name, Option<Value>)>,
    /// How many refreshes running this rule, or one about changes of values, has
    /// proposed something new.
    pub rounds: u32,
    /// How many changes of idr's own led to what such a rule has newly proposed.
    pub hops: u32,
}

/// A value that a rule proposes for an identity attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The identity attribute as the rule wrote it.
    pub attribute: String,
    /// Its value; without one the attribute has none.
    pub value: Option<Value>,
}

/// What a value-change rule has made of the changes of one attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeMemory {
    /// The attribute that changes.
    pub attribute: Name,
    /// The rule. One of another name starts from the present.
    pub rule: Name,
    /// Its answer to the last change that it could answer, unless it proposed
    /// nothing: an input of the next refresh.
    pub answer: Option<ChangeAnswer>,
    /// The change that it could not answer, if the attribute isn't back at its
    /// old value.
    pub unanswered: Option<UnansweredChange>,
}

/// What a value-change rule has answered to a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeAnswer {
    /// The instant of the change.
    pub at: UnixMillis,
    /// What it proposes, as it was said: what of it may be proposed depends on
    /// the definitions.
    pub proposals: Vec<Proposal>,
}

/// A change that a value-change rule could not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnansweredChange {
    /// The instant of the last change since the rule last answered.
    pub at: UnixMillis,
    /// The value that the attribute had before the first of them.
    pub old: Option<Value>,
}

/// A role whose profiles accounts of the identity satisfy. There may be several
/// of one role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleDetection {
    /// The role.
    pub role: Name,
    /// The accounts that satisfy its profiles, in order, without repeats.
    pub accounts: Vec<AccountKey>,
}

/// A change to an account that idr did not make itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NativeChange {
    /// The account.
    pub account: AccountKey,
    /// What happened to it.
    pub operation: NativeOperation,
    /// The attributes that changed, in order.
    pub attributes: Vec<Name>,
    /// When the aggregation saw it.
    pub detected_at: UnixMillis,
}

/// What was done to an account natively.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NativeOperation {
    /// The account appeared.
    Create,
    /// Attributes changed.
    Modify,
    /// The account disappeared.
    Delete,
}

impl NativeOperation {
    /// Every case with the word used in configuration, documents and reports.
    pub const ALL: [(&'static str, Self); 3] = [
        ("create", Self::Create),
        ("modify", Self::Modify),
        ("delete", Self::Delete),
    ];

    /// Returns the word used in configuration, documents and reports.
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, operation)| *operation == self);
        found.expect("every case is listed").0
    }
}

/// The old values of what changed since events were last processed.
///
/// Empty for almost everyone. What isn't listed is as it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// Events have never seen this identity.
    pub unseen: bool,
    /// The name it had.
    pub name: Option<String>,
    /// Attributes that changed, sorted by name, with what they were.
    pub attributes: Vec<(Name, Option<Value>)>,
    /// The manager it had, where that changed.
    pub manager: Option<Option<Uid>>,
    /// The lifecycle state it had, where that changed.
    pub lifecycle_state: Option<Option<Name>>,
    /// Since when it had that state.
    pub lifecycle_since: Option<UnixMillis>,
    /// The value `inactive` had, where that changed.
    pub inactive: Option<bool>,
    /// Assigned roles that it gained, lost, or has in another way, sorted by
    /// name: how it had them, if it did.
    pub assigned: Vec<(Name, Option<Holding>)>,
    /// What was called for with its accounts, where that changed.
    pub account_actions: Option<Vec<AccountAction>>,
    /// What idr remembered of its own doing, where that changed.
    pub provisioning: Option<Provisioning>,
    /// Its work items, where they changed.
    pub work_items: Option<Vec<WorkItem>>,
    /// Its policy violations, where they changed.
    pub violations: Option<Vec<Violation>>,
    /// How many changes of idr's own led to the present values of what changed, where
    /// that is any: attributes, `manager` and `lifecycleState`, sorted by name.
    pub chains: Vec<(Name, u32)>,
}

impl Baseline {
    /// Returns how many changes of idr's own led to the present value of something
    /// that others may read.
    pub fn chain_of(&self, name: Name) -> u32 {
        let known = self.chains.iter().find(|(known, _)| *known == name);
        known.map_or(0, |(_, count)| *count)
    }

    /// Notes how many changes of idr's own led to present values.
    pub(crate) fn note_chains(&mut self, chains: Vec<(Name, u32)>) {
        self.chains
            .retain(|(name, _)| !chains.iter().any(|(known, _)| known == name));
        self.chains.extend(chains);
        self.chains.sort();
    }

    /// Says whether nothing has changed since events were last processed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Fills in what `newer` knows and this one doesn't: this one is older, so
    /// its values win.
    pub fn absorb(&mut self, newer: &Self) {
        self.unseen |= newer.unseen;
        self.name = self.name.take().or_else(|| newer.name.clone());
        self.manager = self.manager.or(newer.manager);
        if self.lifecycle_state.is_none() {
            self.lifecycle_state = newer.lifecycle_state;
            self.lifecycle_since = newer.lifecycle_since;
        }
        self.inactive = self.inactive.or(newer.inactive);
        if self.account_actions.is_none() {
            self.account_actions.clone_from(&newer.account_actions);
        }
        if self.provisioning.is_none() {
            self.provisioning.clone_from(&newer.provisioning);
        }
        if self.work_items.is_none() {
            self.work_items.clone_from(&newer.work_items);
        }
        if self.violations.is_none() {
            self.violations.clone_from(&newer.violations);
        }
        for (name, value) in &newer.attributes {
            if let Err(place) = self
                .attributes
                .binary_search_by(|(known, _)| known.cmp(name))
            {
                self.attributes.insert(place, (*name, value.clone()));
            }
        }
        for (role, held) in &newer.assigned {
            if let Err(place) = self.assigned.binary_search_by(|(known, _)| known.cmp(role)) {
                self.assigned.insert(place, (*role, *held));
            }
        }
    }
}

/// What one trigger remembers of one identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggerMemory {
    /// The trigger.
    pub trigger: Name,
    /// Fingerprint of the trigger's definition; an edited trigger starts from
    /// the present.
    pub digest: u64,
    /// A rule trigger's answer at the present: an event is fired when it turns
    /// from false to true.
    pub level: bool,
    /// The trigger's own baseline and native changes, where it lags behind the
    /// identity's: it declined, or its rule went wrong.
    pub lag: Option<Lag>,
    /// Whether it last fired because of what its own handlers, and what follows from
    /// them, had done too often: nothing more was launched then.
    pub circles: bool,
}

/// What a trigger that lags has not yet seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// Old values since the trigger last saw the identity.
    pub baseline: Baseline,
    /// Native changes that it has not seen.
    pub native_changes: Vec<NativeChange>,
}

/// Something of somebody else that the identity's plan read.
///
/// When a refresh changes it, the reader is planned again in the next wave.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReadKey {
    /// An attribute of another identity (also `name`).
    Attribute(Uid, Name),
    /// A look-up by value: which identities have this attribute with this
    /// value, case-folded. Also noted when it found nobody.
    Lookup(Name, String),
    /// A unique value that was somebody else's.
    Claim(Claim),
}

impl ReadKey {
    /// Returns a hash that is the same on every machine and in every version.
    /// Two keys with one hash only cost a refresh too many.
    pub fn hash64(&self) -> i64 {
        let text = match self {
            Self::Attribute(uid, name) => format!("a\0{uid}\0{name}"),
            Self::Lookup(name, value) => format!("l\0{name}\0{value}"),
            Self::Claim(Claim { namespace, value }) => format!("c\0{namespace}\0{value}"),
        };
        xxhash_rust::xxh3::xxh3_64(text.as_bytes()).cast_signed()
    }
}

/// When the identity must be refreshed although nothing was written to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wake {
    /// The next moment at which the phases up to roles could answer differently.
    pub phases: Option<UnixMillis>,
    /// The next moment at which a trigger could answer differently.
    pub events: Option<UnixMillis>,
}

impl Wake {
    /// Returns the earlier of the two.
    pub fn at(&self) -> Option<UnixMillis> {
        [self.phases, self.events].into_iter().flatten().min()
    }
}

/// Failures running that may pass by themselves, and when to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How many attempts have failed.
    pub attempts: u32,
    /// The moment of the next one.
    pub at: UnixMillis,
}

impl Retry {
    /// The longest wait between two attempts.
    pub const MOST_MS: i64 = 24 * 3_600_000;

    /// Returns what an evaluation at `as_of` leaves of the failures `known`
    /// before it. `first_ms` says after how long its own failure may have
    /// passed, where it failed that way; each attempt waits twice as long as
    /// the one before. What fails before its time is no attempt.
    pub fn after(known: Option<Self>, first_ms: Option<i64>, as_of: UnixMillis) -> Option<Self> {
        let first_ms = first_ms?;
        match known {
            Some(known) if known.at > as_of => Some(known),
            _ => {
                let earlier = known.map_or(0, |known| known.attempts);
                let factor = 1_i64.checked_shl(earlier).filter(|factor| *factor > 0);
                let wait_ms = first_ms.saturating_mul(factor.unwrap_or(i64::MAX));
                Some(Self {
                    attempts: earlier.saturating_add(1),
                    at: as_of.plus_ms(wait_ms.min(Self::MOST_MS)),
                })
            }
        }
    }
}

/// When an identity is refreshed again because a failure may pass by itself.
/// Kept apart from [`Wake`]: nothing is replayed at such a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retries {
    /// Of the phases up to roles.
    pub phases: Option<Retry>,
    /// Of triggers, and of rules whose proposals are inputs of the next refresh.
    pub events: Option<Retry>,
}

impl Retries {
    /// Returns the earlier of the two.
    pub fn next(&self) -> Option<Retry> {
        let both = [self.phases, self.events];
        both.into_iter().flatten().min_by_key(|retry| retry.at)
    }

    /// Returns the moment of the earlier of the two.
    pub fn at(&self) -> Option<UnixMillis> {
        self.next().map(|retry| retry.at)
    }
}

/// An identity as the last refresh left it, with the inputs that are its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Its number.
    pub uid: Uid,
    /// Its name: unique in the tenant, may change.
    pub name: String,
    /// What kind of identity it is.
    pub identity_type: IdentityType,
    /// What people have decided about it. An input.
    pub by_hand: ByHand,
    /// What the after-refresh rule has proposed. An input.
    pub proposals: Proposals,
    /// What value-change rules remember, sorted by attribute; their answers are
    /// an input.
    pub value_changes: Vec<ChangeMemory>,
    /// Native changes that events have not seen. An input.
    pub native_changes: Vec<NativeChange>,
    /// Identity attributes, sorted by name. One that never had a value is not listed.
    pub attributes: Vec<(Name, AttributeState)>,
    /// The manager.
    pub manager: Option<Uid>,
    /// The lifecycle state; absent before the first refresh.
    pub lifecycle_state: Option<Name>,
    /// The instant at which it took that state.
    pub lifecycle_since: Option<UnixMillis>,
    /// Whether that state counts as inactive.
    pub inactive: bool,
    /// Its accounts in logical applications, sorted.
    pub logical_accounts: Vec<LogicalAccount>,
    /// Assigned roles, sorted.
    pub assigned: Vec<RoleAssignment>,
    /// Detected roles, sorted.
    pub detected: Vec<RoleDetection>,
    /// What is called for with accounts and isn't so yet, sorted.
    pub account_actions: Vec<AccountAction>,
    /// What idr has given and sent. What was sent is an input.
    pub provisioning: Provisioning,
    /// What somebody is to do about it, sorted.
    pub work_items: Vec<WorkItem>,
    /// The policies that it violates, sorted by policy.
    pub violations: Vec<Violation>,
    /// How risky its access is, where the tenant scores that.
    pub scorecard: Option<Scorecard>,
    /// Old values since events were last processed.
    pub baseline: Baseline,
    /// What single triggers remember, sorted by trigger.
    pub triggers: Vec<TriggerMemory>,
    /// How many events have been recorded for it.
    pub events: EventTally,
    /// What its last plan read of others, sorted.
    pub reads: Vec<ReadKey>,
    /// What its triggers read of others, sorted.
    pub event_reads: Vec<ReadKey>,
    /// When it must be refreshed again.
    pub wake: Wake,
    /// When it is refreshed again because a failure may have passed.
    pub retries: Retries,
    /// Open findings about it, sorted.
    pub findings: Vec<Finding>,
    /// Fingerprint of what the history last kept of it.
    pub history: Option<u64>,
}

impl Identity {
    /// Returns the state of an identity attribute.
    pub fn attribute(&self, name: Name) -> Option<&AttributeState> {
        // Names are compared by address, so looking at all beats a search by text.
        let mut attributes = self.attributes.iter();
        let (_, found) = attributes.find(|(known, _)| *known == name)?;
        Some(found)
    }

    /// Returns the value of an identity attribute.
    pub fn value(&self, name: Name) -> Option<&Value> {
        self.attribute(name)?.value.as_ref()
    }

    /// Says whether a role is assigned.
    pub fn has_assigned(&self, role: Name) -> bool {
        self.holding(role).is_some()
    }

    /// Returns what an attribute was when events were last processed, if it has
    /// changed since; the outer `None` says that it hasn't.
    ///
    /// This and its like are what stays when something can't be worked out. What
    /// an earlier wave has made of it since then was worked out from values that
    /// others no longer have, and nobody was told.
    pub fn settled_value(&self, name: Name) -> Option<Option<&Value>> {
        let changed = &self.baseline.attributes;
        let index = changed.binary_search_by(|(known, _)| known.cmp(&name));
        index.ok().map(|index| changed[index].1.as_ref())
    }

    /// Returns the manager as of when events were last processed.
    pub fn settled_manager(&self) -> Option<Uid> {
        self.baseline.manager.unwrap_or(self.manager)
    }

    /// Returns the lifecycle state as of when events were last processed.
    pub fn settled_lifecycle_state(&self) -> Option<Name> {
        self.baseline
            .lifecycle_state
            .unwrap_or(self.lifecycle_state)
    }

    /// Returns since when the lifecycle state as of when events were last
    /// processed had been taken.
    pub fn settled_lifecycle_since(&self) -> Option<UnixMillis> {
        match self.baseline.lifecycle_state {
            Some(_) => self.baseline.lifecycle_since,
            None => self.lifecycle_since,
        }
    }

    /// Returns what the lifecycle state called for when events were last processed.
    pub fn settled_account_actions(&self) -> &[AccountAction] {
        let settled = self.baseline.account_actions.as_ref();
        settled.unwrap_or(&self.account_actions)
    }

    /// Says whether an action is called for already.
    pub fn calls_for(&self, action: &AccountAction) -> bool {
        let mut known = self.account_actions.iter();
        known.any(|known| known.is_same(action) && known.since == action.since)
    }

    /// Hands over what idr remembers of an account to the identity that has it now.
    /// Says whether there was anything.
    pub fn hand_over_provisioning(&mut self, account: &AccountKey, to: &mut Self) -> bool {
        let taken = self.provisioning.take(account);
        let settled = self.baseline.provisioning.as_mut();
        let settled = settled.map_or_else(|| taken.clone(), |settled| settled.take(account));
        to.provisioning.add(&taken);
        if let Some(baseline) = &mut to.baseline.provisioning {
            baseline.add(&settled);
        }
        !taken.is_empty() || !settled.is_empty()
    }

    /// Returns what idr remembered of its own doing when events were last
    /// processed, and what was sent since.
    pub fn settled_provisioning(&self) -> Cow<'_, Provisioning> {
        let Some(settled) = &self.baseline.provisioning else {
            return Cow::Borrowed(&self.provisioning);
        };
        let mut settled = settled.clone();
        for sent in &self.provisioning.sent {
            if !settled.sent.contains(sent) {
                let SentAction {
                    action,
                    at,
                    outcome,
                } = sent.clone();
                settled.note_sent(action, at, outcome);
            }
        }
        Cow::Owned(settled)
    }

    /// Notes that an action won't be carried out any more, and says whether that
    /// changes anything: see [`Provisioning::note_withdrawn`].
    pub fn note_withdrawn(&mut self, action: &AccountAction, tried: bool) -> bool {
        let settled = self.baseline.provisioning.as_mut();
        let settled = settled.is_some_and(|settled| settled.note_withdrawn(action, tried));
        self.provisioning.note_withdrawn(action, tried) || settled
    }

    /// Returns the work items as of when events were last processed.
    pub fn settled_work_items(&self) -> &[WorkItem] {
        let settled = self.baseline.work_items.as_ref();
        settled.unwrap_or(&self.work_items)
    }

    /// Returns the policy violations as of when events were last processed.
    pub fn settled_violations(&self) -> &[Violation] {
        let settled = self.baseline.violations.as_ref();
        settled.unwrap_or(&self.violations)
    }

    /// Returns how a role was had when events were last processed.
    pub fn settled_holding(&self, role: Name) -> Option<Holding> {
        let changed = &self.baseline.assigned;
        match changed.binary_search_by(|(known, _)| known.cmp(&role)) {
            Ok(index) => changed[index].1,
            Err(_) => self.holding(role),
        }
    }

    /// Returns how a role is had; `None` when it isn't assigned.
    pub fn holding(&self, role: Name) -> Option<Holding> {
        let assigned = &self.assigned;
        let index = assigned.binary_search_by(|assignment| assignment.role.cmp(&role));
        let RoleAssignment { since, source, .. } = assigned[index.ok()?];
        Some(Holding { since, source })
    }

    /// Says whether a role is detected.
    pub fn has_detected(&self, role: Name) -> bool {
        self.detected
            .binary_search_by(|detection| detection.role.cmp(&role))
            .is_ok()
    }
}

/// Counters by which "due" is a comparison and not a flag. They only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// Raised by every write to the identity's inputs: an account, a
    /// correlation, an edit, a definition that concerns it.
    pub input: i64,
    /// The `input` that the identity group (attributes, manager, lifecycle
    /// state) last read.
    pub identity_read: i64,
    /// The `input` that the access group (entitlements, roles) last read.
    pub access_read: i64,
    /// Raised whenever something that events look at has changed.
    pub state: i64,
    /// The `state` that the events group last processed.
    pub events_read: i64,
}

impl Versions {
    /// Says whether an input has changed since it was last read.
    pub fn inputs_changed(&self) -> bool {
        self.input != self.identity_read || self.input != self.access_read
    }

    /// Says whether events have not yet been processed.
    pub fn events_pending(&self) -> bool {
        self.state != self.events_read
    }
}

/// An identity with its accounts and versions: the unit that is read, planned
/// and written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityRecord {
    /// The identity.
    pub identity: Identity,
    /// Its accounts, sorted by application and native identity.
    pub accounts: Vec<Account>,
    /// Its versions.
    pub versions: Versions,
}

impl IdentityRecord {
    /// Shows the identity's logical accounts among its accounts; whoever reads a
    /// store does so once.
    pub fn show_logical_accounts(&mut self) {
        let logical = std::mem::take(&mut self.identity.logical_accounts);
        self.add_logical_accounts(&logical);
        self.identity.logical_accounts = logical;
    }

    /// Adds logical accounts to its accounts.
    pub(crate) fn add_logical_accounts(&mut self, logical: &[LogicalAccount]) {
        if logical.is_empty() {
            return;
        }
        let owner = Some(self.identity.uid);
        self.accounts.extend(logical.iter().map(|known| Account {
            owner,
            ..known.account.clone()
        }));
        self.accounts.sort_by(|one, other| one.key.cmp(&other.key));
    }

    /// Takes logical accounts out of its accounts: they can't be given to anybody.
    pub fn hide_logical_accounts(&mut self) {
        self.accounts.retain(|known| known.link != Link::Logical);
    }
}

#[cfg(test)]
mod tests {
    use super::{Retry, UnixMillis};

    #[test]
    fn waits_double_up_to_a_day_whatever_the_first_was() {
        let now = UnixMillis(1_000);
        let wait = |attempts, first_ms| {
            let known = (attempts > 0).then_some(Retry { attempts, at: now });
            let next = Retry::after(known, Some(first_ms), now).expect("it failed");
            assert_eq!(next.attempts, attempts.saturating_add(1));
            next.at.0 - now.0
        };
        assert_eq!(
            [0, 1, 2, 3].map(|failed| wait(failed, 10)),
            [10, 20, 40, 80]
        );
        for attempts in [40, 62, 63, 64, u32::MAX] {
            assert_eq!(wait(attempts, 10), Retry::MOST_MS);
        }
        assert_eq!(wait(0, 2 * Retry::MOST_MS), Retry::MOST_MS);
        let later = Retry {
            attempts: 3,
            at: UnixMillis(1_001),
        };
        assert_eq!(Retry::after(Some(later), Some(10), now), Some(later));
        assert_eq!(Retry::after(Some(later), None, now), None);
    }
}

//! A small tenant for unit tests: one person, two applications, scripted rules.

use std::sync::Arc;

use crate::definitions::{
    AccountAttribute, Application, AttributeDefinition, EditMode, Grant, Isolation, Lifecycle,
    LifecycleState, Model, OnEmpty, OnNoAccount, Origin, Role, RoleType, Rule, RuleIndex,
    RuleLimits, Source,
};
use crate::model::{
    Account, AccountKey, AccountStatus, Claim, Holder, Identity, IdentityRecord, Link, Name, Uid,
    UnixMillis, Value, ValueType, Versions,
};
use crate::plan::{EventChanges, PlanContext, Planned, Planner};
use crate::rule::{
    AccountNeed, AccountSelection, Breach, ComposedAccount, Creation, Eligibility, Lookup, Mapping,
    Promotion, Proposal, RuleEvaluator, RuleFailure, Target, ValueChange,
};
use crate::view::{Snapshot, SnapshotError, TrackedView};

/// What a scripted rule does with the view.
pub(crate) type Script = Box<dyn Fn(&mut TrackedView) -> Result<Promotion, RuleFailure>>;

/// What a scripted before- or after-refresh rule does with the view.
pub(crate) type ProposingScript =
    Box<dyn Fn(&mut TrackedView) -> Result<Vec<Proposal>, RuleFailure>>;

/// What a scripted policy rule does with the view.
pub(crate) type JudgingScript = Box<dyn Fn(&mut TrackedView) -> Result<Vec<Breach>, RuleFailure>>;

/// What a scripted value-change rule does with a change and the view.
pub(crate) type ChangeScript =
    Box<dyn Fn(ValueChange<'_>, &mut TrackedView) -> Result<Vec<Proposal>, RuleFailure>>;

/// What a scripted lifecycle rule does with the view.
pub(crate) type LifecycleScript = Box<dyn Fn(&mut TrackedView) -> Result<String, RuleFailure>>;

/// Answers for rules: promotion scripts by their place in the model.
#[derive(Default)]
pub(crate) struct Scripts {
    pub(crate) promotions: Vec<Script>,
    pub(crate) eligibility: Vec<Eligibility>,
    pub(crate) lookup: Option<Lookup>,
    pub(crate) creation: Option<Creation>,
    pub(crate) composed: Option<Vec<ComposedAccount>>,
    pub(crate) before_refresh: Option<ProposingScript>,
    pub(crate) after_refresh: Option<ProposingScript>,
    pub(crate) value_change: Option<ChangeScript>,
    pub(crate) judge: Option<JudgingScript>,
    pub(crate) lifecycle: Option<LifecycleScript>,
}

impl RuleEvaluator for Scripts {
    fn correlate_account(
        &mut self,
        _rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<Option<Lookup>, RuleFailure> {
        view.shown_application()?;
        Ok(self.lookup.clone())
    }

    fn create_identity(
        &mut self,
        _rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<Creation, RuleFailure> {
        let name = view.shown_native_identity()?;
        let proposed = Creation::Create {
            name: Some(name),
            identity_type: None,
        };
        Ok(self.creation.clone().unwrap_or(proposed))
    }

    fn correlate_manager(
        &mut self,
        _rule: RuleIndex,
        _named: &Value,
        view: &mut TrackedView,
    ) -> Result<Option<Lookup>, RuleFailure> {
        view.shown_status()?;
        Ok(self.lookup.clone())
    }

    fn before_refresh(
        &mut self,
        _rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<Vec<Proposal>, RuleFailure> {
        match &self.before_refresh {
            Some(script) => script(view),
            None => Ok(Vec::new()),
        }
    }

    fn after_refresh(
        &mut self,
        _rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<Vec<Proposal>, RuleFailure> {
        match &self.after_refresh {
            Some(script) => script(view),
            None => Ok(Vec::new()),
        }
    }

    fn value_change(
        &mut self,
        _rule: RuleIndex,
        change: ValueChange<'_>,
        view: &mut TrackedView,
    ) -> Result<Vec<Proposal>, RuleFailure> {
        match &self.value_change {
            Some(script) => script(change, view),
            None => Ok(Vec::new()),
        }
    }

    fn promote(
        &mut self,
        rule: RuleIndex,
        _attribute: Name,
        view: &mut TrackedView,
    ) -> Result<Promotion, RuleFailure> {
        (self.promotions[rule.0])(view)
    }

    fn lifecycle_state(
        &mut self,
        _rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<String, RuleFailure> {
        match &self.lifecycle {
            Some(script) => script(view),
            None => Ok("active".to_owned()),
        }
    }

    fn assign(
        &mut self,
        _rule: RuleIndex,
        _candidates: &[Name],
        _view: &mut TrackedView,
    ) -> Result<Vec<Eligibility>, RuleFailure> {
        Ok(self.eligibility.clone())
    }

    fn fires(
        &mut self,
        _rule: RuleIndex,
        _trigger: Name,
        _view: &mut TrackedView,
    ) -> Result<bool, RuleFailure> {
        Ok(false)
    }

    fn compose_accounts(
        &mut self,
        _rule: RuleIndex,
        _application: Name,
        _view: &mut TrackedView,
    ) -> Result<Vec<ComposedAccount>, RuleFailure> {
        Ok(self.composed.clone().unwrap_or_default())
    }

    fn judge(
        &mut self,
        _rule: RuleIndex,
        _policy: Name,
        view: &mut TrackedView,
    ) -> Result<Vec<Breach>, RuleFailure> {
        match &self.judge {
            Some(script) => script(view),
            None => Ok(Vec::new()),
        }
    }

    fn select_account(
        &mut self,
        rule: RuleIndex,
        _need: AccountNeed<'_>,
        _view: &mut TrackedView,
    ) -> Result<AccountSelection, RuleFailure> {
        unreachable!("rule {rule:?} was asked")
    }

    fn map_target(
        &mut self,
        rule: RuleIndex,
        _target: Target<'_>,
        _view: &mut TrackedView,
    ) -> Result<Mapping, RuleFailure> {
        unreachable!("rule {rule:?} was asked")
    }
}

/// A store in which there is nobody else.
pub(crate) struct Nobody;

impl Snapshot for Nobody {
    fn attribute_of(&self, _uid: Uid, _attribute: Name) -> Result<Option<Value>, SnapshotError> {
        Ok(None)
    }

    fn find(&self, _attribute: Name, _folded: &str) -> Result<Vec<Uid>, SnapshotError> {
        Ok(Vec::new())
    }

    fn holder(&self, _claim: &Claim) -> Result<Option<Holder>, SnapshotError> {
        Ok(None)
    }
}

/// Applications `hr` and `ad`, whose accounts have the text attributes given,
/// and identity attributes with their sources.
pub(crate) fn model(account_attributes: &[&str], attributes: Vec<AttributeDefinition>) -> Model {
    let application = |name: &str| Application {
        name: Name::new(name),
        schema: {
            let mut schema: Vec<_> = account_attributes
                .iter()
                .map(|name| AccountAttribute {
                    name: Name::new(name),
                    value_type: if *name == "groups" {
                        ValueType::Many
                    } else {
                        ValueType::Text
                    },
                    entitlement: *name == "groups",
                    sensitive: false,
                })
                .collect();
            schema.sort_by_key(|known| known.name);
            schema
        },
        correlation: Vec::new(),
        creates: None,
        vanish_grace_ms: 0,
        native_changes: None,
        native_entitlements: Default::default(),
        logical: None,
        provisioning: Default::default(),
    };
    let mut attributes = attributes;
    attributes.sort_by_key(|known| known.name);
    let state = |name: &str, inactive| LifecycleState {
        name: Name::new(name),
        inactive,
        automatic_roles: Default::default(),
        requested_roles: Default::default(),
        roles: Vec::new(),
        accounts: Vec::new(),
    };
    Model {
        applications: vec![application("ad"), application("hr")],
        attributes,
        lifecycle: Lifecycle {
            states: vec![state("active", false), state("gone", true)],
            rule: None,
            default_state: Some(Name::new("active")),
        },
        rules: (0..4).map(rule).collect(),
        ..Model::default()
    }
}

fn rule(index: usize) -> Rule {
    Rule {
        name: Name::new(&format!("rule-{index}")),
        sha256: String::new(),
        grant: Grant {
            everything: true,
            ..Grant::default()
        },
        parameters: Vec::new(),
        limits: RuleLimits::default(),
        isolation: Isolation::default(),
    }
}

/// A text attribute with its sources.
pub(crate) fn attribute(name: &str, sources: Vec<Source>) -> AttributeDefinition {
    AttributeDefinition {
        name: Name::new(name),
        value_type: ValueType::Text,
        sources,
        proposals: false,
        unique: None,
        on_change: None,
        edit_mode: EditMode::ReadOnly,
        sensitive: false,
        targets: Vec::new(),
    }
}

/// A source with the default answers to blanks and missing accounts.
pub(crate) fn source(origin: Origin) -> Source {
    Source {
        origin,
        on_empty: OnEmpty::default(),
        on_no_account: OnNoAccount::default(),
    }
}

/// A source that reads an account attribute.
pub(crate) fn from_account(application: &str, attribute: &str) -> Source {
    source(Origin::Account {
        application: Name::new(application),
        attribute: Name::new(attribute),
    })
}

/// An account of the person with text attributes.
pub(crate) fn account(application: &str, attributes: &[(&str, &str)]) -> Account {
    let mut attributes: Vec<_> = attributes
        .iter()
        .map(|(name, value)| (Name::new(name), Value::text(*value)))
        .collect();
    attributes.sort();
    Account {
        key: AccountKey {
            application: Name::new(application),
            native_identity: "1".to_owned(),
        },
        status: AccountStatus::Enabled,
        missing_since: None,
        taken_away: false,
        attributes,
        native_entitlements: Vec::new(),
        link: Link::Correlated,
        owner: Some(Uid(1)),
    }
}

/// The person, with these accounts.
pub(crate) fn person(mut accounts: Vec<Account>) -> IdentityRecord {
    accounts.sort_by(|left, right| left.key.cmp(&right.key));
    let identity = Identity {
        uid: Uid(1),
        name: "ana".to_owned(),
        ..Identity::default()
    };
    IdentityRecord {
        identity,
        accounts,
        versions: Versions {
            input: 1,
            ..Versions::default()
        },
    }
}

/// Plans the person at an instant.
pub(crate) fn plan(
    model: Model,
    scripts: &mut Scripts,
    as_of: UnixMillis,
    record: IdentityRecord,
) -> Planned {
    let context = PlanContext {
        model: Arc::new(model),
        snapshot: Arc::new(Nobody),
        as_of,
    };
    Planner::new(scripts)
        .plan(&context, record, false)
        .expect("there is no store to fail")
}

/// Plans the person and carries the plan out.
pub(crate) fn refresh(
    model: Model,
    scripts: &mut Scripts,
    as_of: UnixMillis,
    record: IdentityRecord,
) -> IdentityRecord {
    let planned = plan(model, scripts, as_of, record);
    let mut record = planned.record;
    record.identity.apply(planned.changes);
    record
}

/// Refreshes the person and processes events, as a run does. Returns what the
/// events came to as well.
pub(crate) fn refresh_and_process(
    model: &Model,
    scripts: &mut Scripts,
    as_of: UnixMillis,
    record: IdentityRecord,
) -> (IdentityRecord, EventChanges) {
    let mut record = refresh(model.clone(), scripts, as_of, record);
    let context = PlanContext {
        model: Arc::new(model.clone()),
        snapshot: Arc::new(Nobody),
        as_of,
    };
    let planned = Planner::new(scripts)
        .plan_events(&context, record.clone(), as_of, false)
        .expect("there is no store to fail");
    record.identity.apply_events(&planned.changes);
    (record, planned.changes)
}

/// What an attribute of the person is, with where it comes from.
pub(crate) fn shown(record: &IdentityRecord, name: &str) -> String {
    match record.identity.attribute(Name::new(name)) {
        None => "never set".to_owned(),
        Some(state) => {
            let value = state
                .value
                .as_ref()
                .map_or("absent".to_owned(), ToString::to_string);
            format!("{value} {:?}", state.provenance)
        }
    }
}

/// A role that nobody is given, and that asks for nothing.
pub(crate) fn bare_role(name: &str, role_type: RoleType) -> Role {
    Role {
        name: Name::new(name),
        role_type,
        disabled: false,
        active_from: None,
        active_until: None,
        selector: None,
        requires: Vec::new(),
        permits: Vec::new(),
        detection: Vec::new(),
        parts: Vec::new(),
        risk_weight: 0,
    }
}

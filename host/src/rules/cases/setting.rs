//! From a case's setting to a tracked view of an identity that has just that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use idr_core::definitions::{
    AttributeDefinition, EditMode, Grant, Isolation, Model, RESERVED, Rule, RuleIndex,
};
use idr_core::model::{
    Account, AccountKey, AccountStatus, AssignmentSource, AttributeState, Baseline, Claim, Holder,
    Holding, IdentityRecord, Link, Name, Provenance, RoleAssignment, RoleDetection, Uid, Value,
};
use idr_core::view::{JudgedAccess, Node, Slot, Snapshot, SnapshotError, TrackedView};

use super::super::kind::{Question, RuleKind};
use super::consequences::AccessSetting;
use super::format::{AccountSetting, Case, Setting};

const SUBJECT: Uid = Uid(1);
const MANAGER: Uid = Uid(2);
const MANAGER_BEFORE: Uid = Uid(3);

/// The only rule of a case's model.
pub(super) const RULE: RuleIndex = RuleIndex(0);

/// Returns the view that a rule finds in a case.
pub(super) fn view_of(case: &Case) -> TrackedView {
    let setting = &case.setting;
    let model = Arc::new(model_of(case));
    if let (true, Some(account)) = (
        case.question().kind().is_about_an_account(),
        &setting.account,
    ) {
        let mut view = TrackedView::of_account(model, account_of(account, setting));
        view.read_as(Some(RULE));
        return view;
    }
    let others = Arc::new(Others::of(setting));
    let mut view = TrackedView::new(
        Arc::clone(&model),
        others,
        setting.as_of,
        record_of(setting),
    );

    for definition in &model.attributes {
        // What is being worked out isn't there yet.
        if case.question() == Question::Promote(definition.name.as_str()) {
            continue;
        }
        let value = setting.attributes.get(definition.name.as_str()).cloned();
        let state = value.map(|value| AttributeState {
            value: Some(value),
            provenance: Provenance::Source(0),
        });
        view.settle(Node::Attribute(definition.name), Slot::Attribute(state));
    }
    let has_manager =
        setting.manager_attributes.is_some() || setting.attributes.contains_key("manager");
    view.settle(Node::Manager, Slot::Manager(has_manager.then_some(MANAGER)));
    if case.question() != Question::State {
        let state = name_in(&setting.attributes, "lifecycleState");
        let inactive = flag_in(&setting.attributes, "inactive");
        view.settle(Node::LifecycleState, Slot::LifecycleState(state, inactive));
    }

    let kind = case.question().kind();
    if matches!(
        kind,
        RuleKind::RoleAssignment
            | RuleKind::IdentityTrigger
            | RuleKind::ValueChange
            | RuleKind::AfterRefresh
            | RuleKind::AccountSelection
            | RuleKind::TargetMapping
    ) {
        view.open_entitlements();
    }
    if matches!(kind, RuleKind::ValueChange | RuleKind::AfterRefresh) {
        view.show_baseline(Some(Arc::default()));
    }
    if kind == RuleKind::IdentityTrigger {
        view.show_baseline(Some(Arc::new(baseline_of(setting, &model))));
    }
    if kind == RuleKind::Policy {
        view.show_access(Some(Arc::new(judged(&setting.access))));
    }
    view.read_as(Some(RULE));
    view
}

fn judged(access: &AccessSetting) -> JudgedAccess {
    let entitlements = access.entitlements.iter();
    let entitlements: BTreeSet<(Name, Name, String)> = entitlements
        .map(|(application, attribute, value)| {
            (Name::new(application), Name::new(attribute), value.clone())
        })
        .collect();
    JudgedAccess {
        desired: access.desired,
        roles: sorted(&access.roles).collect(),
        entitlements: entitlements.into_iter().collect(),
    }
}

fn model_of(case: &Case) -> Model {
    let setting = &case.setting;
    let mut names: BTreeSet<&str> = setting.attributes.keys().map(String::as_str).collect();
    names.extend(
        setting
            .manager_attributes
            .iter()
            .flat_map(BTreeMap::keys)
            .map(String::as_str),
    );
    let before = setting
        .baseline
        .iter()
        .flat_map(|baseline| baseline.attributes.keys());
    names.extend(before.map(String::as_str));
    if let Question::Promote(attribute) = case.question() {
        names.insert(attribute);
    }
    let definition = |name: &str| AttributeDefinition {
        name: Name::new(name),
        value_type: setting
            .attributes
            .get(name)
            .map(Value::value_type)
            .unwrap_or_default(),
        sources: Vec::new(),
        proposals: false,
        unique: None,
        on_change: None,
        edit_mode: EditMode::ReadOnly,
        sensitive: false,
        targets: Vec::new(),
    };
    let rule = Rule {
        name: Name::new("rule"),
        sha256: String::new(),
        grant: Grant {
            everything: true,
            ..Grant::default()
        },
        parameters: setting
            .parameters
            .iter()
            .map(|(name, value)| (Name::new(name), value.clone()))
            .collect(),
        limits: setting.limits,
        isolation: Isolation::Call,
    };
    Model {
        zone: setting.zone.clone(),
        end_of_day: setting.end_of_day,
        history: Default::default(),
        attributes: names
            .into_iter()
            .filter(|name| *name == "zone" || !RESERVED.contains(name))
            .map(definition)
            .collect(),
        rules: vec![rule],
        ..Model::default()
    }
}

fn record_of(setting: &Setting) -> IdentityRecord {
    let mut record = IdentityRecord::default();
    let identity = &mut record.identity;
    identity.uid = match setting.attributes.get("uid") {
        Some(Value::Integer(uid)) => Uid(*uid),
        _ => SUBJECT,
    };
    identity.name = text_in(&setting.attributes, "name").unwrap_or_else(|| "subject".to_owned());
    identity.assigned = sorted(&setting.assigned)
        .map(|role| RoleAssignment::by_rule(role, setting.as_of))
        .collect();
    identity.detected = sorted(&setting.detected)
        .map(|role| RoleDetection {
            role,
            accounts: Vec::new(),
        })
        .collect();
    record.accounts = setting
        .accounts
        .iter()
        .map(|account| account_of(account, setting))
        .collect();
    record
        .accounts
        .sort_by(|one, other| one.key.cmp(&other.key));
    record
}

fn account_of(account: &AccountSetting, setting: &Setting) -> Account {
    let mut attributes: Vec<_> = account
        .attributes
        .iter()
        .map(|(name, value)| (Name::new(name), value.clone()))
        .collect();
    attributes.sort_by_key(|(name, _)| *name);
    Account {
        key: AccountKey {
            application: Name::new(&account.application),
            native_identity: account.native_identity.clone(),
        },
        status: account.status.unwrap_or(AccountStatus::Enabled),
        // No application of the model has a grace, so missing is vanished.
        missing_since: account.status.is_none().then_some(setting.as_of),
        taken_away: false,
        attributes,
        native_entitlements: Vec::new(),
        link: Link::Correlated,
        owner: Some(SUBJECT),
    }
}

/// A case's baseline is the whole identity as it was; the model's lists what
/// was different. Listing everything is the same.
fn baseline_of(setting: &Setting, model: &Model) -> Baseline {
    let Some(before) = &setting.baseline else {
        return Baseline {
            unseen: true,
            ..Baseline::default()
        };
    };
    let roles: BTreeSet<&String> = setting.assigned.iter().chain(&before.assigned).collect();
    Baseline {
        unseen: false,
        name: text_in(&before.attributes, "name"),
        attributes: model
            .attributes
            .iter()
            .map(|known| {
                (
                    known.name,
                    before.attributes.get(known.name.as_str()).cloned(),
                )
            })
            .collect(),
        provisioning: None,
        chains: Vec::new(),
        manager: Some(
            before
                .attributes
                .contains_key("manager")
                .then_some(MANAGER_BEFORE),
        ),
        lifecycle_state: Some(name_in(&before.attributes, "lifecycleState")),
        lifecycle_since: None,
        inactive: Some(flag_in(&before.attributes, "inactive")),
        assigned: roles
            .into_iter()
            .map(|role| {
                // No rule can ask since when.
                let had = before.assigned.contains(role);
                let held = had.then_some(Holding {
                    since: setting.as_of,
                    source: AssignmentSource::Rule,
                });
                (Name::new(role), held)
            })
            .collect(),
        account_actions: None,
        work_items: None,
        violations: None,
    }
}

/// The managers, as they are and were.
struct Others {
    manager: BTreeMap<String, Value>,
    name_before: Option<Value>,
}

impl Others {
    fn of(setting: &Setting) -> Self {
        let mut manager = setting.manager_attributes.clone().unwrap_or_default();
        if let Some(name) = setting.attributes.get("manager") {
            manager.insert("name".to_owned(), name.clone());
        }
        let before = setting.baseline.as_ref();
        let name_before = before.and_then(|before| before.attributes.get("manager").cloned());
        Self {
            manager,
            name_before,
        }
    }
}

impl Snapshot for Others {
    fn attribute_of(&self, uid: Uid, attribute: Name) -> Result<Option<Value>, SnapshotError> {
        Ok(match (uid, attribute.as_str()) {
            (MANAGER, name) => self.manager.get(name).cloned(),
            (MANAGER_BEFORE, "name") => self.name_before.clone(),
            _ => None,
        })
    }

    fn find(&self, _attribute: Name, _folded: &str) -> Result<Vec<Uid>, SnapshotError> {
        Ok(Vec::new())
    }

    fn holder(&self, _claim: &Claim) -> Result<Option<Holder>, SnapshotError> {
        Ok(None)
    }
}

fn sorted(names: &[String]) -> impl Iterator<Item = Name> {
    let unique: BTreeSet<&String> = names.iter().collect();
    unique
        .into_iter()
        .map(|name| Name::new(name))
        .collect::<Vec<_>>()
        .into_iter()
}

fn text_in(values: &BTreeMap<String, Value>, name: &str) -> Option<String> {
    values.get(name).and_then(Value::as_text).map(str::to_owned)
}

fn name_in(values: &BTreeMap<String, Value>, name: &str) -> Option<Name> {
    values.get(name).and_then(Value::as_text).map(Name::new)
}

fn flag_in(values: &BTreeMap<String, Value>, name: &str) -> bool {
    values.get(name) == Some(&Value::Boolean(true))
}

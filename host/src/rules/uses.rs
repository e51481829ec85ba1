//! What a tenant's definitions use a rule for.

use idr_core::definitions::{
    Composition, CorrelationStep, Mapping, Model, Origin, RuleIndex, Selector, TriggerCondition,
};

use super::kind::RuleKind;

/// One use of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleUse {
    /// As what kind of rule.
    pub kind: RuleKind,
    /// What it decides, such as ``attribute `location` ``.
    pub of: String,
}

fn maps(mapping: &Mapping, rule: RuleIndex) -> bool {
    matches!(mapping, Mapping::Rule(used) if *used == rule)
}

/// Returns every use of a rule, in the order in which they are asked.
pub fn uses_of(model: &Model, rule: RuleIndex) -> Vec<RuleUse> {
    let mut uses = Vec::new();
    let mut add = |kind: RuleKind, of: String| uses.push(RuleUse { kind, of });
    for application in &model.applications {
        let asks =
            |step: &CorrelationStep| matches!(step, CorrelationStep::Rule(used) if *used == rule);
        let of = || format!("accounts in `{}`", application.name);
        if application.correlation.iter().any(asks) {
            add(RuleKind::AccountCorrelation, of());
        }
        let logical = application.logical.as_ref();
        if logical.is_some_and(
            |logical| matches!(logical.composition, Composition::Rule(used) if used == rule),
        ) {
            add(RuleKind::LogicalAccount, of());
        }
        let creates = application.creates.as_ref();
        if creates.is_some_and(|creation| creation.rule == Some(rule)) {
            add(RuleKind::IdentityCreation, of());
        }
    }
    if model.before_refresh == Some(rule) {
        add(
            RuleKind::BeforeRefresh,
            "proposals of attributes".to_owned(),
        );
    }
    for attribute in &model.attributes {
        let asks = |origin: &Origin| matches!(origin, Origin::Rule(used) if *used == rule);
        if attribute.sources.iter().any(|source| asks(&source.origin)) {
            add(
                RuleKind::AttributePromotion,
                format!("attribute `{}`", attribute.name),
            );
        }
    }
    let manager = model.manager.as_ref();
    if manager.is_some_and(|manager| manager.rule == Some(rule)) {
        add(RuleKind::ManagerCorrelation, "the manager".to_owned());
    }
    if model.lifecycle.rule == Some(rule) {
        add(RuleKind::LifecycleState, "the lifecycle state".to_owned());
    }
    for role in &model.roles {
        if matches!(role.selector, Some(Selector::Rule(used)) if used == rule) {
            add(RuleKind::RoleAssignment, format!("role `{}`", role.name));
        }
    }
    for application in &model.applications {
        let provisioning = &application.provisioning;
        let name = application.name;
        if provisioning.selection == Some(rule) {
            let of = format!("which account in `{name}` is meant");
            add(RuleKind::AccountSelection, of);
        }
        let Some(template) = &provisioning.template else {
            continue;
        };
        if maps(&template.native_identity, rule) {
            let of = format!("`native_identity` of new accounts in `{name}`");
            add(RuleKind::TargetMapping, of);
        }
        for attribute in &template.attributes {
            if attribute
                .mapping
                .as_ref()
                .is_some_and(|known| maps(known, rule))
            {
                let of = format!("`{}` of new accounts in `{name}`", attribute.name);
                add(RuleKind::TargetMapping, of);
            }
        }
    }
    for attribute in &model.attributes {
        for target in &attribute.targets {
            if target
                .mapping
                .as_ref()
                .is_some_and(|known| maps(known, rule))
            {
                let of = format!(
                    "`{}` of accounts in `{}`",
                    target.attribute, target.application
                );
                add(RuleKind::TargetMapping, of);
            }
        }
    }
    for trigger in &model.triggers {
        if trigger.included_rule == Some(rule) {
            add(
                RuleKind::RoleAssignment,
                format!("whom trigger `{}` is about", trigger.name),
            );
        }
        let asks = |condition: &TriggerCondition| matches!(condition, TriggerCondition::Rule(used) if *used == rule);
        if trigger.conditions.iter().any(asks) {
            add(
                RuleKind::IdentityTrigger,
                format!("trigger `{}`", trigger.name),
            );
        }
    }
    for attribute in &model.attributes {
        if attribute.on_change == Some(rule) {
            let of = format!("changes of attribute `{}`", attribute.name);
            add(RuleKind::ValueChange, of);
        }
    }
    if model.after_refresh == Some(rule) {
        add(
            RuleKind::AfterRefresh,
            "proposals for the next refresh".to_owned(),
        );
    }
    uses
}

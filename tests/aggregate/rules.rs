//! Rules that say whose an account is, and which identity it gives rise to.

use std::sync::Arc;

use idr_core::definitions::{
    AttributeDefinition, CorrelationStep, EditMode, Grant, Isolation, Rule, RuleIndex, RuleLimits,
};
use idr_core::model::{Name, ValueType};

use crate::tenant::Tenant;

/// `crm` asks a rule before it compares addresses, and `hr` one before it
/// creates anybody.
fn tenant() -> Tenant {
    let mut tenant = Tenant::new();
    let model = Arc::make_mut(&mut tenant.model);
    model.attributes = ["email", "phone"]
        .map(|name| AttributeDefinition {
            name: Name::new(name),
            value_type: ValueType::Text,
            sources: Vec::new(),
            proposals: false,
            unique: None,
            on_change: None,
            edit_mode: EditMode::Permanent,
            sensitive: false,
            targets: Vec::new(),
        })
        .to_vec();
    model.rules.push(Rule {
        name: Name::new("whose"),
        sha256: String::new(),
        grant: Grant {
            accounts: ["crm", "hr"]
                .map(|name| (Name::new(name), vec![Name::new("department")]))
                .to_vec(),
            lookups: vec![Name::new("email")],
            ..Grant::default()
        },
        parameters: Vec::new(),
        limits: RuleLimits::default(),
        isolation: Isolation::Reuse,
    });
    let rule = RuleIndex(0);
    tenant
        .application("crm")
        .correlation
        .insert(0, CorrelationStep::Rule(rule));
    let creates = tenant.application("hr").creates.as_mut();
    creates.expect("it is authoritative").rule = Some(rule);
    tenant.adopt();
    tenant
}

#[test]
fn a_rule_says_whose_an_account_is_before_the_configured_matches() {
    let tenant = tenant();
    tenant.full("hr", 1, "1,ana,,IT,,\n2,bela,,IT,,");
    tenant.set("ana", "email", "ana@x");
    insta::assert_snapshot!(
        tenant.full("crm", 1, "c1,,ana@x,is bela,,\nc2,,ana@x,is zoe,,\nc3,,ana@x,whoever,,"),
        @"2 done: read=3 created=3 correlated=3"
    );
    insta::assert_snapshot!(tenant.accounts(), @r"
    crm c1 enabled department=is bela email=ana@x: bela (correlated)
    crm c2 enabled department=is zoe email=ana@x: ana (correlated)
    crm c3 enabled department=whoever email=ana@x: ana (correlated)
    hr 1 enabled department=IT user=ana: ana (created)
    hr 2 enabled department=IT user=bela: bela (created)
    ");
}

#[test]
fn an_account_waits_for_the_value_that_its_rule_asked_for() {
    let tenant = tenant();
    tenant.full("hr", 1, "1,ana,,IT,,");
    insta::assert_snapshot!(
        tenant.full("crm", 1, "c1,,,by email Ana@X,,"),
        @"2 done: read=1 created=1 uncorrelated=1"
    );
    assert_eq!(tenant.correlate_waiting(1), 0);
    tenant.set("ana", "email", "ana@x");
    assert_eq!(tenant.correlate_waiting(1), 1);
    insta::assert_snapshot!(tenant.accounts(), @r"
    crm c1 enabled department=by email Ana@X: ana (correlated)
    hr 1 enabled department=IT user=ana: ana (created)
    ");
}

#[test]
fn a_rule_that_fails_leaves_the_account_as_it_is() {
    let tenant = tenant();
    tenant.full("hr", 1, "1,ana,,IT,,");
    tenant.set("ana", "email", "ana@x");
    // What the rule would have found isn't given to whoever has the address.
    let rows = "c1,,ana@x,lost,,\nc2,,ana@x,by phone 7,,\nc3,,ana@x,by fone 7,,";
    insta::assert_snapshot!(
        tenant.full("crm", 1, rows),
        @"2 done: read=3 created=3 uncorrelated=3"
    );
    insta::assert_snapshot!(tenant.findings(), @r"
    crm c1: rule-declined: it can't tell
    crm c2: not-granted: look-up by `phone` is not granted to the rule
    crm c3: unknown-name: there is no identity attribute `fone`; did you mean `zone`?
    ");
    insta::assert_snapshot!(
        tenant.full("crm", 2, "c1,,ana@x,found,,\nc2,,ana@x,found,,\nc3,,ana@x,found,,"),
        @"3 done: read=3 modified=3 correlated=3"
    );
    assert_eq!(tenant.findings(), "");
}

#[test]
fn a_rule_says_which_identity_an_account_gives_rise_to() {
    let tenant = tenant();
    let rows = "1,ana,,,,\n2,bela,,named b.ela,,\n3,c3po,,a bot,,\n4,test,,skip test,,";
    insta::assert_snapshot!(
        tenant.full("hr", 1, rows),
        @"1 done: read=4 created=4 correlated=3 uncorrelated=1 identities=3 skipped=1"
    );
    insta::assert_snapshot!(tenant.accounts(), @r"
    hr 1 enabled user=ana: ana (created)
    hr 2 enabled department=named b.ela user=bela: b.ela (created)
    hr 3 enabled department=a bot user=c3po: c3po (created)
    hr 4 enabled department=skip test user=test: nobody (uncorrelated)
    ");
    insta::assert_snapshot!(tenant.types(), @r"
    ana person
    b.ela person
    c3po bot
    ");
    assert_eq!(tenant.findings(), "");
}

#[test]
fn a_proposed_identity_that_cannot_be_is_a_finding() {
    let tenant = tenant();
    let rows = "1,ana,,,,\n2,bela,,named ana,,\n3,chidi,,a person ,,\n\
                4,dora,,a robot,,\n5,emil,,unborn,,\n6,,,whoever,,\n7,flo,,named  x,,";
    insta::assert_snapshot!(tenant.full("hr", 1, rows), @"1 done: read=7 created=7 correlated=2 uncorrelated=5 identities=2");
    insta::assert_snapshot!(tenant.findings(), @r#"
    hr 2: name-taken: the identity `ana` exists, but doesn't match this account
    hr 4: unknown-type: the rule proposes an identity of the type `robot`, which there isn't
    hr 5: rule-declined: it can't tell
    hr 6: name-blank: `user` is blank, so no identity can be created
    hr 7: name-unusable: the rule proposes " x", which can't be the name of an identity
    "#);
}

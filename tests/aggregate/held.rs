//! What a person decides about a held aggregation.

use idr::aggregate::{AggregateError, accept, reject};
use idr::store::{AggregationStatus, AuditQuery, Store};
use idr_core::model::Name;

use crate::tenant::{Tenant, audit, no_guard, percent, show};
use idr::aggregate::connector::Guard;

fn held() -> Tenant {
    let mut tenant = Tenant::new();
    tenant.connector.guard = Guard {
        vanished: percent(10),
        ..no_guard()
    };
    tenant.full("hr", 1, "1,ana,,IT,,\n2,bela,,IT,,\n3,chidi,,IT,,");
    let counted = tenant.full("hr", 2, "1,ana,,HR,,\n4,dora,,IT,,");
    assert!(counted.starts_with("2 held:"));
    tenant
}

#[test]
fn an_accepted_aggregation_is_applied() {
    let tenant = held();
    let context = tenant.context(&tenant.store, "hr");
    let report = accept(&context, 2, audit("accept"), &mut |_| {}).expect("it is held");
    insta::assert_snapshot!(show(&report).lines().next().expect("a line"), @"2 done: read=2 created=1 modified=1 vanished=2 correlated=1 identities=1");
    insta::assert_snapshot!(tenant.accounts(), @r"
    hr 1 enabled department=HR user=ana: ana (created)
    hr 2 enabled department=IT user=bela missing since day 2: bela (created)
    hr 3 enabled department=IT user=chidi missing since day 2: chidi (created)
    hr 4 enabled department=IT user=dora: dora (created)
    ");
    assert_eq!(tenant.findings(), "");
    let noted = tenant
        .store
        .audit_entries(&AuditQuery::default(), 10)
        .expect("memory never fails");
    assert_eq!(noted, [audit("accept")]);
    let error = accept(&context, 2, audit("accept"), &mut |_| {}).expect_err("it is done");
    assert_eq!(error.to_string(), "aggregation 2 is done");
}

#[test]
fn a_rejected_aggregation_is_dropped() {
    let tenant = held();
    let before = tenant.accounts();
    let hr = Name::new("hr");
    let report = reject(&tenant.store, hr, 2, audit("reject")).expect("it is held");
    assert_eq!(report.aggregation.status, AggregationStatus::Rejected);
    assert_eq!(report.open_findings, 0);
    assert_eq!(tenant.accounts(), before);
    let staged = tenant.store.staged(2, 0, 10).expect("memory never fails");
    assert!(staged.is_empty());
    let error = reject(&tenant.store, hr, 7, audit("reject"));
    assert!(matches!(error, Err(AggregateError::Unknown(7))));
}

#[test]
fn a_newer_aggregation_overtakes_a_held_one() {
    let tenant = held();
    let counted = tenant.full("hr", 3, "1,ana,,IT,,\n2,bela,,IT,,\n3,chidi,,IT,,");
    assert_eq!(counted, "3 done: read=3 unchanged=3");
    let overtaken = tenant.store.aggregation(2).expect("memory never fails");
    let overtaken = overtaken.expect("it is known");
    assert_eq!(overtaken.status, AggregationStatus::Rejected);
    assert_eq!(
        overtaken.held.last().expect("a reason"),
        "overtaken by aggregation 3"
    );
    assert_eq!(tenant.findings(), "");
}

//! Whose accounts are, and what becomes of those that are nobody's.

use idr::aggregate::{link, unlink};
use idr::store::{AuditQuery, Store};
use idr_core::definitions::{CorrelationMatch, CorrelationStep};
use idr_core::model::Name;

use crate::tenant::{Tenant, audit, creating, key};

#[test]
fn accounts_find_their_identity_once_it_has_what_they_look_for() {
    let tenant = Tenant::new();
    tenant.full("hr", 1, "1,ana,,IT,,");
    insta::assert_snapshot!(tenant.full("crm", 1, "c1,,Ana@x,,,\nc2,,zoe@x,,,"), @"2 done: read=2 created=2 uncorrelated=2");
    let before = tenant.versions();
    let tried = || tenant.correlate_waiting(1);
    assert_eq!(tried(), 0);
    assert_eq!(tenant.versions(), before);
    tenant.set("ana", "email", "ana@X");
    assert_eq!(tried(), 1);
    insta::assert_snapshot!(tenant.accounts(), @r"
    crm c1 enabled email=Ana@x: ana (correlated)
    crm c2 enabled email=zoe@x: nobody (uncorrelated)
    hr 1 enabled department=IT user=ana: ana (created)
    ");
    assert_ne!(tenant.versions(), before);
    assert_eq!(tried(), 0);
}

#[test]
fn an_ambiguous_account_is_kept_apart_until_one_is_left() {
    let tenant = Tenant::new();
    tenant.full("hr", 1, "1,ana,,IT,,\n2,bela,,IT,,");
    tenant.set("ana", "email", "team@x");
    tenant.set("bela", "email", "team@x");
    insta::assert_snapshot!(tenant.full("crm", 1, "c1,,team@x,,,"), @"2 done: read=1 created=1 ambiguous=1");
    insta::assert_snapshot!(tenant.findings(), @"crm c1: ambiguous: 2 identities match by `email`; the account is kept apart");
    let tried = || tenant.correlate_waiting(1);
    assert_eq!(tried(), 0);
    tenant.set("bela", "email", "bela@x");
    assert_eq!(tried(), 1);
    assert!(
        tenant
            .accounts()
            .contains("crm c1 enabled email=team@x: ana (correlated)")
    );
    assert_eq!(tenant.findings(), "");
}

#[test]
fn somebody_present_comes_before_somebody_who_has_gone() {
    let tenant = Tenant::new();
    tenant.full("hr", 1, "1,ana,,IT,,\n2,bela,,IT,,");
    tenant.set("ana", "email", "sales@x");
    tenant.full("hr", 2, "2,bela,,IT,,");
    tenant.set("bela", "email", "sales@x");
    insta::assert_snapshot!(tenant.full("crm", 2, "c1,,sales@x,,,"), @"3 done: read=1 created=1 correlated=1");
    assert!(
        tenant
            .accounts()
            .contains("c1 enabled email=sales@x: bela (correlated)")
    );
}

#[test]
fn a_taken_name_is_a_finding_until_it_is_free() {
    let tenant = Tenant::new();
    tenant.full("hr", 1, "1,ana,,IT,,");
    // A second account called ana finds her by name; one that looks only at
    // the address doesn't.
    let mut tenant = tenant;
    tenant.application("hr").correlation = vec![CorrelationStep::Match(CorrelationMatch {
        account_attribute: Name::new("email"),
        identity_attribute: Name::new("email"),
    })];
    tenant.adopt();
    let rows = "1,ana,,IT,,\n2,ana,ana2@x,IT,,\n3,,zoe@x,IT,,";
    insta::assert_snapshot!(tenant.full("hr", 2, rows), @"2 done: read=3 unchanged=1 created=2 uncorrelated=2");
    insta::assert_snapshot!(tenant.findings(), @r"
    hr 2: name-taken: the identity `ana` exists, but doesn't match this account
    hr 3: name-blank: `user` is blank, so no identity can be created
    ");
    let before = tenant.versions();
    insta::assert_snapshot!(tenant.full("hr", 3, rows), @"3 done: read=3 unchanged=3 uncorrelated=2");
    assert_eq!(tenant.versions(), before);
    let free = "1,ana,,IT,,\n2,anne,ana2@x,IT,,\n3,zoe,zoe@x,IT,,";
    insta::assert_snapshot!(tenant.full("hr", 4, free), @"4 done: read=3 unchanged=1 modified=2 correlated=2 identities=2");
    assert_eq!(tenant.findings(), "");
}

#[test]
fn an_unchanged_account_gets_its_identity_when_its_application_becomes_authoritative() {
    let mut tenant = Tenant::new();
    tenant.full("ad", 1, "a1,ana,,,,");
    tenant.application("ad").creates = Some(creating(2));
    tenant.adopt();
    insta::assert_snapshot!(tenant.full("ad", 2, "a1,ana,,,,"), @"2 done: read=1 unchanged=1 correlated=1 identities=1");
    insta::assert_snapshot!(tenant.accounts(), @"ad a1 enabled user=ana: ana (created)");
}

#[test]
fn a_changed_correlation_is_applied_to_accounts_without_owner() {
    let mut tenant = Tenant::new();
    tenant.full("hr", 1, "1,ana,,IT,,");
    tenant.full("crm", 1, "c1,ana,,,,");
    tenant
        .application("crm")
        .correlation
        .push(CorrelationStep::Match(CorrelationMatch {
            account_attribute: Name::new("user"),
            identity_attribute: Name::new("name"),
        }));
    assert_eq!(tenant.correlate_again("crm", 1), 1);
    assert!(
        tenant
            .accounts()
            .contains("crm c1 enabled user=ana: ana (correlated)")
    );
}

#[test]
fn two_accounts_of_one_feed_can_be_one_identity() {
    for accounts_per_transaction in [1, 1_000] {
        let mut tenant = Tenant::new();
        tenant.accounts_per_transaction = accounts_per_transaction;
        tenant.full("hr", 1, "1,ana,,IT,,\n2,Ana,,HR,,\n3,bela,,HR,,");
        insta::allow_duplicates! {
            insta::assert_snapshot!(tenant.accounts(), @r"
            hr 1 enabled department=IT user=ana: ana (created)
            hr 2 enabled department=HR user=Ana: ana (correlated)
            hr 3 enabled department=HR user=bela: bela (created)
            ");
        }
    }
}

#[test]
fn a_contractor_who_becomes_an_employee_stays_the_same_identity() {
    let mut tenant = Tenant::new();
    tenant.application("ad").creates = Some(creating(2));
    tenant.application("ad").vanish_grace_ms = 3 * crate::tenant::DAY_MS;
    tenant.adopt();
    tenant.full("ad", 1, "a1,ana,,,,");
    insta::assert_snapshot!(tenant.full("ad", 2, "a2,bela,,,,"), @"2 done: read=1 created=1 vanished=1 correlated=1 identities=1");
    insta::assert_snapshot!(tenant.full("hr", 3, "1,ana,,IT,,"), @"3 done: read=1 created=1 correlated=1");
    insta::assert_snapshot!(tenant.accounts(), @r"
    ad a1 enabled user=ana missing since day 2: ana (created)
    ad a2 enabled user=bela: bela (created)
    hr 1 enabled department=IT user=ana: ana (correlated)
    ");
}

#[test]
fn correlation_leaves_alone_what_a_person_has_linked() {
    let tenant = Tenant::new();
    tenant.full("hr", 1, "1,ana,,IT,,\n2,bela,,IT,,");
    tenant.set("bela", "email", "bela@x");
    tenant.full("crm", 1, "c1,,bela@x,,,");
    let account = key("crm", "c1");
    link(&tenant.store, &account, "ana", audit("link")).expect("both exist");
    insta::assert_snapshot!(tenant.full("crm", 2, "c1,,bela@x,IT,,"), @"3 done: read=1 modified=1");
    assert!(
        tenant
            .accounts()
            .contains("crm c1 enabled department=IT email=bela@x: ana (manual)")
    );
    unlink(&tenant.store, &account, audit("unlink")).expect("it is linked");
    tenant.full("crm", 3, "c1,,bela@x,HR,,");
    assert_eq!(tenant.correlate_waiting(3), 0);
    assert!(
        tenant
            .accounts()
            .contains("crm c1 enabled department=HR email=bela@x: nobody (manual)")
    );
    let error = unlink(&tenant.store, &account, audit("unlink")).expect_err("it isn't linked");
    assert_eq!(
        error.to_string(),
        "account `c1` is not linked to an identity"
    );
    let error = link(&tenant.store, &account, "zoe", audit("link")).expect_err("nobody");
    assert_eq!(error.to_string(), "there is no identity `zoe`");
    assert_eq!(
        tenant
            .store
            .audit_entries(&AuditQuery::default(), 10)
            .expect("memory never fails")
            .len(),
        2
    );
}

#[test]
fn an_identity_can_be_found_that_has_no_account() {
    let tenant = Tenant::new();
    tenant.create("robot");
    insta::assert_snapshot!(tenant.full("ad", 1, "a1,robot,,,,"), @"1 done: read=1 created=1 correlated=1");
}

//! Native changes: what was done to accounts behind idr's back.

use idr::store::Store;
use idr_core::definitions::NativeChangeDetection;
use idr_core::model::{Name, NativeOperation};

use crate::tenant::{DAY_MS, Tenant, everybody};

fn detecting(attributes: &[&str], grace_days: i64) -> Tenant {
    let mut tenant = Tenant::new();
    let ad = tenant.application("ad");
    ad.vanish_grace_ms = grace_days * DAY_MS;
    ad.native_changes = Some(NativeChangeDetection {
        operations: vec![
            NativeOperation::Create,
            NativeOperation::Modify,
            NativeOperation::Delete,
        ],
        attributes: attributes.iter().map(|name| Name::new(name)).collect(),
    });
    tenant.full("hr", 1, "1,ana,,IT,,\n2,bela,,IT,,\n3,chidi,,IT,,");
    tenant.full("ad", 1, "a1,ana,,IT,x,\na2,bela,,IT,,");
    tenant
}

/// Returns the native changes noted so far, one a line.
fn noted(tenant: &Tenant) -> String {
    let records = tenant
        .store
        .read_chunk(&everybody(&tenant.store))
        .expect("memory never fails");
    let mut shown = String::new();
    for record in records {
        for change in &record.identity.native_changes {
            let attributes: Vec<&str> =
                change.attributes.iter().map(|name| name.as_str()).collect();
            shown += &format!(
                "{} {} {} day {}: {}\n",
                record.identity.name,
                change.account.native_identity,
                change.operation.as_str(),
                change.detected_at.0 / DAY_MS,
                attributes.join(" ")
            );
        }
    }
    shown
}

#[test]
fn creations_modifications_and_deletions_are_noted_after_the_first_load() {
    let tenant = detecting(&[], 0);
    assert_eq!(noted(&tenant), "");
    let counted = tenant.full("ad", 2, "a1,ana,,HR,x,off\na3,chidi,,IT,y,");
    insta::assert_snapshot!(counted, @"3 done: read=2 created=1 modified=1 vanished=1 correlated=1 nativeChanges=3");
    insta::assert_snapshot!(noted(&tenant), @r"
    ana a1 modify day 2: department status
    bela a2 delete day 2: 
    chidi a3 create day 2: department groups user
    ");
    tenant.full("ad", 3, "a1,ana,,HR,x,off\na3,chidi,,IT,y,\na2,bela,,IT,,");
    assert!(noted(&tenant).contains("bela a2 create day 3: department user"));
}

#[test]
fn only_attributes_that_count_make_a_modification() {
    let tenant = detecting(&["groups"], 0);
    tenant.full("ad", 2, "a1,ana,,HR,x,off\na2,bela,,IT,,");
    assert_eq!(noted(&tenant), "");
    tenant.full("ad", 3, "a1,ana,,IT,y,\na2,bela,,IT,,");
    assert_eq!(noted(&tenant), "ana a1 modify day 3: groups\n");
}

#[test]
fn a_deletion_is_noted_once_when_the_grace_is_over() {
    let tenant = detecting(&[], 2);
    let without = "a1,ana,,IT,x,";
    for day in 2..=3 {
        tenant.full("ad", day, without);
        assert_eq!(noted(&tenant), "");
    }
    for day in 4..=6 {
        tenant.full("ad", day, without);
        assert_eq!(noted(&tenant), "bela a2 delete day 4: \n");
    }
}

#[test]
fn coming_back_within_the_grace_is_nothing() {
    let tenant = detecting(&[], 2);
    tenant.full("ad", 2, "a1,ana,,IT,x,");
    tenant.full("ad", 3, "a1,ana,,IT,x,\na2,bela,,IT,,");
    assert_eq!(noted(&tenant), "");
}

#[test]
fn accounts_of_identities_that_the_aggregation_creates_are_not_noted() {
    for accounts_per_transaction in [1, 1_000] {
        let mut tenant = detecting(&[], 0);
        tenant.accounts_per_transaction = accounts_per_transaction;
        tenant.application("ad").creates = Some(crate::tenant::creating(2));
        tenant.adopt();
        tenant.full(
            "ad",
            2,
            "a1,ana,,IT,x,\na2,bela,,IT,,\na4,dora,,IT,,\na5,dora,,IT,,\na6,chidi,,,,",
        );
        assert_eq!(noted(&tenant), "chidi a6 create day 2: user\n");
    }
}

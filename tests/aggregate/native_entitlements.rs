//! Entitlements gained and lost natively: what accounts note of it.

use idr::aggregate::accept;
use idr_core::model::Name;

use crate::tenant::{DAY_MS, Tenant, audit, percent};

/// A tenant in which ad is aggregated on the first day.
fn tenant(rows: &str) -> Tenant {
    let mut tenant = Tenant::new();
    tenant.application("ad").vanish_grace_ms = 2 * DAY_MS;
    tenant.full("hr", 1, "1,ana,,IT,,\n2,bela,,IT,,");
    tenant.full("ad", 1, rows);
    tenant
}

/// Returns what accounts note, one a line.
fn noted(tenant: &Tenant) -> Vec<String> {
    use idr::store::Store;
    let accounts = tenant.store.list_accounts(None, None, usize::MAX);
    let accounts = accounts.expect("memory never fails");
    let notes = accounts.iter().flat_map(|account| {
        let notes = account.native_entitlements.iter();
        notes.map(|note| {
            format!(
                "{} {} {} day {}",
                account.key.native_identity,
                note.change.as_str(),
                note.value,
                note.detected_at.0 / DAY_MS
            )
        })
    });
    notes.collect()
}

const NOTHING: [&str; 0] = [];

fn departments_are_entitlements(tenant: &mut Tenant, entitlement: bool) {
    let mut schema = tenant.application("ad").schema.iter_mut();
    let department = schema.find(|known| known.name == Name::new("department"));
    department.expect("it is there").entitlement = entitlement;
}

#[test]
fn a_first_aggregation_notes_nothing_and_the_next_what_came_and_went() {
    let tenant = tenant("a1,ana,,IT,x|y,\na2,bela,,IT,,");
    assert_eq!(noted(&tenant), NOTHING);
    tenant.full("ad", 2, "a1,ana,,HR,y|z|z,\na2,bela,,IT,,\na3,ana,,IT,v,");
    assert_eq!(noted(&tenant), ["a1 lost x day 2", "a1 gained z day 2"]);
}

#[test]
fn what_is_undone_is_not_noted_any_more() {
    let tenant = tenant("a1,ana,,IT,x,");
    tenant.full("ad", 2, "a1,ana,,IT,y,");
    tenant.full("ad", 3, "a1,ana,,IT,x|y,");
    assert_eq!(noted(&tenant), ["a1 gained y day 2"]);
}

/// A role may call for it meanwhile.
#[test]
fn what_was_gained_and_goes_again_is_lost() {
    let tenant = tenant("a1,ana,,IT,x,");
    tenant.full("ad", 2, "a1,ana,,IT,x|y,");
    tenant.full("ad", 3, "a1,ana,,IT,x,");
    assert_eq!(noted(&tenant), ["a1 lost y day 3"]);
    tenant.full("ad", 4, "a1,ana,,IT,x|y,");
    assert_eq!(noted(&tenant), ["a1 gained y day 4"]);
}

#[test]
fn a_file_that_says_nothing_new_changes_nothing() {
    let tenant = tenant("a1,ana,,IT,x,");
    tenant.full("ad", 2, "a1,ana,,IT,y,");
    let versions = tenant.versions();
    tenant.full("ad", 3, "a1,ana,,IT,y,");
    assert_eq!(tenant.versions(), versions);
    assert_eq!(noted(&tenant), ["a1 lost x day 2", "a1 gained y day 2"]);
}

#[test]
fn a_delta_notes_what_it_lists() {
    let tenant = tenant("a1,ana,,IT,x,\na2,bela,,IT,x,");
    tenant.delta("ad", 2, "a1,ana,,IT,y,\na3,ana,,IT,v,");
    assert_eq!(noted(&tenant), ["a1 lost x day 2", "a1 gained y day 2"]);
}

#[test]
fn an_account_that_is_back_in_time_is_compared_and_one_that_had_vanished_is_not() {
    let tenant = tenant("a1,ana,,IT,x,\na2,bela,,IT,x,");
    tenant.full("ad", 2, "a2,bela,,IT,x,");
    assert_eq!(noted(&tenant), NOTHING);
    tenant.full("ad", 3, "a1,ana,,IT,y,");
    assert_eq!(noted(&tenant), ["a1 lost x day 3", "a1 gained y day 3"]);
    tenant.full("ad", 5, "a1,ana,,IT,y,");
    tenant.full("ad", 6, "a1,ana,,IT,y,\na2,bela,,IT,z,");
    assert_eq!(noted(&tenant), ["a1 lost x day 3", "a1 gained y day 3"]);
}

/// Everybody would have gained what was there all the time.
#[test]
fn an_attribute_that_is_read_for_the_first_time_notes_nothing() {
    let mut tenant = tenant("a1,ana,,IT,x,");
    departments_are_entitlements(&mut tenant, true);
    tenant.full("ad", 2, "a1,ana,,HR,x,");
    assert_eq!(noted(&tenant), NOTHING);
    tenant.full("ad", 3, "a1,ana,,IT,x,");
    assert_eq!(noted(&tenant), ["a1 lost HR day 3", "a1 gained IT day 3"]);
}

/// It says nothing of what became an entitlement while it was held.
#[test]
fn an_aggregation_that_was_held_notes_what_it_was_read_for() {
    let rows = "a1,ana,,IT,x,\na2,bela,,IT,,\na3,bela,,IT,,";
    let mut tenant = tenant(rows);
    departments_are_entitlements(&mut tenant, true);
    tenant.full("ad", 2, rows);
    departments_are_entitlements(&mut tenant, false);
    tenant.connector.guard.vanished = percent(10);
    let counted = tenant.full("ad", 3, "a1,ana,,HR,y,");
    assert!(counted.starts_with("4 held:"), "{counted}");
    departments_are_entitlements(&mut tenant, true);
    let context = tenant.context(&tenant.store, "ad");
    accept(&context, 4, audit("accept"), &mut |_| {}).expect("it is held");
    assert_eq!(noted(&tenant), ["a1 lost x day 3", "a1 gained y day 3"]);
}

//! Laws that hold for any feeds.

use std::collections::BTreeMap;

use idr::store::Store;
use idr_core::model::{AccountStatus, Name, Value};
use proptest::prelude::*;

use crate::tenant::{Tenant, everybody};

/// Rows by native identity: user, address, department.
type Feed = BTreeMap<u8, (u8, u8, u8)>;

fn feed() -> impl Strategy<Value = Feed> {
    prop::collection::btree_map(0..8_u8, (0..6_u8, 0..4_u8, 0..3_u8), 0..8)
}

fn rows(feed: &Feed) -> String {
    let field = |prefix: &str, number: u8| match number {
        0 => String::new(),
        number => format!("{prefix}{number}"),
    };
    let rows: Vec<String> = feed
        .iter()
        .map(|(id, (user, email, department))| {
            let (user, email) = (field("user", *user), field("mail", *email));
            format!("E{id},{user},{email},{},,", field("d", *department))
        })
        .collect();
    rows.join("\n")
}

type Content = (AccountStatus, Vec<(Name, Value)>);

/// Returns what is known of each account: present or not, and its content.
fn contents(tenant: &Tenant) -> BTreeMap<String, (bool, Content)> {
    let accounts = tenant.store.list_accounts(None, None, 1_000);
    let accounts = accounts.expect("memory never fails").into_iter();
    accounts
        .map(|account| {
            let content = (account.status, account.attributes);
            let known = (account.missing_since.is_none(), content);
            (account.key.native_identity, known)
        })
        .collect()
}

fn aggregated(feeds: &[&Feed]) -> Tenant {
    let tenant = Tenant::new();
    for (on, feed) in (1..).zip(feeds) {
        tenant.full("hr", on, &rows(feed));
    }
    tenant
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// After a full aggregation the accounts that are present are those of a
    /// tenant that never knew another file; the others are as the last file
    /// that listed them said.
    #[test]
    fn the_last_full_file_decides(first in feed(), second in feed()) {
        let both = contents(&aggregated(&[&first, &second]));
        let mut wanted = contents(&aggregated(&[&first]));
        wanted.values_mut().for_each(|(present, _)| *present = false);
        wanted.extend(contents(&aggregated(&[&second])));
        prop_assert_eq!(both, wanted);
    }

    /// Aggregating the same file again touches nobody.
    #[test]
    fn the_same_file_again_changes_nothing(first in feed(), second in feed()) {
        let tenant = aggregated(&[&first, &second]);
        let (versions, accounts, findings) = (tenant.versions(), tenant.accounts(), tenant.findings());
        tenant.full("hr", 9, &rows(&second));
        prop_assert_eq!(tenant.versions(), versions);
        prop_assert_eq!(tenant.accounts(), accounts);
        prop_assert_eq!(tenant.findings(), findings);
    }

    /// A file of changes comes to the same as a full file with them in it.
    #[test]
    fn a_delta_is_a_full_file_of_what_it_makes(first in feed(), second in feed()) {
        let by_delta = aggregated(&[&first]);
        by_delta.delta("hr", 2, &rows(&second));
        let mut merged = first.clone();
        merged.extend(second);
        prop_assert_eq!(contents(&by_delta), contents(&aggregated(&[&first, &merged])));
    }

    /// Where a transaction ends decides nothing: not even uids.
    #[test]
    fn the_size_of_transactions_never_matters(feeds in prop::collection::vec(feed(), 1..4), size in 1..5_usize) {
        let mut states = Vec::new();
        for accounts_per_transaction in [size, 1_000] {
            let mut tenant = Tenant::new();
            tenant.accounts_per_transaction = accounts_per_transaction;
            tenant.application("ad").creates = Some(crate::tenant::creating(2));
            tenant.adopt();
            for (on, feed) in (1..).zip(&feeds) {
                tenant.full("hr", on, &rows(feed));
                tenant.full("ad", on, &rows(feed));
                tenant.correlate_waiting(on);
                // What a refresh would do: addresses become known.
                for uid in everybody(&tenant.store) {
                    let record = tenant.store.read_chunk(&[uid]).expect("memory never fails").remove(0);
                    let email = record.accounts.iter().find_map(|account| account.attribute(Name::new("email")));
                    if let Some(email) = email {
                        tenant.set(&record.identity.name, "email", &email.to_string());
                    }
                }
            }
            let records = tenant.store.read_chunk(&everybody(&tenant.store)).expect("memory never fails");
            states.push((records, tenant.accounts(), tenant.findings()));
        }
        let [small, large] = states.try_into().expect("there are two");
        prop_assert_eq!(small, large);
    }
}

//! What idr remembers of its own doing, by the keys that accounts have by now: one
//! that was moved, or that its application calls otherwise than it was to be
//! called, is the same account.

use std::borrow::Cow;

use crate::model::{
    Account, AccountKey, AccountOperation, IdentityRecord, Provisioning, SentAction,
};
use crate::text::fold;

/// Returns what idr remembered of its own doing when events were last processed,
/// and what was sent since.
pub(crate) fn remembered(record: &IdentityRecord) -> Cow<'_, Provisioning> {
    let provisioning = record.identity.settled_provisioning();
    let renamed = |sent: &SentAction| {
        let now = account_of(record, sent)?;
        let then = &sent.action.account;
        (now != then).then(|| (then.clone(), now.clone()))
    };
    let renamed: Vec<_> = provisioning.sent.iter().filter_map(renamed).collect();
    if renamed.is_empty() {
        return provisioning;
    }
    let mut provisioning = provisioning.into_owned();
    for (then, now) in renamed {
        provisioning.rename(&then, &now);
    }
    Cow::Owned(provisioning)
}

/// Returns the account that something that was sent has made of another one, or
/// has created; none where it isn't there, or has no other key.
fn account_of<'r>(record: &'r IdentityRecord, sent: &SentAction) -> Option<&'r AccountKey> {
    let action = &sent.action;
    let present = || {
        record.accounts.iter().filter(|known| {
            known.key.application == action.account.application && known.missing_since.is_none()
        })
    };
    let named = |native_identity: &str| {
        let native_identity = fold(native_identity);
        present().find(|known| fold(&known.key.native_identity) == native_identity)
    };
    let found: Option<&Account> = match action.operation {
        AccountOperation::Move if present().all(|known| known.key != action.account) => {
            named(&action.leads_to()?)
        }
        AccountOperation::Create => named(&action.account.native_identity).or_else(|| {
            let mut present = present();
            present.next().filter(|_| present.next().is_none())
        }),
        _ => None,
    };
    found.map(|account| &account.key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        AccountAction, Entitlement, GivenEntitlement, Name, SentOutcome, UnixMillis,
    };
    use crate::testing::{account, person};

    fn key(native_identity: &str) -> AccountKey {
        AccountKey {
            application: Name::new("ad"),
            native_identity: native_identity.to_owned(),
        }
    }

    /// Whoever was given `g` in an account, with which something was done.
    fn somebody(operation: AccountOperation, accounts: &[&str]) -> IdentityRecord {
        let named = |native_identity: &&str| {
            let mut known = account("ad", &[]);
            known.key = key(native_identity);
            known
        };
        let mut record = person(accounts.iter().map(named).collect());
        let action = AccountAction {
            account: key("CN=a,OU=x"),
            operation,
            to: Some("OU=y".to_owned()),
            changes: Vec::new(),
            reasons: Vec::new(),
            hops: 0,
            since: UnixMillis(0),
        };
        let provisioning = &mut record.identity.provisioning;
        provisioning.note_sent(action, UnixMillis(0), SentOutcome::Sent);
        provisioning.given.push(GivenEntitlement {
            entitlement: Entitlement {
                account: key("CN=a,OU=x"),
                attribute: Name::new("groups"),
                value: "g".to_owned(),
            },
            roles: Vec::new(),
        });
        record
    }

    fn given_to(record: &IdentityRecord) -> String {
        let provisioning = remembered(record);
        let account = &provisioning.given[0].entitlement.account;
        account.native_identity.clone()
    }

    #[test]
    fn what_was_given_goes_along_with_an_account_that_is_moved() {
        let moved = |accounts: &[&str]| given_to(&somebody(AccountOperation::Move, accounts));
        assert_eq!(moved(&["cn=a,ou=Y"]), "cn=a,ou=Y");
        assert_eq!(moved(&["CN=a,OU=y", "CN=b"]), "CN=a,OU=y");
        assert_eq!(moved(&["CN=a,OU=x"]), "CN=a,OU=x", "it isn't moved yet");
        assert_eq!(moved(&["CN=b"]), "CN=a,OU=x", "that is another one");
    }

    #[test]
    fn what_was_given_goes_along_with_a_new_account_that_is_called_otherwise() {
        let made = |accounts: &[&str]| given_to(&somebody(AccountOperation::Create, accounts));
        assert_eq!(made(&["4711"]), "4711");
        assert_eq!(made(&["4711", "cn=A,ou=x"]), "cn=A,ou=x");
        assert_eq!(made(&["4711", "4712"]), "CN=a,OU=x", "nobody can say which");
        assert_eq!(made(&[]), "CN=a,OU=x");
    }
}

//! Applications that are asked for accounts again before a refresh (`idr refresh
//! --accounts`), in half of the random histories.

use idr::aggregate::read_again;
use idr::connect::memory::MemoryApplications;
use idr::connect::{Capability, ConnectError, Connector, Connectors};
use idr::refresh::Configured;
use idr::store::{Store, StoreError, each_identity};
use idr_core::definitions::Application;
use idr_core::model::{Account, AccountKey, Link, Name, UnixMillis, Value};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::histories::{Operation, PEOPLE, few};

/// Lets applications be asked again before some refreshes: one account is another by
/// then, or isn't there any more.
pub fn ask_again(operations: &mut Vec<Operation>, random: &mut ChaCha8Rng) {
    let mut place = 0;
    while place < operations.len() {
        let refreshes = matches!(operations[place], Operation::Refresh { .. });
        if refreshes && random.random_range(0..3) == 0 {
            operations.insert(place, asking(random));
            place += 1;
        }
        place += 1;
    }
}

fn asking(random: &mut ChaCha8Rng) -> Operation {
    let (account, names) = match random.random_range(0..3) {
        0 => {
            let person = format!("p{}", random.random_range(0..PEOPLE));
            (("hr", person), ["department", "location", "title"])
        }
        _ => {
            let account = format!("a{}", random.random_range(0..4));
            (("ad", account), ["title", "groups", "groups"])
        }
    };
    let changed = (random.random_range(0..5) > 0).then(|| {
        let name = names[random.random_range(0..names.len())];
        let value = match name {
            "groups" => {
                let groups = (0..3).filter(|_| random.random_range(0..2) == 0);
                Value::many(groups.map(|number| format!("g{number}")))
            }
            _ => Value::text(few(random)),
        };
        (name, value)
    });
    Operation::AskAgain { account, changed }
}

/// Asks an application for all accounts that identities have there. They are as they
/// were, apart from the one of this name: an attribute of it is another, or it is gone.
pub fn carry_out(
    store: &dyn Store,
    configured: &Configured,
    (application, native_identity): &(&'static str, String),
    changed: Option<&(&'static str, Value)>,
    now: UnixMillis,
) {
    let application = Name::new(application);
    let asked = Asked {
        application,
        accounts: MemoryApplications::default(),
    };
    let mut uids = Vec::new();
    let visited = each_identity(store, |record| {
        uids.push(record.identity.uid);
        let accounts = record.accounts.into_iter();
        for account in accounts.filter(|known| known.key.application == application) {
            asked.accounts.put(as_listed(account));
        }
        Ok::<_, StoreError>(())
    });
    visited.expect("the store can be read");
    let key = AccountKey {
        application,
        native_identity: native_identity.clone(),
    };
    let known = asked.accounts.take(&key);
    if let (Some(mut account), Some((name, value))) = (known, changed) {
        let name = Name::new(name);
        account.attributes.retain(|(known, _)| *known != name);
        let value = value.clone().normalised();
        account.attributes.extend(value.map(|value| (name, value)));
        account.attributes.sort_by_key(|(name, _)| *name);
        asked.accounts.put(account);
    }
    let Configured { model, rules } = configured;
    let read = read_again(store, model, rules.as_ref(), &asked, &uids, now);
    let read = read.expect("the store can be written");
    assert_eq!(read.unavailable, 0, "{:?}", read.failures);
}

/// Returns an account as its application knows it.
fn as_listed(account: Account) -> Account {
    Account {
        missing_since: None,
        taken_away: false,
        native_entitlements: Vec::new(),
        link: Link::default(),
        owner: None,
        ..account
    }
}

/// One application, of which single accounts can be read.
struct Asked {
    application: Name,
    accounts: MemoryApplications,
}

impl Connectors for Asked {
    fn open(&self, application: &Application) -> Result<Box<dyn Connector>, ConnectError> {
        self.accounts.open(application)
    }

    fn can(&self, application: Name, capability: Capability) -> bool {
        application == self.application && capability == Capability::Get
    }
}

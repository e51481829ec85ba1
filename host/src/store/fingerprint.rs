//! Fingerprints of accounts: what an aggregation compares instead of reading what
//! is stored.

use std::io::Write as _;

use idr_core::model::{Account, AccountStatus, Name, Value, ValueType};
use sha2::{Digest, Sha256};

/// A fingerprint of what an application says of an account.
///
/// Half of a SHA-256. Whoever may choose a value can't choose it so that a later
/// change of the account goes unseen, nor so that somebody else's does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 16]);

/// Takes fingerprints, one after the other, without keeping what they are of.
///
/// It is told the account's native identity and status, then its attributes in order
/// of name, each with its texts in order. No two accounts are told in the same way.
#[derive(Debug, Default)]
pub struct Fingerprinter {
    /// What was told of the account so far.
    told: Vec<u8>,
}

impl Fingerprinter {
    /// Begins with another account.
    pub fn begin(&mut self, native_identity: &str, status: AccountStatus) {
        self.told.clear();
        self.text(native_identity);
        self.told.extend_from_slice(status.as_str().as_bytes());
    }

    /// Goes on with an attribute that has a value.
    pub fn attribute(&mut self, name: Name, value_type: ValueType) {
        self.told.push(0);
        self.told.extend_from_slice(name.as_bytes());
        self.told.push(0);
        self.told.extend_from_slice(value_type.as_str().as_bytes());
    }

    /// Goes on with a text of the attribute.
    pub fn text(&mut self, text: &str) {
        // Its length goes before it, so that it can't be taken for two, or for what
        // comes behind it.
        let [a, b, c, d, e, f, g, h] = (text.len() as u64).to_le_bytes();
        self.told.extend_from_slice(&[1, a, b, c, d, e, f, g, h]);
        self.told.extend_from_slice(text.as_bytes());
    }

    /// Goes on with the value of the attribute.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::Text(text) => self.text(text),
            Value::Many(texts) => texts.iter().for_each(|text| self.text(text)),
            // Nothing in these could be taken for what comes behind them.
            other => {
                self.told.push(2);
                write!(self.told, "{other}").expect("memory can be written to");
            }
        }
    }

    /// Returns the fingerprint of what was told.
    pub fn end(&self) -> Fingerprint {
        let digest = Sha256::digest(&self.told);
        let (half, _) = digest.split_at(16);
        Fingerprint(half.try_into().expect("half of 32 bytes are 16"))
    }

    /// Returns the fingerprint of an account.
    pub fn account(&mut self, account: &Account) -> Fingerprint {
        self.begin(&account.key.native_identity, account.status);
        for (name, value) in &account.attributes {
            self.attribute(*name, value.value_type());
            self.value(value);
        }
        self.end()
    }
}

/// Returns a fingerprint of what an application says of an account: native identity,
/// status and attributes. It stays the same between versions of the program, or else
/// the next aggregation rewrites every account.
pub fn account_fingerprint(account: &Account) -> Fingerprint {
    Fingerprinter::default().account(account)
}

#[cfg(test)]
mod tests {
    use idr_core::model::{Account, AccountKey, AccountStatus, Link, Name, Value};

    use super::account_fingerprint;

    fn account(status: AccountStatus, attributes: &[(&str, Value)]) -> Account {
        Account {
            key: AccountKey {
                application: Name::new("hr"),
                native_identity: "1".to_owned(),
            },
            status,
            missing_since: None,
            taken_away: false,
            attributes: attributes
                .iter()
                .map(|(name, value)| (Name::new(name), value.clone()))
                .collect(),
            native_entitlements: Vec::new(),
            link: Link::default(),
            owner: None,
        }
    }

    #[test]
    fn it_is_as_every_version_takes_it() {
        let known = account(
            AccountStatus::Disabled,
            &[
                ("groups", Value::many(["a", "ü"])),
                ("level", Value::Integer(-7)),
                ("name", Value::text("Ana")),
            ],
        );
        let shown = hex::encode(account_fingerprint(&known).0);
        insta::assert_snapshot!(shown, @"3cb73e2ad112858ebba5a000ace75f36");
    }

    #[test]
    fn accounts_that_differ_have_others() {
        let many = |texts: &[&str]| Value::Many(texts.iter().map(|text| (*text).into()).collect());
        let text = |text: &str| Value::text(text);
        let enabled = |attributes: &[(&str, Value)]| account(AccountStatus::Enabled, attributes);
        let mut differ = vec![
            enabled(&[]),
            account(AccountStatus::Locked, &[]),
            enabled(&[("a", many(&["x"]))]),
            enabled(&[("a", text("x"))]),
            enabled(&[("b", text("x"))]),
            enabled(&[("a", many(&["x", "y"]))]),
            enabled(&[("a", many(&["y", "x"]))]),
            enabled(&[("a", many(&["xy"]))]),
            enabled(&[("a", many(&["x\u{1}\u{1}\0\0\0\0\0\0\0y"]))]),
            enabled(&[("a", text("x")), ("b", text("y"))]),
            enabled(&[("a", text("x\0b\0text\u{1}\u{1}\0\0\0\0\0\0\0y"))]),
            enabled(&[("a", Value::Integer(1))]),
            enabled(&[("a", text("1"))]),
        ];
        let mut another = enabled(&[]);
        another.key.native_identity = "2".to_owned();
        differ.push(another);
        let mut taken: Vec<_> = differ
            .iter()
            .map(|account| account_fingerprint(account).0)
            .collect();
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken.len(), differ.len());
    }
}

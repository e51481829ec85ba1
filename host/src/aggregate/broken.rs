//! The broken records of a feed, and whose they could be.

use idr_core::model::{Account, Finding};

use super::findings::{LIMIT, further_records};
use super::problem::BrokenRecord;

/// With more broken records that could be anybody's than that, every account
/// that isn't listed is kept.
const UNKNOWN_LIMIT: usize = 200;

/// The broken records of a file.
#[derive(Default)]
pub(super) struct Broken {
    count: u64,
    /// About the first ones.
    findings: Vec<Finding>,
    /// The texts of those that could be anybody's.
    unknown: Vec<String>,
    too_many: bool,
}

impl Broken {
    /// Returns how many there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Returns what is to be said of them.
    pub(super) fn into_findings(self) -> impl Iterator<Item = Finding> {
        let further = self.count.saturating_sub(LIMIT as u64);
        let further = (further > 0).then(|| further_records(further));
        self.findings.into_iter().chain(further)
    }

    /// Counts one.
    pub(super) fn add(&mut self, record: BrokenRecord) {
        self.count += 1;
        if self.findings.len() < LIMIT {
            self.findings.push(record.finding());
        }
    }

    /// Notes the text of one of which nobody knows whose it is.
    pub(super) fn unknown(&mut self, text: &str) {
        if self.unknown.len() < UNKNOWN_LIMIT {
            self.unknown.push(text.to_owned());
        } else {
            self.too_many = true;
        }
    }

    /// Says whether one of the records could be the account's: it contains its
    /// native identity, or at least half of its values.
    pub(super) fn could_be(&self, account: &Account) -> bool {
        self.too_many || self.unknown.iter().any(|text| speaks_of(text, account))
    }
}

fn speaks_of(text: &str, account: &Account) -> bool {
    if contains_word(text, &account.key.native_identity) {
        return true;
    }
    let mut found = 0;
    for (_, value) in &account.attributes {
        let mut all = true;
        value.each_text(|part| all &= text.contains(part));
        found += usize::from(all);
    }
    2 * found >= account.attributes.len()
}

/// Says whether a text contains a word that doesn't go on before or behind.
fn contains_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let behind = text[start + word.len()..].chars().next();
        ![before, behind]
            .into_iter()
            .flatten()
            .any(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use idr_core::model::{Account, AccountKey, AccountStatus, Link, Name, Value};

    use super::{contains_word, speaks_of};

    #[test]
    fn a_word_ends_where_letters_and_digits_end() {
        assert!(contains_word("x,E17,y", "E17"));
        assert!(contains_word("\"E17\"", "E17"));
        assert!(!contains_word("x,E171,y", "E17"));
        assert!(!contains_word("12", "1"));
    }

    #[test]
    fn a_broken_record_speaks_of_whoever_shares_its_key_or_half_its_values() {
        let text = |text: &str| Value::text(text);
        let account = Account {
            key: AccountKey {
                application: Name::new("hr"),
                native_identity: "E17".to_owned(),
            },
            status: AccountStatus::Enabled,
            missing_since: None,
            taken_away: false,
            attributes: vec![
                (Name::new("department"), text("Sales")),
                (Name::new("email"), text("ana@acme.example")),
            ],
            native_entitlements: Vec::new(),
            link: Link::default(),
            owner: None,
        };
        assert!(speaks_of("E17,\"Ana", &account));
        assert!(speaks_of(",Ana,ana@acme.example,IT", &account));
        assert!(!speaks_of("E18,Bela,bela@acme.example,IT", &account));
    }
}

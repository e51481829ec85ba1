//! Small helpers for text: case folding and the nearest name.

use std::sync::LazyLock;

use icu_casemap::{CaseMapper, CaseMapperBorrowed};

static CASE: LazyLock<CaseMapperBorrowed<'static>> = LazyLock::new(CaseMapper::new);

/// Returns the text under Unicode simple case folding: how values are compared
/// where case doesn't count.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    folded_characters(text).collect()
}

/// Returns the characters of [`fold`], one for each character of the text.
pub fn folded_characters(text: &str) -> impl DoubleEndedIterator<Item = char> + '_ {
    text.chars().map(|character| {
        if character.is_ascii() {
            character.to_ascii_lowercase()
        } else {
            CASE.simple_fold(character)
        }
    })
}

/// The longest text, in bytes, that is looked at as a mistyped name: comparing
/// takes time by its square.
const LONGEST_NAME_BYTES: usize = 200;

/// Returns the candidate that `name` was probably meant to be.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    if name.len() > LONGEST_NAME_BYTES {
        return None;
    }
    let folded = fold(name);
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&folded, &fold(candidate)),
                candidate,
            )
        })
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().min(name.len()) / 4)
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{fold, nearest};

    #[test]
    fn folding_is_simple_and_covers_more_than_ascii() {
        assert_eq!(fold("MÜLLER"), "müller");
        assert_eq!(fold("ς"), "σ");
        assert_eq!(fold("Straße"), "straße");
    }

    #[test]
    fn the_nearest_name_is_suggested_only_when_near() {
        let names = ["department", "displayName", "email"];
        assert_eq!(nearest("departement", names), Some("department".to_owned()));
        assert_eq!(
            nearest("displayname", names),
            Some("displayName".to_owned())
        );
        assert_eq!(nearest("costCenter", names), None);
    }
}

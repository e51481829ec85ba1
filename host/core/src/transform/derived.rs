//! Values that nobody can guess and that are always the same: derived from a
//! secret of the tenant, the identity's uid and the attribute.
//!
//! A value is made of HMAC-SHA256 (RFC 2104) in counter mode, keyed with the
//! secret. So there is no randomness in planning: the same identity gets the
//! same value on every machine, and a refresh never changes it.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Evaluation, TransformFailure};
use crate::model::{Name, Uid, Value};

/// The shortest secret, in bytes.
pub const SHORTEST_SECRET_BYTES: usize = 16;

/// A secret of a tenant. It is never printed.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Returns the secret with these bytes; none when there are fewer than
    /// [`SHORTEST_SECRET_BYTES`].
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() >= SHORTEST_SECRET_BYTES).then_some(Self(bytes))
    }

    /// Returns a fingerprint, by which another secret is noticed and this one
    /// can't be found.
    pub fn fingerprint(&self) -> u64 {
        let mut bytes = self.bytes(b"fingerprint");
        u64::from_le_bytes(std::array::from_fn(|_| bytes.next().unwrap_or_default()))
    }

    /// Returns endless bytes that are derived from the secret and a label.
    fn bytes(&self, label: &[u8]) -> impl Iterator<Item = u8> + use<> {
        let keyed = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key has any length");
        let label = label.to_vec();
        (0_u64..).flat_map(move |block| {
            let mut keyed = keyed.clone();
            keyed.update(b"idr derived value 1\0");
            keyed.update(&block.to_be_bytes());
            keyed.update(&label);
            let block: [u8; 32] = keyed.finalize().into_bytes().into();
            block
        })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

/// What is derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Derived {
    /// A UUID of version 8 (RFC 9562).
    Uuid,
    /// So many letters and digits.
    AlphaNumeric(usize),
    /// So many digits.
    Numeric(usize),
    /// So many letters, and digits and other characters where they are wanted.
    Text {
        /// How many characters.
        length: usize,
        /// Whether there are digits.
        numbers: bool,
        /// Whether there are other characters.
        special: bool,
    },
}

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DIGITS: &str = "0123456789";
const SPECIAL: &str = "!@#$%&*()+<>?";

impl Derived {
    /// Returns the name that configuration uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::AlphaNumeric(_) => "randomAlphaNumeric",
            Self::Numeric(_) => "randomNumeric",
            Self::Text { .. } => "generateRandomString",
        }
    }

    /// Derives the value for an attribute of an identity.
    pub fn derive(self, secret: &Secret, uid: Uid, attribute: Name) -> String {
        // Of a fixed length before what isn't: no two labels are the same.
        let mut label = uid.0.to_be_bytes().to_vec();
        label.extend(self.name().as_bytes());
        label.push(0);
        label.extend(attribute.as_bytes());
        let bytes = secret.bytes(&label);
        match self {
            Self::Uuid => uuid(bytes),
            Self::AlphaNumeric(length) => text(bytes, length, &[LETTERS, DIGITS]),
            Self::Numeric(length) => text(bytes, length, &[DIGITS]),
            Self::Text {
                length,
                numbers,
                special,
            } => {
                let digits = if numbers { DIGITS } else { "" };
                let special = if special { SPECIAL } else { "" };
                text(bytes, length, &[LETTERS, digits, special])
            }
        }
    }
}

fn uuid(mut bytes: impl Iterator<Item = u8>) -> String {
    let mut uuid: [u8; 16] = std::array::from_fn(|_| bytes.next().unwrap_or_default());
    uuid[6] = (uuid[6] & 0x0f) | 0x80;
    uuid[8] = (uuid[8] & 0x3f) | 0x80;
    let mut text = String::new();
    for (place, byte) in uuid.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text += &format!("{byte:02x}");
    }
    text
}

/// Draws characters, each as likely as any other.
fn text(bytes: impl Iterator<Item = u8>, length: usize, alphabets: &[&str]) -> String {
    let alphabet: Vec<char> = alphabets.concat().chars().collect();
    let fair = 256 / alphabet.len() * alphabet.len();
    let drawn = bytes.map(usize::from).filter(|byte| *byte < fair);
    let characters = drawn.map(|byte| alphabet[byte % alphabet.len()]);
    characters.take(length).collect()
}

impl Evaluation<'_> {
    pub(super) fn derived(&self, derived: Derived) -> Result<Option<Value>, TransformFailure> {
        let Some(secret) = &self.view.model().secret else {
            return Err(TransformFailure::Operation {
                operation: derived.name(),
                cause: "no-secret",
                message: "the tenant's secret is not known".to_owned(),
            });
        };
        let uid = self.view.record().identity.uid;
        let value = derived.derive(secret, uid, self.attribute);
        Ok(Value::text(value).normalised())
    }
}

#[cfg(test)]
mod tests {
    use super::{Derived, Secret};
    use crate::model::{Name, Uid};

    fn derive(derived: Derived, secret: &str, uid: i64, attribute: &str) -> String {
        let secret = Secret::new(secret.as_bytes().to_vec()).expect("long enough");
        derived.derive(&secret, Uid(uid), Name::new(attribute))
    }

    const SECRET: &str = "a secret of a tenant";

    #[test]
    fn a_value_depends_on_secret_identity_and_attribute_and_nothing_else() {
        let first = derive(Derived::Uuid, SECRET, 1, "key");
        assert_eq!(first, derive(Derived::Uuid, SECRET, 1, "key"));
        for other in [
            derive(Derived::Uuid, "another secret, as long", 1, "key"),
            derive(Derived::Uuid, SECRET, 2, "key"),
            derive(Derived::Uuid, SECRET, 1, "other"),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn a_value_never_changes_with_a_new_version_of_the_program() {
        let value = |derived| derive(derived, SECRET, 42, "key");
        insta::assert_snapshot!(value(Derived::Uuid), @"19130397-21c0-8aba-ad44-91c4f21c7273");
        insta::assert_snapshot!(value(Derived::AlphaNumeric(32)), @"Zq6HQrpANdzmRKeMTuSsDSCYN9WlzUDT");
        insta::assert_snapshot!(value(Derived::Numeric(10)), @"3092807642");
        let text = |numbers, special| Derived::Text {
            length: 16,
            numbers,
            special,
        };
        insta::assert_snapshot!(value(text(false, false)), @"eneYpLTBbNzJFzQG");
        insta::assert_snapshot!(value(text(true, true)), @"e*teBpRZe4$5mFc*");
        assert_eq!(value(Derived::Numeric(0)), "");
    }

    #[test]
    fn digits_are_equally_likely() {
        let digits = derive(Derived::Numeric(100_000), SECRET, 1, "key");
        for digit in '0'..='9' {
            let count = digits.chars().filter(|known| *known == digit).count();
            assert!((9_500..10_500).contains(&count), "{digit}: {count}");
        }
    }

    #[test]
    fn a_secret_is_never_shown_and_has_a_least_length() {
        let secret = Secret::new(SECRET.as_bytes().to_vec()).expect("long enough");
        assert_eq!(format!("{secret:?}"), "Secret");
        assert!(Secret::new(b"too short".to_vec()).is_none());
    }
}

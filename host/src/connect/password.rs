//! First passwords of new accounts: referred to by the configuration, or drawn
//! for each. They go into the application and nowhere else.

use super::ConnectError;

/// Characters of a password that is drawn: without those that look alike.
const ALPHABET: &[u8; 64] = b"abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789!#%+-=?";

/// Characters in a password that is drawn: 144 bits.
const LENGTH: usize = 24;

/// A password on its way into an application: never shown, stored or logged.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Wraps a password.
    pub fn new(password: String) -> Self {
        Self(password)
    }

    /// Returns the password, for the application only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Password(…)")
    }
}

impl Password {
    /// Draws a password from the operating system's source of randomness.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Unavailable`] when that gives nothing.
    pub fn draw(application: &str) -> Result<Self, ConnectError> {
        let mut bytes = [0; LENGTH];
        rustls::crypto::ring::default_provider()
            .secure_random
            .fill(&mut bytes)
            .map_err(|_| ConnectError::unavailable(application, "no randomness can be had"))?;
        // There are 64 characters, so each is as likely as any other.
        let characters = bytes.iter().map(|byte| ALPHABET[usize::from(byte % 64)]);
        Ok(Self(characters.map(char::from).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::Password;

    #[test]
    fn every_password_is_another_and_none_is_shown() {
        let draw = || Password::draw("crm").expect("there is randomness");
        let (one, other) = (draw(), draw());
        assert_eq!(one.reveal().chars().count(), 24);
        assert_ne!(one.reveal(), other.reveal());
        assert_eq!(format!("{one:?}"), "Password(…)");
    }
}

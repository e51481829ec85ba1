//! Who vouches for a rule component: ed25519 signatures beside it.
//!
//! A component is always pinned by its digest. Where `idr.toml` names keys,
//! `RULE.wasm.sig` must besides hold a signature by one of them: whoever may
//! edit `rules.toml` then can't pin a component that nobody has released. The
//! configuration's check verifies, `idr rule sign` signs.
//!
//! Keys and signatures are what other tools make: a private key is PKCS#8 in
//! PEM, as `openssl genpkey -algorithm ed25519` writes it; a public key is the
//! line of base64 between the lines of its PEM; the signature covers the bytes
//! of the component, and is one line of base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePublicKey};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use thiserror::Error;

/// What the file of a component's signature is called after the component.
pub const SIGNATURE_ENDING: &str = ".sig";

/// Something that is no key or no signature.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TrustError {
    /// A public key in `idr.toml`.
    #[error("it is no public ed25519 key")]
    NoPublicKey,
    /// A private key.
    #[error("it is no private ed25519 key in PEM")]
    NoPrivateKey,
    /// The content of a file of a signature.
    #[error("it is no signature")]
    NoSignature,
}

/// A public key that vouches for components.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey(VerifyingKey);

impl TrustedKey {
    /// Reads a key as `idr.toml` has it.
    ///
    /// # Errors
    ///
    /// [`TrustError::NoPublicKey`].
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        let der = BASE64.decode(text.trim());
        let key = der
            .ok()
            .and_then(|der| VerifyingKey::from_public_key_der(&der).ok());
        key.filter(|key| !key.is_weak())
            .map(Self)
            .ok_or(TrustError::NoPublicKey)
    }

    /// Says whether the signature is this key's, and of this component.
    ///
    /// # Errors
    ///
    /// [`TrustError::NoSignature`] when it isn't one at all.
    pub fn vouches_for(&self, component: &[u8], signature: &[u8]) -> Result<bool, TrustError> {
        let bytes = BASE64.decode(signature.trim_ascii());
        let signature = bytes
            .ok()
            .and_then(|bytes| Signature::from_slice(&bytes).ok());
        let signature = signature.ok_or(TrustError::NoSignature)?;
        Ok(self.0.verify_strict(component, &signature).is_ok())
    }
}

/// A private key that signs components.
pub struct ReleaseKey(SigningKey);

impl ReleaseKey {
    /// Reads a key in PEM.
    ///
    /// # Errors
    ///
    /// [`TrustError::NoPrivateKey`].
    pub fn parse(pem: &str) -> Result<Self, TrustError> {
        SigningKey::from_pkcs8_pem(pem.trim())
            .map(Self)
            .map_err(|_| TrustError::NoPrivateKey)
    }

    /// Returns the content of the file of the component's signature.
    pub fn sign(&self, component: &[u8]) -> String {
        let signature = self.0.sign(component);
        format!("{}\n", BASE64.encode(signature.to_bytes()))
    }

    /// Returns the public key as `idr.toml` has it.
    ///
    /// # Errors
    ///
    /// [`TrustError::NoPublicKey`] if it can't be written, which no key is known for.
    pub fn public_key(&self) -> Result<String, TrustError> {
        let der = self.0.verifying_key().to_public_key_der();
        let der = der.map_err(|_| TrustError::NoPublicKey)?;
        Ok(BASE64.encode(der.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::{ReleaseKey, TrustError, TrustedKey};

    /// Made by `openssl genpkey -algorithm ed25519`.
    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEILCAJO5Pf3Kh8+SMMpjbOOvbFGT2/tggXCbBDHmcJSc5\n\
        -----END PRIVATE KEY-----\n";

    #[test]
    fn who_signed_what_is_known() {
        let key = ReleaseKey::parse(PRIVATE).expect("a private key");
        let public = key.public_key().expect("a public key");
        assert_eq!(
            public,
            "MCowBQYDK2VwAyEAWnOokkIvz/HaCjUk86GrWVqUZEgSkN0eO1/p7f0C//M="
        );
        let trusted = TrustedKey::parse(&public).expect("what was written can be read");
        let signature = key.sign(b"a component");
        let vouches = |component: &[u8], signature: &str| {
            trusted.vouches_for(component, signature.as_bytes())
        };
        assert_eq!(vouches(b"a component", &signature), Ok(true));
        assert_eq!(vouches(b"another one", &signature), Ok(false));
        assert_eq!(
            vouches(b"a component", "hello"),
            Err(TrustError::NoSignature)
        );
        assert_eq!(vouches(b"a component", ""), Err(TrustError::NoSignature));
        assert!(TrustedKey::parse("hello").is_err());
        assert!(ReleaseKey::parse(&public).is_err());
    }
}

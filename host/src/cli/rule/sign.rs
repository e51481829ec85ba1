//! `rule sign`: vouches for a component, for tenants that trust the key.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::load_error;
use crate::cli::{CommandError, GlobalOptions, Outcome, write_json};
use crate::config::SecretReference;
use crate::rules::{RuleComponent, RuleEngine, digest_of, read};
use crate::trust::{ReleaseKey, SIGNATURE_ENDING};

/// Sign a component with a private key, for tenants that trust it
///
/// Writes COMPONENT.sig, and prints the public key as `trust.keys` in idr.toml
/// names it. Where that names keys, a component that none of them has signed is
/// refused. `openssl genpkey -algorithm ed25519` makes a private key.
#[derive(Args, Debug)]
pub(super) struct SignArgs {
    /// The component
    component: PathBuf,
    /// Where the private key is: `file:PATH` or `env:NAME`, in PEM
    #[arg(long, value_name = "REFERENCE", value_parser = reference)]
    key: SecretReference,
}

fn reference(text: &str) -> Result<SecretReference, String> {
    SecretReference::parse(text)
        .ok_or_else(|| "write `file:PATH` or `env:NAME`, never the key itself".to_owned())
}

#[derive(Serialize)]
struct Signed {
    component: PathBuf,
    sha256: String,
    signature: PathBuf,
    public_key: String,
}

/// Runs the command.
pub(super) fn run(
    args: &SignArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let component = read(&args.component).map_err(load_error)?;
    // Nobody vouches for what can't be used.
    let engine = RuleEngine::new().map_err(load_error)?;
    RuleComponent::load(&engine, &component, None).map_err(load_error)?;

    let key = private_key(&args.key)?;
    let mut signature = args.component.clone().into_os_string();
    signature.push(SIGNATURE_ENDING);
    let signature = PathBuf::from(signature);
    std::fs::write(&signature, key.sign(&component)).map_err(|error| {
        let message = format!("can't write `{}`: {error}", signature.display());
        CommandError::failed(message)
    })?;
    let signed = Signed {
        component: args.component.clone(),
        sha256: digest_of(&component),
        signature,
        public_key: key.public_key().map_err(CommandError::failed)?,
    };
    if options.json {
        write_json(out, &signed)?;
    } else if !options.quiet {
        writeln!(out, "component   {}", signed.component.display())?;
        writeln!(out, "sha256      {}", signed.sha256)?;
        writeln!(out, "signature   {}", signed.signature.display())?;
        writeln!(out, "public key  {}", signed.public_key)?;
    }
    Ok(Outcome::Done)
}

fn private_key(reference: &SecretReference) -> Result<ReleaseKey, CommandError> {
    let bytes = reference
        .bytes(Path::new("."))
        .map_err(CommandError::usage)?;
    ReleaseKey::parse(&String::from_utf8_lossy(&bytes)).map_err(|error| {
        let hint = "`openssl genpkey -algorithm ed25519` makes one".to_owned();
        CommandError::usage(error).with_hint(hint)
    })
}

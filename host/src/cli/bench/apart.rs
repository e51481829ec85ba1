//! A program whose refreshes are measured, this one or another: everything that is
//! done with its tenant is done by processes of it, so that none profits or suffers
//! from another's memory, and each program has a store as it writes one itself.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{CommandError, unusable};
use crate::bench::{Case, Measurement, Needs, Place};
use crate::organisation::Made;

/// A program with the tenant that it is measured on.
pub(super) struct Side {
    program: PathBuf,
    tenant: PathBuf,
    kind: Kind,
    is: Needs,
}

enum Kind {
    /// In a place of its own, made by it.
    Made { folder: PathBuf, keeps_first: bool },
    /// A copy of a tenant: of whom nobody can be changed.
    Copy,
}

impl Side {
    /// Has a program make a tenant in a folder. With `keeps_first` its store is kept
    /// as it is before the first refresh, so that this can be measured again.
    pub(super) fn make(
        program: PathBuf,
        folder: PathBuf,
        made: Made,
        keeps_first: bool,
    ) -> Result<Self, CommandError> {
        let numbers = [made.identities, made.seed].map(|number| number.to_string());
        let arguments: [&OsStr; 8] = [
            "prepare".as_ref(),
            folder.as_ref(),
            "--profile".as_ref(),
            made.profile.as_str().as_ref(),
            "--identities".as_ref(),
            numbers[0].as_ref(),
            "--seed".as_ref(),
            numbers[1].as_ref(),
        ];
        bench(&program, &arguments)?;
        let place = Place::open(&folder).map_err(|error| unusable(&folder, error))?;
        if keeps_first {
            place
                .keep_first()
                .map_err(|error| unusable(&folder, error))?;
        }
        Ok(Self {
            program,
            tenant: place.tenant(),
            kind: Kind::Made {
                folder,
                keeps_first,
            },
            is: Needs::Fresh,
        })
    }

    /// Measures this program on a tenant of which nobody is due.
    pub(super) fn copy(program: PathBuf, tenant: PathBuf) -> Self {
        Self {
            program,
            tenant,
            kind: Kind::Copy,
            is: Needs::Settled,
        }
    }

    /// Brings the tenant into the state that a case needs.
    pub(super) fn prepare(&mut self, case: Case) -> Result<(), CommandError> {
        let needs = case.needs();
        if self.is == needs {
            return Ok(());
        }
        if let Kind::Made {
            folder,
            keeps_first,
        } = &self.kind
        {
            if needs == Needs::Fresh {
                assert!(keeps_first, "a first refresh is measured first, or again");
                let place = Place::open(folder).map_err(|error| unusable(folder, error))?;
                place
                    .start_again()
                    .map_err(|error| unusable(folder, error))?;
            } else if self.is != Needs::Settled {
                bench(&self.program, &["settle".as_ref(), folder.as_ref()])?;
            }
            if let Needs::Changed(one_in) = needs {
                let one_in = one_in.to_string();
                let arguments: [&OsStr; 3] = ["change".as_ref(), folder.as_ref(), one_in.as_ref()];
                bench(&self.program, &arguments)?;
            }
        }
        self.is = needs;
        Ok(())
    }

    /// Measures a case for which the tenant has been prepared.
    pub(super) fn measure(
        &mut self,
        case: Case,
        with_stages: bool,
    ) -> Result<Measurement, CommandError> {
        let mut arguments: Vec<&OsStr> = vec![
            "case".as_ref(),
            case.as_str().as_ref(),
            "--json".as_ref(),
            "--tenant".as_ref(),
            self.tenant.as_ref(),
        ];
        if !with_stages {
            arguments.push("--without-stages".as_ref());
        }
        let output = bench(&self.program, &arguments)?;
        self.is = Needs::Settled;
        serde_json::from_slice(&output).map_err(CommandError::failed)
    }
}

/// Runs a hidden command of a program, and returns what it printed.
pub(super) fn bench(program: &Path, arguments: &[&OsStr]) -> Result<Vec<u8>, CommandError> {
    let output = Command::new(program)
        .arg("bench")
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| unusable(program, error))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let shown: Vec<_> = arguments
        .iter()
        .map(|each| each.to_string_lossy())
        .collect();
    let message = format!("`{} bench {}` failed", program.display(), shown.join(" "));
    Err(CommandError::failed(message))
}

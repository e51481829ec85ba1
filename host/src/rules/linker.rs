//! What a component of each kind is given: one linker per kind.
//!
//! A kind may read only what is settled before it. The interfaces of other
//! kinds are there all the same, because one component may be of several
//! kinds; calling them ends the evaluation.

use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

use super::bindings::idr::rules::{
    access, account, baseline, entitlements, log, parameters, roles, subject, tiers, time, types,
};
use super::call::{CallState, Stop};
use super::contract::{INTERFACES, Interface, qualified};
use super::error::Trouble;
use super::kind::RuleKind;

pub(super) fn linker_for(engine: &Engine, kind: RuleKind) -> wasmtime::Result<Linker<CallState>> {
    let mut linker = Linker::new(engine);
    for interface in INTERFACES {
        if interface.is_given_to(kind) {
            give(&mut linker, interface.name)?;
        } else {
            refuse(&mut linker, interface, kind)?;
        }
    }
    Ok(linker)
}

fn give(linker: &mut Linker<CallState>, interface: &str) -> wasmtime::Result<()> {
    type Own = HasSelf<CallState>;
    match interface {
        "types" => types::add_to_linker::<_, Own>(linker, |state| state),
        "subject" => subject::add_to_linker::<_, Own>(linker, |state| state),
        "account" => account::add_to_linker::<_, Own>(linker, |state| state),
        "time" => time::add_to_linker::<_, Own>(linker, |state| state),
        "parameters" => parameters::add_to_linker::<_, Own>(linker, |state| state),
        "log" => log::add_to_linker::<_, Own>(linker, |state| state),
        "entitlements" => entitlements::add_to_linker::<_, Own>(linker, |state| state),
        "roles" => roles::add_to_linker::<_, Own>(linker, |state| state),
        "tiers" => tiers::add_to_linker::<_, Own>(linker, |state| state),
        "access" => access::add_to_linker::<_, Own>(linker, |state| state),
        "baseline" => baseline::add_to_linker::<_, Own>(linker, |state| state),
        other => unreachable!("`{other}` is not in the contract's list of interfaces"),
    }
}

fn refuse(
    linker: &mut Linker<CallState>,
    interface: &Interface,
    kind: RuleKind,
) -> wasmtime::Result<()> {
    let mut instance = linker.instance(&qualified(interface.name))?;
    for function in interface.functions {
        let function_name = format!("{}.{function}", interface.name);
        instance.func_new(function, move |_, _, _, _| {
            let function = function_name.clone();
            Err(Stop::Trouble(Trouble::OtherKinds { function, kind }).into())
        })?;
    }
    Ok(())
}

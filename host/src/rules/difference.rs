//! How the types of a component differ from the contract's, in words.
//!
//! wasmtime says that types differ and, deep in them, where it noticed. An
//! author needs both signatures side by side. This reads them only once it is
//! known that they differ.

use wit_component::{DecodedWasm, decode};
use wit_parser::{Function, Resolve, Type, TypeDefKind, TypeId, WorldId, WorldItem, WorldKey};

use super::contract::rules_interface;

const CONTRACT: &str = include_str!("../../../wit/0.1.0/rules.wit");

/// Returns every function of the contract's interfaces that a valid component
/// imports or exports with another signature; nothing when they can't be read.
pub(super) fn differences(component: &[u8]) -> Vec<String> {
    let Ok(DecodedWasm::Component(wanted, world)) = decode(component) else {
        return Vec::new();
    };
    let mut provided = Resolve::default();
    let Ok(_) = provided.push_source("rules.wit", CONTRACT) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (verb, interface, function) in functions(&wanted, world) {
        let Some(ours) = contract_function(&provided, &interface, &function.name) else {
            continue;
        };
        let (wants, has) = (signature(&wanted, function), signature(&provided, ours));
        if wants != has {
            found.push(format!(
                "it {verb} `{interface}.{}` as `{wants}`, but the contract has `{has}`",
                function.name
            ));
        }
    }
    found
}

/// Lists the functions of the world's interfaces of the contract.
fn functions(resolve: &Resolve, world: WorldId) -> Vec<(&'static str, String, &Function)> {
    let world = &resolve.worlds[world];
    let imports = world.imports.iter().map(|item| ("imports", item));
    let exports = world.exports.iter().map(|item| ("exports", item));
    let mut found = Vec::new();
    for (verb, (key, item)) in imports.chain(exports) {
        let (WorldKey::Interface(_), WorldItem::Interface { id, .. }) = (key, item) else {
            continue;
        };
        let name = resolve.id_of(*id).unwrap_or_default();
        if let Some((interface, _)) = rules_interface(&name) {
            let functions = resolve.interfaces[*id].functions.values();
            found.extend(functions.map(|function| (verb, interface.to_owned(), function)));
        }
    }
    found
}

fn contract_function<'r>(
    contract: &'r Resolve,
    interface: &str,
    function: &str,
) -> Option<&'r Function> {
    let (_, found) = contract
        .interfaces
        .iter()
        .find(|(_, known)| known.name.as_deref() == Some(interface))?;
    found.functions.get(function)
}

/// Writes a function's type, with everything that it consists of spelt out:
/// names of types don't count, what they contain does.
fn signature(resolve: &Resolve, function: &Function) -> String {
    let parameters: Vec<String> = function
        .params
        .iter()
        .map(|parameter| format!("{}: {}", parameter.name, spelt(resolve, &parameter.ty)))
        .collect();
    let result = match &function.result {
        Some(result) => format!(" -> {}", spelt(resolve, result)),
        None => String::new(),
    };
    format!("func({}){result}", parameters.join(", "))
}

fn spelt(resolve: &Resolve, of: &Type) -> String {
    let word = match of {
        Type::Bool => "bool",
        Type::U8 => "u8",
        Type::U16 => "u16",
        Type::U32 => "u32",
        Type::U64 => "u64",
        Type::S8 => "s8",
        Type::S16 => "s16",
        Type::S32 => "s32",
        Type::S64 => "s64",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        Type::ErrorContext => "error-context",
        Type::Id(id) => return defined(resolve, *id),
    };
    word.to_owned()
}

fn defined(resolve: &Resolve, id: TypeId) -> String {
    let inner = |of: &Type| spelt(resolve, of);
    let optional = |of: &Option<Type>| of.as_ref().map_or_else(|| "_".to_owned(), inner);
    let fields = |parts: Vec<String>| parts.join(", ");
    match &resolve.types[id].kind {
        TypeDefKind::Type(of) => inner(of),
        TypeDefKind::List(of) => format!("list<{}>", inner(of)),
        TypeDefKind::Option(of) => format!("option<{}>", inner(of)),
        TypeDefKind::Result(of) => {
            format!("result<{}, {}>", optional(&of.ok), optional(&of.err))
        }
        TypeDefKind::Tuple(of) => {
            format!("tuple<{}>", fields(of.types.iter().map(inner).collect()))
        }
        TypeDefKind::Record(of) => {
            let parts = of.fields.iter();
            let parts = parts.map(|field| format!("{}: {}", field.name, inner(&field.ty)));
            format!("record {{{}}}", fields(parts.collect()))
        }
        TypeDefKind::Variant(of) => {
            let parts = of.cases.iter().map(|case| match &case.ty {
                Some(ty) => format!("{}({})", case.name, inner(ty)),
                None => case.name.clone(),
            });
            format!("variant {{{}}}", fields(parts.collect()))
        }
        TypeDefKind::Enum(of) => {
            let parts = of.cases.iter().map(|case| case.name.clone());
            format!("enum {{{}}}", fields(parts.collect()))
        }
        TypeDefKind::Flags(of) => {
            let parts = of.flags.iter().map(|flag| flag.name.clone());
            format!("flags {{{}}}", fields(parts.collect()))
        }
        // The contract has none of these, so their name says enough.
        other => other.as_str().to_owned(),
    }
}

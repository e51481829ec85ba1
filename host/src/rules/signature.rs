//! The signatures of the contract's functions, with everything that they consist
//! of spelt out: names of types don't count, what they contain does.

use wit_parser::{Resolve, Type, TypeDefKind, TypeId};

const CONTRACT: &str = include_str!("../../../wit/0.1.2/rules.wit");

/// Returns the type of a function of an interface of the contract, such as
/// `func(moment: s64) -> bool`.
pub(super) fn contract_signature(interface: &str, function: &str) -> Option<String> {
    let mut contract = Resolve::default();
    contract.push_source("rules.wit", CONTRACT).ok()?;
    let (_, found) = contract
        .interfaces
        .iter()
        .find(|(_, known)| known.name.as_deref() == Some(interface))?;
    let function = found.functions.get(function)?;
    let parameters: Vec<String> = function
        .params
        .iter()
        .map(|parameter| format!("{}: {}", parameter.name, spelt(&contract, &parameter.ty)))
        .collect();
    let result = match &function.result {
        Some(result) => format!(" -> {}", spelt(&contract, result)),
        None => String::new(),
    };
    Some(format!("func({}){result}", parameters.join(", ")))
}

fn spelt(contract: &Resolve, of: &Type) -> String {
    let word = match of {
        Type::Bool => "bool",
        Type::U8 => "u8",
        Type::U32 => "u32",
        Type::S32 => "s32",
        Type::S64 => "s64",
        Type::String => "string",
        Type::Id(id) => return defined(contract, *id),
        other => unreachable!("the contract has no {other:?}"),
    };
    word.to_owned()
}

fn defined(contract: &Resolve, id: TypeId) -> String {
    let inner = |of: &Type| spelt(contract, of);
    let optional = |of: &Option<Type>| of.as_ref().map_or_else(|| "_".to_owned(), inner);
    let between = |parts: Vec<String>| parts.join(", ");
    match &contract.types[id].kind {
        TypeDefKind::Type(of) => inner(of),
        TypeDefKind::List(of) => format!("list<{}>", inner(of)),
        TypeDefKind::Option(of) => format!("option<{}>", inner(of)),
        TypeDefKind::Result(of) => {
            format!("result<{}, {}>", optional(&of.ok), optional(&of.err))
        }
        TypeDefKind::Record(of) => {
            let fields = of.fields.iter();
            let fields = fields.map(|field| format!("{}: {}", field.name, inner(&field.ty)));
            format!("record {{{}}}", between(fields.collect()))
        }
        TypeDefKind::Variant(of) => {
            let cases = of.cases.iter().map(|case| match &case.ty {
                Some(of) => format!("{}({})", case.name, inner(of)),
                None => case.name.clone(),
            });
            format!("variant {{{}}}", between(cases.collect()))
        }
        TypeDefKind::Enum(of) => {
            let names = of.cases.iter().map(|case| case.name.clone());
            format!("enum {{{}}}", between(names.collect()))
        }
        other => unreachable!("the contract has no {}", other.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::contract_signature;
    use crate::rules::RuleKind;
    use crate::rules::contract::INTERFACES;

    #[test]
    fn every_function_of_the_contract_can_be_written() {
        for interface in INTERFACES {
            for function in interface.functions {
                assert!(
                    contract_signature(interface.name, function).is_some(),
                    "{function}"
                );
            }
        }
        for kind in RuleKind::ALL {
            let functions = [
                "correlate",
                "create",
                "propose",
                "promote",
                "state",
                "assign",
                "fires",
                "compose",
                "judge",
                "select",
                "map-target",
            ];
            let written = functions.map(|function| contract_signature(kind.as_str(), function));
            assert!(written.iter().any(Option::is_some), "{kind}");
        }
        insta::assert_snapshot!(
            contract_signature("time", "date-reached").unwrap_or_default(),
            @"func(day: record {year: s32, month: u8, day: u8}, at: record {hour: u8, minute: u8, second: u8}, zone: string) -> bool"
        );
    }
}

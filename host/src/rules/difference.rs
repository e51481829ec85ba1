//! How the types of a component differ from the contract's, in words.
//!
//! wasmtime says that types differ and, deep in them, where it noticed. An
//! author needs both signatures side by side. They are written only once it is
//! known that they differ, and only so far: who makes types may make them large.

use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::{ComponentFunc, ComponentItem, Type};

use super::contract::rules_interface;
use super::signature::contract_signature;

/// How much of a signature is written, in bytes.
const MOST_BYTES: usize = 1_000;

/// How many differences are said.
const MOST_DIFFERENCES: usize = 5;

/// Returns the functions of the contract's interfaces that a component imports
/// or exports with another signature.
pub(super) fn differences(engine: &Engine, component: &Component) -> Vec<String> {
    let component_type = component.component_type();
    let imports = component_type.imports(engine).map(|item| ("imports", item));
    let exports = component_type.exports(engine).map(|item| ("exports", item));
    let mut found = Vec::new();
    for (verb, (name, item)) in imports.chain(exports) {
        let (Some((interface, _)), ComponentItem::ComponentInstance(instance)) =
            (rules_interface(name), item.ty)
        else {
            continue;
        };
        for (function, item) in instance.exports(engine) {
            let ComponentItem::ComponentFunc(wanted) = item.ty else {
                continue;
            };
            let Some(has) = contract_signature(interface, function) else {
                continue;
            };
            let wants = signature(&wanted);
            if wants != has {
                found.push(format!(
                    "it {verb} `{interface}.{function}` as `{wants}`, but the contract has `{has}`"
                ));
            }
            if found.len() == MOST_DIFFERENCES {
                return found;
            }
        }
    }
    found
}

/// Writes a function's type, with everything that it consists of spelt out, as
/// [`contract_signature`] does.
fn signature(function: &ComponentFunc) -> String {
    let mut text = Spelt::default();
    text.add("func(");
    for (place, (name, of)) in function.params().enumerate() {
        text.add(if place > 0 { ", " } else { "" });
        text.add(name);
        text.add(": ");
        text.add_type(&of);
    }
    text.add(")");
    for of in function.results() {
        text.add(" -> ");
        text.add_type(&of);
    }
    text.0
}

/// A text that stops growing.
#[derive(Default)]
struct Spelt(String);

impl Spelt {
    fn is_full(&self) -> bool {
        self.0.len() >= MOST_BYTES
    }

    fn add(&mut self, text: &str) {
        if self.is_full() {
            return;
        }
        self.0.extend(text.chars().take(MOST_BYTES));
        if self.is_full() {
            self.0.push('…');
        }
    }

    /// Adds what stands between brackets, with commas.
    fn add_all<T>(
        &mut self,
        brackets: [&str; 2],
        parts: impl Iterator<Item = T>,
        mut add: impl FnMut(&mut Self, T),
    ) {
        self.add(brackets[0]);
        for (place, part) in parts.enumerate() {
            if self.is_full() {
                return;
            }
            self.add(if place > 0 { ", " } else { "" });
            add(self, part);
        }
        self.add(brackets[1]);
    }

    fn add_type(&mut self, of: &Type) {
        if self.is_full() {
            return;
        }
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
            Type::Float32 => "f32",
            Type::Float64 => "f64",
            Type::Char => "char",
            Type::String => "string",
            Type::List(list) => {
                return self.add_all(["list<", ">"], [list.ty()].iter(), Self::add_type);
            }
            Type::Option(option) => {
                return self.add_all(["option<", ">"], [option.ty()].iter(), Self::add_type);
            }
            Type::Tuple(tuple) => {
                return self.add_all(["tuple<", ">"], tuple.types(), |text, of| {
                    text.add_type(&of);
                });
            }
            Type::Result(result) => {
                let sides = [result.ok(), result.err()];
                return self.add_all(["result<", ">"], sides.iter(), |text, side| match side {
                    Some(of) => text.add_type(of),
                    None => text.add("_"),
                });
            }
            Type::Record(record) => {
                return self.add_all(["record {", "}"], record.fields(), |text, field| {
                    text.add(field.name);
                    text.add(": ");
                    text.add_type(&field.ty);
                });
            }
            Type::Variant(variant) => {
                return self.add_all(["variant {", "}"], variant.cases(), |text, case| {
                    text.add(case.name);
                    if let Some(of) = &case.ty {
                        text.add_all(["(", ")"], [of].into_iter(), Self::add_type);
                    }
                });
            }
            Type::Enum(of) => {
                return self.add_all(["enum {", "}"], of.names(), |text, name| text.add(name));
            }
            Type::Flags(of) => {
                return self.add_all(["flags {", "}"], of.names(), |text, name| text.add(name));
            }
            // The contract has none of these, so a word is enough.
            Type::Own(_) | Type::Borrow(_) => "resource",
            _ => "another type",
        };
        self.add(word);
    }
}

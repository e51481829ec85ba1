//! What the functions of a rule answer, as its language has it: for languages in which
//! nothing else checks an answer before it leaves the rule.
//!
//! Descriptions are lists and objects of texts and numbers, which read the same in
//! JavaScript and in Python: `["list", ["record", {"name": ["text"]}]]`.

use serde_json::{Map, Value, json};
use wit_parser::{Function, Resolve, Type, TypeDefKind, TypeId, WorldItem, WorldKey};

use crate::component::Contract;

/// How a language writes the names of the contract.
pub(crate) trait Naming {
    /// Returns the name of a function or a record's field.
    fn member(&self, name: &str) -> String;

    /// Returns the name of a variant's case.
    fn case(&self, variant: &str, case: &str) -> String;
}

/// What a rule exports: an interface, and what its functions answer.
#[derive(Debug)]
pub(crate) struct Export {
    /// The interface, as the contract names it.
    pub(crate) interface: String,
    /// A description of the answer, by the name of the function.
    pub(crate) answers: Value,
    /// A description of the errors, which are the same for all of them.
    pub(crate) error: Value,
}

/// Returns what a rule of this world exports.
pub(crate) fn exports(contract: &Contract, naming: &dyn Naming) -> Vec<Export> {
    let resolve = &contract.resolve;
    let exports = resolve.worlds[contract.world].exports.iter();
    let interfaces = exports.filter_map(|(key, item)| match (key, item) {
        (WorldKey::Interface(_) | WorldKey::Name(_), WorldItem::Interface { id, .. }) => Some(*id),
        _ => None,
    });
    let describing = Describing { resolve, naming };
    let of = |id| {
        let interface = &resolve.interfaces[id];
        let mut answers = Map::new();
        let mut error = anything();
        for (name, function) in &interface.functions {
            let (answer, fails) = describing.result(function);
            answers.insert(naming.member(name), answer);
            error = fails.unwrap_or(error);
        }
        Some(Export {
            interface: interface.name.clone()?,
            answers: answers.into(),
            error,
        })
    };
    interfaces.filter_map(of).collect()
}

/// Whatever it is, it isn't checked.
fn anything() -> Value {
    json!(["anything"])
}

struct Describing<'a> {
    resolve: &'a Resolve,
    naming: &'a dyn Naming,
}

impl Describing<'_> {
    /// Describes what a function answers, and how it fails, if it does.
    fn result(&self, function: &Function) -> (Value, Option<Value>) {
        let Some(result) = function.result else {
            return (anything(), None);
        };
        if let Type::Id(id) = result
            && let TypeDefKind::Result(result) = &self.resolve.types[id].kind
        {
            let of = |known| self.of(known);
            return (result.ok.map_or_else(anything, of), result.err.map(of));
        }
        (self.of(result), None)
    }

    fn of(&self, of: Type) -> Value {
        // What a language holds exactly without more ado.
        const MOST: i64 = (1 << 53) - 1;
        let integer = |least: i64, most: i64| json!(["integer", least, most]);
        match of {
            Type::Bool => json!(["boolean"]),
            Type::String => json!(["text"]),
            Type::U8 => integer(0, u8::MAX.into()),
            Type::U16 => integer(0, u16::MAX.into()),
            Type::U32 => integer(0, u32::MAX.into()),
            Type::U64 => integer(0, MOST),
            Type::S8 => integer(i8::MIN.into(), i8::MAX.into()),
            Type::S16 => integer(i16::MIN.into(), i16::MAX.into()),
            Type::S32 => integer(i32::MIN.into(), i32::MAX.into()),
            Type::S64 => integer(-MOST, MOST),
            Type::F32 | Type::F64 | Type::Char | Type::ErrorContext => anything(),
            Type::Id(id) => self.defined(id),
        }
    }

    fn defined(&self, id: TypeId) -> Value {
        let definition = &self.resolve.types[id];
        let name = definition.name.as_deref().unwrap_or_default();
        match &definition.kind {
            TypeDefKind::Type(same) => self.of(*same),
            TypeDefKind::List(item) => json!(["list", self.of(*item)]),
            // One within another is seldom, and told apart differently.
            TypeDefKind::Option(item) if !self.is_option(*item) => {
                json!(["option", self.of(*item)])
            }
            TypeDefKind::Record(record) => {
                let fields = record.fields.iter();
                let fields =
                    fields.map(|field| (self.naming.member(&field.name), self.of(field.ty)));
                json!(["record", fields.collect::<Map<_, _>>()])
            }
            TypeDefKind::Variant(variant) => {
                let cases = variant.cases.iter();
                let cases = cases.map(|case| {
                    let value = case.ty.map_or_else(|| json!([]), |known| self.of(known));
                    (self.naming.case(name, &case.name), value)
                });
                json!(["variant", cases.collect::<Map<_, _>>()])
            }
            TypeDefKind::Enum(words) => {
                let words = words.cases.iter().map(|case| case.name.as_str());
                json!(["word", words.collect::<Vec<_>>()])
            }
            _ => anything(),
        }
    }

    fn is_option(&self, of: Type) -> bool {
        match of {
            Type::Id(id) => match &self.resolve.types[id].kind {
                TypeDefKind::Type(same) => self.is_option(*same),
                kind => matches!(kind, TypeDefKind::Option(_)),
            },
            _ => false,
        }
    }
}

/// Returns a name of the contract in camelCase: `has-role` as `hasRole`.
pub(crate) fn camel(name: &str) -> String {
    let mut words = name.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &pascal(word))
}

/// Returns a name of the contract in PascalCase: `has-role` as `HasRole`.
pub(crate) fn pascal(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use wit_parser::Resolve;

    use super::{Naming, camel, exports, pascal};
    use crate::component::Contract;

    struct Joined;

    impl Naming for Joined {
        fn member(&self, name: &str) -> String {
            camel(name)
        }

        fn case(&self, variant: &str, case: &str) -> String {
            format!("{}_{case}", pascal(variant))
        }
    }

    #[test]
    fn answers_and_errors_are_described_by_the_contract() {
        let mut resolve = Resolve::default();
        let source = r#"
            package idr:rules@9.0.0;
            interface types {
                type day = s32;
                enum mood { fine, so-so }
                variant found { by-name(string), nobody }
                variant why { declined(string) }
            }
            interface a-kind {
                use types.{day, found, mood, why};
                record person { first-name: option<string>, moods: list<mood>, born: day }
                find-them: func() -> result<list<person>, why>;
                which: func() -> result<found, why>;
                odd: func() -> tuple<option<option<bool>>, f64>;
            }
            world rule { import types; export a-kind; }
        "#;
        let package = resolve
            .push_source("rules.wit", source)
            .expect("a contract");
        let world = resolve.select_world(&[package], Some("rule"));
        let world = world.expect("it is there");
        let exports = exports(&Contract { resolve, world }, &Joined);
        let [export] = exports.as_slice() else {
            panic!("it exports one: {exports:?}");
        };
        assert_eq!(export.interface, "a-kind");
        insta::assert_snapshot!(export.answers["findThem"], @r#"["list",["record",{"born":["integer",-2147483648,2147483647],"firstName":["option",["text"]],"moods":["list",["word",["fine","so-so"]]]}]]"#);
        insta::assert_snapshot!(export.answers["which"], @r#"["variant",{"Found_by-name":["text"],"Found_nobody":[]}]"#);
        insta::assert_snapshot!(export.answers["odd"], @r#"["anything"]"#);
        insta::assert_snapshot!(export.error, @r#"["variant",{"Why_declined":["text"]}]"#);
    }
}

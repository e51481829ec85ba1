//! Versions of the contract: those that are released stay as they are, a later one
//! only adds, and components of an earlier one run.

use std::collections::BTreeMap;

use idr::rules::RuleKind;
use idr::rules::cases::{find, parse, run};
use sha2::{Digest, Sha256};
use wit_parser::{Interface, Resolve, Type, TypeDefKind, WorldItem};

use crate::common::repository;
use crate::made::load;

fn text_of(version: &str) -> String {
    let path = repository().join(format!("wit/{version}/rules.wit"));
    std::fs::read_to_string(path).expect("the contract is there")
}

/// What guests were built against is never edited: what is new comes as another
/// version, in a folder beside it.
#[test]
fn released_contracts_stay_as_they_are() {
    for (version, digest) in [
        (
            "0.1.0",
            "044629b5080ff1361c1f309f1a8f6ee412c31c7491013721433b35c1232d4f1a",
        ),
        (
            "0.1.1",
            "c37888aaf8a020010cc17c0abfad2cde507cede1e0b162748332008c4c848a9d",
        ),
        (
            "0.1.2",
            "817eaf21777bd700f5154c0ef85e2ee16791129b2205bfc842d37c10fd955fd0",
        ),
    ] {
        let found = hex::encode(Sha256::digest(text_of(version)));
        assert_eq!(found, digest, "{version} is released");
    }
}

#[test]
fn a_later_version_only_adds() {
    only_adds("0.1.0", "0.1.1");
    only_adds("0.1.1", "0.1.2");
}

fn only_adds(earlier: &str, later: &str) {
    let (earlier, later) = (Contract::of(earlier), Contract::of(later));
    for (name, interface) in &earlier.interfaces {
        let now = later.interfaces.get(name).expect(name);
        for (item, spelled) in interface {
            assert_eq!(now.get(item), Some(spelled), "`{item}` of `{name}`");
        }
    }
    for (name, world) in &earlier.worlds {
        let now = later.worlds.get(name).expect(name);
        let missing: Vec<&String> = world.iter().filter(|item| !now.contains(item)).collect();
        assert!(missing.is_empty(), "`{name}` lacks {missing:?}");
        // What is added to a world of one kind would be another kind of rule.
        assert!(name == "all-kinds" || now == world, "`{name}`");
    }
    let n_items = |contract: &Contract| contract.interfaces.values().map(BTreeMap::len).sum();
    let (before, now): (usize, usize) = (n_items(&earlier), n_items(&later));
    assert!(before > 40 && now > before, "{before} and {now} items");
}

/// What a version has: by interface its functions and types, each spelled out, and
/// by world what it imports and exports.
struct Contract {
    interfaces: BTreeMap<String, BTreeMap<String, String>>,
    worlds: BTreeMap<String, Vec<String>>,
}

impl Contract {
    fn of(version: &str) -> Self {
        let mut resolve = Resolve::default();
        let package = resolve
            .push_source("rules.wit", &text_of(version))
            .expect("the contract is well-formed");
        let package = &resolve.packages[package];
        let interfaces = package.interfaces.iter().map(|(name, id)| {
            let items = items(&resolve, &resolve.interfaces[*id]);
            (name.clone(), items)
        });
        let worlds = package.worlds.iter().map(|(name, id)| {
            let world = &resolve.worlds[*id];
            let spelled = |verb: &str, item: &WorldItem| match item {
                WorldItem::Interface { id, .. } => {
                    let name = resolve.interfaces[*id].name.as_deref();
                    format!("{verb} {}", name.expect("it has a name"))
                }
                other => panic!("{other:?} in a world"),
            };
            let imports = world.imports.values().map(|item| spelled("import", item));
            let exports = world.exports.values().map(|item| spelled("export", item));
            (name.clone(), imports.chain(exports).collect())
        });
        Self {
            interfaces: interfaces.collect(),
            worlds: worlds.collect(),
        }
    }
}

fn items(resolve: &Resolve, interface: &Interface) -> BTreeMap<String, String> {
    let functions = interface.functions.iter().map(|(name, function)| {
        let parameters = function.params.iter();
        let parameters = parameters.map(|each| named(resolve, &each.name, &each.ty));
        let result = function.result.as_ref();
        let result = result.map_or("nothing".to_owned(), |ty| spelled(resolve, ty));
        let parameters: Vec<String> = parameters.collect();
        let spelled = format!("{}({}) -> {result}", function.name, parameters.join(", "));
        (name.clone(), spelled)
    });
    let types = interface
        .types
        .iter()
        .map(|(name, id)| (format!("type {name}"), spelled(resolve, &Type::Id(*id))));
    functions.chain(types).collect()
}

fn named(resolve: &Resolve, name: &str, ty: &Type) -> String {
    format!("{name}: {}", spelled(resolve, ty))
}

/// Spells a type out, down to the built-in ones.
fn spelled(resolve: &Resolve, ty: &Type) -> String {
    let Type::Id(id) = ty else {
        return format!("{ty:?}");
    };
    let inner = |ty: &Type| spelled(resolve, ty);
    let optional = |ty: Option<&Type>| ty.map_or("_".to_owned(), inner);
    match &resolve.types[*id].kind {
        TypeDefKind::Type(ty) => inner(ty),
        TypeDefKind::Option(ty) => format!("option<{}>", inner(ty)),
        TypeDefKind::List(ty) => format!("list<{}>", inner(ty)),
        TypeDefKind::Result(result) => format!(
            "result<{}, {}>",
            optional(result.ok.as_ref()),
            optional(result.err.as_ref())
        ),
        TypeDefKind::Record(record) => {
            let fields = record.fields.iter();
            let fields = fields.map(|field| named(resolve, &field.name, &field.ty));
            format!("record {{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        TypeDefKind::Variant(variant) => {
            let cases = variant.cases.iter();
            let cases = cases.map(|case| format!("{}({})", case.name, optional(case.ty.as_ref())));
            format!("variant {{{}}}", cases.collect::<Vec<_>>().join(", "))
        }
        TypeDefKind::Enum(words) => {
            let words = words.cases.iter().map(|case| case.name.as_str());
            format!("enum {{{}}}", words.collect::<Vec<_>>().join(", "))
        }
        other => panic!("the contract has no {}", other.as_str()),
    }
}

/// The components of `rules-examples/rust` that were built against 0.1.0, before
/// there was anything later, and have not been built again.
#[test]
fn committed_components_of_0_1_0_are_loaded_and_answer() {
    let mut n_earlier = 0;
    for found in find(&repository().join("rules-examples/rust")).expect("the examples") {
        let bytes = std::fs::read(&found.component).expect("the component is there");
        let component = load(&bytes);
        if component.surface().version != "0.1.0" {
            continue;
        }
        n_earlier += 1;
        for case in &found.cases {
            let problems = run(&component, case).problems;
            assert_eq!(problems, [""; 0], "{}", found.component.display());
        }
    }
    assert_eq!(n_earlier, 11);
}

/// As `all-kinds` was when there were ten kinds.
#[test]
fn a_component_with_every_kind_of_0_1_0_answers_as_it_did() {
    let fixtures = repository().join("tests/rules/fixtures");
    let bytes = std::fs::read(fixtures.join("all-kinds-0.1.0.wasm")).expect("it is there");
    let component = load(&bytes);
    assert_eq!(component.surface().version, "0.1.0");
    // The kinds of 0.1.0 are the first ones.
    assert_eq!(component.surface().kinds, RuleKind::ALL[..10]);
    let cases = std::fs::read_to_string(fixtures.join("all-kinds-0.1.0.toml"));
    let cases = parse(&cases.expect("the cases are there")).expect("they are well-formed");
    assert!(cases.len() > 25, "there are cases");
    for case in &cases {
        let problems = run(&component, case).problems;
        assert_eq!(problems, [""; 0], "{}", case.name);
    }
}

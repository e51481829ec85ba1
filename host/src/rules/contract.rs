//! The contract as names, to say in plain words how a component differs.
//!
//! wasmtime's linker stops at the first import that is missing. This looks at
//! all of them first; differences in types are left to the linker.

use idr_core::text::nearest;
use wasmparser::{Parser, Payload};
use wasmtime::Engine;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, ResourceType};

use super::call::{CallState, Stop};
use super::error::Trouble;
use super::kind::{ABOUT_AN_ACCOUNT, ABOUT_AN_IDENTITY, RuleKind};

/// The version of `wit/0.1.2/rules.wit`, the newest that this host speaks.
pub const CONTRACT_VERSION: &str = "0.1.2";

/// The released versions that it speaks, as they are told.
const VERSIONS_SPOKEN: &str = "0.1.0 to 0.1.2";

const PACKAGE: &str = "idr:rules";

/// One way in which a component doesn't fit the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// What is wrong, in words that follow "it".
    pub problem: String,
    /// What helps.
    pub fix: Fix,
}

/// What makes a component fit the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fix {
    /// It was built against another version.
    Version,
    /// It was built against another text of a version that this host speaks.
    Text,
    /// It wants what no rule is given, however it is built.
    Leave,
    /// It wants what other kinds are given.
    Kind,
    /// It exports nothing that could be asked.
    Export,
}

impl Fix {
    /// Returns it in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Version => {
                "build the rule against wit/0.1.2/rules.wit, or use an idr that speaks its version"
            }
            Self::Text => "build the rule against wit/0.1.2/rules.wit as it was released",
            Self::Leave => {
                "leave out what asks for it, perhaps a library: a rule reads what it needs through \
                 wit/0.1.2/rules.wit"
            }
            Self::Kind => {
                "don't ask for it, or ask in a rule of a kind that is given it: see the worlds in \
                 wit/0.1.2/rules.wit"
            }
            Self::Export => {
                "make the component for a world of wit/0.1.2/rules.wit; `idr rule new` starts a rule \
                 of each kind"
            }
        }
    }
}

/// An interface that rules may import.
pub(super) struct Interface {
    pub(super) name: &'static str,
    pub(super) functions: &'static [&'static str],
    /// The kinds that may import it; all when empty.
    kinds: &'static [RuleKind],
}

impl Interface {
    pub(super) fn is_given_to(&self, kind: RuleKind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }
}

/// Every interface that some kind may import.
pub(super) const INTERFACES: &[Interface] = &[
    Interface {
        name: "types",
        functions: &[],
        kinds: &[],
    },
    Interface {
        name: "subject",
        functions: &[
            "attribute",
            "attributes",
            "manager-attribute",
            "accounts",
            "first-account",
            "account-attribute",
            "account-attributes",
        ],
        kinds: ABOUT_AN_IDENTITY,
    },
    Interface {
        name: "account",
        functions: &["application", "native-identity", "status", "attribute"],
        kinds: ABOUT_AN_ACCOUNT,
    },
    Interface {
        name: "time",
        functions: &[
            "reached",
            "date-reached",
            "day-over",
            "instant-at",
            "plus-days",
            "today",
        ],
        kinds: ABOUT_AN_IDENTITY,
    },
    Interface {
        name: "parameters",
        functions: &["parameter"],
        kinds: &[],
    },
    Interface {
        name: "log",
        functions: &["info", "warn"],
        kinds: &[],
    },
    Interface {
        name: "entitlements",
        functions: &["holds", "held"],
        kinds: &[
            RuleKind::RoleAssignment,
            RuleKind::IdentityTrigger,
            RuleKind::ValueChange,
            RuleKind::AfterRefresh,
            RuleKind::AccountSelection,
            RuleKind::TargetMapping,
        ],
    },
    Interface {
        name: "roles",
        functions: &["has-assigned", "has-detected"],
        kinds: &[
            RuleKind::IdentityTrigger,
            RuleKind::ValueChange,
            RuleKind::AfterRefresh,
        ],
    },
    Interface {
        name: "tiers",
        functions: &["accounts", "attribute"],
        kinds: &[RuleKind::LogicalAccount],
    },
    Interface {
        name: "access",
        functions: &["is-desired", "has-role", "roles", "holds", "held"],
        kinds: &[RuleKind::Policy],
    },
    Interface {
        name: "baseline",
        functions: &["exists", "attribute", "had-assigned"],
        kinds: &[RuleKind::IdentityTrigger],
    },
];

/// Returns the interface's full name.
pub(super) fn qualified(interface: &str) -> String {
    format!("{PACKAGE}/{interface}@{CONTRACT_VERSION}")
}

/// What a component imports and exports, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surface {
    /// The version of the contract that its rules were built against.
    pub version: String,
    /// What it imports, in its own order: interface and functions.
    pub imports: Vec<(String, Vec<String>)>,
    /// The kinds of rule that it exports.
    pub kinds: Vec<RuleKind>,
    /// The interfaces of WASI among its imports.
    pub wasi: Vec<String>,
}

/// Returns what a component imports and exports.
///
/// # Errors
///
/// Every way in which it differs from the contract, in words that follow "it".
pub(super) fn surface(engine: &Engine, component: &Component) -> Result<Surface, Vec<Misfit>> {
    let component_type = component.component_type();
    let mut problems = Vec::new();
    let mut surface = Surface {
        version: String::new(),
        imports: Vec::new(),
        kinds: Vec::new(),
        wasi: Vec::new(),
    };

    for (name, export) in component_type.exports(engine) {
        let Some((interface, version)) = rules_interface(name) else {
            // Languages export things of their own; nobody calls them.
            continue;
        };
        let ComponentItem::ComponentInstance(_) = export.ty else {
            continue;
        };
        match RuleKind::named(interface) {
            Some(kind) => {
                surface.kinds.push(kind);
                version.clone_into(&mut surface.version);
            }
            None => {
                let kinds = RuleKind::ALL.iter().map(|kind| kind.as_str());
                let nearest = did_you_mean(interface, kinds);
                problems.push(Misfit {
                    problem: format!("exports `{name}`, which is no kind of rule{nearest}"),
                    fix: fix_of(version, Fix::Export),
                });
            }
        }
    }
    surface.kinds.sort();
    if surface.kinds.is_empty() && problems.is_empty() {
        let kinds: Vec<String> = RuleKind::ALL.map(|kind| format!("`{kind}`")).to_vec();
        problems.push(Misfit {
            problem: format!("exports no kind of rule: none of {}", kinds.join(", ")),
            fix: Fix::Export,
        });
    }

    for (name, import) in component_type.imports(engine) {
        let functions = match &import.ty {
            ComponentItem::ComponentInstance(instance) => instance
                .exports(engine)
                .filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentFunc(_)))
                .map(|(function, _)| function.to_owned())
                .collect(),
            ComponentItem::Type(_) => continue,
            _ => Vec::new(),
        };
        if is_stubbed_wasi(name) {
            surface.wasi.push(name.to_owned());
        } else {
            problems.extend(import_problems(name, &functions, &surface.kinds));
        }
        surface.imports.push((name.to_owned(), functions));
    }
    if problems.is_empty() {
        Ok(surface)
    } else {
        Err(problems)
    }
}

fn import_problems(name: &str, functions: &[String], kinds: &[RuleKind]) -> Vec<Misfit> {
    let misfit = |problem, fix| Misfit { problem, fix };
    let Some((interface, version)) = rules_interface(name) else {
        let why = if name.starts_with("wasi:") {
            "rules get no files, network or other services of the system"
        } else {
            "rules are given nothing but the interfaces of wit/0.1.2/rules.wit"
        };
        return vec![misfit(format!("imports `{name}`: {why}"), Fix::Leave)];
    };
    let fix = fix_of(version, Fix::Text);
    let Some(known) = INTERFACES.iter().find(|known| known.name == interface) else {
        let nearest = did_you_mean(interface, INTERFACES.iter().map(|known| known.name));
        let problem =
            format!("imports `{name}`, which versions {VERSIONS_SPOKEN} don't have{nearest}");
        return vec![misfit(problem, fix)];
    };
    if !kinds.is_empty() && !kinds.iter().any(|kind| known.is_given_to(*kind)) {
        let given: Vec<String> = known.kinds.iter().map(|kind| format!("`{kind}`")).collect();
        let given = given.join(" and ");
        let problem = format!("imports `{interface}`, which only {given} rules are given");
        return vec![misfit(problem, Fix::Kind)];
    }
    functions
        .iter()
        .filter(|function| !known.functions.contains(&function.as_str()))
        .map(|function| {
            let nearest = did_you_mean(function, known.functions.iter().copied());
            let problem = format!(
                "imports `{interface}.{function}`, which versions {VERSIONS_SPOKEN} don't \
                 have{nearest}"
            );
            misfit(problem, fix)
        })
        .collect()
}

/// Returns what helps a component of a version: what a later one has may be right there.
fn fix_of(version: &str, otherwise: Fix) -> Fix {
    let last = |version: &str| {
        version
            .rsplit('.')
            .next()
            .and_then(|last| last.parse::<u32>().ok())
    };
    match last(version) > last(CONTRACT_VERSION) {
        true => Fix::Version,
        false => otherwise,
    }
}

/// Says whether a component was built for a version that this host speaks, by
/// the names in the file: nothing of it is compiled yet.
///
/// # Errors
///
/// Every name of another version, in words that follow "it". A file that can't
/// be read so far is left to the compiler, which says why.
pub(super) fn speaks_our_version(component: &[u8]) -> Result<(), Vec<Misfit>> {
    let mut problems = Vec::new();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        let Ok(payload) = payload else {
            break;
        };
        match payload {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(imports) if depth == 1 => {
                let names = imports.into_iter().flatten().map(|import| import.name.name);
                problems.extend(names.filter_map(|name| version_problem("imports", name)));
            }
            Payload::ComponentExportSection(exports) if depth == 1 => {
                let names = exports.into_iter().flatten().map(|export| export.name.name);
                problems.extend(names.filter_map(|name| version_problem("exports", name)));
            }
            _ => {}
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

fn version_problem(verb: &str, name: &str) -> Option<Misfit> {
    let (_, version) = rules_interface(name)?;
    (!speaks(version)).then(|| Misfit {
        problem: format!("{verb} `{name}`, but this host speaks versions {VERSIONS_SPOKEN}"),
        fix: Fix::Version,
    })
}

/// Splits `idr:rules/subject@0.1.0` into interface and version.
pub(super) fn rules_interface(name: &str) -> Option<(&str, &str)> {
    let rest = name.strip_prefix(PACKAGE)?.strip_prefix('/')?;
    Some(rest.split_once('@').unwrap_or((rest, "")))
}

/// Says whether a version is one that this host speaks: 0.1, whatever comes after.
fn speaks(version: &str) -> bool {
    let compatible = |version: &str| {
        version
            .rsplit_once('.')
            .map(|(compatible, _)| compatible.to_owned())
    };
    compatible(version) == compatible(CONTRACT_VERSION)
}

fn did_you_mean<'n>(name: &str, candidates: impl Iterator<Item = &'n str>) -> String {
    match nearest(name, candidates) {
        Some(nearest) => format!("; did you mean `{nearest}`?"),
        None => String::new(),
    }
}

/// The interfaces of WASI that standard libraries drag in: they may be
/// imported, but a call ends the evaluation.
const STUBBED_WASI: &[(&str, &str)] = &[
    (
        "wasi:clocks/",
        "there is no clock: ask `time.reached`, `time.date-reached` or `time.day-over`",
    ),
    (
        "wasi:random/",
        "there is no randomness: derive what you need from the attribute `uid`",
    ),
    (
        "wasi:cli/",
        "there is no command line or environment: ask `parameters.parameter`, and log \
                   with `log.info`",
    ),
    ("wasi:io/", "there are no streams: log with `log.info`"),
];

fn is_stubbed_wasi(name: &str) -> bool {
    STUBBED_WASI
        .iter()
        .any(|(prefix, _)| name.starts_with(prefix))
}

/// Adds stubs for the interfaces of WASI that a component imports.
pub(super) fn stub_wasi(
    linker: &mut Linker<CallState>,
    engine: &Engine,
    component: &Component,
) -> wasmtime::Result<()> {
    for (name, import) in component.component_type().imports(engine) {
        let Some((_, instead)) = STUBBED_WASI
            .iter()
            .find(|(prefix, _)| name.starts_with(prefix))
        else {
            continue;
        };
        let ComponentItem::ComponentInstance(interface) = import.ty else {
            continue;
        };
        let mut instance = linker.instance(name)?;
        for (item_name, item) in interface.exports(engine) {
            match item.ty {
                ComponentItem::ComponentFunc(_) => {
                    let function = format!("{name} {item_name}");
                    instance.func_new(item_name, move |_, _, _, _| {
                        let function = function.clone();
                        Err(Stop::Trouble(Trouble::Wasi { function, instead }).into())
                    })?;
                }
                ComponentItem::Resource(_) => {
                    instance.resource(item_name, ResourceType::host::<()>(), |_, _| Ok(()))?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{
        CONTRACT_VERSION, Fix, INTERFACES, VERSIONS_SPOKEN, fix_of, import_problems, speaks,
        version_problem,
    };
    use crate::rules::RuleKind;

    #[test]
    fn the_list_of_interfaces_is_that_of_the_contract() {
        let contract = include_str!("../../../wit/0.1.2/rules.wit");
        for interface in INTERFACES {
            let start = contract.find(&format!("interface {} {{", interface.name));
            let body = &contract[start.expect("the contract has the interface")..];
            let body = &body[..body.find("\n}").expect("the interface ends")];
            let functions: Vec<&str> = body
                .lines()
                .filter_map(|line| line.trim().split_once(": func"))
                .map(|(name, _)| name)
                .collect();
            assert_eq!(functions, interface.functions, "{}", interface.name);
        }
        let exported = RuleKind::ALL.len();
        assert_eq!(
            contract.matches("\ninterface ").count(),
            INTERFACES.len() + exported
        );
    }

    #[test]
    fn every_problem_is_said_in_plain_words() {
        let problems = |name: &str, functions: &[&str]| {
            let functions: Vec<String> = functions.iter().map(|each| (*each).to_owned()).collect();
            let found = import_problems(name, &functions, &[RuleKind::LifecycleState]);
            let found: Vec<String> = found.into_iter().map(|each| each.problem).collect();
            found.join("\n")
        };
        assert_eq!(problems("idr:rules/subject@0.1.0", &["attribute"]), "");
        assert_eq!(problems("idr:rules/subject@0.1.7", &["accounts"]), "");
        insta::assert_snapshot!(
            problems("idr:rules/subject@0.1.0", &["attribute", "peers", "friends"]),
            @r"
        imports `subject.peers`, which versions 0.1.0 to 0.1.2 don't have
        imports `subject.friends`, which versions 0.1.0 to 0.1.2 don't have
        "
        );
        insta::assert_snapshot!(
            problems("idr:rules/subject@0.1.0", &["atribute"]),
            @"imports `subject.atribute`, which versions 0.1.0 to 0.1.2 don't have; did you mean `attribute`?"
        );
        insta::assert_snapshot!(
            problems("idr:rules/subjects@0.1.0", &[]),
            @"imports `idr:rules/subjects@0.1.0`, which versions 0.1.0 to 0.1.2 don't have; did you mean `subject`?"
        );
        assert_eq!(
            version_problem("imports", "idr:rules/subject@0.2.0").map(|found| found.problem),
            Some(
                "imports `idr:rules/subject@0.2.0`, but this host speaks versions 0.1.0 to 0.1.2"
                    .to_owned()
            )
        );
        assert_eq!(version_problem("imports", "idr:rules/subject@0.1.7"), None);
        insta::assert_snapshot!(
            problems("idr:rules/weather@0.1.0", &[]),
            @"imports `idr:rules/weather@0.1.0`, which versions 0.1.0 to 0.1.2 don't have"
        );
        insta::assert_snapshot!(
            problems("idr:rules/baseline@0.1.0", &[]),
            @"imports `baseline`, which only `identity-trigger` rules are given"
        );
        insta::assert_snapshot!(
            problems("wasi:http/outgoing-handler@0.2.6", &[]),
            @"imports `wasi:http/outgoing-handler@0.2.6`: rules get no files, network or other services of the system"
        );
        insta::assert_snapshot!(
            problems("acme:db/query@1.0.0", &[]),
            @"imports `acme:db/query@1.0.0`: rules are given nothing but the interfaces of wit/0.1.2/rules.wit"
        );
    }

    #[test]
    fn versions_match_by_their_first_two_numbers() {
        assert!(speaks("0.1.0") && speaks("0.1.9"));
        assert!(!speaks("0.2.0") && !speaks("1.1.0") && !speaks(""));
    }

    #[test]
    fn what_helps_depends_on_what_is_wrong() {
        let fix = |name: &str| {
            let functions = ["peers".to_owned()];
            let found = import_problems(name, &functions, &[RuleKind::LifecycleState]);
            found.first().expect("a problem").fix
        };
        assert_eq!(fix("idr:rules/subject@0.1.1"), Fix::Text);
        assert_eq!(fix("idr:rules/subject@0.1.7"), Fix::Version);
        assert_eq!(fix("idr:rules/weather@0.1.0"), Fix::Text);
        assert_eq!(fix("idr:rules/weather@0.1.3"), Fix::Version);
        assert_eq!(fix("idr:rules/baseline@0.1.7"), Fix::Kind);
        assert_eq!(fix("wasi:http/outgoing-handler@0.2.6"), Fix::Leave);
        assert_eq!(fix("acme:db/query@1.0.0"), Fix::Leave);
        assert_eq!(fix_of("", Fix::Export), Fix::Export);
    }

    #[test]
    fn every_version_that_was_released_is_spoken() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../wit");
        let entries = std::fs::read_dir(folder).expect("the contract is there");
        let names = entries.map(|entry| entry.expect("it can be listed").file_name());
        let mut versions: Vec<String> = names.map(|name| name.to_string_lossy().into()).collect();
        versions.sort();
        assert!(
            versions.iter().all(|version| speaks(version)),
            "{versions:?}"
        );
        let (first, last) = (
            versions.first().expect("one"),
            versions.last().expect("one"),
        );
        assert_eq!(VERSIONS_SPOKEN, format!("{first} to {last}"));
        assert_eq!(CONTRACT_VERSION, last);
    }
}

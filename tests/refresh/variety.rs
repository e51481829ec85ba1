//! What half of the random tenants have besides, and what happens to them.
//!
//! All of it is drawn apart, so that the other half stays what it was.

use std::collections::BTreeMap;
use std::sync::Arc;

use idr_core::definitions::{
    AttributeDefinition, Bound, EditMode, Model, OnEmpty, OnNoAccount, OnTrip, Origin, Population,
    Role, Roles, Selector, Source, Threshold, digest,
};
use idr_core::filter::Filter;
use idr_core::model::{AccountStatus, Name, Value, ValueType};
use idr_core::transform::account::AccountRead;
use idr_core::transform::derived::Derived;
use idr_core::transform::moment::{Compare, DateMath, Expression, Format, Operator, Side};
use idr_core::transform::pattern::DateFormat;
use idr_core::transform::template::{Part, Template};
use idr_core::transform::text::{Padding, Replacement, TextOperation, pattern};
use idr_core::transform::{Conditional, Referenced, Substring, Transform};
use jiff::civil::time;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::histories::{Operation, PEOPLE};
use crate::world::Tenant;

/// Definitions beyond those that every random tenant has.
#[derive(Clone, Copy, Debug)]
pub struct Variety {
    /// The filters of the populations.
    populations: [usize; 2],
    /// The populations that two roles are for.
    selected: [usize; 2],
    /// The attribute of which one of some values gives a role.
    listed: usize,
    /// What becomes of the location without a field and without an account.
    missing: (OnEmpty, OnNoAccount),
    /// Where two attributes come from.
    transforms: [usize; 2],
    end_of_day: bool,
    /// Whether triggers ask a rule, and which filter they ask about the past.
    included_by_rule: bool,
    included_before: Option<usize>,
    bounds: Bounds,
}

/// What thresholds there are.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    leavers: Option<Bound>,
    role_removals: Option<Bound>,
    account_disables: Option<Bound>,
    movers: Option<Bound>,
}

impl Bounds {
    fn random(random: &mut ChaCha8Rng) -> Self {
        let mut bound = || {
            let limit = match random.random_range(0..3) {
                0 => Threshold::BasisPoints(random.random_range(1..4_000)),
                _ => Threshold::Count(random.random_range(0..2)),
            };
            let window_ms = [None, Some(36 * 3_600_000)][random.random_range(0..2)];
            let on_trip = match random.random_range(0..4) {
                0 => OnTrip::HoldRun,
                _ => OnTrip::HoldKind,
            };
            let bound = Bound {
                limit,
                window_ms,
                on_trip,
            };
            (random.random_range(0..3) == 0).then_some(bound)
        };
        Self {
            leavers: bound(),
            role_removals: bound(),
            account_disables: bound(),
            movers: bound(),
        }
    }
}

/// Filters of populations.
const POPULATIONS: [&str; 7] = [
    "department == \"v1\"",
    "alias.notNull() && location == \"v2\"",
    "manager.alias == \"v1\" || stamp.notNull()",
    "links.status == \"disabled\"",
    "inactive == false && links.application.name == \"ad\"",
    "alias == \"1\" || stamp == 7",
    "department.in({\"v0\", \"v2\"}) && alias != \"v1\"",
];

/// What triggers ask about the past.
const BEFORE: [&str; 3] = [
    "inactive == false",
    "department == \"v1\" || location == \"v1\"",
    "lifecycleState != \"leave\"",
];

impl Variety {
    pub fn random(random: &mut ChaCha8Rng) -> Self {
        let below = |random: &mut ChaCha8Rng, end: usize| random.random_range(0..end);
        Self {
            populations: [(); 2].map(|()| below(random, POPULATIONS.len())),
            selected: [(); 2].map(|()| below(random, 2)),
            listed: below(random, 3),
            missing: (
                [OnEmpty::Next, OnEmpty::Clear][below(random, 2)],
                [OnNoAccount::Next, OnNoAccount::Keep, OnNoAccount::Clear][below(random, 3)],
            ),
            transforms: [(); 2].map(|()| below(random, TRANSFORMS)),
            end_of_day: below(random, 2) == 0,
            included_by_rule: below(random, 2) == 0,
            included_before: (below(random, 3) > 0).then(|| below(random, BEFORE.len())),
            bounds: Bounds::random(random),
        }
    }

    /// Changes one definition, as somebody who edits a file would.
    fn edit(&mut self, random: &mut ChaCha8Rng) {
        let other = Self::random(random);
        match random.random_range(0..6) {
            0 => self.selected = other.selected,
            1 => self.listed = other.listed,
            2 => self.included_before = other.included_before,
            3 => self.bounds = other.bounds,
            4 => self.transforms = other.transforms,
            _ => *self = other,
        }
    }

    /// Adds what there is besides to a tenant's definitions. `assignment` is what
    /// the assignment rule is made of, which is this one.
    pub fn furnish(
        &self,
        model: &mut Model,
        rule: idr_core::definitions::RuleIndex,
        assignment: u64,
    ) {
        let name = Name::new;
        let filter = |text: &str| Filter::parse(text).expect("a filter of this file");
        model.end_of_day = self.end_of_day.then(|| time(18, 0, 0, 0));
        model.populations = (0..)
            .zip(self.populations)
            .map(|(number, place)| Population {
                name: name(&format!("population-{number}")),
                filter: filter(POPULATIONS[place]),
            })
            .collect();
        self.furnish_attributes(&mut model.attributes);
        let mut roles: Vec<Role> = model.roles.to_vec();
        roles.extend(self.roles());
        model.roles = Roles::new(roles, &model.populations);
        for trigger in &mut model.triggers {
            if matches!(trigger.name.as_str(), "mover" | "leaver") {
                trigger.included_before = self.included_before.map(|place| filter(BEFORE[place]));
            }
            if matches!(trigger.name.as_str(), "manager" | "leaver") && self.included_by_rule {
                trigger.included_rule = Some(rule);
            }
            if trigger.name.as_str() == "mover" {
                trigger.threshold = self.bounds.movers;
            }
            let before = trigger.digest;
            trigger.digest =
                digest(&(before, &*trigger, trigger.included_rule.map(|_| assignment)));
        }
        model.thresholds.leavers = self.bounds.leavers;
        model.thresholds.role_removals = self.bounds.role_removals;
        model.thresholds.account_disables = self.bounds.account_disables;
    }

    fn furnish_attributes(&self, attributes: &mut Vec<AttributeDefinition>) {
        let location = attributes
            .iter_mut()
            .find(|known| known.name.as_str() == "location");
        let first = &mut location.expect("there is one").sources[0];
        (first.on_empty, first.on_no_account) = self.missing;
        for ((text, other), number) in [("alias", "stamp"), ("stamp", "alias")]
            .into_iter()
            .zip(self.transforms)
        {
            attributes.push(AttributeDefinition {
                name: Name::new(text),
                value_type: ValueType::Text,
                sources: vec![Source {
                    origin: Origin::Transform(Arc::new(transform(number, other))),
                    on_empty: OnEmpty::Next,
                    on_no_account: OnNoAccount::Next,
                }],
                proposals: false,
                unique: None,
                on_change: None,
                edit_mode: EditMode::ReadOnly,
                sensitive: false,
                targets: Vec::new(),
            });
        }
        attributes.sort_by_key(|known| known.name);
    }

    fn roles(&self) -> Vec<Role> {
        let listed = ["department", "alias", "stamp"][self.listed];
        let values = ["v1", "7", "2"].map(str::to_owned).to_vec();
        let selectors = [
            ("population-0", Selector::Population(self.selected[0])),
            ("population-1", Selector::Population(self.selected[1])),
            (
                "listed",
                Selector::MatchList(vec![(Name::new(listed), values)]),
            ),
        ];
        let role = |(text, selector)| crate::world::business(text, selector);
        selectors.into_iter().map(role).collect()
    }
}

/// How many transforms there are to choose from.
const TRANSFORMS: usize = 16;

/// Returns one of the transforms; `other` is the other attribute that has one.
fn transform(number: usize, other: &str) -> Transform {
    let attribute = |name: &str| Transform::Attribute(Name::new(name));
    let fixed = |text: &str| Transform::Fixed(Value::text(text));
    let on = |input, operation| Transform::Text(Box::new(input), operation);
    let variable = |transform, quiet| Part::Variable { transform, quiet };
    let template = |parts, ignore_errors| Template {
        parts,
        ignore_errors,
    };
    let titles = Transform::Account(AccountRead {
        application: Name::new("ad"),
        attribute: Name::new("title"),
        sort_by: None,
        descending: true,
        first_only: false,
        filters: vec![Filter::parse("status == \"enabled\"").expect("a filter")],
    });
    let expression = |text: &str| Expression::parse(text).expect("an expression");
    let written = |text: &str| DateFormat::named(text).expect("a format");
    match number {
        0 => Transform::Substring(Box::new(Substring {
            input: attribute("department"),
            begin: on(attribute(other), TextOperation::IndexOf("1".to_owned())),
            begin_offset: 0,
            end: fixed("-1"),
            end_offset: 0,
        })),
        1 => Transform::Template(template(
            vec![
                Part::Text("v".to_owned()),
                variable(attribute(other), true),
                variable(
                    Transform::AttributeOf(Referenced::Manager, Name::new("department")),
                    false,
                ),
            ],
            false,
        )),
        2 => Transform::DisplayName(vec![titles, attribute("location")]),
        3 => Transform::Conditional(Box::new(Conditional {
            left: template(vec![variable(attribute("department"), false)], true),
            right: template(vec![variable(attribute("location"), false)], true),
            negated: false,
            positive: attribute("grade"),
            negative: Transform::AttributeOf(Referenced::Manager, Name::new(other)),
        })),
        4 => Transform::Format(Box::new(Format {
            input: attribute("end"),
            from: written("ISO8601"),
            to: written("dd.MM.yyyy HH:mm"),
        })),
        5 => Transform::Derived(Derived::Numeric(1)),
        6 => on(
            attribute("location"),
            TextOperation::LeftPad(Padding {
                length: 4,
                padding: "0v".to_owned(),
            }),
        ),
        7 => on(
            attribute("department"),
            TextOperation::Lookup {
                table: BTreeMap::from([("v1".to_owned(), "7".to_owned())]),
                default: None,
            },
        ),
        8 => on(
            attribute("team"),
            TextOperation::Replace(vec![Replacement {
                pattern: pattern("^v").expect("a pattern"),
                replacement: String::new(),
                operation: "replace",
            }]),
        ),
        9 => on(
            titles,
            TextOperation::Split {
                delimiter: pattern("v").expect("a pattern"),
                index: 2,
                throws: true,
            },
        ),
        10 => Transform::Compare(Box::new(Compare {
            first: Side::Now(expression("now+6h").steps),
            second: Side::Of(attribute("end")),
            operator: Operator::GreaterOrEqual,
            positive: attribute("location"),
            negative: fixed("v1"),
        })),
        11 => Transform::FirstValid {
            values: vec![
                on(attribute("department"), TextOperation::Base64Decode),
                attribute(other),
                fixed("7"),
            ],
            ignore_errors: true,
        },
        12 => Transform::Of {
            input: Box::new(attribute("department")),
            transform: Arc::new(on(Transform::Input, TextOperation::EndOfString(1))),
        },
        13 => Transform::AttributeOf(Referenced::Named("p2".to_owned()), Name::new(other)),
        14 => Transform::DateMath(Box::new(DateMath {
            input: Transform::Input,
            expression: expression("now+1d/d"),
            round_up: false,
        })),
        _ => Transform::Join(
            vec![
                on(attribute("location"), TextOperation::Upper),
                on(attribute("grade"), TextOperation::Base64Encode),
            ],
            "+".to_owned(),
        ),
    }
}

/// Lets accounts change their status and their owners, some be refreshed before the
/// others, and people approve what thresholds hold.
pub fn vary(tenant: &mut Tenant, operations: &mut Vec<Operation>, random: &mut ChaCha8Rng) {
    let variety = Variety::random(random);
    tenant.variety = Some(variety);
    let mut edited = variety;
    for operation in operations.iter_mut() {
        if let Operation::Configure(tenant) = operation {
            if random.random_range(0..3) == 0 {
                edited.edit(random);
            }
            tenant.variety = Some(edited);
        }
    }
    for _ in 0..random.random_range(2..10) {
        let place = random.random_range(0..=operations.len());
        operations.insert(place, further(random));
    }
    for _ in 0..random.random_range(0..3) {
        let refreshes = (0..operations.len())
            .filter(|place| matches!(operations[*place], Operation::Refresh { .. }));
        let refreshes: Vec<_> = refreshes.collect();
        if let Some(place) = refreshes.get(random.random_range(0..refreshes.len().max(1))) {
            operations.insert(
                place + random.random_range(1..3).min(operations.len() - place),
                Operation::Approve,
            );
        }
    }
}

fn further(random: &mut ChaCha8Rng) -> Operation {
    let person = random.random_range(0..PEOPLE);
    let account = match random.random_range(0..3) {
        0 => ("hr", format!("p{person}")),
        _ => ("ad", format!("a{}", random.random_range(0..4))),
    };
    match random.random_range(0..9) {
        0..3 => {
            let statuses = [
                AccountStatus::Enabled,
                AccountStatus::Disabled,
                AccountStatus::Locked,
            ];
            Operation::Status {
                account,
                status: statuses[random.random_range(0..3)],
            }
        }
        3 | 4 => Operation::Link {
            account,
            person: (random.random_range(0..3) > 0).then(|| random.random_range(0..PEOPLE)),
        },
        5 => Operation::Merge {
            from: person,
            into: random.random_range(0..PEOPLE),
        },
        6 => Operation::Split {
            person,
            account,
            new: PEOPLE + random.random_range(0..2),
        },
        _ => Operation::RefreshChosen {
            whom: random.random_range(0..WHOM),
        },
    }
}

/// How many ways there are to choose whom to refresh.
pub const WHOM: usize = 4;

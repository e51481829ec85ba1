//! Random tenants and histories, small enough to hit every corner often.
//!
//! A tenant's rules are little programs that read what rules may read and
//! answer from few values, so that values, look-ups and roles meet all the time.

use std::sync::Arc;

use idr::refresh::{Configurator, Configured, RuleHost};
use idr::store::Files;
use idr_core::definitions::{
    AccountAttribute, Application, AttributeDefinition, AutomaticRoles, CorrelationMatch, EditMode,
    Grant, IdentityCreation, Lifecycle, LifecycleState, ManagerCorrelation, Model,
    NativeChangeDetection, OnEmpty, OnNoAccount, Origin, Profile, Role, RoleType, Rule, RuleIndex,
    RuleLimits, Selector, Source, Trigger, TriggerCondition, digest,
};
use idr_core::filter::Filter;
use idr_core::model::{IdentityType, Name, NativeOperation, Value, ValueType};
use idr_core::rule::{Eligibility, Promotion, RuleEvaluator, RuleFailure};
use idr_core::time::Zone;
use idr_core::view::TrackedView;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// What a random rule reads, in order; its answer is made of what it read.
#[derive(Clone, Copy, Debug)]
pub enum Read {
    Attribute(&'static str),
    ManagerAttribute(&'static str),
    Account(&'static str, &'static str),
    EndIsOver,
    StartAtFive,
    Holds(&'static str),
    HadDepartment,
}

/// A random tenant: everything that a configuration file would say, as numbers.
#[derive(Clone, Debug)]
pub struct Tenant {
    pub promotions: Vec<Vec<Read>>,
    pub state_reads: Vec<Read>,
    pub assignment: Vec<Read>,
    pub trigger: Vec<Read>,
    pub role_filters: Vec<usize>,
    pub hidden_roles: usize,
    pub edit_mode: usize,
    pub grace_ms: i64,
    pub freeze: usize,
    pub serial: u64,
}

const FILTERS: [&str; 6] = [
    "department == \"v1\"",
    "department == \"v2\" || location == \"v1\"",
    "manager.department == \"v1\"",
    "inactive == false && grade.notNull()",
    "title.startsWith(\"v\") && !(team == \"v0\")",
    "lifecycleState == \"active\" && links.application.name == \"ad\"",
];

const SETTLED: [Read; 7] = [
    Read::Attribute("department"),
    Read::Attribute("location"),
    Read::Attribute("grade"),
    Read::Attribute("lifecycleState"),
    Read::ManagerAttribute("department"),
    Read::ManagerAttribute("inactive"),
    Read::EndIsOver,
];

fn reads(random: &mut ChaCha8Rng, from: &[Read], most: usize) -> Vec<Read> {
    let count = random.random_range(1..=most);
    (0..count)
        .map(|_| from[random.random_range(0..from.len())])
        .collect()
}

impl Tenant {
    pub fn random(random: &mut ChaCha8Rng) -> Self {
        let promoting = [
            Read::Attribute("department"),
            Read::Attribute("location"),
            Read::Attribute("grade"),
            Read::Attribute("team"),
            Read::Attribute("manager"),
            Read::Attribute("lifecycleState"),
            Read::ManagerAttribute("department"),
            Read::ManagerAttribute("team"),
            Read::Account("hr", "department"),
            Read::Account("hr", "location"),
            Read::Account("ad", "title"),
            Read::EndIsOver,
            Read::StartAtFive,
        ];
        let state = [
            Read::EndIsOver,
            Read::StartAtFive,
            Read::Attribute("grade"),
            Read::Attribute("team"),
        ];
        let assigning: Vec<Read> = SETTLED.into_iter().chain([Read::Holds("g1")]).collect();
        let triggering: Vec<Read> = SETTLED
            .into_iter()
            .chain([Read::Holds("g1"), Read::HadDepartment])
            .collect();
        Self {
            promotions: (0..3).map(|_| reads(random, &promoting, 3)).collect(),
            state_reads: reads(random, &state, 2),
            assignment: reads(random, &assigning, 2),
            trigger: reads(random, &triggering, 2),
            role_filters: (0..3)
                .map(|_| random.random_range(0..FILTERS.len()))
                .collect(),
            hidden_roles: 0,
            edit_mode: random.random_range(0..2),
            grace_ms: [0, 36 * 3_600_000][random.random_range(0..2)],
            freeze: random.random_range(0..3),
            serial: 0,
        }
    }

    /// Changes one definition, as somebody who edits a file would.
    pub fn edit(&mut self, random: &mut ChaCha8Rng) {
        self.serial += 1;
        match random.random_range(0..6) {
            0 | 1 => {
                let role = random.random_range(0..self.role_filters.len());
                self.role_filters[role] = random.random_range(0..FILTERS.len());
            }
            2 => self.hidden_roles = random.random_range(0..=self.role_filters.len()),
            3 => self.assignment = Self::random(random).assignment,
            4 => self.trigger = Self::random(random).trigger,
            _ => self.promotions = Self::random(random).promotions,
        }
    }

    pub fn files(&self) -> Files {
        Files::from([("tenant".to_owned(), format!("{self:?}").into_bytes())])
    }

    pub fn model(&self) -> Model {
        let name = Name::new;
        let account = |attribute: &str, value_type, entitlement| AccountAttribute {
            name: name(attribute),
            value_type,
            entitlement,
            sensitive: false,
        };
        let sorted = |mut schema: Vec<AccountAttribute>| {
            schema.sort_by_key(|known| known.name);
            schema
        };
        let hr = Application {
            name: name("hr"),
            schema: sorted(vec![
                account("id", ValueType::Text, false),
                account("department", ValueType::Text, false),
                account("location", ValueType::Text, false),
                account("boss", ValueType::Text, false),
                account("zone", ValueType::Text, false),
                account("start", ValueType::Date, false),
                account("end", ValueType::Date, false),
            ]),
            correlation: vec![CorrelationMatch {
                account_attribute: name("id"),
                identity_attribute: name("name"),
            }],
            creates: Some(IdentityCreation {
                rank: 1,
                name_attribute: name("id"),
                identity_type: IdentityType::Person,
            }),
            vanish_grace_ms: self.grace_ms,
            native_changes: None,
        };
        let ad = Application {
            name: name("ad"),
            schema: sorted(vec![
                account("person", ValueType::Text, false),
                account("title", ValueType::Text, false),
                account("groups", ValueType::Many, true),
            ]),
            correlation: vec![CorrelationMatch {
                account_attribute: name("person"),
                identity_attribute: name("title"),
            }],
            creates: None,
            vanish_grace_ms: 0,
            native_changes: Some(NativeChangeDetection {
                operations: NativeOperation::ALL
                    .map(|(_, operation)| operation)
                    .to_vec(),
                attributes: Vec::new(),
            }),
        };
        let source = |origin| Source {
            origin,
            on_empty: OnEmpty::Next,
            on_no_account: OnNoAccount::Next,
        };
        let from = |application: &str, attribute: &str| {
            source(Origin::Account {
                application: name(application),
                attribute: name(attribute),
            })
        };
        let attribute = |text: &str, value_type, sources| AttributeDefinition {
            name: name(text),
            value_type,
            sources,
            edit_mode: EditMode::ReadOnly,
            sensitive: false,
        };
        let mut attributes = vec![
            attribute(
                "department",
                ValueType::Text,
                vec![from("hr", "department")],
            ),
            attribute(
                "location",
                ValueType::Text,
                vec![from("hr", "location"), from("ad", "title")],
            ),
            attribute(
                "grade",
                ValueType::Text,
                vec![source(Origin::Rule(RuleIndex(0)))],
            ),
            attribute(
                "team",
                ValueType::Text,
                vec![source(Origin::Rule(RuleIndex(1)))],
            ),
            attribute(
                "title",
                ValueType::Text,
                vec![source(Origin::Rule(RuleIndex(2)))],
            ),
            attribute("start", ValueType::Date, vec![from("hr", "start")]),
            attribute("end", ValueType::Date, vec![from("hr", "end")]),
            attribute("zone", ValueType::Text, vec![from("hr", "zone")]),
        ];
        attributes[0].edit_mode = [EditMode::Permanent, EditMode::UntilFeedChanges][self.edit_mode];
        attributes.sort_by_key(|known| known.name);
        let mut rules: Vec<Rule> = (0..6).map(|index| self.rule(index)).collect();
        rules.truncate(6);
        Model {
            zone: Zone::named("Europe/Berlin").expect("bundled"),
            end_of_day: None,
            applications: vec![ad, hr],
            attributes,
            manager: Some(ManagerCorrelation {
                sources: vec![(name("hr"), name("boss"))],
                identity_attribute: name("location"),
            }),
            lifecycle: Lifecycle {
                states: [
                    ("active", false, AutomaticRoles::Evaluate),
                    ("gone", true, AutomaticRoles::Remove),
                    (
                        "leave",
                        false,
                        [AutomaticRoles::Freeze, AutomaticRoles::Evaluate][self.freeze % 2],
                    ),
                ]
                .map(|(text, inactive, automatic_roles)| LifecycleState {
                    name: name(text),
                    inactive,
                    automatic_roles,
                })
                .to_vec(),
                rule: Some(RuleIndex(3)),
                default_state: None,
            },
            roles: self.roles(),
            triggers: self.triggers(),
            populations: Vec::new(),
            rules,
            thresholds: Default::default(),
        }
    }

    fn rule(&self, index: usize) -> Rule {
        // The script is part of the rule's definition, as a digest would be.
        let script = match index {
            0..3 => &self.promotions[index],
            3 => &self.state_reads,
            4 => &self.assignment,
            _ => &self.trigger,
        };
        Rule {
            name: Name::new(&format!("rule-{index}")),
            sha256: format!("{script:?}"),
            grant: Grant {
                everything: true,
                ..Grant::default()
            },
            parameters: Vec::new(),
            limits: RuleLimits::default(),
        }
    }

    fn roles(&self) -> Vec<Role> {
        let business = |text: String, selector| Role {
            name: Name::new(&text),
            role_type: RoleType::Business,
            selector: Some(selector),
            requires: Vec::new(),
            profiles: Vec::new(),
        };
        let mut roles: Vec<Role> = self
            .role_filters
            .iter()
            .enumerate()
            .skip(self.hidden_roles)
            .map(|(index, filter)| {
                let filter = Filter::parse(FILTERS[*filter]).expect("a filter of this file");
                business(format!("business-{index}"), Selector::Filter(filter))
            })
            .collect();
        roles.push(business(
            "by-rule-1".to_owned(),
            Selector::Rule(RuleIndex(4)),
        ));
        roles.push(business(
            "by-rule-2".to_owned(),
            Selector::Rule(RuleIndex(4)),
        ));
        roles.push(Role {
            name: Name::new("it"),
            role_type: RoleType::It,
            selector: None,
            requires: Vec::new(),
            profiles: vec![Profile {
                application: Name::new("ad"),
                entitlements: vec![(Name::new("groups"), vec!["g1".to_owned()])],
            }],
        });
        roles.sort_by_key(|role| role.name);
        roles
    }

    fn triggers(&self) -> Vec<Trigger> {
        let trigger = |text: &str, conditions: Vec<TriggerCondition>, included: Option<&str>| {
            let mut trigger = Trigger {
                name: Name::new(text),
                conditions,
                included: included.map(|text| Filter::parse(text).expect("a filter of this file")),
                included_before: None,
                digest: 0,
            };
            trigger.digest = match text {
                "by-rule" => digest(&(&trigger, &self.trigger)),
                _ => digest(&trigger),
            };
            trigger
        };
        let active = Some(Name::new("active"));
        vec![
            trigger("joiner", vec![TriggerCondition::Create], None),
            trigger(
                "mover",
                vec![TriggerCondition::AttributeChange {
                    attribute: Name::new("department"),
                    old: None,
                    new: None,
                }],
                Some("inactive == false"),
            ),
            trigger("manager", vec![TriggerCondition::ManagerTransfer], None),
            trigger(
                "leaver",
                vec![TriggerCondition::LifecycleChange {
                    from: active,
                    to: None,
                }],
                None,
            ),
            trigger(
                "native",
                vec![TriggerCondition::NativeChange { application: None }],
                None,
            ),
            trigger("by-rule", vec![TriggerCondition::Rule(RuleIndex(5))], None),
        ]
    }
}

/// Turns the files of [`Tenant::files`] back into the tenant: the test keeps
/// every tenant that it has used.
#[derive(Default)]
pub struct Tenants(pub std::sync::Mutex<Vec<Tenant>>);

impl Configurator for Tenants {
    fn configure(&self, files: &Files) -> Result<Configured, String> {
        let known = self.0.lock().expect("no test panics while it holds this");
        let tenant = known
            .iter()
            .find(|known| known.files() == *files)
            .ok_or("unknown files")?;
        Ok(Configured {
            model: Arc::new(tenant.model()),
            rules: Arc::new(Scripts(tenant.clone())),
        })
    }
}

struct Scripts(Tenant);

impl RuleHost for Scripts {
    fn evaluator(&self) -> Box<dyn RuleEvaluator + Send> {
        Box::new(Scripts(self.0.clone()))
    }

    fn impure(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Runs a script: what it read, mixed into one of few values.
fn answer(script: &[Read], view: &mut TrackedView, seed: u64) -> Result<u64, RuleFailure> {
    let mut mixed = seed;
    let mut mix = |text: &str| {
        for byte in text.bytes() {
            mixed = (mixed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    let spoken = |value: Option<Value>| value.map_or_else(String::new, |value| value.to_string());
    for read in script {
        match read {
            Read::Attribute(name) => mix(&spoken(view.attribute(name)?)),
            Read::ManagerAttribute(name) => mix(&spoken(view.manager_attribute(name)?)),
            Read::Account(application, name) => {
                for account in view.accounts(application)? {
                    mix(account.status.map_or("vanished", |status| status.as_str()));
                    mix(&spoken(view.account_attribute(account.handle, name)?));
                }
            }
            Read::EndIsOver => {
                if let Some(Value::Date(end)) = view.attribute("end")? {
                    mix(if view.day_over(end, "")? {
                        "over"
                    } else {
                        "not over"
                    });
                }
            }
            Read::StartAtFive => {
                if let Some(Value::Date(start)) = view.attribute("start")? {
                    let five = jiff::civil::time(5, 0, 0, 0);
                    mix(if view.date_reached(start, five, "")? {
                        "started"
                    } else {
                        "not yet"
                    });
                }
            }
            Read::Holds(group) => mix(if view.holds("ad", "groups", group)? {
                "holds"
            } else {
                ""
            }),
            Read::HadDepartment => mix(&spoken(view.baseline_attribute("department")?)),
        }
    }
    Ok(mixed >> 7)
}

impl RuleEvaluator for Scripts {
    fn promote(
        &mut self,
        rule: RuleIndex,
        _attribute: Name,
        view: &mut TrackedView,
    ) -> Result<Promotion, RuleFailure> {
        let mixed = answer(&self.0.promotions[rule.0], view, rule.0 as u64)?;
        match mixed % 9 {
            0 => Ok(Promotion::Clear),
            1 => Ok(Promotion::Next),
            2 => Err(failed("declined")),
            number => Ok(Promotion::Set(Value::Text(format!("v{}", number % 4)))),
        }
    }

    fn lifecycle_state(
        &mut self,
        _rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<String, RuleFailure> {
        let gone = view
            .accounts("hr")?
            .iter()
            .all(|account| account.status.is_none());
        if gone {
            return Ok("gone".to_owned());
        }
        match answer(&self.0.state_reads, view, 3)? % 8 {
            0 => Err(failed("declined")),
            1 => Ok("no such state".to_owned()),
            2 => Ok("gone".to_owned()),
            3 | 4 => Ok("leave".to_owned()),
            _ => Ok("active".to_owned()),
        }
    }

    fn assign(
        &mut self,
        _rule: RuleIndex,
        candidates: &[Name],
        view: &mut TrackedView,
    ) -> Result<Vec<Eligibility>, RuleFailure> {
        let mixed = answer(&self.0.assignment, view, 4)?;
        if mixed % 11 == 0 {
            return Err(failed("declined"));
        }
        let answers = (0..candidates.len() as u64).map(|index| match (mixed + index) % 5 {
            0 | 1 => Eligibility::Yes,
            2 => Eligibility::CannotTell("by chance".to_owned()),
            _ => Eligibility::No,
        });
        Ok(answers.collect())
    }

    fn fires(
        &mut self,
        _rule: RuleIndex,
        _trigger: Name,
        view: &mut TrackedView,
    ) -> Result<bool, RuleFailure> {
        match answer(&self.0.trigger, view, 5)? % 5 {
            0 => Err(failed("declined")),
            number => Ok(number % 2 == 0),
        }
    }
}

fn failed(cause: &str) -> RuleFailure {
    RuleFailure::Failed {
        cause: Name::new(cause),
        message: "the script declines".to_owned(),
        hint: None,
        retry_after_ms: None,
    }
}

//! Native transforms in `identity.toml`: the `transform` of a source, and shared
//! ones in `[transforms.NAME]`.
//!
//! A transform is a table with a `type`, its operation, and that operation's
//! keys beside it or in a table `attributes`. Wherever a transform may stand, a
//! text or a number may stand for itself.

mod usernames;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use idr_core::model::{Name, Value};
use idr_core::text::nearest;
use idr_core::transform::account::AccountRead;
use idr_core::transform::codes::{CountryFormat, Region};
use idr_core::transform::derived::Derived;
use idr_core::transform::moment::{Compare, DateMath, Expression, Format, Operator, Side};
use idr_core::transform::pattern::DateFormat;
use idr_core::transform::template::{self, Part, RawPart, Template};
use idr_core::transform::text::{self, Padding, Replacement, TextOperation};
use idr_core::transform::{Conditional, Referenced, Substring, Transform};

use super::names::Known;
use crate::config::document::Scope;
use crate::config::values::{typed, word};

pub(super) use usernames::is_generator;

/// A transform with the ones that it refers to has at most this many operations.
const MOST_OPERATIONS: usize = 10_000;

/// A text is padded to at most this many characters.
const LONGEST_PADDED: u64 = 10_000;

/// What the vendor calls the rule that has these operations.
const UTILITY: &str = "Cloud Services Deployment Utility";

/// Every operation with its keys; `*` stands for names of variables. A generator
/// of usernames is read apart.
pub(in crate::config) const OPERATIONS: [(&str, &[&str]); 38] = [
    (
        "accountAttribute",
        &[
            "sourceName",
            "applicationName",
            "applicationId",
            "attributeName",
            "accountSortAttribute",
            "accountSortDescending",
            "accountReturnFirstLink",
            "accountFilter",
            "accountPropertyFilter",
        ],
    ),
    ("base64Decode", &["input"]),
    ("base64Encode", &["input"]),
    ("concat", &["values"]),
    (
        "conditional",
        &["expression", "positiveCondition", "negativeCondition", "*"],
    ),
    (
        "dateCompare",
        &[
            "firstDate",
            "secondDate",
            "operator",
            "positiveCondition",
            "negativeCondition",
        ],
    ),
    ("dateFormat", &["input", "inputFormat", "outputFormat"]),
    ("dateMath", &["input", "expression", "roundUp"]),
    ("decomposeDiacriticalMarks", &["input"]),
    ("displayName", &[]),
    ("e164phone", &["input", "defaultRegion"]),
    ("firstValid", &["values", "ignoreErrors"]),
    (
        "generateRandomString",
        &["length", "includeNumbers", "includeSpecialChars"],
    ),
    ("getEndOfString", &["input", "numChars"]),
    ("getReferenceIdentityAttribute", &["uid", "attributeName"]),
    ("identityAttribute", &["name"]),
    ("indexOf", &["input", "substring"]),
    ("iso3166", &["input", "format"]),
    ("join", &["values", "separator", "delimiter"]),
    ("lastIndexOf", &["input", "substring"]),
    ("leftPad", &["input", "length", "padding"]),
    ("lookup", &["input", "table"]),
    ("lower", &["input"]),
    ("normalizeNames", &["input"]),
    ("randomAlphaNumeric", &["length"]),
    ("randomNumeric", &["length"]),
    ("reference", &["input", "id"]),
    ("replace", &["input", "regex", "replacement"]),
    ("replaceAll", &["input", "table"]),
    ("rfc5646", &["input"]),
    ("rightPad", &["input", "length", "padding"]),
    ("rule", &["name", "operation", "*"]),
    ("split", &["input", "delimiter", "index", "throws"]),
    ("static", &["value", "ignoreErrors", "*"]),
    (
        "substring",
        &["input", "begin", "beginOffset", "end", "endOffset"],
    ),
    ("trim", &["input"]),
    ("upper", &["input"]),
    ("uuid", &[]),
];

/// A shared transform, checked.
#[derive(Clone)]
struct Shared {
    transform: Arc<Transform>,
    needs_input: bool,
    operations: usize,
}

/// The shared transforms of a tenant.
pub(super) struct Shelf<'a> {
    scope: Scope<'a>,
    raw: &'a BTreeMap<String, toml::Value>,
    known: &'a Known,
    checked: RefCell<BTreeMap<&'a str, Option<Shared>>>,
    under_way: RefCell<Vec<&'a str>>,
}

impl<'a> Shelf<'a> {
    /// Returns the shelf of what stands at a place.
    pub(super) fn new(
        scope: Scope<'a>,
        raw: &'a BTreeMap<String, toml::Value>,
        known: &'a Known,
    ) -> Self {
        Self {
            scope,
            raw,
            known,
            checked: RefCell::default(),
            under_way: RefCell::default(),
        }
    }

    /// Checks every shared transform, also those that nothing refers to.
    pub(super) fn check_all(&self) {
        for name in self.raw.keys() {
            self.shared(name);
        }
    }

    /// Reads the transform of a source; with `has_input` it is applied to the
    /// source's value.
    pub(super) fn transform(
        &self,
        scope: &Scope<'_>,
        raw: &toml::Value,
        has_input: bool,
    ) -> Option<Transform> {
        let reader = Reader {
            shelf: self,
            has_input,
            needs_input: Cell::default(),
            operations: Cell::default(),
        };
        if !raw.is_table() {
            scope.report_with_hint(
                "a transform is a table",
                "write `{ type = \"lower\", … }`; a fixed value is a source `static`",
            );
            return None;
        }
        let transform = reader.transform(scope, raw)?;
        reader.is_within_bounds(scope).then_some(transform)
    }

    fn shared(&self, name: &'a str) -> Option<Shared> {
        if let Some(checked) = self.checked.borrow().get(name) {
            return checked.clone();
        }
        let scope = self.scope.at(name);
        let raw = &self.raw[name];
        self.under_way.borrow_mut().push(name);
        let reader = Reader {
            shelf: self,
            has_input: true,
            needs_input: Cell::default(),
            operations: Cell::default(),
        };
        let transform = reader.transform(&scope, raw);
        self.under_way.borrow_mut().pop();
        let shared = transform
            .filter(|_| reader.is_within_bounds(&scope))
            .map(|transform| Shared {
                transform: Arc::new(transform),
                needs_input: reader.needs_input.get(),
                operations: reader.operations.get(),
            });
        self.checked.borrow_mut().insert(name, shared.clone());
        shared
    }
}

/// Reads one transform with everything in it.
struct Reader<'s, 'a> {
    shelf: &'s Shelf<'a>,
    /// Whether an operation without an `input` is applied to something.
    has_input: bool,
    needs_input: Cell<bool>,
    operations: Cell<usize>,
}

/// The keys of one operation.
struct Fields<'f> {
    /// Where the operation stands.
    scope: &'f Scope<'f>,
    /// Where its keys stand.
    place: Scope<'f>,
    table: &'f toml::Table,
    operation: &'static str,
}

impl Reader<'_, '_> {
    fn transform(&self, scope: &Scope<'_>, raw: &toml::Value) -> Option<Transform> {
        self.count(1);
        match raw {
            toml::Value::Table(table) => self.operation(scope, table),
            // An empty text is a value here: what `firstValid` falls back to.
            toml::Value::String(text) => Some(Transform::Fixed(Value::text(text))),
            other => typed(scope, other).map(Transform::Fixed),
        }
    }

    fn count(&self, more: usize) {
        let operations = self.operations.get().saturating_add(more);
        self.operations.set(operations);
    }

    fn is_within_bounds(&self, scope: &Scope<'_>) -> bool {
        let is_within = self.operations.get() <= MOST_OPERATIONS;
        if !is_within {
            scope.report(format!(
                "with what it refers to it has more than {MOST_OPERATIONS} operations"
            ));
        }
        is_within
    }

    fn operation(&self, scope: &Scope<'_>, table: &toml::Table) -> Option<Transform> {
        let place = scope.at("type");
        let Some(raw) = table.get("type") else {
            place.report_with_hint("it is missing", "write the operation, such as \"lower\"");
            return None;
        };
        let Some(text) = raw.as_str() else {
            place.report("an operation is a text");
            return None;
        };
        if text == usernames::OPERATION {
            place.report_with_hint(
                "it is a source by itself and not a part of another transform",
                "let it be the `transform` of a source, and change its variables instead",
            );
            return None;
        }
        let Some((operation, keys)) = OPERATIONS.iter().find(|(name, _)| *name == text) else {
            let names = OPERATIONS.iter().map(|(name, _)| *name);
            let hint = match nearest(text, names) {
                Some(nearest) => format!("write `{nearest}`"),
                None => "docs/configuration.md has a table of them".to_owned(),
            };
            place.report_with_hint(format!("there is no operation `{text}`"), hint);
            return None;
        };
        let fields = Fields::of(scope, table, operation, keys);
        self.build(&fields)
    }

    fn build(&self, fields: &Fields<'_>) -> Option<Transform> {
        Some(match fields.operation {
            "accountAttribute" => Transform::Account(self.account(fields)?),
            "base64Decode" => self.on_text(fields, TextOperation::Base64Decode)?,
            "base64Encode" => self.on_text(fields, TextOperation::Base64Encode)?,
            "concat" => Transform::Concat(self.values(fields)?),
            "conditional" => self.conditional(fields)?,
            "dateCompare" => self.compare(fields)?,
            "dateFormat" => self.format(fields)?,
            "dateMath" => self.date_math(fields)?,
            "decomposeDiacriticalMarks" => {
                self.on_text(fields, TextOperation::DecomposeDiacriticalMarks)?
            }
            "displayName" => self.display_name(fields)?,
            "e164phone" => {
                let region = region(fields);
                self.on_text(fields, TextOperation::E164Phone(region?))?
            }
            "firstValid" => {
                let ignore_errors = fields.truth("ignoreErrors", false)?;
                Transform::FirstValid {
                    values: self.values(fields)?,
                    ignore_errors,
                }
            }
            "generateRandomString" => {
                let length = fields.count("length", LONGEST_PADDED);
                let numbers = fields.truth("includeNumbers", false);
                let special = fields.truth("includeSpecialChars", false);
                let (length, numbers, special) = (length?, numbers?, special?);
                self.derived(
                    fields,
                    Derived::Text {
                        length,
                        numbers,
                        special,
                    },
                )
            }
            "getEndOfString" => {
                let count = fields.count("numChars", LONGEST_PADDED)?;
                self.on_text(fields, TextOperation::EndOfString(count))?
            }
            "getReferenceIdentityAttribute" => self.referenced(fields)?,
            "identityAttribute" => Transform::Attribute(self.attribute(fields, "name")?),
            "indexOf" => {
                let part = fields.required_text("substring")?;
                self.on_text(fields, TextOperation::IndexOf(part))?
            }
            "iso3166" => {
                let format = country_format(fields)?;
                self.on_text(fields, TextOperation::Iso3166(format))?
            }
            "join" => self.join(fields)?,
            "lastIndexOf" => {
                let part = fields.required_text("substring")?;
                self.on_text(fields, TextOperation::LastIndexOf(part))?
            }
            "leftPad" => self.on_text(fields, TextOperation::LeftPad(padding(fields)?))?,
            "lookup" => self.lookup(fields)?,
            "lower" => self.on_text(fields, TextOperation::Lower)?,
            "normalizeNames" => self.on_text(fields, TextOperation::NormalizeNames)?,
            "randomAlphaNumeric" => {
                let length = fields.count_or("length", LONGEST_PADDED, 32)?;
                self.derived(fields, Derived::AlphaNumeric(length))
            }
            "randomNumeric" => {
                let length = fields.count_or("length", LONGEST_PADDED, 10)?;
                self.derived(fields, Derived::Numeric(length))
            }
            "reference" => self.reference(fields)?,
            "replace" => {
                let regex = fields.required_text("regex")?;
                let pattern = pattern(&fields.at("regex"), &regex)?;
                let replacement =
                    text::replacement(&fields.text("replacement")?.unwrap_or_default());
                let operation = "replace";
                self.on_text(
                    fields,
                    TextOperation::Replace(vec![Replacement {
                        pattern,
                        replacement,
                        operation,
                    }]),
                )?
            }
            "replaceAll" => self.replace_all(fields)?,
            "rfc5646" => self.on_text(fields, TextOperation::Rfc5646)?,
            "rightPad" => self.on_text(fields, TextOperation::RightPad(padding(fields)?))?,
            "rule" => self.rule(fields)?,
            "split" => {
                let text = fields.required_text("delimiter");
                let index = fields.count("index", LONGEST_PADDED)?;
                let throws = fields.truth("throws", true)?;
                let delimiter = reported(&fields.at("delimiter"), text::delimiter(&text?))?;
                self.on_text(
                    fields,
                    TextOperation::Split {
                        delimiter,
                        index,
                        throws,
                    },
                )?
            }
            "static" => self.fixed(fields)?,
            "substring" => self.substring(fields)?,
            "trim" => self.on_text(fields, TextOperation::Trim)?,
            "uuid" => self.derived(fields, Derived::Uuid),
            _ => self.on_text(fields, TextOperation::Upper)?,
        })
    }

    /// Returns what an operation is applied to: its `input`, or else what the
    /// whole transform is.
    fn input(&self, fields: &Fields<'_>) -> Option<Transform> {
        if let Some(raw) = fields.table.get("input") {
            return self.transform(&fields.at("input"), raw);
        }
        if !self.has_input {
            fields.at("input").report_with_hint(
                "it is missing, and the source has no value of its own",
                "write `input`, or `application` and `attribute` beside the transform",
            );
            return None;
        }
        self.needs_input.set(true);
        Some(Transform::Input)
    }

    fn on_text(&self, fields: &Fields<'_>, operation: TextOperation) -> Option<Transform> {
        let input = self.input(fields)?;
        Some(Transform::Text(Box::new(input), operation))
    }

    fn derived(&self, fields: &Fields<'_>, derived: Derived) -> Transform {
        self.shelf.known.use_secret(fields.scope);
        Transform::Derived(derived)
    }

    fn required(&self, fields: &Fields<'_>, key: &str) -> Option<Transform> {
        match fields.table.get(key) {
            Some(raw) => self.transform(&fields.at(key), raw),
            None => {
                fields.at(key).report("it is missing");
                None
            }
        }
    }

    fn values(&self, fields: &Fields<'_>) -> Option<Vec<Transform>> {
        let scope = fields.at("values");
        let elements = match fields.table.get("values") {
            Some(toml::Value::Array(elements)) if !elements.is_empty() => elements,
            _ => {
                scope.report_with_hint("there are none", "write a list of transforms and texts");
                return None;
            }
        };
        let values: Vec<Option<Transform>> = elements
            .iter()
            .enumerate()
            .map(|(index, raw)| self.transform(&scope.item(index), raw))
            .collect();
        values.into_iter().collect()
    }

    fn account(&self, fields: &Fields<'_>) -> Option<AccountRead> {
        let known = self.shelf.known;
        if fields.table.contains_key("applicationId") {
            let hint = "write `sourceName` with the application's name";
            let place = fields.at("applicationId");
            place.report_with_hint("an application has no id here", hint);
            return None;
        }
        let key = match fields.table.contains_key("applicationName") {
            true => "applicationName",
            false => "sourceName",
        };
        let application = fields.required_text(key)?;
        let name = known.application(&fields.at(key), &application)?;
        let attribute = fields.required_text("attributeName")?;
        let place = fields.at("attributeName");
        let attribute = known.account_attribute(&place, &application, &attribute);
        let sort_by = match fields.text("accountSortAttribute")? {
            None => None,
            Some(created) if created == "created" || created == "modified" => {
                fields.at("accountSortAttribute").report_with_hint(
                    format!("when an account was {created} isn't known here"),
                    "name an account attribute; without one they are in order of native identity",
                );
                return None;
            }
            Some(sort_by) => {
                let place = fields.at("accountSortAttribute");
                let known = known.account_attribute(&place, &application, &sort_by)?;
                Some(known.name)
            }
        };
        let mut filters = Vec::new();
        for key in ["accountFilter", "accountPropertyFilter"] {
            if let Some(text) = fields.text(key)? {
                filters.push(known.account_filter(&fields.at(key), &application, &text)?);
            }
        }
        Some(AccountRead {
            application: name,
            attribute: attribute?.name,
            sort_by,
            descending: fields.truth("accountSortDescending", false)?,
            first_only: fields.truth("accountReturnFirstLink", false)?,
            filters,
        })
    }

    fn attribute(&self, fields: &Fields<'_>, key: &str) -> Option<Name> {
        const RESERVED: [&str; 6] = [
            "name",
            "uid",
            "manager",
            "lifecycleState",
            "inactive",
            "zone",
        ];
        let text = fields.required_text(key)?;
        let known = self.shelf.known;
        let (name, _) = known.identity_attribute(&fields.at(key), &text, &RESERVED)?;
        Some(name)
    }

    fn referenced(&self, fields: &Fields<'_>) -> Option<Transform> {
        let uid = fields.required_text("uid")?;
        let attribute = self.attribute(fields, "attributeName")?;
        let of = match uid.as_str() {
            "manager" => Referenced::Manager,
            _ => Referenced::Named(uid),
        };
        if attribute.as_str() == "manager" {
            fields
                .at("attributeName")
                .report("the manager of somebody else can't be read");
            return None;
        }
        Some(Transform::AttributeOf(of, attribute))
    }

    fn display_name(&self, fields: &Fields<'_>) -> Option<Transform> {
        let known = self.shelf.known;
        let attribute = |name: &str| {
            let is_defined = known.has_identity_attribute(name);
            is_defined.then(|| Transform::Attribute(Name::new(name)))
        };
        let first: Vec<Transform> = ["preferredName", "firstname"]
            .into_iter()
            .filter_map(attribute)
            .collect();
        let last = attribute("lastname");
        if first.is_empty() || last.is_none() {
            fields.scope.report_with_hint(
                "it reads the identity attributes `preferredName`, `firstname` and `lastname`",
                "define `lastname` and one of the others, or write a `join` of your own",
            );
        }
        let first = Transform::FirstValid {
            values: first,
            ignore_errors: false,
        };
        Some(Transform::DisplayName(vec![first, last?]))
    }

    fn join(&self, fields: &Fields<'_>) -> Option<Transform> {
        let separator = fields.text("separator")?;
        let delimiter = fields.text("delimiter")?;
        if separator.is_some() && delimiter.is_some() {
            let place = fields.at("delimiter");
            place.report("it is the same as `separator`: leave one of them out");
        }
        let separator = separator.or(delimiter).unwrap_or_else(|| ",".to_owned());
        Some(Transform::Join(self.values(fields)?, separator))
    }

    fn lookup(&self, fields: &Fields<'_>) -> Option<Transform> {
        let mut table = fields.texts("table")?;
        let default = table.remove("default");
        self.on_text(fields, TextOperation::Lookup { table, default })
    }

    fn replace_all(&self, fields: &Fields<'_>) -> Option<Transform> {
        let scope = fields.at("table");
        let table = fields.texts("table")?;
        let replacements = table.iter().map(|(regex, replacement)| {
            Some(Replacement {
                pattern: pattern(&scope.at(regex), regex)?,
                replacement: text::replacement(replacement),
                operation: "replaceAll",
            })
        });
        let replacements: Vec<Option<Replacement>> = replacements.collect();
        let replacements = replacements.into_iter().collect::<Option<Vec<_>>>()?;
        self.on_text(fields, TextOperation::Replace(replacements))
    }

    fn reference(&self, fields: &Fields<'_>) -> Option<Transform> {
        let id = fields.required_text("id")?;
        let place = fields.at("id");
        let shelf = self.shelf;
        let Some((name, _)) = shelf.raw.get_key_value(&id) else {
            let names = shelf.raw.keys().map(String::as_str);
            let hint = match nearest(&id, names) {
                Some(nearest) => format!("write `{nearest}`"),
                None => format!("define it in identity.toml as [transforms.{id}]"),
            };
            place.report_with_hint(format!("there is no transform `{id}`"), hint);
            return None;
        };
        let circle = {
            let under_way = shelf.under_way.borrow();
            let first = under_way.iter().position(|known| known == name);
            first.map(|first| under_way[first..].join("` and `"))
        };
        if let Some(circle) = circle {
            place.report_with_hint(
                format!("`{circle}` refer to each other in a circle"),
                "let one of them do without the others",
            );
            return None;
        }
        let shared = shelf.shared(name)?;
        self.count(shared.operations);
        if fields.table.contains_key("input") {
            return Some(Transform::Of {
                input: Box::new(self.input(fields)?),
                transform: shared.transform,
            });
        }
        if shared.needs_input {
            self.input(fields)?;
        }
        Some(Transform::Shared(shared.transform))
    }

    fn rule(&self, fields: &Fields<'_>) -> Option<Transform> {
        const OPERATIONS: [&str; 3] = [
            "generateRandomString",
            "getEndOfString",
            "getReferenceIdentityAttribute",
        ];
        let name = fields.required_text("name")?;
        if name != UTILITY {
            fields.at("name").report_with_hint(
                "a transform can't ask a rule",
                format!("make it a source of its own: `{{ rule = \"{name}\" }}`"),
            );
            return None;
        }
        let text = fields.required_text("operation")?;
        let words = OPERATIONS.map(|operation| (operation, operation));
        let operation = word(&fields.at("operation"), &text, &words)?;
        let mut table = fields.table.clone();
        for key in ["name", "operation", "type"] {
            table.remove(key);
        }
        let keys = keys_of(operation);
        check_keys(&fields.place, &table, operation, keys);
        self.build(&Fields {
            scope: fields.scope,
            place: fields.place.clone(),
            table: &table,
            operation,
        })
    }

    fn substring(&self, fields: &Fields<'_>) -> Option<Transform> {
        let end = match fields.table.contains_key("end") {
            true => self.required(fields, "end"),
            false => Some(Transform::Fixed(Value::Integer(-1))),
        };
        Some(Transform::Substring(Box::new(Substring {
            input: self.input(fields)?,
            begin: self.required(fields, "begin")?,
            begin_offset: fields.number("beginOffset")?.unwrap_or(0),
            end: end?,
            end_offset: fields.number("endOffset")?.unwrap_or(0),
        })))
    }

    fn fixed(&self, fields: &Fields<'_>) -> Option<Transform> {
        let ignore_errors = fields.truth("ignoreErrors", false)?;
        let known = ["value", "ignoreErrors"];
        let text = match fields.table.get("value") {
            Some(toml::Value::String(text)) => text,
            Some(other) => return typed(&fields.at("value"), other).map(Transform::Fixed),
            None => {
                fields.at("value").report("it is missing");
                return None;
            }
        };
        if let Some(directive) = ["#if", "#set", "#foreach", "#end", "#else"]
            .into_iter()
            .find(|directive| text.contains(directive))
        {
            fields.at("value").report_with_hint(
                format!(
                    "`{directive}` is not worked out here: a text has variables and nothing else"
                ),
                "choose with `conditional`, `firstValid` or `lookup`",
            );
            return None;
        }
        let variables = Variables::of(self, fields, &known);
        let template = variables.template(&fields.at("value"), text, ignore_errors);
        variables.check_used();
        Some(Transform::Template(template?))
    }

    fn conditional(&self, fields: &Fields<'_>) -> Option<Transform> {
        let known = ["expression", "positiveCondition", "negativeCondition"];
        let expression = fields.required_text("expression");
        let variables = Variables::of(self, fields, &known);
        let positive = variables.value(fields, "positiveCondition");
        let negative = variables.value(fields, "negativeCondition");
        let place = fields.at("expression");
        let expression = expression?;
        let sides = [(" eq ", false), (" ne ", true)].into_iter();
        let sides = sides.filter_map(|(word, negated)| {
            let (left, right) = expression.split_once(word)?;
            Some((left.trim(), right.trim(), negated))
        });
        let Some((left, right, negated)) = sides.min_by_key(|(left, ..)| left.len()) else {
            place.report_with_hint(
                "it is no comparison",
                "write `$variable eq text`, or `ne`; `null` stands for no value",
            );
            return None;
        };
        let side = |text: &str| match text {
            "null" => Some(nothing()),
            text => variables.template(&place, unquoted(text), false),
        };
        let (left, right) = (side(left), side(right));
        variables.check_used();
        Some(Transform::Conditional(Box::new(Conditional {
            left: left?,
            right: right?,
            negated,
            positive: positive?,
            negative: negative?,
        })))
    }

    fn compare(&self, fields: &Fields<'_>) -> Option<Transform> {
        let first = self.side(fields, "firstDate");
        let second = self.side(fields, "secondDate");
        let operator = fields.required_text("operator");
        let operator = operator
            .and_then(|text| word(&fields.at("operator"), &text.to_uppercase(), &Operator::ALL));
        let positive = self.required(fields, "positiveCondition");
        let negative = self.required(fields, "negativeCondition");
        let (first, second) = (first?, second?);
        if matches!((&first, &second), (Side::Now(_), Side::Now(_))) {
            fields
                .at("secondDate")
                .report("now can't be compared with itself");
            return None;
        }
        Some(Transform::Compare(Box::new(Compare {
            first,
            second,
            operator: operator?,
            positive: positive?,
            negative: negative?,
        })))
    }

    /// Reads a side of a comparison: a now that isn't rounded is asked for
    /// exactly.
    fn side(&self, fields: &Fields<'_>, key: &str) -> Option<Side> {
        let scope = fields.at(key);
        let raw = fields.table.get(key);
        if raw.and_then(toml::Value::as_str) == Some("now") {
            return Some(Side::Now(Vec::new()));
        }
        let is_math =
            |raw: &&toml::Value| raw.get("type").and_then(toml::Value::as_str) == Some("dateMath");
        if let Some(raw) = raw.filter(is_math) {
            let keys = raw.get("attributes").unwrap_or(raw);
            let expression = keys.get("expression").and_then(toml::Value::as_str);
            let expression = expression.and_then(|text| Expression::parse(text).ok());
            if let Some(expression) = expression.filter(|known| known.of_now && known.is_exact()) {
                if let Some(table) = keys.as_table() {
                    check_keys(&scope, table, "dateMath", &["expression", "roundUp"]);
                }
                return Some(Side::Now(expression.steps));
            }
        }
        match raw {
            Some(toml::Value::String(text)) if !is_moment(text) => {
                scope.report_with_hint(
                    format!("`{text}` is no date"),
                    "write `now`, a date such as 2026-03-31, a moment, or a transform",
                );
                None
            }
            _ => self.required(fields, key).map(Side::Of),
        }
    }

    fn format(&self, fields: &Fields<'_>) -> Option<Transform> {
        let format = |key: &str| match fields.text(key)? {
            None => Some(DateFormat::Iso8601),
            Some(text) => reported(&fields.at(key), DateFormat::named(&text)),
        };
        let (from, to) = (format("inputFormat"), format("outputFormat"));
        let input = self.input(fields)?;
        Some(Transform::Format(Box::new(Format {
            input,
            from: from?,
            to: to?,
        })))
    }

    fn date_math(&self, fields: &Fields<'_>) -> Option<Transform> {
        let text = fields.required_text("expression")?;
        let round_up = fields.truth("roundUp", false)?;
        let place = fields.at("expression");
        let expression = reported(&place, Expression::parse(&text))?;
        if expression.of_now && !expression.is_coarse() {
            place.report_with_hint(
                "`now` as a value would change all the time",
                "round it to days or coarser and move it by whole days before that, such as \
                 `now-1w/d`; to compare with now exactly, let it be a side of `dateCompare`",
            );
            return None;
        }
        let input = match expression.of_now {
            false => self.input(fields)?,
            true if fields.table.contains_key("input") => {
                let place = fields.at("input");
                place.report("it has no effect where the expression begins with `now`");
                return None;
            }
            true => Transform::Input,
        };
        Some(Transform::DateMath(Box::new(DateMath {
            input,
            expression,
            round_up,
        })))
    }
}

/// The variables of a `static` or a `conditional`.
struct Variables<'r> {
    place: Scope<'r>,
    transforms: BTreeMap<String, Option<Transform>>,
    used: RefCell<Vec<String>>,
}

impl<'r> Variables<'r> {
    fn of(reader: &Reader<'_, '_>, fields: &'r Fields<'_>, known: &[&str]) -> Self {
        let is_variable = |key: &&String| !known.contains(&key.as_str()) && *key != "type";
        let transforms = fields
            .table
            .keys()
            .filter(is_variable)
            .map(|key| {
                let transform = reader.transform(&fields.at(key), &fields.table[key]);
                (key.clone(), transform)
            })
            .collect();
        Self {
            place: fields.place.clone(),
            transforms,
            used: RefCell::default(),
        }
    }

    fn template(&self, scope: &Scope<'_>, text: &str, ignore_errors: bool) -> Option<Template> {
        let parts = template::split(text).into_iter().map(|part| match part {
            RawPart::Text(text) => Some(Part::Text(text.to_owned())),
            RawPart::Variable(name, quiet) => {
                self.used.borrow_mut().push(name.to_owned());
                match self.transforms.get(name) {
                    Some(transform) => transform
                        .clone()
                        .map(|transform| Part::Variable { transform, quiet }),
                    None => {
                        let names = self.transforms.keys().map(String::as_str);
                        let hint = match nearest(name, names) {
                            Some(nearest) => format!("write `${nearest}`"),
                            None => format!("define it beside: `{name} = {{ type = … }}`"),
                        };
                        scope.report_with_hint(format!("there is no variable `{name}`"), hint);
                        None
                    }
                }
            }
        });
        let parts: Vec<Option<Part>> = parts.collect();
        Some(Template {
            parts: parts.into_iter().collect::<Option<_>>()?,
            ignore_errors,
        })
    }

    /// Reads a value that may be a text with variables.
    fn value(&self, fields: &Fields<'_>, key: &str) -> Option<Transform> {
        let scope = fields.at(key);
        match fields.table.get(key) {
            Some(toml::Value::String(text)) => {
                self.template(&scope, text, false).map(Transform::Template)
            }
            Some(other) => typed(&scope, other).map(Transform::Fixed),
            None => {
                scope.report("it is missing");
                None
            }
        }
    }

    fn check_used(&self) {
        let used = self.used.borrow();
        for name in self.transforms.keys().filter(|name| !used.contains(name)) {
            let place = self.place.at(name);
            place.report_with_hint("nothing uses this variable", format!("write `${name}`"));
        }
    }
}

impl<'f> Fields<'f> {
    /// Returns the keys of an operation, which stand beside its type or in
    /// `attributes`; reports those that it doesn't have.
    fn of(
        scope: &'f Scope<'f>,
        table: &'f toml::Table,
        operation: &'static str,
        keys: &[&str],
    ) -> Self {
        let (place, inner) = match table.get("attributes") {
            Some(toml::Value::Table(inner)) => {
                let place = scope.at("attributes");
                check_keys(scope, table, operation, &["name", "attributes"]);
                (place, inner)
            }
            _ => (scope.clone(), table),
        };
        check_keys(&place, inner, operation, keys);
        Self {
            scope,
            place,
            table: inner,
            operation,
        }
    }

    fn at(&self, key: &str) -> Scope<'_> {
        self.place.at(key)
    }

    /// Returns a text, the inner none where there isn't one.
    fn text(&self, key: &str) -> Option<Option<String>> {
        match self.table.get(key) {
            None => Some(None),
            Some(toml::Value::String(text)) => Some(Some(text.clone())),
            Some(_) => {
                self.at(key).report("it is not a text");
                None
            }
        }
    }

    fn required_text(&self, key: &str) -> Option<String> {
        let text = self.text(key)?;
        match text.as_deref() {
            None => self.at(key).report("it is missing"),
            Some("") => self.at(key).report("it is empty"),
            Some(_) => return text,
        }
        None
    }

    /// Returns a truth value; also one that is written as a text.
    fn truth(&self, key: &str, default: bool) -> Option<bool> {
        match self.table.get(key) {
            None => Some(default),
            Some(toml::Value::Boolean(truth)) => Some(*truth),
            Some(toml::Value::String(text)) if text == "true" => Some(true),
            Some(toml::Value::String(text)) if text == "false" => Some(false),
            Some(_) => {
                self.at(key).report("it is neither true nor false");
                None
            }
        }
    }

    /// Returns a whole number; also one that is written as a text. The inner
    /// none where there isn't one.
    fn number(&self, key: &str) -> Option<Option<i64>> {
        let read = match self.table.get(key) {
            None => return Some(None),
            Some(toml::Value::Integer(number)) => Some(*number),
            Some(toml::Value::String(text)) => text.trim().parse().ok(),
            Some(_) => None,
        };
        if read.is_none() {
            self.at(key).report("it is no whole number");
        }
        read.map(Some)
    }

    fn count_or(&self, key: &str, most: u64, default: usize) -> Option<usize> {
        match self.table.contains_key(key) {
            true => self.count(key, most),
            false => Some(default),
        }
    }

    fn count(&self, key: &str, most: u64) -> Option<usize> {
        let Some(number) = self.number(key)? else {
            self.at(key).report("it is missing");
            return None;
        };
        let within = u64::try_from(number).ok().filter(|count| *count <= most);
        if within.is_none() {
            let message = format!("{number} is not between 0 and {most}");
            self.at(key).report(message);
        }
        usize::try_from(within?).ok()
    }

    /// Returns a table of texts.
    fn texts(&self, key: &str) -> Option<BTreeMap<String, String>> {
        let place = self.at(key);
        let Some(toml::Value::Table(table)) = self.table.get(key) else {
            place.report_with_hint("it is no table", "write `{ \"from\" = \"to\", … }`");
            return None;
        };
        let texts = table.iter().map(|(name, raw)| match raw {
            toml::Value::String(text) => Some((name.clone(), text.clone())),
            toml::Value::Integer(number) => Some((name.clone(), number.to_string())),
            _ => {
                place.at(name).report("it is not a text");
                None
            }
        });
        let texts: Vec<Option<(String, String)>> = texts.collect();
        texts.into_iter().collect()
    }
}

/// Returns the keys of an operation.
fn keys_of(operation: &str) -> &'static [&'static str] {
    let found = OPERATIONS.iter().find(|(name, _)| *name == operation);
    found.map_or(&[], |(_, keys)| keys)
}

/// Refuses keys that an operation doesn't have.
fn check_keys(scope: &Scope<'_>, table: &toml::Table, operation: &str, keys: &[&str]) {
    for key in table.keys() {
        if key == "type" || keys.contains(&key.as_str()) {
            continue;
        }
        let place = scope.at(key);
        if key == "requiresPeriodicRefresh" {
            place.report_with_hint(
                "nothing has to be refreshed periodically",
                "leave it out: an attribute is worked out again when anything it reads \
                 changes, and when a moment that it asks for comes",
            );
        } else if !keys.contains(&"*") {
            let hint = match nearest(key, keys.iter().copied()) {
                Some(nearest) => format!("write `{nearest}`"),
                None if keys.is_empty() => "it has no keys".to_owned(),
                None => format!("its keys are {}", keys.join(", ")),
            };
            place.report_with_hint(format!("`{operation}` has no key `{key}`"), hint);
        }
    }
}

fn reported<T>(scope: &Scope<'_>, read: Result<T, String>) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(message) => {
            scope.report(message);
            None
        }
    }
}

fn pattern(scope: &Scope<'_>, text: &str) -> Option<text::Pattern> {
    match text::pattern(text) {
        Ok(pattern) => Some(pattern),
        Err(message) => {
            scope.report_with_hint(
                format!("it is no pattern: {message}"),
                "look-around and references back are not known here: matching takes time in \
                 proportion to the text, whatever the pattern",
            );
            None
        }
    }
}

fn region(fields: &Fields<'_>) -> Option<Region> {
    let text = fields.text("defaultRegion")?;
    let text = text.as_deref().unwrap_or("US");
    let region = Region::named(text);
    if region.is_none() {
        fields.at("defaultRegion").report_with_hint(
            format!("`{text}` is no region with phone numbers"),
            "write the two letters of a country, such as \"DE\"",
        );
    }
    region
}

fn country_format(fields: &Fields<'_>) -> Option<CountryFormat> {
    const FORMATS: [(&str, CountryFormat); 3] = [
        ("alpha2", CountryFormat::Alpha2),
        ("alpha3", CountryFormat::Alpha3),
        ("numeric", CountryFormat::Numeric),
    ];
    match fields.text("format")? {
        None => Some(CountryFormat::default()),
        Some(text) => word(&fields.at("format"), &text, &FORMATS),
    }
}

fn padding(fields: &Fields<'_>) -> Option<Padding> {
    let length = fields.count("length", LONGEST_PADDED);
    let padding = fields.text("padding")?;
    if padding.as_deref() == Some("") {
        fields.at("padding").report("it is empty");
    }
    Some(Padding {
        length: length?,
        padding: padding.unwrap_or_else(|| " ".to_owned()),
    })
}

/// Returns a template that never has a value.
fn nothing() -> Template {
    let nothing = Transform::FirstValid {
        values: Vec::new(),
        ignore_errors: false,
    };
    Template {
        parts: vec![Part::Variable {
            transform: nothing,
            quiet: false,
        }],
        ignore_errors: false,
    }
}

/// Takes off the quotes around a text.
fn unquoted(text: &str) -> &str {
    let within = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    within('"').or_else(|| within('\'')).unwrap_or(text)
}

fn is_moment(text: &str) -> bool {
    let zone = idr_core::time::Zone::default();
    idr_core::transform::moment::Moment::parse(text, &zone).is_some()
}

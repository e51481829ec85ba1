//! Filters as SQL: leaves out identities that a filter can't match.
//!
//! Reads a [`Superset`], which the filter implies; its clause goes into the
//! selection's `WHERE`. The evaluator decides about every row that is left, so
//! a clause may let too many through but never too few.
//!
//! What is relied on in a document: a property's value is a JSON string, number,
//! `true` or `false`, or an array of strings. Texts are strings, unchanged;
//! dates are strings; truth values are `true` and `false`; decimals and instants
//! are numbers or strings. Anything absent is missing or `null`.

use idr_core::filter::{Path, Superset, ValueTest};
use rusqlite::types::Value;

/// More texts than this in one list aren't worth binding.
const MAX_TEXTS: usize = 1_000;

/// Compared as rounded numbers, equal ones may differ by this part of themselves.
const ROUNDING: f64 = 1e-12;

/// Returns the condition that a superset puts on a document, and its parameters.
///
/// - `document`: the SQL expression of the document, JSON as text or JSONB.
/// - `first_parameter`: the number of the first parameter, from 1; the others follow.
/// - `place`: the JSON path of a property's value, as by [`json_path`]; none
///   when the document doesn't have it in a form as above. Such a property
///   leaves nobody out.
pub fn where_clause(
    superset: &Superset,
    document: &str,
    first_parameter: usize,
    place: &dyn Fn(&Path) -> Option<String>,
) -> (String, Vec<Value>) {
    let mut clause = Clause {
        document,
        first_parameter,
        place,
        parameters: Vec::new(),
    };
    let sql = clause.of(superset);
    (sql, clause.parameters)
}

/// Returns the JSON path through these keys; none when one can't be written so.
pub fn json_path(keys: &[&str]) -> Option<String> {
    let mut path = "$".to_owned();
    for key in keys {
        if key
            .chars()
            .any(|character| matches!(character, '"' | '\\') || character.is_control())
        {
            return None;
        }
        path.push_str(&format!(".\"{key}\""));
    }
    Some(path)
}

struct Clause<'a> {
    document: &'a str,
    first_parameter: usize,
    place: &'a dyn Fn(&Path) -> Option<String>,
    parameters: Vec<Value>,
}

impl Clause<'_> {
    fn of(&mut self, superset: &Superset) -> String {
        match superset {
            Superset::All => "1".to_owned(),
            Superset::And(parts) => self.joined(parts, " AND "),
            Superset::Or(parts) => self.joined(parts, " OR "),
            Superset::Some(path, test) => self.exists("EXISTS", path, test),
            Superset::NoneOf(path, test) => self.exists("NOT EXISTS", path, test),
        }
    }

    fn joined(&mut self, parts: &[Superset], separator: &str) -> String {
        let parts: Vec<String> = parts.iter().map(|part| self.of(part)).collect();
        format!("({})", parts.join(separator))
    }

    /// Tests the value, or each text of a list: `json_each` yields either.
    fn exists(&mut self, exists: &str, path: &Path, test: &ValueTest) -> String {
        let is_long = matches!(
            test,
            ValueTest::Texts(texts) | ValueTest::FoldedTexts(texts) if texts.len() > MAX_TEXTS
        );
        let Some(place) = (self.place)(path).filter(|_| !is_long) else {
            return "1".to_owned();
        };
        let place = self.bind(Value::Text(place));
        let test = self.test(test);
        let document = self.document;
        format!("{exists} (SELECT 1 FROM json_each({document}, {place}) AS v WHERE {test})")
    }

    fn test(&mut self, test: &ValueTest) -> String {
        match test {
            ValueTest::Present => "v.atom IS NOT NULL".to_owned(),
            ValueTest::Texts(texts) => {
                let texts = self.bind_texts(texts);
                format!("v.type = 'text' AND v.atom IN ({texts})")
            }
            ValueTest::FoldedTexts(texts) => {
                // SQLite folds ASCII only, so whatever has other characters stays.
                let texts = self.bind_texts(texts);
                format!(
                    "v.type = 'text' AND (lower(v.atom) IN ({texts}) \
                     OR length(CAST(v.atom AS BLOB)) <> length(v.atom))"
                )
            }
            ValueTest::TextUpTo(text) => {
                let text = self.bind(Value::Text(text.clone()));
                format!("v.type = 'text' AND v.atom <= {text}")
            }
            ValueTest::TextFrom(text) => {
                let text = self.bind(Value::Text(text.clone()));
                format!("v.type = 'text' AND v.atom >= {text}")
            }
            // Parts are compared as bytes: SQLite's functions on text end at U+0000.
            ValueTest::Begins(text) => {
                let length = text.len();
                let text = self.bind(Value::Blob(text.clone().into_bytes()));
                format!(
                    "v.type NOT IN ('text', 'null') OR substr(CAST(v.atom AS BLOB), 1, {length}) = {text}"
                )
            }
            ValueTest::Ends(text) => {
                let length = text.len();
                let text = self.bind(Value::Blob(text.clone().into_bytes()));
                format!(
                    "v.type NOT IN ('text', 'null') OR substr(CAST(v.atom AS BLOB), -{length}) = {text}"
                )
            }
            ValueTest::Contains(text) => {
                let text = self.bind(Value::Blob(text.clone().into_bytes()));
                format!("v.type NOT IN ('text', 'null') OR instr(CAST(v.atom AS BLOB), {text}) > 0")
            }
            ValueTest::Number { least, greatest } => {
                let mut parts = vec!["v.atom GLOB '[-0-9]*'".to_owned()];
                if let Some(least) = least {
                    let least = rounded(&least.to_string(), -ROUNDING);
                    let least = self.bind(Value::Real(least));
                    parts.push(format!("CAST(v.atom AS REAL) >= {least}"));
                }
                if let Some(greatest) = greatest {
                    let greatest = rounded(&greatest.to_string(), ROUNDING);
                    let greatest = self.bind(Value::Real(greatest));
                    parts.push(format!("CAST(v.atom AS REAL) <= {greatest}"));
                }
                parts.join(" AND ")
            }
            ValueTest::Boolean(boolean) => {
                format!("v.type = '{boolean}' OR v.atom = '{boolean}'")
            }
        }
    }

    fn bind_texts(&mut self, texts: &[String]) -> String {
        let bound: Vec<String> = texts
            .iter()
            .map(|text| self.bind(Value::Text(text.clone())))
            .collect();
        bound.join(", ")
    }

    fn bind(&mut self, value: Value) -> String {
        self.parameters.push(value);
        format!("?{}", self.first_parameter + self.parameters.len() - 1)
    }
}

/// Returns the number, moved by a part of itself in the direction of `part`'s sign.
fn rounded(decimal: &str, part: f64) -> f64 {
    let number: f64 = decimal.parse().expect("a decimal is written as a number");
    number + number.abs() * part
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use idr_core::filter::{Filter, Path, Properties};
    use idr_core::model::{UnixMillis, Value};
    use proptest::prelude::*;
    use rusqlite::{Connection, params_from_iter};
    use serde_json::json;

    use super::{json_path, where_clause};

    /// The values of one identity, none where the document says `null`.
    #[derive(Clone, Debug)]
    struct Document(BTreeMap<String, Option<Value>>);

    impl Document {
        /// `numeric` chooses between the two forms of decimals and instants.
        fn json(&self, numeric: bool) -> String {
            let attributes: serde_json::Map<_, _> = self
                .0
                .iter()
                .map(|(name, value)| {
                    let value = match value {
                        None => json!(null),
                        Some(Value::Integer(integer)) => json!(integer),
                        Some(Value::Boolean(boolean)) => json!(boolean),
                        Some(Value::Many(texts)) => json!(texts),
                        Some(Value::Instant(UnixMillis(ms))) if numeric => json!(ms),
                        Some(Value::Decimal(decimal)) if numeric => {
                            json!(decimal.to_string().parse::<f64>().expect("a number"))
                        }
                        Some(value) => json!(value.to_string()),
                    };
                    (name.clone(), json!({ "value": value }))
                })
                .collect();
            json!({ "name": "ada", "attributes": attributes }).to_string()
        }
    }

    impl Properties<Infallible> for Document {
        fn property(&mut self, path: &Path) -> Result<Option<Cow<'_, Value>>, Infallible> {
            let value = self.0.get(path.name().as_str());
            Ok(value.and_then(Option::as_ref).map(Cow::Borrowed))
        }

        fn any_item(
            &mut self,
            _collection: &Path,
            _holds: &mut dyn FnMut(&mut dyn Properties<Infallible>) -> Result<bool, Infallible>,
        ) -> Result<bool, Infallible> {
            Ok(true)
        }
    }

    fn place(path: &Path) -> Option<String> {
        match path.segments() {
            [name] => json_path(&["attributes", name, "value"]),
            _ => None,
        }
    }

    /// Returns the numbers of the documents that the filter's clause lets through.
    fn select(filter: &Filter, documents: &[String]) -> Vec<u16> {
        let connection = Connection::open_in_memory().expect("memory is there");
        connection
            .execute_batch("CREATE TABLE identity (uid INTEGER PRIMARY KEY, document TEXT)")
            .expect("a table");
        for (uid, document) in (0u16..).zip(documents) {
            connection
                .execute("INSERT INTO identity VALUES (?1, ?2)", (uid, document))
                .expect("a row");
        }
        let (clause, parameters) = where_clause(&filter.superset(), "identity.document", 1, &place);
        let sql = format!("SELECT uid FROM identity WHERE {clause} ORDER BY uid");
        let mut statement = connection.prepare(&sql).expect("the clause is SQL");
        let rows = statement
            .query_map(params_from_iter(parameters), |row| row.get(0))
            .expect("the parameters fit");
        rows.collect::<Result<_, _>>().expect("rows")
    }

    fn values() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            6 => "[abAB]{1,2}",
            4 => "-?0?[12](\\.[05])?",
            2 => "[aKk\u{212a}ſsSßσς\u{0}]{1,3}",
            1 => "true|false|TRUE|2026-01-0[12]|2026-01-0[12]T00:00:00Z",
        ];
        prop_oneof![
            6 => text.clone().prop_map(Value::text),
            2 => prop::collection::vec(text, 1..4).prop_map(Value::many),
            2 => (-3i64..4).prop_map(Value::Integer),
            2 => "-?[0-3]\\.(5|25)|12345678901234567890\\.12345678"
                .prop_map(|text| Value::Decimal(text.parse().expect("a decimal"))),
            1 => any::<bool>().prop_map(Value::Boolean),
            1 => "2026-01-0[12]".prop_map(|text| Value::Date(text.parse().expect("a date"))),
            1 => "2026-01-0[12]T[01]0:00:00Z"
                .prop_map(|text| Value::Instant(text.parse().expect("an instant"))),
        ]
    }

    fn names() -> impl Strategy<Value = String> {
        prop_oneof!["[ab]", Just("B c".to_owned())]
    }

    fn documents() -> impl Strategy<Value = Document> {
        prop::collection::btree_map(names(), prop::option::weighted(0.9, values()), 0..4)
            .prop_map(Document)
    }

    fn literal(value: &Value) -> String {
        match value {
            Value::Integer(_) | Value::Decimal(_) | Value::Boolean(_) => value.to_string(),
            Value::Many(texts) => format!("\"{}\"", texts[0]),
            value => format!("\"{value}\""),
        }
    }

    fn filters() -> impl Strategy<Value = String> {
        let value = values().prop_map(|value| literal(&value)).boxed();
        let text = values().prop_map(|value| format!("\"{}\"", literal(&value).replace('"', "")));
        let bound = value
            .clone()
            .prop_filter("truth values have no order", |literal| {
                !matches!(literal.as_str(), "true" | "false")
            });
        let list = prop::collection::vec(value.clone(), 1..4).prop_map(|list| list.join(", "));
        let condition = prop_oneof![
            6 => (names(), "i?[=!]=", value).prop_map(|(p, o, v)| format!("{p} {o} {v}")),
            2 => (names(), "i?[<>]=?", bound).prop_map(|(p, o, v)| format!("{p} {o} {v}")),
            2 => (names(), "(in|containsAll)(IgnoreCase)?", list)
                .prop_map(|(p, m, l)| format!("{p}.{m}({{{l}}})")),
            2 => (names(), "(startsWith|endsWith|contains)(IgnoreCase)?", text)
                .prop_map(|(p, m, t)| format!("{p}.{m}({t})")),
            2 => (names(), "isNull|notNull").prop_map(|(p, m)| format!("{p}.{m}()")),
            1 => (names(), names()).prop_map(|(p, q)| format!("{p} == {q}")),
            1 => Just("manager.name.isNull()".to_owned()),
            1 => Just("links.collectionCondition(\"a.isNull()\")".to_owned()),
        ];
        condition.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 2..4).prop_map(|all| all.join(" && ")),
                prop::collection::vec(inner.clone(), 2..4)
                    .prop_map(|any| format!("({})", any.join(" || "))),
                inner.prop_map(|inner| format!("!({inner})")),
            ]
        })
    }

    fn matches(filter: &Filter, document: &mut Document) -> bool {
        let Ok(answer) = filter.matches(document);
        answer
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Nobody who matches is left out; so asking the evaluator about those
        /// who are left is the same as asking it about everybody.
        #[test]
        fn sql_then_the_evaluator_equals_the_evaluator_alone(
            text in filters(),
            mut documents in prop::collection::vec(documents(), 1..12),
            numeric in any::<bool>(),
        ) {
            let filter = Filter::parse(&text).expect("the generator writes filters");
            let stored: Vec<String> =
                documents.iter().map(|document| document.json(numeric)).collect();
            let selected = select(&filter, &stored);
            let mut both = selected.clone();
            both.retain(|index| matches(&filter, &mut documents[usize::from(*index)]));
            let alone: Vec<u16> = (0u16..)
                .take(documents.len())
                .filter(|index| matches(&filter, &mut documents[usize::from(*index)]))
                .collect();
            prop_assert_eq!(both, alone, "{:?} of {:?}", selected, stored);
        }
    }

    #[test]
    fn a_clause_leaves_out_whom_it_can() {
        let documents: Vec<String> = [
            r#"{"attributes":{"a":{"value":"Sales"},"b":{"value":3}}}"#,
            r#"{"attributes":{"a":{"value":"sales"},"b":{"value":"0003"}}}"#,
            r#"{"attributes":{"a":{"value":["Sales","HR"]},"b":{"value":4.5}}}"#,
            r#"{"attributes":{"a":{"value":null},"b":{"value":true}}}"#,
            r#"{"attributes":{}}"#,
        ]
        .map(str::to_owned)
        .to_vec();
        let selected = |text: &str| select(&Filter::parse(text).expect("a filter"), &documents);
        assert_eq!(selected(r#"a == "Sales""#), [0, 2]);
        assert_eq!(selected(r#"a != "Sales""#), [1, 3, 4]);
        assert_eq!(selected(r#"a i== "SALES" && a.notNull()"#), [0, 1, 2]);
        assert_eq!(selected(r#"a.containsAll({"HR", "Sales"})"#), [2]);
        assert_eq!(selected(r#"a.startsWith("s")"#), [1]);
        assert_eq!(
            selected(r#"a.endsWith("R") || a.contains("ale") && !a.isNull()"#),
            [0, 1, 2]
        );
        assert_eq!(selected(r#"a > "T""#), [1]);
        assert_eq!(selected("a.isNull()"), [3, 4]);
        assert_eq!(selected("b == 3 || b >= 4"), [0, 1, 2]);
        assert_eq!(selected(r#"b == "0003""#), [0, 1]);
        assert_eq!(selected("b == true"), [3]);
        assert_eq!(selected("manager.name.isNull()"), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn parameters_are_numbered_from_where_the_caller_says() {
        let filter = Filter::parse(r#"a == "x" && !(b > "y")"#).expect("a filter");
        let (clause, parameters) = where_clause(&filter.superset(), "d", 3, &place);
        insta::assert_snapshot!(clause, @r#"
    EXISTS (SELECT 1 FROM json_each(d, ?3) AS v WHERE v.type = 'text' AND v.atom IN (?4))
    "#);
        assert_eq!(parameters.len(), 2);
    }

    #[test]
    fn keys_are_quoted_in_json_paths() {
        assert_eq!(
            json_path(&["attributes", "Cost Center"]).as_deref(),
            Some(r#"$."attributes"."Cost Center""#)
        );
        assert_eq!(json_path(&["a\"b"]), None);
    }
}

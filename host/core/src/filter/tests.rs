//! The language as a whole: what is read, what is refused and how, what holds.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::convert::Infallible;

use proptest::prelude::*;

use super::{Filter, MAX_NESTING, Path, Properties, SingleValue};
use crate::model::{Value, ValueType};

/// A document with collections, which notes what is read.
#[derive(Clone, Debug, Default)]
struct Record {
    values: BTreeMap<String, Value>,
    items: BTreeMap<String, Vec<Record>>,
    reads: Vec<String>,
}

impl Record {
    fn with(mut self, name: &str, value_type: ValueType, text: &str) -> Self {
        let value = value_type.parse(text).expect("a value").expect("not blank");
        self.values.insert(name.to_owned(), value);
        self
    }

    fn with_texts(mut self, name: &str, texts: &[&str]) -> Self {
        let texts = texts.iter().map(|text| (*text).into()).collect();
        self.values.insert(name.to_owned(), Value::Many(texts));
        self
    }

    fn with_item(mut self, collection: &str, item: Self) -> Self {
        self.items
            .entry(collection.to_owned())
            .or_default()
            .push(item);
        self
    }
}

impl Properties<Infallible> for Record {
    fn property(&mut self, path: &Path) -> Result<Option<Cow<'_, Value>>, Infallible> {
        self.reads.push(path.to_string());
        Ok(self.values.get(path.name().as_str()).map(Cow::Borrowed))
    }

    fn any_item(
        &mut self,
        collection: &Path,
        holds: &mut dyn FnMut(&mut dyn Properties<Infallible>) -> Result<bool, Infallible>,
    ) -> Result<bool, Infallible> {
        self.reads.push(collection.to_string());
        for item in self.items.entry(collection.to_string()).or_default() {
            if holds(item)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn ada() -> Record {
    Record::default()
        .with("name", ValueType::Text, "ada")
        .with("department", ValueType::Text, "Engineering")
        .with("Cost Center", ValueType::Text, "0042")
        .with("level", ValueType::Integer, "7")
        .with("quota", ValueType::Decimal, "0.75")
        .with("inactive", ValueType::Boolean, "false")
        .with("startDate", ValueType::Date, "2026-01-31")
        .with("lastRefresh", ValueType::Instant, "2026-01-31T17:00:00Z")
        .with("manager.name", ValueType::Text, "Grace")
        .with_texts("projects", &["Analytical Engine", "Bernoulli"])
        .with_item(
            "links",
            Record::default()
                .with("application.name", ValueType::Text, "AD")
                .with("status", ValueType::Text, "disabled"),
        )
        .with_item(
            "links",
            Record::default()
                .with("application.name", ValueType::Text, "CRM")
                .with("status", ValueType::Text, "active"),
        )
}

fn parse(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|error| panic!("`{text}`: {error}"))
}

fn matches(text: &str) -> bool {
    let Ok(answer) = parse(text).matches(&mut ada());
    answer
}

#[track_caller]
fn check(expected: bool, filters: &[&str]) {
    for text in filters {
        assert_eq!(matches(text), expected, "{text}");
    }
}

fn refusal(text: &str) -> String {
    let error = Filter::parse(text).expect_err("not a filter");
    let hint = error.hint().map(|hint| format!("\n  hint: {hint}"));
    format!("{error}{}", hint.unwrap_or_default())
}

fn refusals(texts: &[&str]) -> String {
    let refused = texts
        .iter()
        .map(|text| format!("{text}\n  {}\n", refusal(text)));
    refused.collect()
}

#[test]
fn operators_compare_values_of_every_type() {
    check(
        true,
        &[
            r#"department == "Engineering""#,
            r#"department i== "ENGINEERING""#,
            r#"department != "engineering""#,
            r#"department > "E" && department < "F" && department <= "Engineering""#,
            r#"department i> "e" && department i<= "ENGINEERING""#,
            "level == 7 && level >= 7.0 && level < 7.5 && level != 8",
            r#"level == "7" && quota == "0.750" && quota > 0 && quota < 1"#,
            r#"inactive == false && inactive != true && inactive == "false""#,
            r#"startDate == "2026-01-31" && startDate < "2026-02-01""#,
            r#"lastRefresh == "2026-01-31" && lastRefresh > "2026-01-31T18:00:00+02:00""#,
            r#"Cost Center == "0042" && Cost Center == 42 && Cost Center != "42""#,
            r#"manager.name i!= "ADA""#,
        ],
    );
    check(
        false,
        &[
            r#"department == "engineering""#,
            r#"department < 5 || department >= 5"#,
            r#"level == "seven" || level < "seven" || level > "seven""#,
            r#"startDate == 2026 || startDate == true"#,
            r#"inactive == 0 || inactive == "False""#,
            r#"lastRefresh < "2026-01-31" || lastRefresh > "2026-01-31""#,
        ],
    );
}

#[test]
fn having_no_value_is_never_unknown() {
    check(
        true,
        &[
            "email.isNull()",
            "email.isEmpty()",
            "email == null",
            "name != null",
            r#"email != "a""#,
            r#"!(email == "a")"#,
            r#"!(email < "a")"#,
            "email == phone",
            "email != name",
            r#"!(email.contains("a"))"#,
            "!email.notNull()",
        ],
    );
    check(
        false,
        &[
            "email.notNull()",
            r#"email == "a""#,
            r#"email < "a" || email >= "a""#,
            "email != phone",
            "email == name || email < name || name >= email",
            r#"email.in({"a"}) || email.containsAll({"a"})"#,
            r#"nothing.collectionCondition("a != \"b\"")"#,
        ],
    );
}

#[test]
fn a_list_equals_what_any_of_its_texts_equals() {
    check(
        true,
        &[
            r#"projects == "Bernoulli""#,
            r#"projects != "Difference Engine""#,
            r#"projects.in({"x", "Bernoulli"})"#,
            r#"projects.inIgnoreCase({"BERNOULLI"})"#,
            r#"projects.containsAll({"Bernoulli", "Analytical Engine"})"#,
            r#"projects.containsAllIgnoreCase({"bernoulli"})"#,
            r#"projects.startsWith("Ana") && projects.endsWith("noulli")"#,
            r#"projects < "B""#,
        ],
    );
    check(
        false,
        &[
            r#"projects != "Bernoulli""#,
            r#"projects.containsAll({"Bernoulli", "x"})"#,
            r#"projects == "Analytical Engine, Bernoulli""#,
        ],
    );
}

#[test]
fn parts_of_texts_are_found_with_and_without_case() {
    check(
        true,
        &[
            r#"department.startsWith("Eng")"#,
            r#"department.startsWithIgnoreCase("eNG")"#,
            r#"department.endsWithIgnoreCase("RING")"#,
            r#"department.containsIgnoreCase("GINEE")"#,
            r#"startDate.startsWith("2026-01")"#,
            r#"level.startsWith("7") && inactive.contains("als")"#,
        ],
    );
    check(
        false,
        &[
            r#"department.startsWith("eng") || department.contains("x")"#,
            r#"department.endsWith("An Engineering")"#,
            r#"department.endsWithIgnoreCase("an engineering")"#,
        ],
    );
}

#[test]
fn one_item_of_a_collection_must_meet_the_whole_inner_filter() {
    check(
        true,
        &[
            r#"links.collectionCondition("application.name == \"CRM\" && status == \"active\"")"#,
            r#"links.collectionCondition("!(status == \"active\")")"#,
        ],
    );
    check(
        false,
        &[r#"links.collectionCondition("application.name == \"AD\" && status == \"active\"")"#],
    );
}

#[test]
fn reads_go_from_left_to_right_and_stop_when_decided() {
    let reads = |text: &str| {
        let mut record = ada();
        let Ok(_) = parse(text).matches(&mut record);
        record.reads.join(" ")
    };
    assert_eq!(reads(r#"name == "x" && level == 7"#), "name");
    assert_eq!(reads(r#"name == "ada" || level == 7"#), "name");
    assert_eq!(
        reads(r#"!(name == "x") && level == 8 || email.isNull()"#),
        "name level email"
    );
    assert_eq!(reads("email == name"), "email name");
    assert_eq!(
        reads(r#"links.collectionCondition("status.notNull()")"#),
        "links"
    );
}

#[test]
fn a_failed_read_is_not_caught() {
    struct Refusing;
    impl Properties<String> for Refusing {
        fn property(&mut self, path: &Path) -> Result<Option<Cow<'_, Value>>, String> {
            Err(path.to_string())
        }

        fn any_item(
            &mut self,
            collection: &Path,
            _holds: &mut dyn FnMut(&mut dyn Properties<String>) -> Result<bool, String>,
        ) -> Result<bool, String> {
            Err(collection.to_string())
        }
    }
    assert_eq!(
        parse(r#"!(a.in({"b"})) || c == d"#).matches(&mut Refusing),
        Err("a".to_owned())
    );
    let refusing: &mut dyn Properties<String> = &mut Refusing;
    assert_eq!(
        parse(r#"a.collectionCondition("b == c")"#).matches(refusing),
        Err("a".to_owned())
    );
}

#[test]
fn a_single_value_is_called_value() {
    let answer = |text: &str, value: Option<&Value>| {
        let answer: Result<bool, Infallible> = parse(text).matches(&mut SingleValue(value));
        let Ok(answer) = answer;
        answer
    };
    let sales = Value::text("Sales");
    assert!(answer(r#"value i== "sales""#, Some(&sales)));
    assert!(answer("value.isNull() && !(value == \"Sales\")", None));
    assert!(answer("other.isNull()", Some(&sales)));
}

#[test]
fn the_paths_are_listed_in_reading_order_without_repeats() {
    let filter =
        parse(r#"b == a && links.collectionCondition("application.name == \"AD\"") || b.isNull()"#);
    let paths: Vec<String> = filter.paths().iter().map(ToString::to_string).collect();
    assert_eq!(paths, ["b", "a", "links.application.name"]);
    assert_eq!(filter.paths()[2].segments().len(), 3);
}

#[test]
fn precedence_and_the_canonical_text() {
    let canonical = |text: &str| parse(text).to_string();
    let text = r#"a=="b"||c i!=1.50&&!d.isEmpty()"#;
    assert_eq!(parse(text).text(), text);
    assert_eq!(canonical(text), r#"a == "b" || c i!= 1.5 && !(d.isNull())"#);
    assert_eq!(
        canonical("(a == b || c == d) && e == f"),
        "(a == b || c == d) && e == f"
    );
    assert_eq!(
        canonical("a == b && ((c == d && e == f))"),
        "a == b && c == d && e == f"
    );
    assert_eq!(canonical("! ! a == null"), "!(!(a.isNull()))");
    assert_eq!(
        canonical(r#"a.in( { "x" , 2.0, -0, true } )"#),
        r#"a.in({"x", 2, 0, true})"#
    );
    assert_eq!(
        canonical(r#"a == "\u0041\t\\\"\u0000""#),
        r#"a == "A\t\\\"\u0000""#
    );
    assert_eq!(
        canonical("Cost Center i== Profit Center 2"),
        "Cost Center i== Profit Center 2"
    );
    assert_eq!(
        canonical(r#"a.collectionCondition(" b.in({\"c\"}) ")"#),
        r#"a.collectionCondition("b.in({\"c\"})")"#
    );
    assert_eq!(parse("a == b"), parse(" ( a==b ) "));
}

#[test]
fn misspelt_operators_and_methods_name_the_nearest() {
    insta::assert_snapshot!(refusals(&[
        r#"name = "x""#,
        r#"name i= "x""#,
        r#"level => 3"#,
        r#"name eq "x""#,
        r#"manager.name like "x""#,
        r#"name.startwith("x")"#,
        r#"name.like("x")"#,
        "name.is_not_null()",
        "name is not null",
        "inactive is true",
        "name.frobnicate()",
        "name.isNull",
        r#"a == "b" and c == "d""#,
        "a == b or c == d",
        r#"a == "b" & c == "d""#,
    ]), @r#"
    name = "x"
      column 6: expected an operator such as `==` or a method such as `.isNull()`, found `=`
      hint: did you mean `==`?
    name i= "x"
      column 6: expected an operator such as `==` or a method such as `.isNull()`, found `i=`
      hint: did you mean `i==`?
    level => 3
      column 7: expected an operator such as `==` or a method such as `.isNull()`, found `=>`
      hint: did you mean `>=`?
    name eq "x"
      column 6: expected an operator such as `==` or a method such as `.isNull()`, found `eq`
      hint: did you mean `==`?
    manager.name like "x"
      column 14: expected an operator such as `==` or a method such as `.isNull()`, found `like`
      hint: did you mean `.contains(…)`?
    name.startwith("x")
      column 6: expected a method, found `startwith`
      hint: did you mean `startsWith`?
    name.like("x")
      column 6: expected a method, found `like`
      hint: did you mean `contains`?
    name.is_not_null()
      column 6: expected a method, found `is_not_null`
      hint: did you mean `notNull`?
    name is not null
      column 9: expected an operator such as `==` or a method such as `.isNull()`, found `not`
      hint: did you mean `!=`?
    inactive is true
      column 13: expected an operator such as `==` or a method such as `.isNull()`, found `true`
      hint: did you mean `==`?
    name.frobnicate()
      column 6: expected a method, found `frobnicate`
      hint: the methods are in, inIgnoreCase, containsAll, containsAllIgnoreCase, startsWith, startsWithIgnoreCase, endsWith, endsWithIgnoreCase, contains, containsIgnoreCase, isNull, notNull, isEmpty, collectionCondition
    name.isNull
      column 12: expected an operator such as `==` or a method such as `.isNull()`, found the end of the filter
      hint: a method is called with parentheses: `isNull(…)`
    a == "b" and c == "d"
      column 10: expected `&&`, `||` or the end of the filter, found `and`
      hint: did you mean `&&`?
    a == b or c == d
      column 8: expected `&&`, `||` or the end of the filter, found `or`
      hint: did you mean `||`?
    a == "b" & c == "d"
      column 10: expected `&&`, `||` or the end of the filter, found `&`
      hint: did you mean `&&`?
    "#);
}

#[test]
fn errors_point_at_the_column_in_characters() {
    insta::assert_snapshot!(refusals(&[
        "",
        r#"größe == "ß" x"#,
        r#""x" == name"#,
        "null == name",
        "isNull(name)",
        "name == 'x'",
        "name == \"x",
        r#"name == "a\q""#,
        r#"name == "\ud800""#,
        "(name == 1",
        "name == 1)",
        "name == 2026-01-31",
        "level < null",
        "inactive > true",
        r#"name == """#,
        "name.in({})",
        r#"name.in("a")"#,
        "name.in({a})",
        "name.contains(x)",
        "a.b.",
        "name.isNull(1)",
        r#"links.collectionCondition("a == \"b\" && c = 1")"#,
    ]), @r#"
      column 1: expected a condition, `!` or `(`, found the end of the filter
    größe == "ß" x
      column 14: expected `&&`, `||` or the end of the filter, found `x`
    "x" == name
      column 1: expected a condition, `!` or `(`, found `"x"`
      hint: the property comes first, then the value
    null == name
      column 1: expected a property, found `null`
      hint: the property comes first, then the value
    isNull(name)
      column 1: expected a property, found `isNull`
      hint: write `property.isNull(…)`
    name == 'x'
      column 9: expected a text in double quotes, a number, `true`, `false`, `null` or a property, found `'`
      hint: a text needs double quotes (`"`)
    name == "x
      column 9: expected a text that ends with `"`, found `"x`
    name == "a\q"
      column 11: expected an escape (`\"`, `\\`, `\n`, `\r`, `\t` or `\u` and four hexadecimal digits), found `\q`
      hint: a backslash itself is written `\\`
    name == "\ud800"
      column 10: expected an escape (`\"`, `\\`, `\n`, `\r`, `\t` or `\u` and four hexadecimal digits), found `\u`
      hint: a backslash itself is written `\\`
    (name == 1
      column 11: expected `&&`, `||` or `)`, found the end of the filter
    name == 1)
      column 10: expected `&&`, `||` or the end of the filter, found `)`
    name == 2026-01-31
      column 9: expected a number such as 42 or -1.5, found `2026-01-31`
      hint: a text, such as an id or a date, needs double quotes
    level < null
      column 7: expected `==` or `!=`, found an order before `null`
      hint: `null` comes neither before nor after others
    inactive > true
      column 10: expected `==` or `!=`, found an order before `true`
      hint: `true` comes neither before nor after others
    name == ""
      column 9: expected a text that isn't empty, found `""`
      hint: no property ever holds an empty text: ask with `isNull()` or `notNull()`
    name.in({})
      column 10: expected a text in double quotes, a number, `true` or `false`, found `}`
    name.in("a")
      column 9: expected `{`, found `"a"`
      hint: a list is written `{"a", "b"}`
    name.in({a})
      column 10: expected a text in double quotes, a number, `true` or `false`, found `a`
      hint: a text needs double quotes
    name.contains(x)
      column 15: expected a text in double quotes, found `x`
      hint: a text needs double quotes
    a.b.
      column 5: expected a name or a method after `.`, found the end of the filter
    name.isNull(1)
      column 13: expected `)` after the arguments of `isNull`, found `1`
    links.collectionCondition("a == \"b\" && c = 1")
      column 44: expected an operator such as `==` or a method such as `.isNull()`, found `=`
      hint: did you mean `==`?
    "#);
}

#[test]
fn joins_and_subqueries_are_refused_with_advice() {
    insta::assert_snapshot!(refusals(&[
        "id.join(Link.identity.id)",
        r#"id.subquery("identity.id", a.b.Link, "x")"#,
    ]), @r#"
    id.join(Link.identity.id)
      column 4: expected a condition on the identity itself, found `join`
      hint: only identities can be asked for here: name the property by its path, such as `manager.name` or `links.application.name`, or use `collectionCondition`
    id.subquery("identity.id", a.b.Link, "x")
      column 4: expected a condition on the identity itself, found `subquery`
      hint: only identities can be asked for here: use `in`, or `collectionCondition` on a collection of the identity
    "#);
}

#[test]
fn nesting_and_length_are_bounded() {
    let wrapped = |levels: usize| format!("{}a == b{}", "!(".repeat(levels), ")".repeat(levels));
    assert!(Filter::parse(&wrapped(MAX_NESTING)).is_ok());
    insta::assert_snapshot!(refusal(&wrapped(MAX_NESTING + 1)), @r#"
    column 129: expected at most 64 levels of nesting, found one more
    "#);
    for opening in ["(", "!", "! (", "a == b || ("] {
        let error = Filter::parse(&opening.repeat(1_000)).expect_err("too deep");
        assert!(error.to_string().contains("levels of nesting"), "{error}");
    }
    let long = format!("a.in({{{}1}})", "1,".repeat(600_000));
    assert_eq!(
        refusal(&long),
        "column 1: expected at most 1048576 bytes, found 1200009 bytes"
    );
    assert!(Filter::parse(&vec!["a == b"; 10_000].join(" && ")).is_ok());
}

/// Random filters as text, well formed.
fn filters() -> impl Strategy<Value = String> {
    let property = "[a-d](\\.[a-c])?|[AB] C";
    let text = r#""([a-z0-9ßσΣ. -]|\\"|\\\\|\\u00e9){1,5}""#;
    let literal = prop_oneof![
        3 => text.prop_map(|text| text),
        1 => "-?[0-9]{1,3}(\\.[0-9]{1,3})?",
        1 => "true|false",
    ];
    let value = prop_oneof![literal.clone(), property.prop_map(|text| text)];
    let list = prop::collection::vec(literal.clone(), 1..4).prop_map(|texts| texts.join(","));
    let condition = prop_oneof![
        (property, "i?[!=]=", value.clone()).prop_map(|(p, o, v)| format!("{p} {o}{v}")),
        (
            property,
            "i?[<>]=?",
            prop_oneof![text.prop_map(|text| text), property.prop_map(|p| p)]
        )
            .prop_map(|(p, o, v)| format!("{p} {o} {v}")),
        (property, "(in|containsAll)(IgnoreCase)?", list)
            .prop_map(|(p, m, l)| format!("{p}.{m}({{{l}}})")),
        (property, "(starts|ends)With(IgnoreCase)?|contains", text)
            .prop_map(|(p, m, t)| format!("{p}.{m}( {t} )")),
        (property, "isNull|notNull|isEmpty").prop_map(|(p, m)| format!("{p}.{m}()")),
        (property, "!=|==").prop_map(|(p, o)| format!("{p} {o} null")),
    ];
    condition.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| parts.join(" && ")),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| parts.join("||")),
            inner.clone().prop_map(|part| format!("!({part})")),
            inner.clone().prop_map(|part| format!("!{part}")),
            inner.clone().prop_map(|part| format!("({part})")),
            inner.prop_map(|part| {
                let escaped = part.replace('\\', "\\\\").replace('"', "\\\"");
                format!("a.collectionCondition(\"{escaped}\")")
            }),
        ]
    })
}

proptest! {
    #[test]
    fn printing_and_parsing_again_gives_the_same_filter(text in filters()) {
        let filter = Filter::parse(&text).expect("the generator writes filters");
        let printed = filter.to_string();
        let again = Filter::parse(&printed).expect("the canonical text is a filter");
        prop_assert_eq!(&again, &filter);
        prop_assert_eq!(again.to_string(), printed);
    }

    #[test]
    fn random_text_never_panics(text in ".{0,40}") {
        let _ = Filter::parse(&text);
    }

    #[test]
    fn almost_filters_never_panic(
        text in filters(),
        cut in 0usize..200,
        inserted in r#"[\\"(){}.,!=<>&|i \n'“é0-9-]{0,3}"#,
    ) {
        let mut characters: Vec<char> = text.chars().collect();
        let place = cut % (characters.len() + 1);
        characters.splice(place..(place + cut / 40).min(characters.len()), inserted.chars());
        let text: String = characters.into_iter().collect();
        match Filter::parse(&text) {
            Ok(filter) => {
                let again = Filter::parse(&filter.to_string());
                prop_assert_eq!(again.as_ref(), Ok(&filter));
            }
            Err(error) => {
                prop_assert!((1..=text.chars().count() + 1).contains(&error.column));
                prop_assert!(!error.expected.is_empty() && !error.found.is_empty());
            }
        }
    }

    #[test]
    fn a_negation_is_the_opposite(text in filters()) {
        prop_assert_ne!(matches(&text), matches(&format!("!({text})")));
    }
}

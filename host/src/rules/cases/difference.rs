//! How what a case expects and what came out differ, field by field.

use std::collections::{BTreeMap, BTreeSet};

use idr_core::rule::{Breach, ComposedAccount, Creation, Eligibility, Lookup, Proposal};

use super::super::error::Trouble;
use super::super::kind::{Answer, Question, spoken_breach, spoken_eligibility, spoken_value};
use super::format::{Expectation, Wakes};
use super::run::CaseReport;

/// One field that isn't as the case expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The field: `answer`, or a part of it, `wakes_at`, `reads` or `fuel`.
    pub field: String,
    /// What the case expects.
    pub expected: String,
    /// What came out.
    pub got: String,
}

impl Difference {
    pub(super) fn new(
        field: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> Self {
        Self {
            field: field.into(),
            expected: expected.into(),
            got: got.into(),
        }
    }

    /// Says so in one sentence.
    fn spoken(&self) -> String {
        format!(
            "{}: expected {}, got {}",
            self.field, self.expected, self.got
        )
    }
}

/// Returns every field of a report that isn't as expected.
pub(super) fn differences(
    report: &CaseReport,
    expected: &Expectation,
    question: Question<'_>,
) -> Vec<Difference> {
    let mut differences = of_outcome(&expected.outcome, &report.outcome, question);
    let wakes = report.wakes_at.map_or(Wakes::Never, Wakes::At);
    if let Some(wanted) = expected.wakes.filter(|wanted| *wanted != wakes) {
        differences.push(Difference::new(
            "wakes_at",
            wanted.to_string(),
            wakes.to_string(),
        ));
    }
    if let Some(wanted) = &expected.reads {
        differences.extend(of_reads(wanted, &report.reads()));
    }
    if let Some(most) = expected.fuel.filter(|most| report.fuel > *most) {
        let (most, used) = (format!("at most {most}"), report.fuel.to_string());
        differences.push(Difference::new("fuel", most, used));
    }
    differences
}

/// Returns the differences as sentences.
pub(super) fn spoken(differences: &[Difference]) -> Vec<String> {
    differences.iter().map(Difference::spoken).collect()
}

fn of_outcome(
    expected: &Result<Answer, String>,
    got: &Result<Answer, Trouble>,
    question: Question<'_>,
) -> Vec<Difference> {
    let answer = |expected: String, got: String| vec![Difference::new("answer", expected, got)];
    let no_answer = |trouble: &Trouble| format!("none: it {trouble}");
    match (expected, got) {
        (Ok(expected), Ok(got)) => of_answer(expected, got, question),
        (Ok(expected), Err(trouble)) => answer(expected.to_string(), no_answer(trouble)),
        (Err(expected), Err(trouble)) if trouble.to_string().contains(expected) => Vec::new(),
        (Err(expected), Err(trouble)) => {
            answer(format!("the error {expected:?}"), no_answer(trouble))
        }
        (Err(expected), Ok(got)) => answer(format!("the error {expected:?}"), got.to_string()),
    }
}

/// Answers with several parts are compared part by part.
fn of_answer(expected: &Answer, got: &Answer, question: Question<'_>) -> Vec<Difference> {
    if expected == got {
        return Vec::new();
    }
    let parts = match (expected, got) {
        (Answer::Eligibilities(expected), Answer::Eligibilities(got)) => {
            of_roles(expected, got, question)
        }
        (Answer::Proposals(expected), Answer::Proposals(got)) => of_proposals(expected, got),
        (Answer::Lookup(Some(expected)), Answer::Lookup(Some(got))) => of_lookup(expected, got),
        (Answer::Creation(expected), Answer::Creation(got)) => of_creation(expected, got),
        (Answer::Composed(expected), Answer::Composed(got)) => of_composed(expected, got),
        (Answer::Breaches(expected), Answer::Breaches(got)) => of_breaches(expected, got),
        _ => Vec::new(),
    };
    if parts.is_empty() {
        // The whole differs, such as the order of its parts.
        return vec![Difference::new(
            "answer",
            expected.to_string(),
            got.to_string(),
        )];
    }
    parts
}

fn of_roles(
    expected: &[Eligibility],
    got: &[Eligibility],
    question: Question<'_>,
) -> Vec<Difference> {
    let Question::Assign(roles) = question else {
        return Vec::new();
    };
    if expected.len() != got.len() {
        return Vec::new();
    }
    let pairs = roles.iter().zip(expected.iter().zip(got));
    pairs
        .filter(|(_, (expected, got))| expected != got)
        .map(|(role, (expected, got))| {
            let field = format!("role `{role}`");
            Difference::new(field, spoken_eligibility(expected), spoken_eligibility(got))
        })
        .collect()
}

fn of_proposals(expected: &[Proposal], got: &[Proposal]) -> Vec<Difference> {
    let attributes: BTreeSet<&str> = expected
        .iter()
        .chain(got)
        .map(|proposal| proposal.attribute.as_str())
        .collect();
    let said = |proposals: &[Proposal], attribute: &str| {
        let found = proposals.iter().find(|known| known.attribute == attribute);
        match found.map(|proposal| &proposal.value) {
            None => "not proposed".to_owned(),
            Some(None) => "no value".to_owned(),
            Some(Some(value)) => spoken_value(value),
        }
    };
    attributes
        .into_iter()
        .map(|attribute| {
            let field = format!("attribute `{attribute}`");
            Difference::new(field, said(expected, attribute), said(got, attribute))
        })
        .filter(|difference| difference.expected != difference.got)
        .collect()
}

fn of_lookup(expected: &Lookup, got: &Lookup) -> Vec<Difference> {
    let parts = [
        ("attribute", &expected.attribute, &got.attribute),
        ("value", &expected.value, &got.value),
    ];
    parts
        .into_iter()
        .filter(|(_, expected, got)| expected != got)
        .map(|(field, expected, got)| Difference::new(field, expected, got))
        .collect()
}

fn of_creation(expected: &Creation, got: &Creation) -> Vec<Difference> {
    let (
        Creation::Create {
            name: expected_name,
            identity_type: expected_type,
        },
        Creation::Create {
            name: got_name,
            identity_type: got_type,
        },
    ) = (expected, got)
    else {
        return Vec::new();
    };
    let said = |text: &Option<String>| match text {
        Some(text) => format!("{text:?}"),
        None => "as configured".to_owned(),
    };
    let parts = [
        ("name", expected_name, got_name),
        ("type", expected_type, got_type),
    ];
    parts
        .into_iter()
        .filter(|(_, expected, got)| expected != got)
        .map(|(field, expected, got)| Difference::new(field, said(expected), said(got)))
        .collect()
}

fn of_composed(expected: &[ComposedAccount], got: &[ComposedAccount]) -> Vec<Difference> {
    let named = |accounts: &[ComposedAccount], name: &str| {
        let mut found = accounts
            .iter()
            .filter(|known| known.native_identity == name);
        found.next().map(composed_fields)
    };
    let names = expected.iter().chain(got);
    let names: BTreeSet<&str> = names.map(|account| &*account.native_identity).collect();
    let of_account = |name: &str| {
        let field = |part: &str| format!("account `{name}` {part}");
        match (named(expected, name), named(got, name)) {
            (Some(expected), Some(got)) => of_fields(&expected, &got, field),
            (expected, got) => {
                let said = |account: Option<_>| match account {
                    Some(_) => "composed",
                    None => "not composed",
                };
                let name = format!("account `{name}`");
                vec![Difference::new(name, said(expected), said(got))]
            }
        }
    };
    names.into_iter().flat_map(of_account).collect()
}

/// The parts of a logical account, each by its name.
fn composed_fields(account: &ComposedAccount) -> Fields {
    let mut fields = Fields::new();
    fields.insert("status".to_owned(), account.status.as_str().to_owned());
    for (name, value) in &account.attributes {
        fields.insert(format!("attribute `{name}`"), spoken_value(value));
    }
    let parts = account.parts.iter();
    let parts = parts.map(|(application, native)| format!("{application}/{native}"));
    let parts: Vec<String> = parts.collect();
    fields.insert("parts".to_owned(), parts.join(" and "));
    fields
}

/// Breaches are told apart by what they say.
fn of_breaches(expected: &[Breach], got: &[Breach]) -> Vec<Difference> {
    let fields = |breaches: &[Breach]| {
        let said = breaches.iter().map(|breach| {
            let name = format!("breach {:?}", breach.description);
            (name, spoken_breach(breach))
        });
        said.collect::<Fields>()
    };
    of_fields(&fields(expected), &fields(got), str::to_owned)
}

/// Parts of an answer, in words, by name.
type Fields = BTreeMap<String, String>;

fn of_fields(expected: &Fields, got: &Fields, name: impl Fn(&str) -> String) -> Vec<Difference> {
    let names: BTreeSet<&String> = expected.keys().chain(got.keys()).collect();
    let said = |fields: &Fields, name: &String| match fields.get(name) {
        Some(field) => field.clone(),
        None => "none".to_owned(),
    };
    names
        .into_iter()
        .map(|field| Difference::new(name(field), said(expected, field), said(got, field)))
        .filter(|difference| difference.expected != difference.got)
        .collect()
}

fn of_reads(expected: &[String], got: &[String]) -> Vec<Difference> {
    let expected: BTreeSet<&str> = expected.iter().map(String::as_str).collect();
    let got: BTreeSet<&str> = got.iter().map(String::as_str).collect();
    let field = |read: &str| format!("reads `{read}`");
    let unexpected = got.difference(&expected);
    let missing = expected.difference(&got);
    unexpected
        .map(|read| Difference::new(field(read), "no", "yes"))
        .chain(missing.map(|read| Difference::new(field(read), "yes", "no")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::kind::{Answer, Question};
    use super::{of_answer, spoken};
    use idr_core::model::{AccountStatus, Value};
    use idr_core::rule::{
        AccountNeed, AccountSelection, Breach, BreachGrant, ComposedAccount, Creation, Eligibility,
        Lookup, Mapping, Promotion, Proposal, Target,
    };

    fn said(expected: Answer, got: Answer, question: Question<'_>) -> String {
        spoken(&of_answer(&expected, &got, question)).join("\n")
    }

    #[test]
    fn only_the_parts_of_an_answer_that_differ_are_told() {
        let roles = ["A".to_owned(), "B".to_owned()];
        insta::assert_snapshot!(
            said(
                Answer::Eligibilities(vec![Eligibility::Yes, Eligibility::No]),
                Answer::Eligibilities(vec![Eligibility::Yes, Eligibility::CannotTell("why".into())]),
                Question::Assign(&roles),
            ),
            @r#"role `B`: expected no, got cannot-tell "why""#
        );
        let proposal = |attribute: &str, value: Option<i64>| Proposal {
            attribute: attribute.to_owned(),
            value: value.map(Value::Integer),
        };
        insta::assert_snapshot!(
            said(
                Answer::Proposals(vec![proposal("a", Some(1)), proposal("b", Some(2)), proposal("c", None)]),
                Answer::Proposals(vec![proposal("b", Some(3)), proposal("a", Some(1)), proposal("d", None)]),
                Question::BeforeRefresh,
            ),
            @r"
        attribute `b`: expected 2, got 3
        attribute `c`: expected no value, got not proposed
        attribute `d`: expected not proposed, got no value
        "
        );
        insta::assert_snapshot!(
            said(
                Answer::Proposals(vec![proposal("a", Some(1)), proposal("b", None)]),
                Answer::Proposals(vec![proposal("b", None), proposal("a", Some(1))]),
                Question::BeforeRefresh,
            ),
            @"answer: expected [a = 1, b = none], got [b = none, a = 1]"
        );
        let lookup = |value: &str| {
            Answer::Lookup(Some(Lookup {
                attribute: "email".to_owned(),
                value: value.to_owned(),
            }))
        };
        insta::assert_snapshot!(
            said(lookup("a@x"), lookup("b@x"), Question::CorrelateAccount),
            @"value: expected a@x, got b@x"
        );
        let creation = |name: Option<&str>| {
            Answer::Creation(Creation::Create {
                name: name.map(str::to_owned),
                identity_type: None,
            })
        };
        insta::assert_snapshot!(
            said(creation(Some("ann")), creation(None), Question::CreateIdentity),
            @r#"name: expected "ann", got as configured"#
        );
        let composed = |login: &str, status, part: &str| ComposedAccount {
            native_identity: "ali".to_owned(),
            status,
            attributes: vec![("login".to_owned(), Value::text(login))],
            parts: vec![("ad".to_owned(), part.to_owned())],
        };
        let ali = composed("ALI", AccountStatus::Enabled, "cn=ali");
        let other = ComposedAccount {
            native_identity: "bob".to_owned(),
            ..ali.clone()
        };
        insta::assert_snapshot!(
            said(
                Answer::Composed(vec![ali, other]),
                Answer::Composed(vec![composed("ali", AccountStatus::Disabled, "cn=ali")]),
                Question::Compose("crm"),
            ),
            @r#"
        account `ali` attribute `login`: expected "ALI", got "ali"
        account `ali` status: expected enabled, got disabled
        account `bob`: expected composed, got not composed
        "#
        );
        let breach = |description: &str, role: &str| Breach {
            description: description.to_owned(),
            grants: vec![BreachGrant::Role(role.to_owned())],
        };
        insta::assert_snapshot!(
            said(
                Answer::Breaches(vec![breach("pays alone", "Clerk"), breach("same", "A")]),
                Answer::Breaches(vec![breach("pays alone", "Payer"), breach("same", "A"), breach("more", "B")]),
                Question::Judge("payments"),
            ),
            @r#"
        breach "more": expected none, got "more" by role B
        breach "pays alone": expected "pays alone" by role Clerk, got "pays alone" by role Payer
        "#
        );
        let chosen =
            |account: &str| Answer::Selection(AccountSelection::Existing(account.to_owned()));
        let need = AccountNeed {
            application: "ad",
            role: None,
            candidates: &[],
            may_create: true,
        };
        insta::assert_snapshot!(
            said(chosen("a"), Answer::Selection(AccountSelection::Ask), Question::SelectAccount(need)),
            @r#"answer: expected existing "a", got ask"#
        );
        let target = Target {
            application: "ad",
            attribute: "mail",
            native_identity: None,
        };
        insta::assert_snapshot!(
            said(Answer::Mapping(Mapping::Set(Value::Integer(7))), Answer::Mapping(Mapping::Leave), Question::MapTarget(target)),
            @"answer: expected set 7, got leave"
        );
        insta::assert_snapshot!(
            said(
                Answer::Promotion(Promotion::Clear),
                Answer::Promotion(Promotion::Set(Value::Integer(7))),
                Question::Promote("grade"),
            ),
            @"answer: expected clear, got set 7"
        );
    }
}

//! Native transforms, from what configuration says to what they come to: a
//! table of cases for each operation.

use std::path::Path;
use std::sync::Arc;

use idr_core::definitions::RuleIndex;
use idr_core::model::{
    Account, AccountKey, AccountStatus, Claim, Holder, Identity, IdentityRecord, Link, Name, Uid,
    Value, ValueType, Versions,
};
use idr_core::plan::{PlanContext, Planned, Planner};
use idr_core::rule::{
    AccountNeed, AccountSelection, Breach, ComposedAccount, Creation, Eligibility, Lookup, Mapping,
    Promotion, Proposal, RuleEvaluator, RuleFailure, Target, ValueChange,
};
use idr_core::transform::derived::Secret;
use idr_core::view::{Snapshot, SnapshotError, TrackedView};

use super::super::check::OPERATIONS;
use super::super::{Files, Tenant};

/// Nobody asks a rule here.
struct NoRules;

impl RuleEvaluator for NoRules {
    fn promote(
        &mut self,
        rule: RuleIndex,
        _attribute: Name,
        _view: &mut TrackedView,
    ) -> Result<Promotion, RuleFailure> {
        unreachable!("rule {rule:?} was asked")
    }

    fn lifecycle_state(
        &mut self,
        rule: RuleIndex,
        _view: &mut TrackedView,
    ) -> Result<String, RuleFailure> {
        unreachable!("rule {rule:?} was asked")
    }

    fn assign(
        &mut self,
        rule: RuleIndex,
        _candidates: &[Name],
        _view: &mut TrackedView,
    ) -> Result<Vec<Eligibility>, RuleFailure> {
        unreachable!("rule {rule:?} was asked")
    }

    fn fires(
        &mut self,
        rule: RuleIndex,
        _trigger: Name,
        _view: &mut TrackedView,
    ) -> Result<bool, RuleFailure> {
        unreachable!("rule {rule:?} was asked")
    }

    fn before_refresh(
        &mut self,
        rule: RuleIndex,
        _view: &mut TrackedView,
    ) -> Result<Vec<Proposal>, RuleFailure> {
        unreachable!("rule {rule:?} was asked")
    }

    fn after_refresh(
        &mut self,
        rule: RuleIndex,
        _view: &mut TrackedView,
    ) -> Result<Vec<Proposal>, RuleFailure> {
        unreachable!("rule {rule:?} was asked")
    }

    fn value_change(
        &mut self,
        rule: RuleIndex,
        _change: ValueChange<'_>,
        _view: &mut TrackedView,
    ) -> Result<Vec<Proposal>, RuleFailure> {
        unreachable!("rule {rule:?} was asked")
    }

    fn correlate_account(
        &mut self,
        rule: RuleIndex,
        _view: &mut TrackedView,
    ) -> Result<Option<Lookup>, RuleFailure> {
        unreachable!("rule {rule:?} was asked")
    }

    fn create_identity(
        &mut self,
        rule: RuleIndex,
        _view: &mut TrackedView,
    ) -> Result<Creation, RuleFailure> {
        unreachable!("rule {rule:?} was asked")
    }

    fn correlate_manager(
        &mut self,
        rule: RuleIndex,
        _value: &Value,
        _view: &mut TrackedView,
    ) -> Result<Option<Lookup>, RuleFailure> {
        unreachable!("rule {rule:?} was asked")
    }

    fn compose_accounts(
        &mut self,
        rule: RuleIndex,
        _application: Name,
        _view: &mut TrackedView,
    ) -> Result<Vec<ComposedAccount>, RuleFailure> {
        unreachable!("rule {rule:?} was asked")
    }

    fn judge(
        &mut self,
        rule: RuleIndex,
        _policy: Name,
        _view: &mut TrackedView,
    ) -> Result<Vec<Breach>, RuleFailure> {
        unreachable!("rule {rule:?} was asked")
    }

    fn select_account(
        &mut self,
        rule: RuleIndex,
        _need: AccountNeed<'_>,
        _view: &mut TrackedView,
    ) -> Result<AccountSelection, RuleFailure> {
        unreachable!("rule {rule:?} was asked")
    }

    fn map_target(
        &mut self,
        rule: RuleIndex,
        _target: Target<'_>,
        _view: &mut TrackedView,
    ) -> Result<Mapping, RuleFailure> {
        unreachable!("rule {rule:?} was asked")
    }
}

/// A store with one other identity: `boss`, the manager.
struct Boss;

impl Snapshot for Boss {
    fn attribute_of(&self, _uid: Uid, attribute: Name) -> Result<Option<Value>, SnapshotError> {
        let value = match attribute.as_str() {
            "name" => Some("boss"),
            "nickname" => Some("The Boss"),
            _ => None,
        };
        Ok(value.map(Value::text))
    }

    fn find(&self, _attribute: Name, folded: &str) -> Result<Vec<Uid>, SnapshotError> {
        Ok(match folded {
            "boss" => vec![Uid(2)],
            _ => Vec::new(),
        })
    }

    fn holder(&self, claim: &Claim) -> Result<Option<Holder>, SnapshotError> {
        let taken = ["taken", "b", "b1", "b2"].contains(&claim.value.as_str());
        Ok(taken.then_some(Holder::Identity(Uid(2))))
    }
}

const SETTINGS: &str =
    "version = 1\nname = 'acme'\nzone = 'Europe/Berlin'\nsecret = 'env:NOBODY_READS_IT'\n";

const APPLICATION: &str = "\
    [connector]\n\
    type = 'delimited-file'\n\
    native_identity = 'id'\n\
    [schema]\n\
    text = {}\n\
    other = {}\n\
    boss = {}\n\
    number = { type = 'integer' }\n\
    day = { type = 'date' }\n\
    moment = { type = 'instant' }\n\
    groups = { type = 'many', separator = ';' }\n\
    [authoritative]\n\
    name = 'text'\n";

/// Returns the tenant in which attribute `out` is made by a transform, which is
/// applied to the attribute `of` of the account in `hr`.
fn tenant(value_type: &str, of: &str, transform: &str, more: &str) -> Tenant {
    let identity = format!(
        "[attributes.firstname]\n\
         sources = [{{ application = 'hr', attribute = 'text' }}]\n\
         [attributes.lastname]\n\
         sources = [{{ application = 'hr', attribute = 'other' }}]\n\
         [attributes.nickname]\n\
         edit_mode = 'permanent'\n\
         [attributes.out]\n\
         type = '{value_type}'\n\
         sources = [{{ {of} transform = {transform} }}]\n\
         {more}\n\
         [manager]\n\
         sources = [{{ application = 'hr', attribute = 'boss' }}]\n\
         identity_attribute = 'name'\n"
    );
    let lifecycle = "default_state = 'active'\n[states.active]\n";
    let mut files = Files::default();
    for (path, text) in [
        ("idr.toml", SETTINGS),
        ("applications/hr.toml", APPLICATION),
        ("identity.toml", &identity),
        ("lifecycle.toml", lifecycle),
    ] {
        files.insert(path.to_owned(), text.as_bytes().to_vec());
    }
    match Tenant::from_files(Path::new("/tenants/acme"), files) {
        Ok(tenant) => tenant,
        Err(error) => panic!("{transform}: {error}"),
    }
}

/// Returns an account with attributes written as `text=Ana day=2026-01-31`.
fn account(application: &str, native_identity: &str, attributes: &str) -> Account {
    let mut values: Vec<(Name, Value)> = attributes
        .split(" & ")
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, text)| {
            let value = match name {
                "number" => ValueType::Integer.parse(text),
                "day" => ValueType::Date.parse(text),
                "moment" => ValueType::Instant.parse(text),
                "groups" => Ok(Some(Value::Many(text.split(';').map(Into::into).collect()))),
                _ => Ok(Some(Value::text(text))),
            };
            let value = value.expect("of the type").expect("not blank");
            (Name::new(name), value)
        })
        .collect();
    values.sort();
    Account {
        key: AccountKey {
            application: Name::new(application),
            native_identity: native_identity.to_owned(),
        },
        status: AccountStatus::Enabled,
        missing_since: None,
        taken_away: false,
        attributes: values,
        native_entitlements: Vec::new(),
        link: Link::Correlated,
        owner: Some(Uid(1)),
    }
}

fn plan(tenant: &Tenant, accounts: Vec<Account>, as_of: &str) -> Planned {
    let context = PlanContext {
        model: Arc::clone(&tenant.model),
        snapshot: Arc::new(Boss),
        as_of: as_of.parse().expect("an instant"),
    };
    let record = IdentityRecord {
        identity: Identity {
            uid: Uid(1),
            name: "ana".to_owned(),
            ..Identity::default()
        },
        accounts,
        versions: Versions::default(),
    };
    Planner::new(&mut NoRules)
        .plan(&context, record, false)
        .expect("there is no store to fail")
}

/// What `out` comes to: its value, `nothing`, or why it failed.
fn outcome(planned: &Planned) -> String {
    let findings = planned.changes.findings.iter().flatten();
    if let Some(finding) = findings.last() {
        return format!("{}: {}", finding.cause, finding.message);
    }
    let out = planned.changes.attributes.iter();
    let mut out = out.filter(|(name, _)| name.as_str() == "out");
    let value = out.next().and_then(|(_, state)| state.clone()?.value);
    value.map_or_else(|| "nothing".to_owned(), |value| value.to_string())
}

const NOW: &str = "2026-03-15T12:00:00Z";

/// Checks what a transform makes of the account attribute in each row.
#[track_caller]
fn check(transform: &str, rows: &[(&str, &str)]) {
    for (attributes, expected) in rows {
        let of = attributes.split_once('=').map_or("text", |(name, _)| name);
        let of = format!("application = 'hr', attribute = '{of}',");
        let tenant = tenant("text", &of, transform, "");
        let planned = plan(&tenant, vec![account("hr", "1", attributes)], NOW);
        assert_eq!(outcome(&planned), *expected, "{transform} of {attributes}");
    }
}

/// Checks what a transform without input comes to.
#[track_caller]
fn comes_to(transform: &str, accounts: &[&str], expected: &str) {
    let tenant = tenant("text", "", transform, "");
    let accounts = accounts.iter().enumerate();
    let accounts = accounts.map(|(index, text)| account("hr", &index.to_string(), text));
    let planned = plan(&tenant, accounts.collect(), NOW);
    assert_eq!(outcome(&planned), expected, "{transform}");
}

/// As [`comes_to`] of one account, with more identity attributes: `list` has the
/// account's groups.
#[track_caller]
fn comes_to_with_lists(transform: &str, more: &str, attributes: &str, expected: &str) {
    let lists = "[attributes.list]\ntype = 'many'\n\
                 sources = [{ application = 'hr', attribute = 'groups' }]\n";
    let tenant = tenant("text", "", transform, &format!("{lists}{more}"));
    let planned = plan(&tenant, vec![account("hr", "1", attributes)], NOW);
    assert_eq!(outcome(&planned), expected, "{transform} of {attributes}");
}

const SEVERAL: (&str, &str) = ("groups=a;b", "several");

/// As [`check`], and that a blank field, a list and an empty text, which comes to
/// `empty`, are as they should be for operations on one text.
#[track_caller]
fn check_text(operation: &str, transform: &str, empty: &str, rows: &[(&str, &str)]) {
    check(transform, rows);
    let keys = transform.strip_suffix(" }").expect("a table");
    let of_empty = format!("{keys}, input = {{ type = 'static', value = '' }} }}");
    comes_to(&of_empty, &[], empty);
    let wrong = format!(
        "wrong-type: `{operation}`: what it is given is not one text, but a list of several"
    );
    check(transform, &[("", "nothing"), (SEVERAL.0, &wrong)]);
}

#[test]
fn case_and_space() {
    check_text(
        "lower",
        "{ type = 'lower' }",
        "nothing",
        &[("text=ÀB1", "àb1"), ("number=7", "7")],
    );
    check_text(
        "upper",
        "{ type = 'upper' }",
        "nothing",
        &[("text=straße", "STRASSE"), ("groups=a", "A")],
    );
    check_text(
        "trim",
        "{ type = 'trim' }",
        "nothing",
        &[("text=  a b ", "a b"), ("text=  ", "nothing")],
    );
}

#[test]
fn names_and_marks() {
    check_text(
        "normalizeNames",
        "{ type = 'normalizeNames' }",
        "nothing",
        &[
            ("text=ANA-LUISA  o'neil", "Ana-Luisa O'Neil"),
            ("text=john mcdonald", "John McDonald"),
            ("text=LUDWIG VAN BEETHOVEN", "Ludwig van Beethoven"),
            ("text=VON ARX", "Von Arx"),
            ("text=henry tudor viii", "Henry Tudor VIII"),
            ("text=émile", "Émile"),
        ],
    );
    check_text(
        "decomposeDiacriticalMarks",
        "{ type = 'decomposeDiacriticalMarks' }",
        "nothing",
        &[
            ("text=Žofie Müller", "Zofie Muller"),
            ("text=Ærø", "Ærø"),
            ("text=한", "한"),
        ],
    );
    comes_to(
        "{ type = 'displayName' }",
        &["text=Ana & other=Ames"],
        "Ana Ames",
    );
    comes_to("{ type = 'displayName' }", &["other=Ames"], "Ames");
    comes_to("{ type = 'displayName' }", &[""], "nothing");
}

#[test]
fn base64() {
    check_text(
        "base64Encode",
        "{ type = 'base64Encode' }",
        "nothing",
        &[("text=añb", "YcOxYg==")],
    );
    check_text(
        "base64Decode",
        "{ type = 'base64Decode' }",
        "nothing",
        &[
            ("text=YcOxYg==", "añb"),
            (
                "text=%",
                "bad-value: `base64Decode`: what it is given is no base64",
            ),
            (
                "text=/w==",
                "bad-value: `base64Decode`: what was encoded is no text",
            ),
        ],
    );
}

#[test]
fn codes_of_standards() {
    check_text(
        "e164phone",
        "{ type = 'e164phone', defaultRegion = 'DE' }",
        "nothing",
        &[
            ("text=030 / 901820", "+4930901820"),
            ("text=+1 (512) 346-2000", "+15123462000"),
            ("text=12", "nothing"),
            ("text=reception", "nothing"),
        ],
    );
    check(
        "{ type = 'e164phone' }",
        &[("text=512-346-2000", "+15123462000")],
    );
    check_text(
        "iso3166",
        "{ type = 'iso3166' }",
        "nothing",
        &[
            ("text=deu", "DE"),
            ("text=Germany", "DE"),
            ("text=276", "DE"),
            ("text=bolivia", "BO"),
            ("text=Atlantis", "nothing"),
        ],
    );
    check(
        "{ type = 'iso3166', format = 'alpha3' }",
        &[("text=ch", "CHE")],
    );
    check(
        "{ type = 'iso3166', format = 'numeric' }",
        &[("text=Austria", "040")],
    );
    check_text(
        "rfc5646",
        "{ type = 'rfc5646' }",
        "nothing",
        &[
            ("text=EN_us", "en-US"),
            ("text=German", "de"),
            ("text=deu", "de"),
            ("text=zh-hant-TW", "zh-Hant-TW"),
            ("text=Klingonish", "nothing"),
        ],
    );
}

#[test]
fn parts_of_a_text() {
    check_text(
        "substring",
        "{ type = 'substring', begin = 1, end = 3 }",
        "nothing",
        &[
            ("text=añbc", "ñb"),
            ("text=a", "nothing"),
            ("number=1234", "23"),
        ],
    );
    check(
        "{ type = 'substring', begin = -1, end = 2 }",
        &[("text=abc", "ab")],
    );
    check("{ type = 'substring', begin = 1 }", &[("text=abc", "bc")]);
    check(
        "{ type = 'substring', begin = { type = 'indexOf', substring = '@' }, beginOffset = 1 }",
        &[("text=ana@acme.example", "acme.example")],
    );
    check(
        "{ type = 'substring', begin = { type = 'static', value = 'x' } }",
        &[(
            "text=a",
            "wrong-type: `substring`: what it is given is not a whole number",
        )],
    );
    check_text(
        "split",
        "{ type = 'split', delimiter = '.', index = 1 }",
        "bad-value: `split`: there is no piece 1",
        &[
            ("text=a.b.c", "b"),
            ("text=a..c", "nothing"),
            ("text=a", "bad-value: `split`: there is no piece 1"),
        ],
    );
    check(
        "{ type = 'split', delimiter = '[,;] *', index = '1', throws = false }",
        &[("text=a; b", "b"), ("text=a", "nothing")],
    );
    check_text(
        "indexOf",
        "{ type = 'indexOf', substring = 'b' }",
        "-1",
        &[("text=ñbb", "1"), ("text=a", "-1")],
    );
    check_text(
        "lastIndexOf",
        "{ type = 'lastIndexOf', substring = 'b' }",
        "-1",
        &[("text=ñbb", "2"), ("text=a", "-1")],
    );
    check_text(
        "getEndOfString",
        "{ type = 'getEndOfString', numChars = 2 }",
        "nothing",
        &[("text=añb", "ñb"), ("text=a", "nothing")],
    );
    check(
        "{ type = 'rule', attributes = { name = 'Cloud Services Deployment Utility', \
         operation = 'getEndOfString', numChars = '2' } }",
        &[("text=abc", "bc")],
    );
}

#[test]
fn padding() {
    check_text(
        "leftPad",
        "{ type = 'leftPad', length = 4, padding = '0' }",
        "0000",
        &[("text=ñ7", "00ñ7"), ("text=12345", "12345")],
    );
    check_text(
        "rightPad",
        "{ type = 'rightPad', length = '4', padding = 'xy' }",
        "xyxy",
        &[("text=a", "axyx")],
    );
    check("{ type = 'leftPad', length = 3 }", &[("text=a", "  a")]);
}

#[test]
fn replacement_and_tables() {
    check_text(
        "replace",
        "{ type = 'replace', regex = '(\\w+)@.*', replacement = '$1 \\$x' }",
        "nothing",
        &[("text=ana@acme", "ana $x"), ("text=ana", "ana")],
    );
    check(
        "{ type = 'replace', regex = '[^a-z]' }",
        &[("text=a1b2", "ab"), ("text=12", "nothing")],
    );
    check_text(
        "replaceAll",
        "{ type = 'replaceAll', table = { 'ä' = 'ae', 'ß' = 'ss', '[0-9]' = '' } }",
        "nothing",
        &[("text=Bäß7", "Baess")],
    );
    check_text(
        "lookup",
        "{ type = 'lookup', table = { 'BER' = 'Berlin', '7' = 'Seven', default = 'Elsewhere' } }",
        "Elsewhere",
        &[
            ("text=BER", "Berlin"),
            ("text=ber", "Elsewhere"),
            ("number=7", "Seven"),
        ],
    );
    check(
        "{ type = 'lookup', table = { BER = 'Berlin' } }",
        &[("text=XXX", "nothing")],
    );
    check(
        "{ type = 'replace', regex = '', replacement = 'aaaaaaaaaa' }",
        &[],
    );
}

#[test]
fn texts_that_grow_without_bound_are_failures() {
    let doubled = "{ type = 'concat', values = [{ type = 'reference', id = 'ID' }, { type = 'reference', id = 'ID' }] }";
    let mut more = "[transforms.t0]\ntype = 'rightPad'\nlength = 10000\n".to_owned();
    for level in 1..=10 {
        let id = format!("t{}", level - 1);
        let transform = doubled.replace("ID", &id);
        more +=
            &format!("[transforms.t{level}]\ntype = 'static'\nvalue = '${{x}}'\nx = {transform}\n");
    }
    let of = "application = 'hr', attribute = 'text',";
    let tenant = tenant("text", of, "{ type = 'reference', id = 't10' }", &more);
    let planned = plan(&tenant, vec![account("hr", "1", "text=a")], NOW);
    assert_eq!(
        outcome(&planned),
        "too-long: `concat`: the text would be longer than 1048576 bytes"
    );
}

#[test]
fn several_values() {
    let mail = "{ type = 'concat', values = [{ type = 'identityAttribute', name = 'firstname' }, \
                '@', { type = 'accountAttribute', sourceName = 'hr', attributeName = 'other' }] }";
    comes_to(mail, &["text=ana & other=acme"], "ana@acme");
    comes_to(mail, &["text=ana"], "nothing");
    comes_to(
        "{ type = 'concat', values = [{ type = 'accountAttribute', sourceName = 'hr', attributeName = 'groups' }] }",
        &["groups=a;b"],
        "wrong-type: `concat`: what it is given is not one text, but a list of several",
    );
    let join = "{ type = 'join', separator = '-', values = [\
                { type = 'accountAttribute', sourceName = 'hr', attributeName = 'groups' }, \
                { type = 'static', value = '' }, \
                { type = 'identityAttribute', name = 'firstname' }] }";
    comes_to(join, &["text=x & groups=a;b"], "a-b-x");
    comes_to(join, &["text=x"], "x");
    comes_to(join, &[""], "nothing");
    let first = |ignore: &str| {
        format!(
            "{{ type = 'firstValid', ignoreErrors = {ignore}, values = [\
             {{ type = 'base64Decode', input = {{ type = 'identityAttribute', name = 'firstname' }} }}, \
             'else'] }}"
        )
    };
    comes_to(&first("false"), &["text=eA=="], "x");
    comes_to(&first("false"), &[""], "else");
    let failed = "bad-value: `base64Decode`: what it is given is no base64";
    comes_to(&first("false"), &["text=?"], failed);
    comes_to(&first("'true'"), &["text=?"], "else");
    let list = "{ type = 'firstValid', values = [\
                { type = 'accountAttribute', sourceName = 'hr', attributeName = 'groups' }, 'else'] }";
    comes_to(list, &["groups=a"], "a");
    comes_to(list, &[""], "else");
    comes_to(list, &["groups=a;b"], "wrong-type: `a, b` is not a text");
    let blank_last = "{ type = 'concat', values = ['x', { type = 'firstValid', values = [\
                      { type = 'identityAttribute', name = 'lastname' }, ''] }] }";
    comes_to(blank_last, &["text=a"], "x");
}

#[test]
fn texts_with_variables() {
    let text = |more: &str| {
        format!(
            "{{ type = 'static', value = '$first is ${{last}}$5', {more} \
             first = {{ type = 'identityAttribute', name = 'firstname' }}, \
             last = {{ type = 'base64Decode', input = {{ type = 'identityAttribute', name = 'lastname' }} }} }}"
        )
    };
    comes_to(&text(""), &["text=Ana & other=eA=="], "Ana is x$5");
    comes_to(&text(""), &["text=Ana"], "nothing");
    let failed = "bad-value: `base64Decode`: what it is given is no base64";
    comes_to(&text(""), &["text=Ana & other=?"], failed);
    comes_to(
        &text("ignoreErrors = true,"),
        &["text=Ana & other=?"],
        "nothing",
    );
    let quiet = "{ type = 'static', value = 'a$!{last}', last = { type = 'identityAttribute', name = 'lastname' } }";
    comes_to(quiet, &[""], "a");
    comes_to("{ type = 'static', value = 'fixed' }", &[], "fixed");
    comes_to("{ type = 'static', value = '' }", &[], "nothing");
    comes_to("{ type = 'static', value = 7 }", &[], "7");
}

#[test]
fn conditions() {
    let by = |expression: &str| {
        format!(
            "{{ type = 'conditional', expression = \"{expression}\", \
             positiveCondition = 'yes $first', negativeCondition = 'no', \
             first = {{ type = 'identityAttribute', name = 'firstname' }} }}"
        )
    };
    comes_to(&by("$first eq Ana"), &["text=Ana"], "yes Ana");
    comes_to(&by("$first eq 'Ana'"), &["text=ana"], "no");
    comes_to(&by("$first ne Ana"), &["text=Bo"], "yes Bo");
    comes_to(&by("$first eq Ana"), &[""], "no");
    comes_to(&by("$first eq null"), &[""], "nothing");
    comes_to(&by("$first eq null"), &["text=x"], "no");
    comes_to(&by("a-$first eq a-b"), &["text=b"], "yes b");
    let several = "{ type = 'conditional', expression = '$x eq a', positiveCondition = 'y', negativeCondition = 'n', \
                   x = { type = 'accountAttribute', sourceName = 'hr', attributeName = 'groups' } }";
    let wrong =
        "wrong-type: `conditional`: what it is given is not one text, but a list of several";
    comes_to(several, &["groups=a;b"], wrong);
}

#[test]
fn accounts_are_chosen() {
    let by = |more: &str| {
        format!(
            "{{ type = 'accountAttribute', sourceName = 'hr', attributeName = 'text', {more} }}"
        )
    };
    let accounts = [
        "number=5",
        "text=b & number=7",
        "text=c & number=3",
        "text=d",
    ];
    comes_to(&by(""), &accounts, "b");
    comes_to(&by("accountReturnFirstLink = true"), &accounts, "nothing");
    comes_to(&by("accountSortAttribute = 'number'"), &accounts, "c");
    let down = "accountSortAttribute = 'number', accountSortDescending = true";
    comes_to(&by(down), &accounts, "b");
    comes_to(&by("accountSortDescending = true"), &accounts, "d");
    comes_to(
        &by("accountFilter = 'nativeIdentity == \"2\"'"),
        &accounts,
        "c",
    );
    let both = "accountFilter = 'number.notNull()', accountPropertyFilter = 'number < 5'";
    comes_to(&by(both), &accounts, "c");
    comes_to(&by("accountFilter = 'number == 99'"), &accounts, "nothing");
    comes_to(&by(""), &[], "nothing");
}

#[test]
fn a_missing_account_is_not_a_blank_field() {
    let transform = "{ type = 'lower' }, on_no_account = 'keep', on_empty = 'clear'";
    let tenant = tenant(
        "text",
        "application = 'hr', attribute = 'text',",
        transform,
        "",
    );
    let with = plan(&tenant, vec![account("hr", "1", "text=X")], NOW);
    let mut record = with.record;
    record.identity.apply(with.changes);
    let replan = |accounts: Vec<Account>| {
        let mut again = record.clone();
        again.accounts = accounts;
        let context = PlanContext {
            model: Arc::clone(&tenant.model),
            snapshot: Arc::new(Boss),
            as_of: NOW.parse().expect("an instant"),
        };
        let planned = Planner::new(&mut NoRules).plan(&context, again, false);
        let mut changes = planned.expect("a plan").changes.attributes;
        changes.retain(|(name, _)| name.as_str() == "out");
        format!("{:?}", changes.pop().and_then(|(_, state)| state))
    };
    let kept = replan(Vec::new());
    assert!(
        kept.contains("Text(\"x\")") && kept.contains("Kept"),
        "{kept}"
    );
    let cleared = replan(vec![account("hr", "1", "")]);
    assert!(cleared.contains("value: None"), "{cleared}");
}

#[test]
fn attributes_of_others() {
    let of = |uid: &str| {
        format!(
            "{{ type = 'getReferenceIdentityAttribute', uid = '{uid}', attributeName = 'nickname' }}"
        )
    };
    comes_to(&of("manager"), &["boss=boss"], "The Boss");
    comes_to(&of("manager"), &[""], "nothing");
    comes_to(&of("Boss"), &[""], "The Boss");
    comes_to(&of("nobody"), &[""], "nothing");
}

/// What the identity itself has.
#[test]
fn attributes_of_the_identity() {
    let of = |name: &str| format!("{{ type = 'identityAttribute', name = '{name}' }}");
    comes_to(&of("firstname"), &["text=Ana"], "Ana");
    comes_to(&of("firstname"), &[""], "nothing");
    comes_to(&of("firstname"), &[], "nothing");
    comes_to(&of("nickname"), &["text=Ana"], "nothing");
    comes_to(&of("name"), &[""], "ana");
    comes_to(&of("uid"), &[""], "1");
    comes_to(&of("manager"), &["boss=boss"], "boss");
    comes_to(&of("manager"), &[""], "nothing");
    comes_to(&of("inactive"), &[""], "false");
    comes_to(&of("lifecycleState"), &[""], "active");
    comes_to_with_lists(&of("list"), "", "groups=a", "a");
    comes_to_with_lists(&of("list"), "", "", "nothing");
    comes_to_with_lists(
        &of("list"),
        "",
        "groups=a;b",
        "wrong-type: `a, b` is not a text",
    );
    let lower = format!("{{ type = 'lower', input = {} }}", of("list"));
    let wrong = "wrong-type: `lower`: what it is given is not one text, but a list of several";
    comes_to_with_lists(&lower, "", "groups=a;b", wrong);
}

/// What is nothing or a list is that for what a reference stands for.
#[test]
fn references_are_to_what_they_are_given() {
    let shared = "[transforms.shout]\ntype = 'upper'\n";
    let of = |name: &str| {
        format!(
            "{{ type = 'reference', id = 'shout', input = {{ type = 'identityAttribute', name = '{name}' }} }}"
        )
    };
    comes_to_with_lists(&of("firstname"), shared, "text=a", "A");
    comes_to_with_lists(&of("firstname"), shared, "", "nothing");
    comes_to_with_lists(&of("list"), shared, "groups=a", "A");
    let wrong = "wrong-type: `upper`: what it is given is not one text, but a list of several";
    comes_to_with_lists(&of("list"), shared, "groups=a;b", wrong);
}

#[test]
fn what_a_person_is_called_is_text() {
    let preferred = "[attributes.preferredName]\ntype = 'many'\n\
                     sources = [{ application = 'hr', attribute = 'groups' }]\n";
    let of = "{ type = 'displayName' }";
    let accounts = "text=Ana & other=Ames";
    comes_to_with_lists(of, preferred, accounts, "Ana Ames");
    let one = format!("{accounts} & groups=Annie");
    comes_to_with_lists(of, preferred, &one, "Annie Ames");
    let several = format!("{accounts} & groups=a;b");
    let wrong =
        "wrong-type: `displayName`: what it is given is not one text, but a list of several";
    comes_to_with_lists(of, preferred, &several, wrong);
}

/// What a transform derives from a secret for the identity.
fn derived(transform: &str, secret: &str) -> String {
    let mut tenant = tenant("text", "", transform, "");
    let model = Arc::make_mut(&mut tenant.model);
    model.secret = Secret::new(secret.as_bytes().to_vec());
    outcome(&plan(&tenant, Vec::new(), NOW))
}

/// A transform, how long what it derives is, and what must be true of that.
type Derivation<'a> = (String, usize, &'a dyn Fn(&str) -> bool);

#[test]
fn derived_texts_are_as_long_as_they_are_said_to_be() {
    let alphanumeric = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let letters = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let any = |text: &str| text.bytes().any(|byte| byte.is_ascii_punctuation());
    let utility = "{ type = 'rule', name = 'Cloud Services Deployment Utility', \
                   operation = 'generateRandomString'";
    let string = "{ type = 'generateRandomString'";
    let is: [Derivation<'_>; 9] = [
        (
            "{ type = 'randomAlphaNumeric' }".to_owned(),
            32,
            &alphanumeric,
        ),
        (
            "{ type = 'randomAlphaNumeric', length = 5 }".to_owned(),
            5,
            &alphanumeric,
        ),
        ("{ type = 'randomNumeric' }".to_owned(), 10, &digits),
        (
            "{ type = 'randomNumeric', length = '4' }".to_owned(),
            4,
            &digits,
        ),
        ("{ type = 'uuid' }".to_owned(), 36, &|text| {
            text.matches('-').count() == 4
        }),
        (
            format!(
                "{string}, length = 40, includeNumbers = false, includeSpecialChars = false }}"
            ),
            40,
            &letters,
        ),
        (
            format!("{string}, length = 40, includeNumbers = true, includeSpecialChars = false }}"),
            40,
            &|text| alphanumeric(text) && !letters(text),
        ),
        (
            format!("{string}, length = 40, includeNumbers = true, includeSpecialChars = true }}"),
            40,
            &any,
        ),
        (
            format!(
                "{utility}, length = '40', includeNumbers = 'true', includeSpecialChars = 'true' }}"
            ),
            40,
            &any,
        ),
    ];
    for (transform, length, is) in &is {
        let text = derived(transform, "the tenant's own secret");
        assert_eq!(text.len(), *length, "{transform}: {text}");
        assert!(is(&text), "{transform}: {text}");
        assert_eq!(derived(transform, "the tenant's own secret"), text);
        assert_ne!(derived(transform, "another tenant's secret"), text);
    }
    // The utility's operation is the operation.
    let [.., (plain, ..), (by_rule, ..)] = &is;
    let [plain, by_rule] = [plain, by_rule].map(|text| derived(text, "the tenant's own secret"));
    assert_eq!(plain, by_rule);
}

#[test]
fn the_utility_reads_others_as_well() {
    let of = |uid: &str| {
        format!(
            "{{ type = 'rule', attributes = {{ name = 'Cloud Services Deployment Utility', \
             operation = 'getReferenceIdentityAttribute', uid = '{uid}', attributeName = 'nickname' }} }}"
        )
    };
    comes_to(&of("manager"), &["boss=boss"], "The Boss");
    comes_to(&of("manager"), &[""], "nothing");
    comes_to(&of("Boss"), &[""], "The Boss");
}

/// Every operation has cases here.
#[test]
fn every_operation_has_its_cases() {
    let cases = include_str!("transforms.rs");
    let operations: Vec<&str> = OPERATIONS
        .iter()
        .map(|(name, _)| *name)
        .chain(["usernameGenerator"])
        .collect();
    assert_eq!(operations.len(), 39);
    for operation in operations {
        let case = format!("type = '{operation}'");
        assert!(cases.contains(&case), "`{operation}` has no case");
    }
}

#[test]
fn shared_transforms_are_applied_to_what_refers_to_them() {
    let more = "[transforms.shout]\ntype = 'concat'\n\
                values = [{ type = 'upper' }, '!']\n\
                [transforms.fixed]\ntype = 'static'\nvalue = 'f'\n";
    let of = "application = 'hr', attribute = 'text',";
    let accounts = || vec![account("hr", "1", "text=a & other=b")];
    let shout = |of: &str, transform: &str| {
        outcome(&plan(&tenant("text", of, transform, more), accounts(), NOW))
    };
    assert_eq!(shout(of, "{ type = 'reference', id = 'shout' }"), "A!");
    let other = "{ type = 'reference', id = 'shout', input = \
                 { type = 'accountAttribute', sourceName = 'hr', attributeName = 'other' } }";
    assert_eq!(shout("", other), "B!");
    assert_eq!(shout("", "{ type = 'reference', id = 'fixed' }"), "f");
    let twice =
        "{ type = 'reference', id = 'shout', input = { type = 'reference', id = 'shout' } }";
    assert_eq!(shout(of, twice), "A!!");
}

#[test]
fn moments_are_written() {
    let format = |from: &str, to: &str| {
        format!("{{ type = 'dateFormat', inputFormat = '{from}', outputFormat = '{to}' }}")
    };
    check(
        &format("ISO8601", "yyyy-MM-dd HH:mm:ss.SSS"),
        &[
            ("moment=2026-03-01T17:00:00Z", "2026-03-01 18:00:00.000"),
            ("day=2026-03-01", "2026-03-01 00:00:00.000"),
            ("text=2026-03-01T17:00", "2026-03-01 17:00:00.000"),
            ("text=2026-03-01", "2026-03-01 00:00:00.000"),
            ("", "nothing"),
            (
                "text=soon",
                "wrong-type: `dateFormat`: what it is given is not a date or a moment as written there",
            ),
            (
                SEVERAL.0,
                "wrong-type: `dateFormat`: what it is given is not a date or a moment",
            ),
        ],
    );
    check(
        &format("MM/dd/yyyy", "ISO8601"),
        &[
            ("text=03/01/2026", "2026-02-28T23:00:00Z"),
            (
                "text=2026-03-01",
                "wrong-type: `dateFormat`: what it is given is not a date or a moment as written there",
            ),
        ],
    );
    check(
        &format("d-MMM-yyyy h:mm a", "EEEE, MMMM d"),
        &[("text=1-Mar-2026 5:30 PM", "Sunday, March 1")],
    );
    check(
        &format("yyyy-MM-dd HH:mm:ssZ", "EPOCH_TIME_JAVA"),
        &[("text=1970-01-01 01:00:00+0100", "0")],
    );
    check(
        &format("yyyy-MM-dd HH:mm:ssXXX", "EPOCH_TIME_JAVA"),
        &[("text=1970-01-01 00:00:01Z", "1000")],
    );
    check(
        &format("EPOCH_TIME_WIN32", "ISO8601"),
        &[
            ("text=116444736000000000", "1970-01-01T00:00:00Z"),
            ("text=9223372036854775807", "nothing"),
            ("text=0", "nothing"),
        ],
    );
    check(
        &format("EPOCH_TIME_JAVA", "EPOCH_TIME_WIN32"),
        &[("number=0", "116444736000000000")],
    );
    check(
        &format("LDAP", "PEOPLE_SOFT"),
        &[
            ("text=20260331220000.0Z", "04/01/2026"),
            ("text=20260331120000+0200", "03/31/2026"),
        ],
    );
    check(
        &format("PEOPLE_SOFT", "LDAP"),
        &[("text=04/01/2026", "20260331220000.0Z")],
    );
}

#[test]
fn moments_are_moved_and_rounded() {
    let math = |expression: &str, more: &str| {
        format!("{{ type = 'dateMath', expression = '{expression}'{more} }}")
    };
    check(
        &math("+1M", ""),
        &[
            ("day=2026-01-31", "2026-02-28"),
            ("text=2026-01-31", "2026-02-28"),
            ("moment=2026-01-31T12:00:00Z", "2026-02-28T12:00:00Z"),
            ("", "nothing"),
            (
                "text=soon",
                "wrong-type: `dateMath`: what it is given is not a date or a moment as written there",
            ),
            (
                SEVERAL.0,
                "wrong-type: `dateMath`: what it is given is not a date or a moment",
            ),
        ],
    );
    check(&math("+1y-2w-3d", ""), &[("day=2026-03-20", "2027-03-03")]);
    check(
        &math("/M", ""),
        &[("moment=2026-03-31T23:00:00Z", "2026-04-01")],
    );
    check(
        &math("/M", ", roundUp = true"),
        &[("day=2026-03-05", "2026-04-01")],
    );
    check(
        &math("/y+90m", ""),
        &[("day=2026-03-05", "2026-01-01T00:30:00Z")],
    );
    check(
        &math("/h", ""),
        &[("moment=2026-03-05T10:59:00Z", "2026-03-05T10:00:00Z")],
    );
    // The clock goes forward in Berlin that night: the day has 23 hours.
    check(
        &math("+1d", ""),
        &[("moment=2026-03-28T12:00:00Z", "2026-03-29T11:00:00Z")],
    );
    check(
        &math("+24h", ""),
        &[("moment=2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z")],
    );
    check(
        &math("+9999y", ""),
        &[(
            "day=2026-03-20",
            "bad-value: `dateMath`: the moment is beyond the calendar",
        )],
    );
}

#[test]
fn a_rounded_now_wakes_when_it_changes() {
    let now = |expression: &str, more: &str, as_of: &str| {
        let transform = format!("{{ type = 'dateMath', expression = '{expression}'{more} }}");
        let planned = plan(&tenant("text", "", &transform, ""), Vec::new(), as_of);
        let wake = planned.changes.wake.flatten().expect("a wake-up");
        format!("{} until {wake}", outcome(&planned))
    };
    assert_eq!(
        now("now/d", "", NOW),
        "2026-03-15 until 2026-03-15T23:00:00Z"
    );
    assert_eq!(
        now("now-1w/d", "", NOW),
        "2026-03-08 until 2026-03-15T23:00:00Z"
    );
    assert_eq!(
        now("now/M", "", NOW),
        "2026-03-01 until 2026-03-31T22:00:00Z"
    );
    assert_eq!(
        now("now+1M/y", "", NOW),
        "2026-01-01 until 2026-11-30T23:00:00Z"
    );
    assert_eq!(
        now("now/y", ", roundUp = true", NOW),
        "2027-01-01 until 2026-12-31T23:00:00Z"
    );
    assert_eq!(
        now("now/d+8h", "", NOW),
        "2026-03-15T07:00:00Z until 2026-03-15T23:00:00Z"
    );
    // The 29th to the 31st of March are all the last day of February, a month before.
    assert_eq!(
        now("now-1M/d", "", "2026-03-29T12:00:00Z"),
        "2026-02-28 until 2026-03-31T22:00:00Z"
    );
}

#[test]
fn moments_are_compared() {
    let compared = |first: &str, operator: &str, second: &str, attributes: &str, as_of: &str| {
        let transform = format!(
            "{{ type = 'dateCompare', firstDate = {first}, operator = '{operator}', secondDate = {second}, \
             positiveCondition = 'yes', negativeCondition = 'no' }}"
        );
        let tenant = tenant("text", "", &transform, "");
        let planned = plan(&tenant, vec![account("hr", "1", attributes)], as_of);
        let wake = planned.changes.wake.flatten();
        let wake = wake.map_or(String::new(), |wake| format!(" until {wake}"));
        outcome(&planned) + &wake
    };
    let day = "{ type = 'accountAttribute', sourceName = 'hr', attributeName = 'day' }";
    let text = "{ type = 'accountAttribute', sourceName = 'hr', attributeName = 'text' }";
    let end = "day=2026-03-31";
    let before = "2026-03-30T21:59:59.999Z";
    let at = "2026-03-30T22:00:00Z";
    let after = "2026-03-30T22:00:00.001Z";
    for (operator, answers) in [
        ("LT", ["yes until 2026-03-30T22:00:00Z", "no", "no"]),
        (
            "lte",
            [
                "yes until 2026-03-30T22:00:00.001Z",
                "yes until 2026-03-30T22:00:00.001Z",
                "no",
            ],
        ),
        (
            "GT",
            [
                "no until 2026-03-30T22:00:00.001Z",
                "no until 2026-03-30T22:00:00.001Z",
                "yes",
            ],
        ),
        ("GTE", ["no until 2026-03-30T22:00:00Z", "yes", "yes"]),
    ] {
        let found = [before, at, after].map(|as_of| compared("'now'", operator, day, end, as_of));
        assert_eq!(found, answers, "now {operator}");
    }
    assert_eq!(
        compared(day, "GT", "'now'", end, before),
        "yes until 2026-03-30T22:00:00Z"
    );
    assert_eq!(compared(day, "GT", "'now'", end, at), "no");
    let month_ago = "{ type = 'dateMath', expression = 'now-1M' }";
    assert_eq!(
        compared(day, "LT", month_ago, end, NOW),
        "no until 2026-04-29T22:00:00.001Z"
    );
    let this_month = "{ type = 'dateMath', expression = 'now/M' }";
    assert_eq!(
        compared(day, "GTE", this_month, end, NOW),
        "yes until 2026-03-31T22:00:00Z"
    );
    assert_eq!(compared(day, "LT", "'2026-04-01'", end, NOW), "yes");
    assert_eq!(
        compared(day, "GTE", "'2026-03-31T00:00+02:00'", end, NOW),
        "yes"
    );
    assert_eq!(compared(day, "LT", "'now'", "", NOW), "nothing");
    assert_eq!(compared("'2026-04-01'", "LT", day, "", NOW), "nothing");
    let list = "{ type = 'accountAttribute', sourceName = 'hr', attributeName = 'groups' }";
    let wrong = "wrong-type: `dateCompare`: what it is given is not a date or a moment";
    assert_eq!(compared(list, "LT", "'now'", SEVERAL.0, NOW), wrong);
    assert_eq!(compared("'2026-04-01'", "LT", list, SEVERAL.0, NOW), wrong);
    assert_eq!(
        compared(text, "LT", "'now'", "text=soon", NOW),
        "wrong-type: `dateCompare`: what it is given is not a date or a moment as written there"
    );
}

#[test]
fn a_moment_becomes_the_day_that_it_is_where_a_date_is_wanted() {
    let transform = "{ type = 'dateMath', expression = '+1h' }";
    let of = "application = 'hr', attribute = 'moment',";
    let tenant = tenant("date", of, transform, "");
    let late = account("hr", "1", "moment=2026-03-01T22:30:00Z");
    assert_eq!(outcome(&plan(&tenant, vec![late], NOW)), "2026-03-02");
}

#[test]
fn a_changed_shared_transform_is_a_changed_definition() {
    let digest = |text: &str| {
        let more = format!("[transforms.t]\ntype = 'static'\nvalue = '{text}'\n");
        let tenant = tenant("text", "", "{ type = 'reference', id = 't' }", &more);
        tenant.model.common_digest()
    };
    assert_eq!(digest("a"), digest("a"));
    assert_ne!(digest("a"), digest("b"));
}

#[test]
fn every_moment_has_a_time_zone_of_the_identity() {
    let more = "[attributes.zone]\nsources = [{ application = 'hr', attribute = 'boss' }]\n";
    let of = "application = 'hr', attribute = 'day',";
    let transform = "{ type = 'dateFormat' }";
    let tenant = tenant("text", of, transform, more);
    let somewhere = |zone: &str| {
        let account = account("hr", "1", &format!("day=2026-03-01 & boss={zone}"));
        let mut planned = plan(&tenant, vec![account], NOW);
        planned.changes.findings = None;
        outcome(&planned)
    };
    assert_eq!(somewhere("America/New_York"), "2026-03-01T05:00:00Z");
    assert_eq!(somewhere("Atlantis"), "2026-02-28T23:00:00Z");
}

#[test]
fn usernames() {
    let generated = |patterns: &str, rows: &[(&str, &str)]| {
        let variables = "n = { type = 'accountAttribute', sourceName = 'hr', attributeName = 'text' }, \
                         m = { type = 'accountAttribute', sourceName = 'hr', attributeName = 'other' }";
        let transform =
            format!("{{ type = 'usernameGenerator', patterns = {patterns}, {variables} }}");
        let tenant = tenant("text", "", &transform, "");
        for (attributes, expected) in rows {
            let planned = plan(&tenant, vec![account("hr", "1", attributes)], NOW);
            assert_eq!(outcome(&planned), *expected, "{patterns} of {attributes}");
        }
    };
    generated(
        "['$n', '$n$m', '$n${uniqueCounter}']",
        &[
            ("text=ann", "ann"),
            ("text=Taken & other=X", "TakenX"),
            ("text=TAKEN", "TAKEN1"),
            ("text=B", "B3"),
            ("other=x", "nothing"),
            ("", "nothing"),
        ],
    );
    generated(
        "['$n$!m', 'b$uniqueCounter$m']",
        &[("text=ann", "ann"), ("text=b & other=1", "b11")],
    );
    generated("['$!n$!m${uniqueCounter}']", &[("", "1")]);
    generated(
        "['$n', '$m']",
        &[(
            "text=taken & other=B",
            "no-free-name: every name that its patterns make is taken in `out`",
        )],
    );
    let several = "{ type = 'usernameGenerator', patterns = ['$n'], \
                   n = { type = 'accountAttribute', sourceName = 'hr', attributeName = 'groups' } }";
    comes_to(
        several,
        &["groups=a;b"],
        "wrong-type: `usernameGenerator`: what it is given is not one text, but a list of several",
    );
    comes_to(several, &[], "nothing");
}

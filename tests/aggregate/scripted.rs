//! Rules about accounts, written in the accounts themselves: `department` says
//! what they answer.

use idr_core::definitions::RuleIndex;
use idr_core::model::{Name, Value};
use idr_core::rule::{
    AccountNeed, AccountSelection, Breach, ComposedAccount, Creation, Eligibility, Lookup, Mapping,
    Promotion, Proposal, RuleEvaluator, RuleFailure, RuleHost, Target, ValueChange,
};
use idr_core::view::TrackedView;

/// | `department`     | correlation          | creation                      |
/// |------------------|----------------------|-------------------------------|
/// | `is NAME`        | whose name is NAME   | as configured                 |
/// | `by ATTRIBUTE V` | whose ATTRIBUTE is V | as configured                 |
/// | `named NAME`     | nobody               | an identity of that name      |
/// | `a TYPE`         | nobody               | an identity of that type      |
/// | `skip WHY`       | nobody               | none                          |
/// | `lost`           | declined             | not asked                     |
/// | `unborn`         | nobody               | declined                      |
/// | anything else    | nobody               | as configured                 |
pub struct Scripted;

impl RuleHost for Scripted {
    fn evaluator(&self) -> Box<dyn RuleEvaluator + Send> {
        Box::new(Self)
    }

    fn impure(&self) -> Vec<String> {
        Vec::new()
    }
}

fn words(view: &mut TrackedView) -> Result<Vec<String>, RuleFailure> {
    let department = view.shown_attribute("department")?;
    let text = department
        .map(|value| value.to_string())
        .unwrap_or_default();
    Ok(text.split(' ').map(str::to_owned).collect())
}

fn declined() -> RuleFailure {
    RuleFailure::Failed {
        cause: Name::new("rule-declined"),
        message: "it can't tell".to_owned(),
        hint: None,
        retry_after_ms: None,
    }
}

impl RuleEvaluator for Scripted {
    fn correlate_account(
        &mut self,
        _rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<Option<Lookup>, RuleFailure> {
        let words = words(view)?;
        let lookup = |attribute: &str, value: &str| {
            Ok(Some(Lookup {
                attribute: attribute.to_owned(),
                value: value.to_owned(),
            }))
        };
        match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["is", name] => lookup("name", name),
            ["by", attribute, value] => lookup(attribute, value),
            ["lost"] => Err(declined()),
            _ => Ok(None),
        }
    }

    fn create_identity(
        &mut self,
        _rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<Creation, RuleFailure> {
        let words = words(view)?;
        let (mut name, mut identity_type) = (None, None);
        match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["named", ref words @ ..] => name = Some(words.join(" ")),
            ["a", word] => identity_type = Some(word.to_owned()),
            ["skip", why] => return Ok(Creation::Skip(why.to_owned())),
            ["unborn"] => return Err(declined()),
            _ => {}
        }
        Ok(Creation::Create {
            name,
            identity_type,
        })
    }

    fn correlate_manager(
        &mut self,
        _: RuleIndex,
        _: &Value,
        _: &mut TrackedView,
    ) -> Result<Option<Lookup>, RuleFailure> {
        unreachable!("an aggregation plans nobody")
    }

    fn before_refresh(
        &mut self,
        _: RuleIndex,
        _: &mut TrackedView,
    ) -> Result<Vec<Proposal>, RuleFailure> {
        unreachable!("an aggregation plans nobody")
    }

    fn after_refresh(
        &mut self,
        _: RuleIndex,
        _: &mut TrackedView,
    ) -> Result<Vec<Proposal>, RuleFailure> {
        unreachable!("an aggregation plans nobody")
    }

    fn value_change(
        &mut self,
        _: RuleIndex,
        _: ValueChange<'_>,
        _: &mut TrackedView,
    ) -> Result<Vec<Proposal>, RuleFailure> {
        unreachable!("an aggregation plans nobody")
    }

    fn promote(
        &mut self,
        _: RuleIndex,
        _: Name,
        _: &mut TrackedView,
    ) -> Result<Promotion, RuleFailure> {
        unreachable!("an aggregation plans nobody")
    }

    fn lifecycle_state(
        &mut self,
        _: RuleIndex,
        _: &mut TrackedView,
    ) -> Result<String, RuleFailure> {
        unreachable!("an aggregation plans nobody")
    }

    fn assign(
        &mut self,
        _: RuleIndex,
        _: &[Name],
        _: &mut TrackedView,
    ) -> Result<Vec<Eligibility>, RuleFailure> {
        unreachable!("an aggregation plans nobody")
    }

    fn fires(&mut self, _: RuleIndex, _: Name, _: &mut TrackedView) -> Result<bool, RuleFailure> {
        unreachable!("an aggregation plans nobody")
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

//! Attributes of accounts that depend on the site and the contract.
//!
//! | attribute       | value                                                        |
//! |-----------------|--------------------------------------------------------------|
//! | `mail`          | `zoe.mueller@DOMAIN`, by the domain of the site              |
//! | `homeDirectory` | `\\fs-SITE\home\LOGIN`                                       |
//! | `validUntil`    | the day after the contract's end; none without an end        |
//!
//! An account that has an address keeps it, whatever the site and the name become:
//! people know it. Other attributes are none of this rule's business.
//!
//! Parameters:
//! - `domains` (list of texts): the domains of sites, each `SITE DOMAIN`
//! - `domain` (text): the domain of every other site

wit_bindgen::generate!({ path: "../../../wit/0.1.1", world: "target-mapping-rule" });

use exports::idr::rules::target_mapping::{Guest, Mapping, Target};
use idr::rules::parameters::parameter;
use idr::rules::subject::{account_attribute, accounts, attribute};
use idr::rules::time::plus_days;
use idr::rules::types::{RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn map_target(target: Target) -> Result<Mapping, RuleError> {
        match target.attribute.as_str() {
            "mail" if has_mail(&target) => Ok(Mapping::Leave),
            "mail" => mail(),
            "homeDirectory" => home_directory(),
            "validUntil" => valid_until(),
            _ => Ok(Mapping::Leave),
        }
    }
}

/// Says whether the account is there and has an address.
fn has_mail(target: &Target) -> bool {
    let Some(native_identity) = &target.native_identity else {
        return false;
    };
    let accounts = accounts(&target.application);
    let mut accounts = accounts.iter();
    let account = accounts.find(|account| account.native_identity == *native_identity);
    account.is_some_and(|account| account_attribute(account.handle, "mail").is_some())
}

fn mail() -> Result<Mapping, RuleError> {
    let (Some(given), Some(family)) = (text_of("givenName")?, text_of("familyName")?) else {
        return Err(RuleError::Declined(
            "no name to make an address of".to_owned(),
        ));
    };
    let domain = domain_of(text_of("site")?.as_deref())?;
    let local = format!("{}.{}", folded(&given), folded(&family));
    Ok(Mapping::Set(Value::Text(format!("{local}@{domain}"))))
}

fn domain_of(site: Option<&str>) -> Result<String, RuleError> {
    if let (Some(site), Some(Value::Many(domains))) = (site, parameter("domains")) {
        let mut domains = domains.iter().filter_map(|each| each.rsplit_once(' '));
        if let Some((_, domain)) = domains.find(|(of, _)| *of == site) {
            return Ok(domain.to_owned());
        }
    }
    match parameter("domain") {
        Some(Value::Text(domain)) => Ok(domain),
        _ => Err(RuleError::Invalid(
            "parameter `domain` is not text".to_owned(),
        )),
    }
}

/// Returns a name in letters that an address may have.
fn folded(name: &str) -> String {
    let mut folded = String::new();
    for letter in name.to_lowercase().chars() {
        match letter {
            'ä' | 'æ' => folded += "ae",
            'ö' | 'ø' | 'œ' => folded += "oe",
            'ü' => folded += "ue",
            'ß' => folded += "ss",
            'à' | 'á' | 'â' | 'ã' | 'å' | 'ą' => folded.push('a'),
            'ć' | 'č' | 'ç' => folded.push('c'),
            'è' | 'é' | 'ê' | 'ë' | 'ę' => folded.push('e'),
            'ì' | 'í' | 'î' | 'ï' => folded.push('i'),
            'ł' => folded.push('l'),
            'ñ' | 'ń' => folded.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' => folded.push('o'),
            'ś' | 'š' => folded.push('s'),
            'ù' | 'ú' | 'û' => folded.push('u'),
            'ź' | 'ż' | 'ž' => folded.push('z'),
            'a'..='z' | '0'..='9' => folded.push(letter),
            // Between two names, and never twice.
            _ if !folded.is_empty() && !folded.ends_with('-') => folded.push('-'),
            _ => {}
        }
    }
    folded.trim_end_matches('-').to_owned()
}

fn home_directory() -> Result<Mapping, RuleError> {
    Ok(match (text_of("site")?, text_of("login")?) {
        (Some(site), Some(login)) => {
            let site = folded(&site);
            Mapping::Set(Value::Text(format!(r"\\fs-{site}\home\{login}")))
        }
        _ => Mapping::Clear,
    })
}

fn valid_until() -> Result<Mapping, RuleError> {
    match attribute("endDate") {
        None => Ok(Mapping::Clear),
        Some(Value::Date(last)) => Ok(Mapping::Set(Value::Date(plus_days(last, 1)))),
        Some(_) => Err(RuleError::Invalid("`endDate` is not a date".to_owned())),
    }
}

fn text_of(name: &str) -> Result<Option<String>, RuleError> {
    match attribute(name) {
        None => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text)),
        Some(_) => Err(RuleError::Invalid(format!("`{name}` is not text"))),
    }
}

//! Codes that standards define: phone numbers, countries, languages.

use std::str::FromStr;

use icu_locale_core::Locale;
use isolang::Language;
use rust_iso3166::CountryCode;

/// A region of the world that phone numbers are dialled from.
#[derive(Clone, Copy, Debug)]
pub struct Region(phonenumber::country::Id);

impl Region {
    /// Returns the region with this ISO 3166 alpha-2 code, where phone numbers
    /// are known for it.
    pub fn named(code: &str) -> Option<Self> {
        phonenumber::country::Id::from_str(&code.to_uppercase())
            .ok()
            .map(Self)
    }
}

/// How a country is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CountryFormat {
    /// Two letters.
    #[default]
    Alpha2,
    /// Three letters.
    Alpha3,
    /// Three digits.
    Numeric,
}

/// Returns a phone number in E.164, if it is a valid one; without a country's
/// prefix it is dialled from `region`.
pub fn e164(text: &str, region: Region) -> Option<String> {
    let number = phonenumber::parse(Some(region.0), text).ok()?;
    let written = number.format().mode(phonenumber::Mode::E164);
    number.is_valid().then(|| written.to_string())
}

/// Returns the code of a country, which is given by its English name or any of
/// its codes.
pub fn country(text: &str, format: CountryFormat) -> Option<String> {
    let found = find_country(text.trim())?;
    Some(match format {
        CountryFormat::Alpha2 => found.alpha2.to_owned(),
        CountryFormat::Alpha3 => found.alpha3.to_owned(),
        CountryFormat::Numeric => format!("{:03}", found.numeric),
    })
}

fn find_country(text: &str) -> Option<CountryCode> {
    let upper = text.to_uppercase();
    if let Ok(number) = text.parse::<u16>() {
        return rust_iso3166::from_numeric(number);
    }
    rust_iso3166::from_alpha2(&upper)
        .or_else(|| rust_iso3166::from_alpha3(&upper))
        .or_else(|| {
            let folded = crate::text::fold(text);
            let known = rust_iso3166::ALL.iter();
            let mut named = known.filter(|known| {
                let name = crate::text::fold(known.name);
                // The standard's names may end in a formal addition.
                name == folded || name.split([',', '(']).next().map(str::trim) == Some(&folded)
            });
            let first = named.next()?;
            // `Korea, Republic of` and `Korea, Democratic …` are two.
            named.next().is_none().then_some(*first)
        })
}

/// Returns the tag of a language, which is given by its English name, an ISO 639
/// code, or a tag in whatever case, with `_` or `-`.
pub fn language(text: &str) -> Option<String> {
    let text = text.trim();
    if let Ok(locale) = Locale::try_from_str(&text.replace('_', "-"))
        && let Some(known) = Language::from_639_1(locale.id.language.as_str())
            .or_else(|| Language::from_639_3(locale.id.language.as_str()))
    {
        let mut locale = locale;
        if let Some(short) = known.to_639_1() {
            locale.id.language = short.parse().ok()?;
        }
        return Some(locale.to_string());
    }
    let folded = crate::text::fold(text);
    let named = isolang::languages().find(|known| crate::text::fold(known.to_name()) == folded)?;
    Some(
        named
            .to_639_1()
            .unwrap_or_else(|| named.to_639_3())
            .to_owned(),
    )
}

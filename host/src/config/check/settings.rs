//! `idr.toml`: the tenant's own settings.

use idr_core::definitions::{History, ProvisioningSettings, RuleLimits, Thresholds};
use idr_core::text::nearest;
use idr_core::time::Zone;
use jiff::civil::Time;
use jiff::tz::TimeZoneDatabase;

use super::Source;
use super::names::{Known, check_name};
use super::provisioning;
use super::rules::limits;
use crate::config::document::Scope;
use crate::config::paths::FilterPlace;
use crate::config::problem::Problems;
use crate::config::raw::{RawDispatch, RawHistory, RawPrune, RawSettings, RawStore};
use crate::config::secret::{SecretReference, SecretSettings};
use crate::config::values::{
    bound, duration_ms, required, threshold, time_of_day, within, word_or_default,
};
use crate::config::{Clock, DispatchSettings, RefreshSettings, StoreSettings};
use crate::refresh::prune::PruneSettings;
use crate::trust::TrustedKey;

const CLOCKS: [(&str, Clock); 2] = [("system", Clock::System), ("simulated", Clock::Simulated)];

/// What `idr.toml` says.
pub(super) struct Settings {
    pub(super) name: String,
    pub(super) clock: Clock,
    pub(super) zone: Zone,
    pub(super) end_of_day: Option<Time>,
    pub(super) secret: Option<SecretSettings>,
    pub(super) store: StoreSettings,
    pub(super) refresh: RefreshSettings,
    pub(super) dispatch: DispatchSettings,
    pub(super) webhook_secret: Option<SecretReference>,
    pub(super) limits: RuleLimits,
    pub(super) thresholds: Thresholds,
    pub(super) provisioning: ProvisioningSettings,
    pub(super) work_item_fallback: Option<String>,
    pub(super) history: History,
    pub(super) prune: Option<PruneSettings>,
    /// Who vouches for rule components; nobody needs to when it is empty.
    pub(super) trusted_keys: Vec<TrustedKey>,
}

/// Checks `idr.toml`.
pub(super) fn check(source: &Source<RawSettings>, known: &Known, problems: &Problems) -> Settings {
    let scope = source.scope(problems);
    let raw = &source.raw;
    scope.check_version(raw.version, true);
    let end_of_day = raw.end_of_day.as_ref();
    let bound = |key: &str, value: &Option<toml::Value>| {
        bound(&scope.at("thresholds").at(key), value.as_ref()?)
    };
    let name = required(&scope, "name", raw.name.as_deref())
        .filter(|name| check_name(&scope.at("name"), name));
    Settings {
        name: name.unwrap_or_default().to_owned(),
        clock: word_or_default(&scope.at("clock"), raw.clock.as_deref(), &CLOCKS),
        zone: zone(&scope.at("zone"), raw.zone.as_deref()),
        end_of_day: end_of_day.and_then(|value| end_of_day_of(&scope.at("end_of_day"), value)),
        secret: secret(&scope, raw),
        store: store(&scope.at("store"), &raw.store),
        refresh: refresh(
            &scope.at("refresh"),
            raw.refresh.threads,
            raw.refresh.chunk_size,
            raw.refresh.max_exceptions,
        ),
        history: history(&scope.at("history"), raw.history.as_ref()),
        prune: raw
            .prune
            .as_ref()
            .and_then(|raw| prune(&scope.at("prune"), raw, known)),
        dispatch: dispatch(&scope.at("dispatch"), &raw.dispatch),
        webhook_secret: raw
            .dispatch
            .webhook_secret
            .as_deref()
            .and_then(|text| reference(&scope.at("dispatch").at("webhook_secret"), text)),
        limits: limits(&scope.at("limits"), &raw.limits, RuleLimits::default()),
        trusted_keys: trusted_keys(&scope.at("trust").at("keys"), &raw.trust.keys),
        thresholds: Thresholds {
            leavers: bound("leavers", &raw.thresholds.leavers),
            role_removals: bound("role_removals", &raw.thresholds.role_removals),
            account_disables: bound("account_disables", &raw.thresholds.account_disables),
            account_deletions: bound("account_deletions", &raw.thresholds.account_deletions),
            account_creations: bound("account_creations", &raw.thresholds.account_creations),
            entitlement_removals: bound(
                "entitlement_removals",
                &raw.thresholds.entitlement_removals,
            ),
        },
        provisioning: provisioning::settings(&scope.at("provisioning"), &raw.provisioning),
        work_item_fallback: fallback(&scope.at("work_items").at("fallback"), raw),
    }
}

/// Reads how a refresh is done, in `idr.toml` and in tasks.
pub(super) fn refresh(
    scope: &Scope<'_>,
    threads: Option<i64>,
    chunk_size: Option<i64>,
    max_exceptions: Option<i64>,
) -> RefreshSettings {
    let number = |key: &str, number: Option<i64>, most: u32| {
        let number = within(&scope.at(key), number?, 1, u64::from(most))?;
        u32::try_from(number).ok()
    };
    RefreshSettings {
        threads: number("threads", threads, RefreshSettings::MOST_THREADS),
        chunk_size: number("chunk_size", chunk_size, RefreshSettings::MOST_IN_CHUNK),
        max_exceptions: max_exceptions
            .and_then(|most| within(&scope.at("max_exceptions"), most, 1, u64::from(u32::MAX))),
    }
}

fn history(scope: &Scope<'_>, raw: Option<&RawHistory>) -> History {
    let keep = raw.and_then(|raw| raw.keep.as_deref());
    let keep_ms = keep.and_then(|text| duration_ms(&scope.at("keep"), text));
    if keep_ms == Some(0) {
        scope.at("keep").report_with_hint(
            "nothing would be kept",
            "leave [history] out; or `keep`, to keep it for ever",
        );
    }
    History {
        kept: raw.is_some(),
        keep_ms,
    }
}

fn prune(scope: &Scope<'_>, raw: &RawPrune, known: &Known) -> Option<PruneSettings> {
    let place = scope.at("without_accounts");
    let text = required(scope, "without_accounts", raw.without_accounts.as_deref());
    let without_accounts_ms = text.and_then(|text| duration_ms(&place, text));
    let place = scope.at("protect");
    let protect = raw.protect.as_deref();
    let protect = protect.map(|text| known.filter(&place, text, FilterPlace::Included));
    let most = raw.most.as_ref();
    let most = most.map(|value| threshold(&scope.at("most"), value));
    Some(PruneSettings {
        without_accounts_ms: without_accounts_ms?,
        protect: match protect {
            Some(filter) => Some(filter?),
            None => None,
        },
        most: match most {
            Some(most) => Some(most?),
            None => None,
        },
    })
}

fn dispatch(scope: &Scope<'_>, raw: &RawDispatch) -> DispatchSettings {
    let defaults = DispatchSettings::default();
    let duration = |key: &str, text: &Option<String>, default: i64| {
        let scope = scope.at(key);
        let parsed = text.as_deref().map(|text| duration_ms(&scope, text));
        match parsed {
            Some(Some(0)) => {
                scope.report("it is no time at all");
                default
            }
            Some(Some(ms)) => ms,
            Some(None) | None => default,
        }
    };
    let attempts = raw
        .attempts
        .and_then(|number| within(&scope.at("attempts"), number, 1, 1_000));
    let retry_after_ms = duration("retry_after", &raw.retry_after, defaults.retry_after_ms);
    let most = &raw.retry_at_most_after;
    let retry_at_most_after_ms =
        duration("retry_at_most_after", most, defaults.retry_at_most_after_ms);
    if most.is_some() && retry_at_most_after_ms < retry_after_ms {
        scope
            .at("retry_at_most_after")
            .report("it is shorter than `retry_after`");
    }
    DispatchSettings {
        attempts: attempts
            .and_then(|attempts| u32::try_from(attempts).ok())
            .unwrap_or(defaults.attempts),
        retry_after_ms,
        retry_at_most_after_ms: retry_at_most_after_ms.max(retry_after_ms),
        webhook_timeout_ms: duration(
            "webhook_timeout",
            &raw.webhook_timeout,
            defaults.webhook_timeout_ms,
        ),
    }
}

fn trusted_keys(scope: &Scope<'_>, keys: &[String]) -> Vec<TrustedKey> {
    let parsed = keys.iter().enumerate().filter_map(|(index, text)| {
        let key = TrustedKey::parse(text);
        if let Err(error) = key {
            scope.item(index).report_with_hint(
                error.to_string(),
                "write the line of base64 of the public key's PEM; `idr rule sign` prints it",
            );
        }
        key.ok()
    });
    parsed.collect()
}

fn zone(scope: &Scope<'_>, name: Option<&str>) -> Zone {
    let Some(name) = name else {
        return Zone::default();
    };
    let zone = Zone::named(name);
    if zone.is_none() {
        let database = TimeZoneDatabase::bundled();
        let names: Vec<String> = database.available().map(|name| name.to_string()).collect();
        let hint = match nearest(name, names.iter().map(String::as_str)) {
            Some(nearest) => format!("write `{nearest}`"),
            None => "write an IANA name such as `Europe/Berlin` or `UTC`".to_owned(),
        };
        scope.report_with_hint(format!("there is no time zone `{name}`"), hint);
    }
    zone.unwrap_or_default()
}

fn end_of_day_of(scope: &Scope<'_>, value: &toml::Value) -> Option<Time> {
    let time = time_of_day(scope, value)?;
    if time == Time::midnight() {
        scope.report_with_hint(
            "a day can't be over when it begins",
            "leave it out when days end at 24:00",
        );
    }
    Some(time)
}

fn secret(scope: &Scope<'_>, raw: &RawSettings) -> Option<SecretSettings> {
    let place = scope.at("secret_generation");
    let generation = raw.secret_generation.unwrap_or(1);
    let generation = within(&place, generation, 1, u64::from(u32::MAX));
    let Some(text) = &raw.secret else {
        if raw.secret_generation.is_some() {
            place.report("it has no effect without `secret`");
        }
        return None;
    };
    let reference = reference(&scope.at("secret"), text);
    Some(SecretSettings {
        reference: reference?,
        generation: generation?,
    })
}

fn reference(scope: &Scope<'_>, text: &str) -> Option<SecretReference> {
    let reference = SecretReference::parse(text);
    if reference.is_none() {
        // What stands here may be the secret itself.
        scope.report_with_hint(
            "a secret is never written here",
            "say where it is: `env:NAME` for an environment variable, or `file:PATH`",
        );
    }
    reference
}

fn store(scope: &Scope<'_>, raw: &RawStore) -> StoreSettings {
    let defaults = StoreSettings::default();
    if raw.path.as_deref() == Some("") {
        scope.at("path").report("it is empty");
    }
    let wait = raw.wait.as_deref();
    StoreSettings {
        path: raw.path.as_ref().map_or(defaults.path, Into::into),
        wait_ms: wait
            .and_then(|text| duration_ms(&scope.at("wait"), text))
            .map_or(defaults.wait_ms, i64::unsigned_abs),
    }
}

/// Returns who is asked where nobody else is to be.
fn fallback(scope: &Scope<'_>, raw: &RawSettings) -> Option<String> {
    let fallback = raw.work_items.fallback.clone()?;
    if fallback.is_empty() {
        scope.report_with_hint(
            "it is empty",
            "write the name of an identity, or leave it out",
        );
        return None;
    }
    Some(fallback)
}

//! What an identity was, and what differs between two images of it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use idr_core::model::{
    AccountImage, AccountKey, Image, Name, RoleDetection, Uid, UnixMillis, Value,
};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::canonical::plain;
use super::event::MASK;
use super::text::Table;
use crate::store::StoredImage;

/// What reports on images need to know: names, and what is to be masked.
pub struct ImageSettings<'a> {
    /// Returns the name of an identity now.
    pub name_of: &'a dyn Fn(Uid) -> String,
    /// Says of an attribute, of identities or accounts, whether it is masked.
    pub is_masked: &'a dyn Fn(Name) -> bool,
}

/// An image, with what differs from the one before.
#[derive(Clone, Debug, Serialize)]
pub struct HistoryReport {
    /// From this instant on.
    pub at: String,
    /// Until this one, when the next was kept; none for the last.
    pub until: Option<String>,
    /// What differs from the image before; empty for the first that is kept.
    pub changes: Vec<HistoryChange>,
    /// Whether there is none before it.
    pub first: bool,
    /// What it was: as an identity of the canonical export.
    pub image: Json,
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HistoryChange {
    /// What: an attribute, `manager`, `lifecycle state`, `role NAME`, `account …`.
    pub what: String,
    /// What it was.
    pub old: Option<Json>,
    /// What it became.
    pub new: Option<Json>,
}

impl HistoryReport {
    /// Returns reports on images, which come the latest first. `before` is the image
    /// before the last of them, where there is one.
    pub fn list(
        images: &[StoredImage],
        before: Option<&StoredImage>,
        settings: &ImageSettings<'_>,
    ) -> Vec<Self> {
        let mut until: Option<UnixMillis> = None;
        let mut reports = Vec::new();
        for (place, stored) in images.iter().enumerate() {
            let earlier = images.get(place + 1).or(before);
            let mut image = as_json(&stored.image, settings.name_of);
            mask(&mut image, settings);
            reports.push(Self {
                at: stored.at.to_string(),
                until: until.map(|until| until.to_string()),
                changes: earlier.map_or_else(Vec::new, |earlier| {
                    differences(&earlier.image, &stored.image, settings)
                }),
                first: earlier.is_none(),
                image,
            });
            until = Some(stored.at);
        }
        reports
    }

    /// Writes when it began to be so, and what differs: with the values when `values`.
    ///
    /// # Errors
    ///
    /// As writing to `out`.
    pub fn write_changes(&self, values: bool, out: &mut dyn Write) -> io::Result<()> {
        if self.first {
            return writeln!(out, "  {}  the first that is kept", self.at);
        }
        if !values {
            let names: Vec<&str> = self
                .changes
                .iter()
                .map(|known| known.what.as_str())
                .collect();
            return writeln!(out, "  {}  {}", self.at, names.join(", "));
        }
        writeln!(out, "  {}", self.at)?;
        for change in &self.changes {
            let (old, new) = (spoken(change.old.as_ref()), spoken(change.new.as_ref()));
            writeln!(out, "    {}: {old} -> {new}", change.what)?;
        }
        Ok(())
    }

    /// Writes what the identity was.
    ///
    /// # Errors
    ///
    /// As writing to `out`.
    pub fn write_image(&self, out: &mut dyn Write) -> io::Result<()> {
        let until = self.until.as_deref().unwrap_or("now");
        writeln!(out, "  so from {} until {until}", self.at)?;
        let mut table = Table::plain(2);
        let empty = Map::new();
        let object = self.image.as_object().unwrap_or(&empty);
        for (key, value) in object {
            match value {
                Json::Object(attributes) => {
                    for (name, value) in attributes {
                        table.row([name.clone(), spoken(Some(value))]);
                    }
                }
                Json::Array(items) => {
                    for item in items {
                        table.row([key.clone(), line(item)]);
                    }
                }
                value => table.row([key.clone(), spoken(Some(value))]),
            }
        }
        table.write(out)
    }
}

fn spoken(value: Option<&Json>) -> String {
    match value {
        None | Some(Json::Null) => "nothing".to_owned(),
        Some(Json::String(text)) => text.clone(),
        Some(Json::Array(items)) => {
            let items: Vec<String> = items.iter().map(|item| spoken(Some(item))).collect();
            items.join(", ")
        }
        Some(other) => other.to_string(),
    }
}

/// Returns an account or a role in one line.
fn line(item: &Json) -> String {
    let Some(object) = item.as_object() else {
        return spoken(Some(item));
    };
    let mut parts = Vec::new();
    for (key, value) in object {
        match value {
            Json::Null | Json::Bool(false) => {}
            Json::Object(attributes) => {
                for (name, value) in attributes {
                    parts.push(format!("{name} {}", spoken(Some(value))));
                }
            }
            Json::Array(items) if items.is_empty() => {}
            Json::Bool(true) => parts.push(key.clone()),
            value if ["key", "role"].contains(&key.as_str()) => {
                parts.insert(0, spoken(Some(value)));
            }
            value => parts.push(format!("{key} {}", spoken(Some(value)))),
        }
    }
    parts.join(", ")
}

/// Returns an image as JSON.
pub(super) fn as_json(image: &Image, name_of: &dyn Fn(Uid) -> String) -> Json {
    let values = |pairs: &[(Name, Value)]| {
        let pairs = pairs.iter();
        let pairs: Map<_, _> = pairs
            .map(|(name, value)| (name.to_string(), plain(value)))
            .collect();
        pairs
    };
    let assigned = image.assigned.iter().map(|known| {
        json!({
            "role": known.role.as_str(),
            "source": known.source.as_str(),
            "since": known.since.to_string(),
            "account": known.account.as_ref().map(key),
            "permits": known.permits.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
        })
    });
    let accounts = image.accounts.iter().map(|known| {
        json!({
            "key": key(&known.key),
            "status": known.status.as_str(),
            "missing": known.missing,
            "attributes": values(&known.attributes),
        })
    });
    json!({
        "name": image.name,
        "type": image.identity_type.as_str(),
        "attributes": values(&image.attributes),
        "manager": image.manager.map(name_of),
        "lifecycleState": image.lifecycle_state.map(Name::as_str),
        "lifecycleSince": image.lifecycle_since.map(|since| since.to_string()),
        "inactive": image.inactive,
        "assigned": assigned.collect::<Vec<_>>(),
        "detected": image.detected.iter().map(detection).collect::<Vec<_>>(),
        "accounts": accounts.collect::<Vec<_>>(),
    })
}

fn detection(known: &RoleDetection) -> Json {
    let accounts: Vec<String> = known.accounts.iter().map(key).collect();
    json!({ "role": known.role.as_str(), "accounts": accounts })
}

fn key(key: &AccountKey) -> String {
    format!("{} {}", key.application, key.native_identity)
}

/// Masks the values of attributes that aren't to be seen, wherever they stand.
fn mask(value: &mut Json, settings: &ImageSettings<'_>) {
    match value {
        Json::Array(items) => items.iter_mut().for_each(|item| mask(item, settings)),
        Json::Object(object) => {
            if let Some(Json::Object(attributes)) = object.get_mut("attributes") {
                for (name, value) in attributes.iter_mut() {
                    if (settings.is_masked)(Name::new(name)) {
                        *value = json!(MASK);
                    }
                }
            }
            for (_, value) in object.iter_mut().filter(|(key, _)| *key != "attributes") {
                mask(value, settings);
            }
        }
        _ => {}
    }
}

/// Returns what differs between an image and a later one.
fn differences(old: &Image, new: &Image, settings: &ImageSettings<'_>) -> Vec<HistoryChange> {
    let mut changes = Vec::new();
    let mut add = |what: String, old: Option<Json>, new: Option<Json>| {
        if old != new {
            changes.push(HistoryChange { what, old, new });
        }
    };
    let text = |text: &str| Some(json!(text));
    add("name".to_owned(), text(&old.name), text(&new.name));
    let types = [old, new].map(|image| text(image.identity_type.as_str()));
    let [before, after] = types;
    add("type".to_owned(), before, after);
    attributes("", &old.attributes, &new.attributes, settings, &mut add);
    let manager = |image: &Image| image.manager.map(|uid| json!((settings.name_of)(uid)));
    // Two managers may have had one name, one after the other.
    if old.manager != new.manager {
        add("manager".to_owned(), manager(old), manager(new));
    }
    let state = |image: &Image| image.lifecycle_state.map(|state| json!(state.as_str()));
    add("lifecycle state".to_owned(), state(old), state(new));
    let since = |image: &Image| image.lifecycle_since.map(|since| json!(since.to_string()));
    if state(old) == state(new) {
        add("lifecycle state since".to_owned(), since(old), since(new));
    }
    add(
        "inactive".to_owned(),
        Some(json!(old.inactive)),
        Some(json!(new.inactive)),
    );
    let assigned = |image: &Image| -> BTreeMap<Name, Json> {
        let known = image.assigned.iter();
        let known = known.map(|known| {
            let permits: Vec<&str> = known.permits.iter().map(|role| role.as_str()).collect();
            let account = known.account.as_ref().map(key);
            let mut said = format!("{} since {}", known.source.as_str(), known.since);
            said.extend(account.map(|account| format!(", on {account}")));
            if !permits.is_empty() {
                said += &format!(", with {}", permits.join(", "));
            }
            (known.role, json!(said))
        });
        known.collect()
    };
    each("role ", &assigned(old), &assigned(new), &mut add);
    let detected = |image: &Image| -> BTreeMap<Name, Json> {
        let mut all: BTreeMap<Name, Vec<String>> = BTreeMap::new();
        for known in &image.detected {
            let accounts = known.accounts.iter().map(key);
            all.entry(known.role).or_default().extend(accounts);
        }
        all.into_iter()
            .map(|(role, accounts)| (role, json!(accounts)))
            .collect()
    };
    each("detected role ", &detected(old), &detected(new), &mut add);
    let accounts = |image: &Image| -> BTreeMap<AccountKey, AccountImage> {
        let known = image.accounts.iter();
        known
            .map(|known| (known.key.clone(), known.clone()))
            .collect()
    };
    let (before, after) = (accounts(old), accounts(new));
    let mut keys: Vec<&AccountKey> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    for account in keys {
        let what = format!("account {}", key(account));
        let status = |known: Option<&AccountImage>| {
            known.map(|known| match known.missing {
                true => json!("missing"),
                false => json!(known.status.as_str()),
            })
        };
        let (before, after) = (before.get(account), after.get(account));
        add(what.clone(), status(before), status(after));
        if let (Some(before), Some(after)) = (before, after) {
            let what = format!("{what} ");
            attributes(
                &what,
                &before.attributes,
                &after.attributes,
                settings,
                &mut add,
            );
        }
    }
    changes
}

type Add<'a> = &'a mut dyn FnMut(String, Option<Json>, Option<Json>);

/// Adds what differs between attributes; values that are masked differ, too.
fn attributes(
    prefix: &str,
    old: &[(Name, Value)],
    new: &[(Name, Value)],
    settings: &ImageSettings<'_>,
    add: Add<'_>,
) {
    let mut names: Vec<Name> = old.iter().chain(new).map(|(name, _)| *name).collect();
    names.sort();
    names.dedup();
    for name in names {
        let value = |pairs: &[(Name, Value)]| {
            let found = pairs.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.clone())
        };
        let (old, new) = (value(old), value(new));
        if old == new {
            continue;
        }
        let masked = (settings.is_masked)(name);
        let shown = |value: Option<Value>, which: &str| {
            value.map(|value| match masked {
                // They aren't equal, and that is all there is to see.
                true => json!(format!("{MASK}{which}")),
                false => plain(&value),
            })
        };
        add(
            format!("{prefix}{name}"),
            shown(old, ""),
            shown(new, ", another"),
        );
    }
}

fn each(prefix: &str, old: &BTreeMap<Name, Json>, new: &BTreeMap<Name, Json>, add: Add<'_>) {
    let mut names: Vec<Name> = old.keys().chain(new.keys()).copied().collect();
    names.sort();
    names.dedup();
    for name in names {
        let what = format!("{prefix}{name}");
        add(what, old.get(&name).cloned(), new.get(&name).cloned());
    }
}

//! Events to addresses: CloudEvents 1.0 in JSON, one request each.
//!
//! The id of an event is its effect's, so whoever receives one twice can tell. With
//! a secret, requests are signed as Standard Webhooks says.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use idr_core::model::{EffectKind, Name, UnixMillis};
use serde_json::{Value as Json, json};
use sha2::Sha256;

use super::retry::Failure;
use super::{DispatchError, Outcome, Pass};
use crate::config::{SecretReference, is_address};
use crate::report::canonical::plain;
use crate::report::{MASK, shown_address};
use crate::store::{EventQuery, Settlement, StoredEffect};

/// What an event is sent as.
const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// Sends something to an address.
pub trait Courier {
    /// Returns the address that is meant: the one that is written, or what it refers
    /// to.
    ///
    /// # Errors
    ///
    /// Why it can't be had, in words; trying again may help.
    fn address(&self, written: &str) -> Result<String, String> {
        Ok(written.to_owned())
    }

    /// Posts something, and returns the status that the address answers.
    ///
    /// # Errors
    ///
    /// Why nothing was answered, in words; trying again may help.
    fn post(&self, delivery: &Delivery<'_>) -> Result<u16, String>;
}

/// What is sent to an address.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// The address.
    pub url: &'a str,
    /// The same however often it is sent.
    pub id: &'a str,
    /// When it is sent.
    pub sent_at: UnixMillis,
    /// What the body is.
    pub content_type: &'a str,
    /// The body.
    pub body: &'a str,
}

impl Delivery<'_> {
    /// Signs id, time and body: HMAC-SHA256, as `webhook-signature` has it.
    fn signature(&self, secret: &[u8]) -> String {
        let mut keyed = Hmac::<Sha256>::new_from_slice(secret).expect("a key has any length");
        let (id, seconds) = (self.id, self.seconds());
        keyed.update(format!("{id}.{seconds}.{}", self.body).as_bytes());
        format!("v1,{}", STANDARD.encode(keyed.finalize().into_bytes()))
    }

    fn seconds(&self) -> i64 {
        self.sent_at.0.div_euclid(1_000)
    }
}

/// Sends over HTTP, encrypted where the address says `https`.
pub struct HttpCourier {
    agent: ureq::Agent,
    secret: Option<Vec<u8>>,
    directory: PathBuf,
}

impl HttpCourier {
    /// Returns one that waits so long for an answer, and signs with a secret where
    /// there is one. Files that addresses are in are relative to `directory`. It
    /// follows no redirections: an address that has moved is a matter of
    /// configuration.
    pub fn new(timeout: Duration, secret: Option<Vec<u8>>, directory: &Path) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("idr/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: config.into(),
            secret,
            directory: directory.to_owned(),
        }
    }
}

impl Courier for HttpCourier {
    fn address(&self, written: &str) -> Result<String, String> {
        let Some(reference) = SecretReference::parse(written) else {
            return Ok(written.to_owned());
        };
        let bytes = reference.bytes(&self.directory);
        let bytes = bytes.map_err(|error| crate::tenant::spoken(&error))?;
        let address = String::from_utf8(bytes).ok();
        let address = address.filter(|address| is_address(address));
        address.ok_or_else(|| {
            format!("what `{written}` refers to is no address that begins with https://")
        })
    }

    fn post(&self, delivery: &Delivery<'_>) -> Result<u16, String> {
        let mut request = self
            .agent
            .post(delivery.url)
            .header("content-type", delivery.content_type);
        if let Some(secret) = &self.secret {
            request = request
                .header("webhook-id", delivery.id)
                .header("webhook-timestamp", delivery.seconds().to_string())
                .header("webhook-signature", delivery.signature(secret));
        }
        match request.send(delivery.body) {
            Ok(response) => Ok(response.status().as_u16()),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Pass<'_> {
    /// Sends an event to an address.
    pub(super) fn webhook(
        &mut self,
        stored: &mut StoredEffect,
        url: &str,
    ) -> Result<Outcome, DispatchError> {
        if !self.begin(stored, Settlement::default())? {
            return Ok(Outcome::Gone);
        }
        match self.deliver(stored, &stored.id.clone(), url)? {
            Err(failure) => Ok(Outcome::Failed(failure)),
            Ok(()) => self.finish(stored, Settlement::default()),
        }
    }

    /// Sends the event that an effect is about, under an id.
    pub(super) fn deliver(
        &self,
        stored: &StoredEffect,
        id: &str,
        url: &str,
    ) -> Result<Result<(), Failure>, DispatchError> {
        let event = self.cloud_event(stored, id)?;
        let shown = shown_address(url);
        let address = match self.context.courier.address(url) {
            Ok(address) => address,
            Err(why) => return Ok(Err(Failure::passing(why))),
        };
        let answer = self.context.courier.post(&Delivery {
            url: &address,
            id,
            sent_at: self.context.now,
            content_type: CONTENT_TYPE,
            body: &event.to_string(),
        });
        Ok(match answer {
            Ok(200..=299) => {
                super::stop_at("dispatch-delivered")?;
                Ok(())
            }
            Ok(status @ (408 | 425 | 429 | 500..=599)) => {
                Err(Failure::passing(format!("{shown} answered {status}")))
            }
            Ok(status) => Err(Failure::lasting(format!("{shown} answered {status}"))),
            Err(why) => Err(Failure::passing(format!(
                "{shown} didn't answer: {}",
                // It may name the address.
                crate::connect::shown(&why.replace(&address, &shown))
            ))),
        })
    }

    /// Returns the event as CloudEvents 1.0 has it. Sensitive values are masked.
    fn cloud_event(&self, stored: &StoredEffect, id: &str) -> Result<Json, DispatchError> {
        let effect = &stored.effect;
        let EffectKind::Handler {
            trigger, sequence, ..
        } = &effect.what
        else {
            return Ok(Json::Null);
        };
        let query = EventQuery {
            uid: Some(effect.uid),
            trigger: Some(*trigger),
        };
        let mut events = self.context.store.events(&query, usize::MAX)?.into_iter();
        let event = events.find(|known| known.event.sequence == *sequence);
        let model = self.context.model;
        let is_sensitive = |what: &str| {
            let index = Name::known(what).and_then(|name| model.attribute_index(name));
            index.is_some_and(|index| model.attributes[index].sensitive)
        };
        let changes = event.iter().flat_map(|known| &known.event.changes);
        let changes: Vec<Json> = changes
            .map(|change| {
                let shown = |value: &Option<idr_core::model::Value>| match value {
                    Some(_) if is_sensitive(&change.what) => Some(Json::from(MASK)),
                    value => value.as_ref().map(plain),
                };
                json!({
                    "what": change.what,
                    "old": shown(&change.old),
                    "new": shown(&change.new),
                })
            })
            .collect();
        Ok(json!({
            "specversion": "1.0",
            "id": id,
            "source": format!("/idr/{}", self.context.tenant),
            "type": format!("idr.trigger.{trigger}"),
            "subject": stored.name,
            "time": effect.effective_at.to_string(),
            "datacontenttype": "application/json",
            "data": {
                "trigger": trigger.as_str(),
                "identity": stored.name,
                "uid": effect.uid.0,
                "sequence": sequence,
                "effectiveAt": effect.effective_at.to_string(),
                "detectedAt": effect.detected_at.to_string(),
                "changes": changes,
            },
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_id_time_and_body() {
        let delivery = Delivery {
            url: "https://hooks.example",
            id: "msg_1",
            sent_at: UnixMillis(1_772_352_000_999),
            content_type: CONTENT_TYPE,
            body: "{}",
        };
        // printf 'msg_1.1772352000.{}' | openssl dgst -sha256 -hmac key -binary | base64
        insta::assert_snapshot!(delivery.signature(b"key"), @"v1,fEDdShMM1Qoiw+CuOj3lCgv5BittuuiL38H86+iouRw=");
        let later = Delivery {
            sent_at: UnixMillis(1_772_352_001_000),
            ..delivery
        };
        assert_ne!(later.signature(b"key"), delivery.signature(b"key"));
    }
}

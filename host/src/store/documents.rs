//! What is written of a chunk as text, made before its turn to be written comes: a store
//! has one writer, and whoever works chunks out has several threads.

use idr_core::meter::{self, Stage};
use idr_core::model::Event;

use super::{ApplyChunk, codec, event_id};

/// Documents of a chunk's identities and events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Documents {
    /// Those of the identities, where they are written.
    pub(super) identities: Vec<Option<String>>,
    /// Those of the events.
    pub(super) events: Vec<EventRow>,
}

impl Documents {
    pub(super) fn of(chunk: &ApplyChunk) -> Self {
        let _section = meter::section(Stage::Encode);
        let identities = chunk.writes.iter().map(|write| write.identity.as_ref());
        Self {
            identities: identities
                .map(|identity| identity.map(codec::encode))
                .collect(),
            events: chunk.events.iter().map(EventRow::of).collect(),
        }
    }

    /// Says whether these are all that the chunk needs.
    pub(super) fn are_of(&self, chunk: &ApplyChunk) -> bool {
        self.identities.len() == chunk.writes.len() && self.events.len() == chunk.events.len()
    }

    /// Adds those of another chunk.
    pub(super) fn append(&mut self, other: Self) {
        self.identities.extend(other.identities);
        self.events.extend(other.events);
    }
}

/// What is written of an event besides what it is found by.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct EventRow {
    pub(super) id: String,
    pub(super) document: String,
}

impl EventRow {
    fn of(event: &Event) -> Self {
        Self {
            id: event_id(event),
            document: codec::encode(event),
        }
    }
}

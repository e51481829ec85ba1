//! What is worked out on demand: identity attributes, manager, lifecycle state,
//! and what the before-refresh rule proposes.

use std::fmt;

use super::TrackedView;
use crate::model::{AttributeState, Name, Uid, Value};

/// One thing that a plan works out, and that others may need first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// The identity attribute of this name.
    Attribute(Name),
    /// The manager.
    Manager,
    /// The lifecycle state, and with it `inactive`.
    LifecycleState,
    /// What the before-refresh rule proposes.
    Proposals,
}

impl fmt::Display for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(name) => write!(formatter, "attribute `{name}`"),
            Self::Manager => formatter.write_str("the manager"),
            Self::LifecycleState => formatter.write_str("the lifecycle state"),
            Self::Proposals => formatter.write_str("the before-refresh rule"),
        }
    }
}

/// What is known of a node so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Slot {
    /// Not worked out yet.
    #[default]
    Unsettled,
    /// An attribute, as the identity's record has it.
    Recorded,
    /// An attribute; `None` when it never had a value and still hasn't.
    Attribute(Option<AttributeState>),
    /// The manager.
    Manager(Option<Uid>),
    /// The lifecycle state and whether it is inactive.
    LifecycleState(Option<Name>, bool),
    /// The proposals, sorted by attribute; `None` when the rule can't say.
    Proposals(Option<Vec<(Name, Proposed)>>),
}

/// What is proposed for an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proposed {
    /// This value, or none.
    Value(Option<Value>),
    /// A value that isn't of the attribute's type.
    Unusable,
}

impl TrackedView {
    /// Returns what is known of a node.
    pub fn slot(&self, node: Node) -> &Slot {
        self.slot_index(node)
            .map_or(&Slot::Unsettled, |index| &self.state().slots[index])
    }

    /// Returns what is known of each identity attribute, in the model's order.
    pub(crate) fn attribute_slots(&self) -> &[Slot] {
        let state = self.state();
        &state.slots[..state.model.attributes.len()]
    }

    /// Settles a node for the rest of the plan.
    pub fn settle(&mut self, node: Node, slot: Slot) {
        let index = self
            .slot_index(node)
            .expect("only nodes of the model are settled");
        self.state_mut().slots[index] = slot;
    }

    /// Says whether a node is settled.
    pub fn is_settled(&self, node: Node) -> bool {
        *self.slot(node) != Slot::Unsettled
    }

    fn slot_index(&self, node: Node) -> Option<usize> {
        let state = self.state();
        match node {
            Node::Attribute(name) => state.model.attribute_index(name),
            Node::Manager => Some(state.model.attributes.len()),
            Node::LifecycleState => Some(state.model.attributes.len() + 1),
            Node::Proposals => Some(state.model.attributes.len() + 2),
        }
    }
}

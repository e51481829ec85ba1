//! What a run counts of whom something happens to in the middle of it.

use std::sync::Arc;

use idr::store::memory::MemoryStore;
use idr::store::{Counters, Store};

use crate::histories::{Happening, History, Operation, Way};
use crate::world::Tenants;

/// Refreshes somebody new; returns what is counted.
fn counted(meanwhile: Option<&Operation>) -> Counters {
    let row = |department: &str| Operation::Hr {
        person: 1,
        fields: vec![("department", department.to_owned())],
    };
    let history = History::random(1);
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let tenants = Arc::new(Tenants::default());
    let mut happening = Happening::new(Arc::clone(&store), Way::Incremental, tenants, &history);
    happening.happen(&row("v1"));
    happening.refresh(Way::Incremental, meanwhile, false);
    let mut runs = store.runs(1).expect("the store can be read");
    runs.pop().expect("there was one").counters
}

#[test]
fn whoever_changes_after_having_been_planned_is_planned_again() {
    let unhindered = counted(None);
    assert_eq!(unhindered.changes.get("replanned"), None);
    let moved = Operation::Hr {
        person: 1,
        fields: vec![("department", "v2".to_owned())],
    };
    let hindered = counted(Some(&moved));
    assert_eq!(hindered.changes.get("replanned"), Some(&1));
}

//! Of how many parts a component may be, and how large: what compiling and holding it
//! takes grows with that.
//!
//! The largest that is known to make sense has a Python interpreter in it: 14,000
//! functions, the largest of which takes 430 kB.

use wasmparser::{Parser, Payload};
use wasmtime::component::Component;

use super::engine::{MEMORIES_OF_A_RULE, TABLES_OF_A_RULE};
use super::error::LoadError;

const MOST_FUNCTIONS: usize = 50_000;
const MOST_FUNCTION_BYTES: usize = 1 << 20;

/// Refuses a component that would take too long to compile, or too much memory, by its
/// bytes alone. What can't be read so far is left to the compiler, which says why.
pub(super) fn can_be_compiled(component: &[u8]) -> Result<(), LoadError> {
    let mut functions = 0;
    for payload in Parser::new(0).parse_all(component) {
        let Ok(payload) = payload else {
            break;
        };
        if let Payload::CodeSectionEntry(body) = payload {
            functions += 1;
            within(
                "bytes in one function",
                body.as_bytes().len(),
                MOST_FUNCTION_BYTES,
            )?;
        }
    }
    within("functions", functions, MOST_FUNCTIONS)
}

/// Refuses a component that would take more of the pool of instances than its share.
pub(super) fn can_be_held(component: &Component) -> Result<(), LoadError> {
    let Some(needs) = component.resources_required() else {
        // It imports modules, which nobody gives it.
        return Ok(());
    };
    within("memories", needs.num_memories as usize, MEMORIES_OF_A_RULE)?;
    within("tables", needs.num_tables as usize, TABLES_OF_A_RULE)
}

fn within(what: &'static str, found: usize, limit: usize) -> Result<(), LoadError> {
    match found <= limit {
        true => Ok(()),
        false => Err(LoadError::TooManyParts { what, found, limit }),
    }
}

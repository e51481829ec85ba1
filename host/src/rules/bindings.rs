//! Rust types and traits generated from `wit/0.1.2/rules.wit`.
//!
//! One set serves every component: the world `all-kinds` has everything that
//! any kind may import or export. What a kind may not import is left out of its
//! linker.

#![allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    reason = "generated: the contract is documented in wit/0.1.2/rules.wit, and values cross \
              the border through wasmtime's unsafe traits"
)]

wasmtime::component::bindgen!({
    path: "../wit/0.1.2",
    world: "all-kinds",
    imports: { default: trappable },
    additional_derives: [PartialEq],
});

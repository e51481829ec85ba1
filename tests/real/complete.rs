//! The tenant's folder is complete in itself. Needs no data.

use std::fs;

use crate::common::{TestHost, repository};
use crate::tenant::folder;

#[test]
fn a_copy_elsewhere_has_no_problems() {
    let host = TestHost::copy_of(&folder());
    let output = host.run(["check"]);
    assert!(output.ends_with("[exit 0]"), "{output}");
}

#[test]
fn the_components_are_those_of_the_examples() {
    for name in ["hr-presence", "project-roles"] {
        let example = format!("rules-examples/rust/{name}/{name}.wasm");
        let example = fs::read(repository().join(example)).expect("the example is built");
        let copy = folder().join(format!("rules/{name}.wasm"));
        let copy = fs::read(copy).expect("the tenant has the component");
        assert!(
            copy == example,
            "the tenant's {name}.wasm is not that of the example; copy it, and its sha256 into rules.toml"
        );
    }
}

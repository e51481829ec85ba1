//! What a panic says is logged before it ends the rule, so that the error that people
//! see tells it.

use crate::idr::rules::log;

/// The host calls it when it starts an instance of the rule.
#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    std::panic::set_hook(Box::new(|panic| log::warn(&panic.to_string())));
}

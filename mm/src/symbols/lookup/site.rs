//! The call site of a stack in the program's own crates.

use super::frame::Frame;

/// Returns the innermost call in the program's own crates: file, line and function, or the function alone if there are
/// no line tables.
pub(super) fn site_of(frames: &[&Frame]) -> Option<String> {
    let own = frames.iter().find(|frame| frame.is_own())?;
    let name = own
        .function
        .as_ref()
        .map(|function| function.shown.as_str());
    match (&own.source, name) {
        (Some((file, line)), Some(name)) => Some(format!("{file}:{line} {name}")),
        (Some((file, line)), None) => Some(format!("{file}:{line}")),
        (None, name) => name.map(str::to_owned),
    }
}

//! The type that a stack allocated for.

use super::frame::Frame;
use super::kind::Owner;
use super::rules::{Finding, find};
use super::source::Origin;

/// Returns the type that a stack, beyond the allocator, allocated for; `None` if it is not certain.
///
/// It is the outermost collection that consists of what the frames below it allocate for: a `HashMap` rather than its
/// table. Only functions of the standard library tell it, up to the first one of another crate: a closure may allocate
/// for something else.
pub(super) fn type_of(frames: &[&Frame]) -> Option<String> {
    let mut owner: Option<Owner> = None;
    for frame in frames {
        match finding(frame) {
            Finding::Owner(outer)
                if owner.as_ref().is_none_or(|inner| outer.consists_of(inner)) =>
            {
                owner = Some(outer.around(owner));
            }
            Finding::Passes => {}
            Finding::Owner(_) | Finding::Unknown => break,
        }
    }
    owner?.name()
}

fn finding(frame: &Frame) -> Finding {
    match &frame.function {
        Some(function) if frame.origin == Origin::Standard => find(function, frame.is_whole),
        _ => Finding::Unknown,
    }
}

//! The frames of a profile's samples.

use super::figures::Origin;
use crate::profile::{self, CallSite};
use crate::snapshot::Location;

/// One frame of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// The place of a call in a source file.
    Place(Location),
    /// A caller.
    Caller(Caller),
    /// A text in place of an unknown frame.
    Words(&'static str),
}

/// A call instruction, and the functions that contain it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    /// An address inside the instruction.
    pub(super) address: u64,
    /// The functions with a name, the innermost first. Each one is inlined into the next one.
    pub(super) functions: Vec<Function>,
}

/// A function, and the line of the call in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    /// Empty if unknown.
    pub(super) file: String,
    /// From 1; 0 if unknown.
    pub(super) line: u32,
}

/// Returns the frames of a stack, the innermost first.
///
/// The call site's own place always comes first, because it is known without symbols.
pub(super) fn frames(origin: Origin<'_>) -> Vec<Frame> {
    match origin {
        Origin::NotRecorded => vec![Frame::Words("(not recorded)")],
        Origin::Kept => vec![Frame::Words("(kept on purpose)")],
        Origin::Site(site) => {
            let place = if site.is_others() {
                Frame::Words(site.location.file)
            } else {
                Frame::Place(site.location)
            };
            let callers = callers(site).into_iter().map(Frame::Caller);
            core::iter::once(place).chain(callers).collect()
        }
    }
}

/// Returns the frames of return addresses, without names.
pub(super) fn calls(return_addresses: &[usize]) -> Vec<Frame> {
    let frame = |address: &usize| {
        Frame::Caller(Caller {
            address: before(*address),
            functions: Vec::new(),
        })
    };
    return_addresses.iter().map(frame).collect()
}

/// Looks up the whole stack, which the reader of the profile may cut. If there are no symbols, the frames are
/// addresses, and pprof can look them up.
fn callers(site: &CallSite) -> Vec<Caller> {
    let frames = site.stack();
    let calls = frames.chunk_by(|frame, next| frame.address == next.address);
    calls.map(caller).collect()
}

/// Merges the frames of one address.
fn caller(frames: &[profile::Frame]) -> Caller {
    let functions = frames.iter().filter_map(|frame| {
        Some(Function {
            name: frame.function.clone()?,
            file: frame.file.clone().unwrap_or_default(),
            line: frame.line.unwrap_or_default(),
        })
    });
    Caller {
        address: before(frames[0].address),
        functions: functions.collect(),
    }
}

/// Returns an address inside a call instruction, from its return address. The return address itself may
/// belong to the next line, or to another function.
fn before(return_address: usize) -> u64 {
    (return_address as u64).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(address: usize, function: Option<&str>, line: Option<u32>) -> profile::Frame {
        profile::Frame {
            address,
            function: function.map(str::to_owned),
            file: line.map(|_| "src/a.rs".to_owned()),
            line,
        }
    }

    fn function(name: &str, file: &str, line: u32) -> Function {
        Function {
            name: name.to_owned(),
            file: file.to_owned(),
            line,
        }
    }

    #[test]
    fn inlined_functions_share_an_address() {
        let frames = [
            frame(9, Some("inner"), Some(3)),
            frame(9, Some("outer"), None),
        ];
        let expected = Caller {
            address: 8,
            functions: vec![function("inner", "src/a.rs", 3), function("outer", "", 0)],
        };
        assert_eq!(caller(&frames), expected);
    }

    #[test]
    fn without_a_name_there_is_an_address() {
        let expected = Caller {
            address: 8,
            functions: vec![],
        };
        assert_eq!(caller(&[frame(9, None, None)]), expected);
        assert_eq!(before(0), 0);
    }

    #[test]
    #[cfg(all(feature = "backtrace", target_os = "linux"))]
    fn names_are_looked_up() {
        let mut site = crate::export::samples::site("src/a.rs", 1, 1);
        site.frames = vec![std::thread::sleep as fn(_) as usize + 4].into();
        let callers = callers(&site);
        let function = callers[0].functions.last().unwrap();
        assert!(function.name.contains("sleep"), "{callers:?}");
    }
}

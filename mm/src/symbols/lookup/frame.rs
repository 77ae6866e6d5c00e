//! One function on a stack, inlined ones included.

use super::function::Function;
use super::source::{Origin, origin_of};
use super::symbols::Sharing;

/// A function that is called on a stack.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) function: Option<Function>,
    /// The file, from the folder where the compiler was started, and the line of the call.
    pub(super) source: Option<(String, u32)>,
    pub(super) origin: Origin,
    /// Whether the functions that were inlined into this one are frames of their own.
    pub(super) is_whole: bool,
}

/// Functions that the compiler makes between a program and its allocator. They are in the program's own file.
const SHIMS: [&str; 5] = [
    "alloc",
    "dealloc",
    "realloc",
    "alloc_zeroed",
    "alloc_error_handler",
];

impl Frame {
    /// A frame of a file at a line, as the debug information has it.
    pub(super) fn of_source(
        function: Option<Function>,
        path: &str,
        relative: &str,
        line: u32,
    ) -> Self {
        Self {
            function,
            source: Some((relative.to_owned(), line)),
            origin: origin_of(path),
            is_whole: true,
        }
    }

    /// Forgets what is not certain, since other functions have the same code: types, and who is the caller.
    pub(super) fn share(&mut self, sharing: Sharing) {
        if let Some(function) = &mut self.function
            && sharing != Sharing::None
        {
            function.arguments.clear();
        }
        if self.origin == Origin::Own && sharing == Sharing::Functions {
            self.origin = Origin::Unknown;
        }
    }

    /// Whether it is in the program's own crates.
    pub(super) fn is_own(&self) -> bool {
        self.origin == Origin::Own && !self.is_shim()
    }

    /// Whether the compiler made it between a program and its allocator. It is in the program's own file.
    fn is_shim(&self) -> bool {
        let function = self.function.as_ref();
        let name = function.and_then(|function| function.name.strip_prefix("__r"));
        let name = name.and_then(|rest| rest.split_once('_'));
        name.is_some_and(|(_, name)| SHIMS.contains(&name))
    }

    fn is_in(&self, module: &str) -> bool {
        let function = self.function.as_ref();
        function.is_some_and(|function| function.is_in(module))
    }
}

/// Leaves out the frames of the allocator, the innermost ones.
pub(super) fn beyond_allocator<'s, 'f>(frames: &'s [&'f Frame]) -> &'s [&'f Frame] {
    let of_others = |frame: &&Frame| frame.is_own() || frame.origin == Origin::Library;
    let end = frames.iter().position(of_others).unwrap_or(frames.len());
    let shim = frames[..end].iter().position(|frame| frame.is_shim());
    let is_inside = |frame: &&Frame| {
        frame.origin == Origin::Mm || frame.is_in("std::thread::local") || frame.is_in("core")
    };
    let inside = shim.map_or_else(
        || frames.iter().take_while(|frame| is_inside(frame)).count(),
        |shim| shim + 1,
    );
    let frames = &frames[inside..];
    let is_call = |frame: &&&Frame| frame.is_in("alloc::alloc") || frame.is_in("core::alloc");
    &frames[frames.iter().take_while(is_call).count()..]
}

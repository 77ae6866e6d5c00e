//! Looks up the functions of return addresses.

use core::fmt::{self, Display, Formatter};
use core::ops::Range;

use super::CallSite;
use crate::shown::Shown;

/// One function of a recorded stack.
///
/// Requires the feature `backtrace`; without it no stack is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// Return address.
    pub address: usize,
    /// Name of the function, if there are symbols for it.
    pub function: Option<String>,
    /// Source file, if there is debug information.
    pub file: Option<String>,
    /// Line in the file, from 1.
    pub line: Option<u32>,
}

impl Display for Frame {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.function {
            Some(function) => write!(f, "{}", Shown(function))?,
            None => write!(f, "{:#x}", self.address)?,
        }
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, " ({}:{line})", Shown(file)),
            (Some(file), None) => write!(f, " ({})", Shown(file)),
            (None, _) => Ok(()),
        }
    }
}

/// Sets how many return addresses are recorded with each recorded allocation, 64 at most; 0 for none.
///
/// Return addresses inside mm are recorded in addition, and are not shown. Walking a stack takes
/// microseconds; see [`Track::Every`](crate::Track::Every) for sampling. The names of functions are looked
/// up when a profile is shown.
///
/// # Examples
///
/// ```
/// use mm::{MmBox, MmManaged, Track};
///
/// #[derive(MmManaged)]
/// struct Emp(u32);
///
/// mm::record_backtraces(32);
/// mm::track(Track::All);
/// let emp = MmBox::new(Emp(1));
/// let profile = Emp::page_family().profile();
/// let backtrace = profile.sites[0].backtrace();
/// let names = backtrace.iter().filter_map(|frame| frame.function.as_deref());
/// assert!(names.into_iter().any(|name| name.contains("main")));
/// # mm::track(Track::Off);
/// # drop(emp);
/// ```
#[cfg(feature = "backtrace")]
pub fn record_backtraces(frames: usize) {
    crate::os::unwind::want(frames);
}

impl CallSite {
    /// Looks up the functions of the recorded stack, the innermost first, limited to the program's own.
    ///
    /// It leaves out functions of mm and std through which the call went, and those that led to `main` or
    /// to the thread's closure. Inlined functions are listed separately. Functions of std between two
    /// functions of the program stay. [`frames`](Self::frames) has all return addresses.
    ///
    /// The call takes time, and memory for debug information, most of it at the first call.
    #[must_use]
    pub fn backtrace(&self) -> Vec<Frame> {
        let mut stack = self.stack();
        stack.drain(own_frames(&stack)).collect()
    }

    /// Returns the whole stack, with the functions of std and the C library.
    pub(crate) fn stack(&self) -> Vec<Frame> {
        let all = self.frames.iter();
        let mut all: Vec<_> = all.flat_map(|address| functions_at(*address)).collect();
        let caller = all.iter().position(|frame| self.is_in(frame));
        // If there is no debug information, only names tell where mm ends.
        let first = caller.unwrap_or_else(|| after_own(&all));
        all.split_off(first)
    }

    /// Returns whether the call was made in this function.
    fn is_in(&self, frame: &Frame) -> bool {
        let file = frame.file.as_deref().unwrap_or_default();
        frame.line == Some(self.location.line) && file.ends_with(self.location.file)
    }
}

/// Returns the index after the last of mm's own functions at the start of a stack.
fn after_own(all: &[Frame]) -> usize {
    let inner = all
        .iter()
        .take_while(|frame| frame.is_of_mm() || frame.is_of_std());
    let own = inner.enumerate().filter(|(_, frame)| frame.is_of_mm());
    own.last().map_or(0, |(last, _)| last + 1)
}

/// Returns the range of the program's own functions, or all if there are none.
fn own_frames(all: &[Frame]) -> Range<usize> {
    let outer = all.iter().position(Frame::is_start_of_rust);
    let inner = &all[..outer.unwrap_or(all.len())];
    let first = inner.iter().position(Frame::is_of_program);
    let last = inner.iter().rposition(Frame::is_of_program);
    match first.zip(last) {
        Some((first, last)) => first..last + 1,
        None => 0..all.len(),
    }
}

impl Frame {
    fn is_of_mm(&self) -> bool {
        // The derive writes `__with_cache`.
        self.begins_with(&["mm::", "<mm::", "backtrace::"])
            || self.name().contains("::__with_cache")
    }

    /// Returns whether it is a function of std. Thread-local accessors stand between frames of mm, and
    /// collecting iterators call mm for each value.
    fn is_of_std(&self) -> bool {
        const STARTS: [&str; 8] = [
            "std::", "<std::", "core::", "<core::", "alloc::", "<alloc::", "test::", "__rust",
        ];
        // The path of std's files in rustc's builds, and their path if they are installed.
        let is_file = |file: &str| {
            (file.starts_with("/rustc/") || file.contains("/rustlib/src/rust/"))
                && file.contains("/library/")
        };
        self.begins_with(&STARTS) || self.file.as_deref().is_some_and(is_file)
    }

    /// Returns whether std calls `main` or a thread's closure by this function. std's own backtraces end
    /// there too.
    fn is_start_of_rust(&self) -> bool {
        self.name().contains("__rust_begin_short_backtrace")
    }

    /// Returns whether the C library starts a program or a thread by this function.
    fn is_start_of_c(&self) -> bool {
        const NAMES: [&str; 4] = ["_start", "start_thread", "clone", "clone3"];
        self.begins_with(&["__libc_start", "__clone"]) || NAMES.contains(&self.name())
    }

    /// Returns whether it belongs to the program: not to mm, std or the C library.
    fn is_of_program(&self) -> bool {
        !(self.is_of_mm() || self.is_of_std() || self.is_start_of_c())
    }

    fn begins_with(&self, starts: &[&str]) -> bool {
        starts.iter().any(|start| self.name().starts_with(start))
    }

    fn name(&self) -> &str {
        self.function.as_deref().unwrap_or_default()
    }
}

/// Held while symbols are looked up. A fork takes it first: if it copied the symbol library's own lock while
/// that is held, the child would wait for it for ever.
#[cfg(feature = "backtrace")]
pub(crate) static LOOKING_UP: crate::os::Lock<()> = crate::os::Lock::new(());

#[cfg(feature = "backtrace")]
fn functions_at(address: usize) -> Vec<Frame> {
    let mut found = Vec::new();
    let note = |symbol: &backtrace::Symbol| {
        found.push(Frame {
            address,
            function: symbol.name().map(|name| format!("{name:#}")),
            file: symbol.filename().map(|file| file.display().to_string()),
            line: symbol.lineno(),
        });
    };
    // A look-up inside a look-up would find the library's cache half changed. Code of the user that is
    // notified of an allocation may make one.
    crate::user_code::undisturbed(|| {
        let _looking = LOOKING_UP.lock();
        // `resolve` looks up the call instruction, which ends at the return address.
        backtrace::resolve(core::ptr::without_provenance_mut(address), note);
    });
    if found.is_empty() {
        found.push(Frame::unknown(address));
    }
    found
}

#[cfg(not(feature = "backtrace"))]
fn functions_at(address: usize) -> Vec<Frame> {
    vec![Frame::unknown(address)]
}

impl Frame {
    fn unknown(address: usize) -> Self {
        Self {
            address,
            function: None,
            file: None,
            line: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Frame {
        Frame {
            function: (!name.is_empty()).then(|| name.to_owned()),
            ..Frame::unknown(0x1000)
        }
    }

    #[track_caller]
    fn check(names: &[&str], own: &[&str]) {
        let all: Vec<_> = names.iter().map(|name| named(name)).collect();
        let kept: Vec<_> = all[own_frames(&all)].iter().map(Frame::name).collect();
        assert_eq!(kept, own);
    }

    #[test]
    fn callers_of_main_are_cut() {
        let begin = "std::sys::backtrace::__rust_begin_short_backtrace";
        let once = "core::ops::function::FnOnce::call_once";
        let outer = [
            "std::rt::lang_start_internal",
            "main",
            "__libc_start_main",
            "_start",
        ];
        let stack = [&["app::load", "app::main", once, begin], outer.as_slice()].concat();
        check(&stack, &["app::load", "app::main"]);
        // rustc adds a hash to a name.
        let hashed = "std::sys::backtrace::__rust_begin_short_backtrace::h0123456789abcdef";
        check(&["app::load", hashed, "app::no_more"], &["app::load"]);
        let closure = "app::main::{{closure}}";
        check(&[closure, begin, "start_thread", "clone3"], &[closure]);
    }

    #[test]
    fn functions_of_std_are_cut_only_at_the_start() {
        let map = "<core::iter::adapters::map::Map<I,F> as core::iter::Iterator>::next";
        let from =
            "<alloc::vec::Vec<T> as alloc::vec::spec_from_iter::SpecFromIter<T,I>>::from_iter";
        let stack = [map, from, "app::load", "alloc::slice::sort_by", "app::main"];
        check(&stack, &stack[2..]);
    }

    #[test]
    fn functions_that_start_c_programs_are_cut() {
        check(
            &["load", "main", "__libc_start_call_main", "_start"],
            &["load", "main"],
        );
        check(&["work", "start_thread", "clone3"], &["work"]);
    }

    #[test]
    fn unknown_functions_are_kept() {
        check(&["", "app::main"], &["", "app::main"]);
        check(&["std::a", "core::b"], &["std::a", "core::b"]);
        check(&[], &[]);
    }

    #[test]
    fn files_of_std_are_known() {
        let of = |file: &str| Frame {
            file: Some(file.to_owned()),
            ..named("<F as Call>::call")
        };
        assert!(of("/rustc/0123abcd/library/core/src/iter/map.rs").is_of_std());
        assert!(
            of("/home/me/.rustup/toolchains/x/lib/rustlib/src/rust/library/std/src/a.rs")
                .is_of_std()
        );
        assert!(!of("/home/me/library/src/lib.rs").is_of_std());
    }
}

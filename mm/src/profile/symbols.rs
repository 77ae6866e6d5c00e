//! From return addresses to functions.

use core::fmt::{self, Display, Formatter};

use super::CallSite;
use crate::shown::Shown;

/// One function of a recorded stack.
///
/// With the feature `backtrace`; without it no stack is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// Return address.
    pub address: usize,
    /// Name of the function, if there are symbols for it.
    pub function: Option<String>,
    /// Source file, if there is debug information.
    pub file: Option<String>,
    /// Line in it, from 1.
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

/// Records the stack of each recorded allocation too: up to `frames` return addresses, 64 at most;
/// with 0, none any more.
///
/// Besides, some are recorded that lie in mm itself, and are not shown. A stack takes microseconds to walk; see
/// [`Track::Every`](crate::Track::Every). What functions they are is looked up when a profile is
/// shown.
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
    /// Looks up the functions of the recorded stack, the innermost first, without mm's own. Functions
    /// that were inlined are told apart.
    ///
    /// Takes time, and memory for debug information, at the first call above all.
    #[must_use]
    pub fn backtrace(&self) -> Vec<Frame> {
        let all = self.frames.iter();
        let mut all: Vec<_> = all.flat_map(|address| functions_at(*address)).collect();
        let caller = all.iter().position(|frame| self.is_in(frame));
        // Without debug information only names tell.
        let first = caller.unwrap_or_else(|| behind_own(&all));
        all.split_off(first)
    }

    /// Whether the call was made in this function.
    fn is_in(&self, frame: &Frame) -> bool {
        let file = frame.file.as_deref().unwrap_or_default();
        frame.line == Some(self.location.line) && file.ends_with(self.location.file)
    }
}

/// Where the functions behind the last of mm's own begin.
fn behind_own(all: &[Frame]) -> usize {
    let inner = all
        .iter()
        .take_while(|frame| frame.is_of_mm() || frame.is_of_std());
    let own = inner.enumerate().filter(|(_, frame)| frame.is_of_mm());
    own.last().map_or(0, |(last, _)| last + 1)
}

impl Frame {
    fn is_of_mm(&self) -> bool {
        // The last is what the derive wrote.
        self.begins_with(&["mm::", "<mm::", "backtrace::"])
            || self.name().contains("::__with_cache")
    }

    /// Thread-locals are what mm calls, and is called by.
    fn is_of_std(&self) -> bool {
        self.begins_with(&["std::", "<std::", "core::", "<core::"])
    }

    fn begins_with(&self, starts: &[&str]) -> bool {
        starts.iter().any(|start| self.name().starts_with(start))
    }

    fn name(&self) -> &str {
        self.function.as_deref().unwrap_or_default()
    }
}

/// Held while symbols are looked up, since the library has a lock of its own: a child that is forked
/// meanwhile would wait for that for ever.
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
    // A look-up inside of a look-up would find its cache half changed. Who is notified may make one.
    crate::user_code::undisturbed(|| {
        let _looking = LOOKING_UP.lock();
        // Which looks at the call, before the address to which it returns.
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

//! Applies options to the process.

use core::cell::Cell;

use super::{Options, OptionsError};
use crate::heap::hardening::{self, Contents, Hardening};
use crate::heap::{HugePages, heap_limit};
#[cfg(all(unix, feature = "signal"))]
use crate::on_signal;
use crate::os::environment::{self, TooLong};
use crate::os::process;
use crate::profile::report_leaks_at_exit;
use crate::sampling;
use crate::track;

std::thread_local! {
    /// Whether the thread is resolving options. An error about options allocates, which comes here again if the
    /// global allocator is mm's.
    static IS_RESOLVING: Cell<bool> = const { Cell::new(false) };
}

/// Applies the options of the environment to typed memory, unless options were chosen before. It is called
/// before the first typed block.
pub(crate) fn resolve() {
    resolve_for(Contents::Typed);
}

/// Applies the options of the environment to untyped memory, before its first block.
pub(crate) fn resolve_untyped() {
    resolve_for(Contents::Untyped);
}

fn resolve_for(contents: Contents) {
    if hardening::choice(contents).is_some() || IS_RESOLVING.replace(true) {
        return;
    }
    match Options::new().with_environment() {
        Ok(options) => options.choose(contents),
        Err(wrong) => refuse(&wrong),
    }
    IS_RESOLVING.set(false);
}

/// Ends the process, so that it does not run with less protection than its user asked for.
#[cold]
fn refuse(wrong: &OptionsError) -> ! {
    // Exit handlers may allocate, and must not come here again.
    for contents in Contents::ALL {
        hardening::choose(contents, Hardening::default(), HugePages::Auto);
    }
    process::write_last_line(format_args!("MM_OPTIONS: {wrong}"));
    std::process::exit(2);
}

impl Options {
    /// Applies these options, and those of the environment, for the rest of the process.
    ///
    /// If [`Global`](crate::Global) is the global allocator, mm is in use before `main`. Then the hardening of
    /// untyped memory comes from `MM_OPTIONS` alone, and [`missing_in_untyped`](Self::missing_in_untyped) says
    /// what this call could not do. Everything else holds for all memory from this call on.
    ///
    /// # Errors
    ///
    /// Returns [`OptionsError::TooLate`] if mm was used before: a block of a type or of a registered family, a
    /// snapshot, or options. What [`Global`](crate::Global) allocates is no such use. Returns
    /// the other errors if `MM_OPTIONS` is wrong, such as [`OptionsError::Unknown`] and
    /// [`OptionsError::BadSize`].
    pub fn apply(self) -> Result<(), OptionsError> {
        let all = self.with_environment()?;
        if !hardening::choose(Contents::Typed, all.hardening, all.huge) {
            return Err(OptionsError::TooLate);
        }
        all.begin_to_record();
        Ok(())
    }

    /// Returns the hardening that typed memory has and untyped memory lacks, since the program chose it after
    /// the first untyped block. All options are off if nothing is missing, or if
    /// [`Global`](crate::Global) allocates nothing.
    ///
    /// Start the program with these options in `MM_OPTIONS`, and untyped memory has them too.
    ///
    /// # Examples
    ///
    /// ```
    /// #[global_allocator]
    /// static HEAP: mm::Global = mm::Global::new();
    ///
    /// mm::Options::new().poison().apply()?;
    /// let missing = mm::Options::missing_in_untyped();
    /// if missing != mm::Options::new() {
    ///     eprintln!("for untyped memory too, set MM_OPTIONS={missing}");
    /// }
    /// # assert_eq!(missing.to_string(), "poison");
    /// # Ok::<(), mm::OptionsError>(())
    /// ```
    #[must_use]
    pub fn missing_in_untyped() -> Self {
        let mut missing = Self::new();
        let typed = hardening::choice(Contents::Typed);
        if let Some((typed, untyped)) = typed.zip(hardening::choice(Contents::Untyped)) {
            missing.hardening = typed.beyond(untyped);
        }
        missing
    }

    /// Adds the options of the environment.
    fn with_environment(self) -> Result<Self, OptionsError> {
        let mut room = [0; environment::LONGEST];
        match environment::options(&mut room) {
            Some(value) => self.with(text_of(value)?),
            None => Ok(self),
        }
    }

    /// Makes these options, which are the environment's, the choice for typed or for untyped memory. If another
    /// thread is first, it chooses the same.
    fn choose(self, contents: Contents) {
        let is_first = Contents::ALL
            .iter()
            .all(|any| hardening::choice(*any).is_none());
        if hardening::choose(contents, self.hardening, self.huge) && is_first {
            self.begin_to_record();
        }
    }

    /// Starts tracking, backtraces and reports, as far as they are on.
    fn begin_to_record(self) {
        if self.limit != heap_limit::NONE {
            heap_limit::set_limit(self.limit);
        }
        if let Some(bytes) = self.sample {
            sampling::set_interval(bytes);
        }
        track::track_from_start(self.every);
        // 0 must not replace a number that the program set before its first family applied the options.
        #[cfg(feature = "backtrace")]
        if self.frames > 0 {
            crate::record_backtraces(self.frames);
        }
        if let Some(code) = self.leaks {
            let mut report = report_leaks_at_exit();
            if self.untyped_leaks {
                report = report.untyped();
            }
            report.exit_code(code);
        }
        #[cfg(all(unix, feature = "signal"))]
        self.begin_to_listen();
    }

    /// Starts the thread that writes reports. It comes after the choice of options, because starting a thread
    /// may allocate through mm.
    #[cfg(all(unix, feature = "signal"))]
    fn begin_to_listen(self) {
        let asked = |signal: &i32| self.signals & (1 << signal) != 0;
        for signal in on_signal::NUMBERS.filter(asked) {
            if let Err(error) = on_signal::report_on_signal(signal) {
                process::write_last_line(format_args!("no report at signal {signal}: {error}"));
            }
        }
    }
}

/// Returns the value of `MM_OPTIONS` as text.
fn text_of(value: Result<&[u8], TooLong>) -> Result<&str, OptionsError> {
    let unknown = |option: Box<str>| OptionsError::Unknown { option };
    let value = value.map_err(|TooLong| unknown("(a text of more than 4,096 bytes)".into()))?;
    core::str::from_utf8(value).map_err(|_| unknown(String::from_utf8_lossy(value).into()))
}

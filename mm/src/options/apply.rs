//! Applies options to the process.

use core::cell::Cell;

use super::{Options, OptionsError};
use crate::heap::HugePages;
use crate::heap::hardening::{self, Hardening};
#[cfg(all(unix, feature = "signal"))]
use crate::on_signal;
use crate::os::environment::{self, TooLong};
use crate::os::process;
use crate::profile::report_leaks_at_exit;
use crate::sampling;
use crate::track;

std::thread_local! {
    /// Whether the thread is in [`resolve`]. An error about options allocates, which comes here again if the
    /// global allocator is mm's.
    static IS_RESOLVING: Cell<bool> = const { Cell::new(false) };
}

/// Applies the options of the environment, unless options were chosen before. It is called before the first
/// block.
pub(crate) fn resolve() {
    if hardening::is_chosen() || IS_RESOLVING.replace(true) {
        return;
    }
    // If another thread is first, it applies the same environment.
    match Options::new().apply() {
        Ok(()) | Err(OptionsError::TooLate) => {}
        Err(wrong) => refuse(&wrong),
    }
    IS_RESOLVING.set(false);
}

/// Ends the process, so that it does not run with less protection than its user asked for.
#[cold]
fn refuse(wrong: &OptionsError) -> ! {
    // Exit handlers may allocate, and must not come here again.
    hardening::choose(Hardening::default(), HugePages::Auto);
    process::write_last_line(format_args!("MM_OPTIONS: {wrong}"));
    std::process::exit(2);
}

impl Options {
    /// Applies these options, and those of the environment, for the rest of the process.
    ///
    /// # Errors
    ///
    /// Returns [`OptionsError::TooLate`] if mm was used before: a block, a snapshot, or options. Returns
    /// the other errors if `MM_OPTIONS` is wrong, such as [`OptionsError::Unknown`] and
    /// [`OptionsError::BadSize`].
    pub fn apply(self) -> Result<(), OptionsError> {
        let mut room = [0; environment::LONGEST];
        let all = match environment::options(&mut room) {
            Some(value) => self.with(text_of(value)?)?,
            None => self,
        };
        if !hardening::choose(all.hardening, all.huge) {
            return Err(OptionsError::TooLate);
        }
        all.begin_to_record();
        Ok(())
    }

    /// Starts tracking, backtraces and reports, as far as they are on.
    fn begin_to_record(self) {
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
            report_leaks_at_exit().exit_code(code);
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

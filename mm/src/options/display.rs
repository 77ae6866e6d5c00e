//! Options as a text, in the syntax of `MM_OPTIONS`.

use core::fmt::{self, Display, Formatter};

use super::Options;
use crate::heap::hardening::OnRelease;
use crate::heap::{HugePages, heap_limit};
#[cfg(all(unix, feature = "signal"))]
use crate::on_signal;

/// Writes the options that are on as `MM_OPTIONS` names them; nothing if all are off.
///
/// # Examples
///
/// ```
/// let options = mm::Options::new().poison().quarantine(4_096);
/// assert_eq!(options.to_string(), "poison,quarantine=4096");
/// assert_eq!(options.to_string().parse(), Ok(options));
/// ```
impl Display for Options {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut list = List { f, is_empty: true };
        let Self { hardening, .. } = self;
        list.add_if(hardening.random, format_args!("random"))?;
        list.add_if(hardening.fill == OnRelease::Zero, format_args!("zero"))?;
        list.add_if(hardening.fill == OnRelease::Poison, format_args!("poison"))?;
        list.add_if(hardening.guard, format_args!("guard"))?;
        let quarantine = hardening.quarantine;
        list.add_if(quarantine > 0, format_args!("quarantine={quarantine}"))?;
        list.add_if(self.huge == HugePages::Never, format_args!("huge=never"))?;
        list.add_if(self.huge == HugePages::Always, format_args!("huge=always"))?;
        list.add_if(self.every > 0, format_args!("track={}", self.every))?;
        list.add_if(self.frames > 0, format_args!("backtrace={}", self.frames))?;
        if let Some(code) = self.leaks {
            list.add(format_args!("leaks={code}"))?;
        }
        if let Some(bytes) = self.sample {
            list.add(format_args!("sample={bytes}"))?;
        }
        let limit = self.limit;
        list.add_if(limit != heap_limit::NONE, format_args!("limit={limit}"))?;
        list.add_if(self.untyped_leaks, format_args!("untyped"))?;
        #[cfg(all(unix, feature = "signal"))]
        for signal in on_signal::NUMBERS.filter(|signal| self.signals & (1 << signal) != 0) {
            list.add(format_args!("signal={signal}"))?;
        }
        Ok(())
    }
}

/// Texts with commas between them.
struct List<'a, 'b> {
    f: &'a mut Formatter<'b>,
    is_empty: bool,
}

impl List<'_, '_> {
    fn add_if(&mut self, is_on: bool, option: fmt::Arguments<'_>) -> fmt::Result {
        if is_on { self.add(option) } else { Ok(()) }
    }

    fn add(&mut self, option: fmt::Arguments<'_>) -> fmt::Result {
        if !core::mem::replace(&mut self.is_empty, false) {
            self.f.write_str(",")?;
        }
        self.f.write_fmt(option)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_option_is_read_again() {
        for text in [
            "",
            "random,zero,guard,quarantine=4096",
            "poison,huge=never",
            "huge=always,track=10,leaks=3,sample=0,limit=2147483648,untyped",
            #[cfg(feature = "backtrace")]
            "track=1,backtrace=12",
            #[cfg(all(unix, feature = "signal"))]
            "signal=1,signal=12",
        ] {
            let options: Options = text.parse().expect("known options");
            assert_eq!(options.to_string(), text);
        }
    }
}

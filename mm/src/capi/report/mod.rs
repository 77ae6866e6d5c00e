//! The reports of the original library, word for word, so that scripts that parse them still work. They
//! go through C's `stdout`, so they keep their order with the other output of the program.

mod blocks;
mod families;
mod memory;

use core::ffi::c_char;
use core::fmt::{self, Display};
use std::io::{self, Write};

use self::blocks::BlockUsage;
use self::families::PageFamilies;
use self::memory::MemoryUsage;
use super::families::mm_instance_;
use super::named::unknown;
use super::place::{Place, text};
use crate::heap::flush_thread;
use crate::os::{stdio, write_text};
use crate::print;

/// Prints the families of an instance.
pub(super) fn print_page_families(instance: &'static mm_instance_) {
    print(&PageFamilies(instance));
}

/// Prints one line for each family of an instance.
pub(super) fn print_block_usage(instance: &'static mm_instance_) {
    flush_thread();
    for family in instance.families() {
        print(&BlockUsage::of(family));
    }
}

/// Prints the line for an instance's buffers.
pub(super) fn print_buffers(instance: &'static mm_instance_) {
    flush_thread();
    print(&BlockUsage::of_buffers(instance.buffers()));
}

/// Prints VM pages and blocks of one family, or of all if `name` is null.
///
/// # Safety
///
/// 1. `name` is null or a C string.
pub(super) unsafe fn print_memory_usage(instance: &'static mm_instance_, name: *const c_char) {
    flush_thread();
    // SAFETY: by requirement 1 `name` is null or a C string.
    let name = (!name.is_null()).then(|| unsafe { text(name) });
    if let Some(name) = name.filter(|name| instance.find(name).is_none()) {
        Place::Function("mm_print_memory_usage").report_misuse(unknown(name));
    }
    print(&MemoryUsage {
        instance,
        name,
        coloured: print::is_output_coloured(),
    });
}

/// Prints a report.
pub(super) fn print(report: &dyn Display) {
    write_text(Stdout, format_args!("{report}"));
}

/// C's `stdout`.
struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        stdio::print(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A line in colour. As in the original, the newline precedes the escape that ends the colour.
struct Coloured<T>(Option<&'static str>, T);

impl<T: Display> Display for Coloured<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(colour) => write!(f, "{colour}{}\n\x1b[0m", self.1),
            None => writeln!(f, "{}", self.1),
        }
    }
}

#[cfg(test)]
mod tests {
    use core::ffi::CStr;

    use super::*;
    use crate::capi::named::register;
    use crate::shown::is_hidden;

    const HOSTILE: &CStr = c"a\nmm: forged \x1b[31m\xe2\x80\xae";
    const SHOWN: &str = r"a\nmm: forged \u{1b}[31m\u{202e}";

    #[track_caller]
    fn check(text: &str) {
        assert!(text.contains(SHOWN), "{text:?}");
        let acts = |c: char| is_hidden(c) && !matches!(c, '\n' | '\t');
        assert!(!text.contains(acts), "{text:?}");
        assert!(!text.contains("\nmm: forged"), "{text:?}");
    }

    #[test]
    fn names_that_others_chose_are_shown() {
        let instance = mm_instance_::make().expect("memory");
        // SAFETY: `HOSTILE` is a C string.
        unsafe { register(instance, HOSTILE.as_ptr(), 36, Place::Function("register")) };
        let family = instance.find(HOSTILE).expect("registered");
        let block = family.heap.alloc_zeroed(2).expect("memory");
        check(&PageFamilies(instance).to_string());
        let row = BlockUsage::of(family).to_string();
        check(&row);
        assert_eq!(row.lines().count(), 1);
        let usage = MemoryUsage {
            instance,
            name: None,
            coloured: false,
        };
        check(&usage.to_string());
        check(&unknown(HOSTILE));
        // SAFETY: `HOSTILE` is a C string, and a constant.
        let place = unsafe { Place::line(HOSTILE.as_ptr(), 7) };
        check(&place.to_string());
        // SAFETY: `alloc_zeroed` gave the block, and the test neither uses it any more nor releases it
        // elsewhere.
        unsafe { family.heap.release(block) }.expect("live");
    }
}

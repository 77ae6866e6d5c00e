//! The reports that programs of C know, in the words of the original, so that what reads them goes on
//! working. They go through C's `stdout`, and so keep their place among what the program prints.

mod blocks;
mod families;
mod memory;

use core::ffi::c_char;
use core::fmt::{self, Display};
use std::io::{self, Write};

use self::blocks::BlockUsage;
use self::families::PageFamilies;
use self::memory::MemoryUsage;
use super::instance::mm_instance_;
use super::named::unknown;
use super::place::{Place, text};
use crate::heap::flush_thread;
use crate::os::stdio;
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

/// Prints the same line for buffers.
pub(super) fn print_buffers(instance: &'static mm_instance_) {
    flush_thread();
    print(&BlockUsage::of_buffers(instance.buffers()));
}

/// Prints VM pages and blocks, of one family or of all.
///
/// # Safety
///
/// `name` is null or a string of C.
pub(super) unsafe fn print_memory_usage(instance: &'static mm_instance_, name: *const c_char) {
    flush_thread();
    // SAFETY: the caller promises it.
    let name = (!name.is_null()).then(|| unsafe { text(name) });
    if let Some(name) = name.filter(|name| instance.find(name).is_none()) {
        Place::Function("mm_print_memory_usage").complain(unknown(name));
    }
    print(&MemoryUsage {
        instance,
        name,
        coloured: print::is_output_coloured(),
    });
}

/// Prints a report as a whole.
pub(super) fn print(report: &dyn Display) {
    print::write_text(Stdout, format_args!("{report}"));
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

/// A line in colour; as in the original the line ends before the colour does.
struct Coloured<T>(Option<&'static str>, T);

impl<T: Display> Display for Coloured<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(colour) => write!(f, "{colour}{}\n\x1b[0m", self.1),
            None => writeln!(f, "{}", self.1),
        }
    }
}

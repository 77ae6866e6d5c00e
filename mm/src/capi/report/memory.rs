//! `mm_print_memory_usage`: each VM page, and each block in it.

use core::ffi::CStr;
use core::fmt::{self, Display, Formatter};
use core::ptr;

use super::Coloured;
use super::blocks::BlockUsage;
use crate::capi::families::Family;
use crate::capi::families::mm_instance_;
use crate::heap::{BlockView, Figures, PageView, Walk};
use crate::os::{PageSource, System};
use crate::shown::Shown;

const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const MAGENTA: &str = "\x1b[35m";
const CYAN: &str = "\x1b[36m";

/// The report on the families of an instance, or on the one with a name.
pub(super) struct MemoryUsage<'a> {
    pub(super) instance: &'static mm_instance_,
    pub(super) name: Option<&'a CStr>,
    pub(super) coloured: bool,
}

/// The part for one family.
struct FamilyUsage<'a> {
    family: &'static Family,
    figures: Figures,
    of: &'a MemoryUsage<'a>,
}

/// The part for one VM page, with the addresses of its neighbours.
struct PageUsage<'a> {
    number: usize,
    page: PageView,
    before: Option<usize>,
    after: Option<usize>,
    walk: &'a Walk,
    of: &'a FamilyUsage<'a>,
}

/// The line for one block, with the addresses of its neighbours.
struct BlockLine {
    number: usize,
    block: BlockView,
    before: Option<usize>,
    after: Option<usize>,
    unit: usize,
    page: usize,
}

/// An address as `printf` shows it, `(nil)` for none.
struct Address(Option<usize>);

impl MemoryUsage<'_> {
    fn families(&self) -> impl Iterator<Item = &'static Family> {
        let wanted = self.name.map(|name| self.instance.find(name));
        let all = self.instance.families();
        all.filter(move |family| {
            wanted.is_none_or(|one| one.is_some_and(|one| ptr::eq(one, *family)))
        })
    }

    /// Returns the family of buffers, if the report is on all families and there are buffers.
    fn buffers(&self) -> Option<&'static Family> {
        self.instance.buffers().filter(|_| self.name.is_none())
    }

    fn coloured<T: Display>(&self, colour: &'static str, line: T) -> Coloured<T> {
        Coloured(self.coloured.then_some(colour), line)
    }
}

impl Display for MemoryUsage<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nPage Size = {} Bytes", System::page_bytes())?;
        let mut all = Totals::default();
        for family in self.families() {
            let usage = FamilyUsage {
                family,
                figures: family.heap.figures(),
                of: self,
            };
            all.add(family, &usage.figures);
            writeln!(f, "{usage}")?;
        }
        if let Some(buffers) = self.buffers() {
            all.add(buffers, &buffers.heap.figures());
        }
        let Totals { pages, bytes, live } = all;
        // The original misspells the word, and programs may parse it.
        let in_use = format_args!("\nTotal Applcation Memory Usage : {live} Bytes");
        write!(f, "{}", self.coloured(MAGENTA, in_use))?;
        let in_pages = format_args!("# Of VM Pages in Use : {pages} ({bytes} Bytes)");
        write!(f, "{}", self.coloured(MAGENTA, in_pages))?;
        writeln!(
            f,
            "Total Memory being used by Memory Manager = {bytes} Bytes"
        )?;
        if let Some(buffers) = self.buffers() {
            writeln!(f, "Printing Variable Buffers ")?;
            write!(f, "{}", BlockUsage::of(buffers))?;
        }
        Ok(())
    }
}

/// Sums over all families: VM pages, their bytes, and live bytes.
#[derive(Default)]
struct Totals {
    pages: u64,
    bytes: u64,
    live: u64,
}

impl Totals {
    fn add(&mut self, family: &Family, figures: &Figures) {
        self.pages += figures.vm_pages;
        self.bytes += figures.mapped;
        self.live += figures.live_units * family.unit() as u64;
    }
}

impl FamilyUsage<'_> {
    fn unit(&self) -> usize {
        self.family.unit()
    }
}

impl Display for FamilyUsage<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (name, unit) = (Shown(self.family.heap.name()), self.unit());
        let head = format_args!("vm_page_family : {name}, struct size = {unit}");
        write!(f, "{}", self.of.coloured(GREEN, head))?;
        let Figures {
            live_units,
            kernel_calls: calls,
            ..
        } = self.figures;
        let live = live_units * unit as u64;
        let used = format_args!("\tApp Used Memory {live}B, #Sys Calls {calls}");
        write!(f, "{}", self.of.coloured(CYAN, used))?;
        let walk = self.family.heap.heap.walk();
        for (number, [before, page, after]) in neighbours(walk.pages()).enumerate() {
            let Some(page) = page else { continue };
            let usage = PageUsage {
                number,
                page,
                before: before.as_ref().map(PageView::address),
                after: after.as_ref().map(PageView::address),
                walk: &walk,
                of: self,
            };
            write!(f, "{usage}")?;
        }
        Ok(())
    }
}

impl Display for PageUsage<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "\tPage Index : {} ", self.number)?;
        let (next, prev) = (Address(self.after), Address(self.before));
        writeln!(f, "\t\t next = {next}, prev = {prev}")?;
        let name = Shown(self.of.family.heap.name());
        writeln!(f, "\t\t page family = {name}")?;
        let blocks = neighbours(self.walk.blocks(self.page)).enumerate();
        blocks
            .filter_map(|(number, around)| self.line(number, around))
            .try_for_each(|line| write!(f, "{}", self.of.of.coloured(YELLOW, line)))
    }
}

impl PageUsage<'_> {
    fn line(
        &self,
        number: usize,
        [before, block, after]: [Option<BlockView>; 3],
    ) -> Option<BlockLine> {
        let address = |block: BlockView| block.first.addr().get();
        Some(BlockLine {
            number,
            block: block?,
            before: before.map(address),
            after: after.map(address),
            unit: self.of.unit(),
            page: self.page.address(),
        })
    }
}

/// Returns each item together with the one before and the one after it.
fn neighbours<T: Copy>(items: impl Iterator<Item = T>) -> impl Iterator<Item = [Option<T>; 3]> {
    let mut items = items.peekable();
    let mut before = None;
    core::iter::from_fn(move || {
        let item = items.next()?;
        Some([before.replace(item), Some(item), items.peek().copied()])
    })
}

impl Display for BlockLine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let address = self.block.first.addr().get();
        let state = if self.block.is_live {
            "ALLOCATED"
        } else {
            "F R E E D"
        };
        write!(
            f,
            "\t\t\t{:<14} Block {:<3} {state}  block_size = {:<6}  offset = {:<6}  prev = {:<14}  next = {}",
            Address(Some(address)),
            self.number,
            self.block.units * self.unit,
            address - self.page,
            Address(self.before),
            Address(self.after),
        )
    }
}

impl Display for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(address) = self.0 else {
            return f.pad("(nil)");
        };
        write!(f, "{address:#x}")?;
        let digits = (address.max(1).ilog2() / 4 + 1) as usize;
        (digits + 2..f.width().unwrap_or(0)).try_for_each(|_| f.write_str(" "))
    }
}

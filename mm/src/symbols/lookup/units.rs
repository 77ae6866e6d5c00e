//! The debug information of a file, a unit at a time, so that its memory is bounded.

use core::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use gimli::{DebugAranges, DebugInfoOffset, Dwarf, EndianSlice, NativeEndian};
use object::{Object, ObjectSection};

use super::image::Elf;
use super::unit::Unit;

pub(super) type Reader<'f> = EndianSlice<'f, NativeEndian>;

/// Bytes of units that are kept at most, of those that were used last. What is known of a unit takes about as much.
const MOST_KEPT: usize = 4 << 20;

/// Units of a file.
pub(super) struct Units<'f> {
    dwarf: Dwarf<Reader<'f>>,
    /// Which unit has the code at an address, sorted.
    ranges: Vec<Range>,
    /// Where each unit begins, sorted.
    starts: Vec<usize>,
    /// The unit that was used last comes first.
    kept: RefCell<VecDeque<Rc<Unit<'f>>>>,
}

struct Range {
    start: u64,
    end: u64,
    unit: usize,
}

impl<'f> Units<'f> {
    /// Reads where the units of a file are; `None` without debug information, or if it has no table of that.
    pub(super) fn of(elf: &Elf<'f>) -> Option<Self> {
        let section = |id: gimli::SectionId| {
            let section = elf.section_by_name(id.name());
            let data = section.and_then(|section| section.data().ok());
            Ok::<_, gimli::Error>(Reader::new(data.unwrap_or_default(), NativeEndian))
        };
        let dwarf = Dwarf::load(section).ok()?;
        let ranges = ranges(&dwarf.debug_aranges).ok()?;
        let mut starts = Vec::new();
        let mut headers = dwarf.units();
        while let Some(header) = headers.next().ok()? {
            starts.extend(header.debug_info_offset().map(|DebugInfoOffset(at)| at));
        }
        (!ranges.is_empty()).then(|| Self {
            dwarf,
            ranges,
            starts,
            kept: RefCell::default(),
        })
    }

    pub(super) fn dwarf(&self) -> &Dwarf<Reader<'f>> {
        &self.dwarf
    }

    /// Returns the unit that has the code at `address`.
    pub(super) fn with_code(&self, address: u64) -> Option<Rc<Unit<'f>>> {
        let next = self.ranges.partition_point(|range| range.start <= address);
        let range = &self.ranges[next.checked_sub(1)?];
        (address < range.end).then(|| self.at(range.unit))?
    }

    /// Returns the unit that has the entry at an offset.
    pub(super) fn with_entry(&self, offset: usize) -> Option<Rc<Unit<'f>>> {
        let next = self.starts.partition_point(|start| *start <= offset);
        self.at(self.starts[next.checked_sub(1)?])
    }

    /// Returns the unit that begins at an offset.
    fn at(&self, start: usize) -> Option<Rc<Unit<'f>>> {
        let mut kept = self.kept.borrow_mut();
        let unit = match kept.iter().position(|unit| unit.start == start) {
            Some(place) => kept.remove(place)?,
            None => Rc::new(Unit::read(&self.dwarf, start)?),
        };
        kept.push_front(unit.clone());
        let mut bytes = 0;
        kept.retain(|unit| {
            bytes += unit.bytes;
            bytes <= MOST_KEPT || unit.start == start
        });
        Some(unit)
    }
}

fn ranges(table: &DebugAranges<Reader<'_>>) -> gimli::Result<Vec<Range>> {
    let mut ranges = Vec::new();
    let mut headers = table.headers();
    while let Some(header) = headers.next()? {
        let DebugInfoOffset(unit) = header.debug_info_offset();
        let mut entries = header.entries();
        while let Some(entry) = entries.next()? {
            let range = entry.range();
            // The linker writes 0 for functions that it left out.
            if range.begin > 0 {
                ranges.push(Range {
                    start: range.begin,
                    end: range.end,
                    unit,
                });
            }
        }
    }
    ranges.sort_unstable_by_key(|range| range.start);
    Ok(ranges)
}

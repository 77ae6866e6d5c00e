//! One unit of debug information: its functions, what was inlined into them, and its lines.

use core::cell::OnceCell;
use core::num::NonZero;

use gimli::{
    AttributeValue, CompleteLineProgram, DebugInfoOffset, DebuggingInformationEntry, DwAt, Dwarf,
    LineSequence, UnitOffset, UnitRef,
};

use super::units::Reader;

/// A unit.
pub(super) struct Unit<'f> {
    /// Where it begins.
    pub(super) start: usize,
    /// Its length.
    pub(super) bytes: usize,
    read: gimli::Unit<Reader<'f>>,
    functions: OnceCell<Vec<Function>>,
    lines: OnceCell<Option<Lines<'f>>>,
}

type Lines<'f> = (
    CompleteLineProgram<Reader<'f>>,
    Vec<LineSequence<Reader<'f>>>,
);

type Entry<'f> = DebuggingInformationEntry<Reader<'f>>;

/// A function that is not inlined.
struct Function {
    start: u64,
    end: u64,
    entry: UnitOffset,
}

/// A function that an instruction is in.
#[derive(Clone, Copy)]
pub(super) struct Call {
    pub(super) entry: UnitOffset,
    /// The number of the file and the line where it is called, if it is inlined.
    pub(super) from: Option<(u64, u32)>,
}

/// Where the name of a function is.
pub(super) enum Name<'f> {
    Known(Reader<'f>),
    In(UnitOffset),
    InOther(usize),
}

impl<'f> Unit<'f> {
    /// Reads the unit that begins at an offset.
    pub(super) fn read(dwarf: &Dwarf<Reader<'f>>, start: usize) -> Option<Self> {
        let header = dwarf.debug_info.header_from_offset(DebugInfoOffset(start));
        let header = header.ok()?;
        Some(Self {
            start,
            bytes: header.length_including_self(),
            read: dwarf.unit(header).ok()?,
            functions: OnceCell::new(),
            lines: OnceCell::new(),
        })
    }

    /// The folder where the compiler was started.
    pub(super) fn folder(&self) -> Option<Reader<'f>> {
        self.read.comp_dir
    }

    /// Returns the functions that the instruction at `address` is in, the outermost first: the others are inlined.
    pub(super) fn calls(&self, dwarf: &Dwarf<Reader<'f>>, address: u64) -> Option<Vec<Call>> {
        let unit = UnitRef::new(dwarf, &self.read);
        let functions = self
            .functions
            .get_or_init(|| functions(unit).unwrap_or_default());
        let next = functions.partition_point(|function| function.start <= address);
        let function = &functions[next.checked_sub(1)?];
        if address >= function.end {
            return None;
        }
        let mut calls = vec![Call {
            entry: function.entry,
            from: None,
        }];
        let mut entries = unit.entries_at_offset(function.entry).ok()?;
        let first = entries.next_dfs().ok()??.depth();
        while let Some(entry) = entries
            .next_dfs()
            .ok()?
            .filter(|entry| entry.depth() > first)
        {
            let is_inlined = entry.tag() == gimli::DW_TAG_inlined_subroutine;
            if is_inlined && has_code(unit, entry, address).ok()? {
                calls.push(Call {
                    entry: entry.offset(),
                    from: Some(caller(entry)),
                });
            }
        }
        Some(calls)
    }

    /// Returns the name of an entry, or the entry that has it.
    pub(super) fn name(&self, dwarf: &Dwarf<Reader<'f>>, offset: UnitOffset) -> Option<Name<'f>> {
        let unit = UnitRef::new(dwarf, &self.read);
        let entry = unit.entry(offset).ok()?;
        // Not its symbol, which has no type arguments in the legacy mangling.
        if let Some(name) = entry.attr_value(gimli::DW_AT_name) {
            return Some(Name::Known(unit.attr_string(name).ok()?));
        }
        let of = |name: DwAt| entry.attr_value(name);
        match of(gimli::DW_AT_abstract_origin).or_else(|| of(gimli::DW_AT_specification))? {
            AttributeValue::UnitRef(offset) => Some(Name::In(offset)),
            AttributeValue::DebugInfoRef(DebugInfoOffset(offset)) => Some(Name::InOther(offset)),
            _ => None,
        }
    }

    /// Returns the place of an entry in the unit by its offset in the file.
    pub(super) fn within(&self, offset: usize) -> UnitOffset {
        UnitOffset(offset - self.start)
    }

    /// Returns the number of the file and the line of the instruction at `address`.
    pub(super) fn line(&self, address: u64) -> Option<(u64, u32)> {
        let (program, sequences) = self.lines()?;
        let next = sequences.partition_point(|sequence| sequence.start <= address);
        let sequence = &sequences[next.checked_sub(1)?];
        if address >= sequence.end {
            return None;
        }
        let (mut rows, mut found) = (program.resume_from(sequence), None);
        while let Some((_, row)) = rows.next_row().ok()? {
            if row.address() > address {
                break;
            }
            let line = row.line().map_or(0, NonZero::get);
            found = Some((row.file_index(), u32::try_from(line).unwrap_or(0)));
        }
        found
    }

    /// Returns the path of a file by its number.
    pub(super) fn file(&self, dwarf: &Dwarf<Reader<'f>>, number: u64) -> Option<String> {
        let unit = UnitRef::new(dwarf, &self.read);
        let (program, _) = self.lines()?;
        let file = program.header().file(number)?;
        let text = |value| Some(unit.attr_string(value).ok()?.to_string_lossy());
        let mut path = self
            .folder()
            .map(|folder| folder.to_string_lossy().into_owned());
        let folder = file.directory(program.header()).and_then(text);
        for part in folder.into_iter().chain(text(file.path_name())) {
            path = Some(joined(&path.unwrap_or_default(), &part));
        }
        path
    }

    /// The lines, sorted by address.
    fn lines(&self) -> Option<&Lines<'f>> {
        let lines = self.lines.get_or_init(|| {
            let (program, mut sequences) = self.read.line_program.clone()?.sequences().ok()?;
            sequences.sort_unstable_by_key(|sequence| sequence.start);
            Some((program, sequences))
        });
        lines.as_ref()
    }
}

/// Lists the functions of a unit, sorted by address.
fn functions(unit: UnitRef<'_, Reader<'_>>) -> gimli::Result<Vec<Function>> {
    let mut functions = Vec::new();
    let mut entries = unit.entries();
    while let Some(entry) = entries.next_dfs()? {
        if entry.tag() != gimli::DW_TAG_subprogram {
            continue;
        }
        let mut ranges = unit.die_ranges(entry)?;
        while let Some(range) = ranges.next()? {
            functions.push(Function {
                start: range.begin,
                end: range.end,
                entry: entry.offset(),
            });
        }
    }
    functions.sort_unstable_by_key(|function| function.start);
    functions.shrink_to_fit();
    Ok(functions)
}

fn has_code<'f>(
    unit: UnitRef<'_, Reader<'f>>,
    entry: &Entry<'f>,
    address: u64,
) -> gimli::Result<bool> {
    let mut ranges = unit.die_ranges(entry)?;
    while let Some(range) = ranges.next()? {
        if (range.begin..range.end).contains(&address) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the number of the file and the line that an inlined function is called at.
fn caller(entry: &Entry<'_>) -> (u64, u32) {
    let file = match entry.attr_value(gimli::DW_AT_call_file) {
        Some(AttributeValue::FileIndex(number)) => number,
        other => other.and_then(|value| value.udata_value()).unwrap_or(0),
    };
    let line = entry.attr_value(gimli::DW_AT_call_line);
    let line = line.and_then(|value| value.udata_value());
    (
        file,
        line.and_then(|line| u32::try_from(line).ok()).unwrap_or(0),
    )
}

/// Appends a path to another one.
fn joined(folder: &str, path: &str) -> String {
    if path.starts_with('/') || folder.is_empty() {
        return path.to_owned();
    }
    format!("{}/{path}", folder.trim_end_matches('/'))
}

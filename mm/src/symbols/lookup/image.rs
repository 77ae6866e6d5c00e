//! What a module's file says about addresses.

use core::cell::OnceCell;
use std::rc::Rc;

use gimli::UnitOffset;
use object::read::elf::ElfFile64;

use super::frame::Frame;
use super::function::Function;
use super::source::{Origin, module_of, origin_of_crate, relative};
use super::symbols::Symbols;
use super::unit::{Call, Name, Unit};
use super::units::Units;

/// A file of the format that this process is of.
pub(super) type Elf<'f> = ElfFile64<'f, object::NativeEndian>;

/// Names that a name refers to through others, at most.
const MOST_STEPS: usize = 8;

/// A module's file.
pub(super) struct Image<'f> {
    elf: Elf<'f>,
    /// The debug information, if there is any.
    units: Option<Units<'f>>,
    symbols: OnceCell<Symbols<'f>>,
}

impl<'f> Image<'f> {
    /// Reads a file.
    pub(super) fn of(file: &'f [u8]) -> Option<Self> {
        let elf = Elf::parse(file).ok()?;
        Some(Self {
            units: Units::of(&elf),
            symbols: OnceCell::new(),
            elf,
        })
    }

    /// Returns the functions that the instruction at `address`, counted as in the file, is in, the innermost first.
    pub(super) fn frames(&self, address: u64) -> Vec<Frame> {
        let mut frames = self.by_lines(address).unwrap_or_default();
        if frames.is_empty() {
            frames.extend(self.by_symbol(address));
        }
        let sharing = self.symbols().sharing_at(address);
        frames.iter_mut().for_each(|frame| frame.share(sharing));
        frames
    }

    fn symbols(&self) -> &Symbols<'f> {
        self.symbols.get_or_init(|| Symbols::of(&self.elf))
    }

    /// Returns functions by the debug information; `None` without any about this address.
    fn by_lines(&self, address: u64) -> Option<Vec<Frame>> {
        let units = self.units.as_ref()?;
        let unit = units.with_code(address)?;
        let mut at = unit.line(address)?;
        let Some(calls) = unit.calls(units.dwarf(), address) else {
            return Some(vec![self.bare(units, &unit, at, address)?]);
        };
        let mut frames = Vec::with_capacity(calls.len());
        for call in calls.iter().rev() {
            frames.push(frame(units, &unit, *call, at)?);
            at = call.from.unwrap_or(at);
        }
        Some(frames)
    }

    /// Returns a function that has lines and no entry: line tables have entries only where something is inlined.
    fn bare(
        &self,
        units: &Units<'f>,
        unit: &Unit<'f>,
        at: (u64, u32),
        address: u64,
    ) -> Option<Frame> {
        let path = unit.file(units.dwarf(), at.0)?;
        let function = self.symbols().function_at(address);
        let function = function.map(|function| function.in_file(module_of(&path)));
        Some(located(unit, function, &path, at.1))
    }

    fn by_symbol(&self, address: u64) -> Option<Frame> {
        let symbols = self.symbols();
        let function = symbols.function_at(address)?;
        let own = symbols.own_crate();
        let origin = origin_of_crate(function.crate_name(), own);
        // Without debug information, any crate of others may be the program's own.
        let is_own = origin == Origin::Unknown && self.units.is_none();
        Some(Frame {
            function: Some(function),
            source: None,
            origin: if is_own { Origin::Own } else { origin },
            is_whole: false,
        })
    }
}

/// Returns a function at the number of a file and a line; `None` if the debug information lacks the file or the name.
fn frame<'f>(units: &Units<'f>, unit: &Unit<'f>, call: Call, at: (u64, u32)) -> Option<Frame> {
    let (file, line) = at;
    let path = unit.file(units.dwarf(), file)?;
    let name = name_of(units, unit, call.entry)?;
    let function = Function::from_entry(module_of(&path), &name);
    Some(located(unit, Some(function), &path, line))
}

/// Returns a function in a file at a line.
fn located(unit: &Unit<'_>, function: Option<Function>, path: &str, line: u32) -> Frame {
    let started = unit.folder().map(|folder| folder.to_string_lossy());
    let relative = relative(path, started.as_deref());
    Frame::of_source(function, path, relative, line)
}

/// Returns the name of an entry, which may be that of another one.
fn name_of<'f>(units: &Units<'f>, unit: &Unit<'f>, entry: UnitOffset) -> Option<String> {
    let mut other: Option<Rc<Unit<'f>>> = None;
    let mut entry = entry;
    for _ in 0..MOST_STEPS {
        let unit = other.as_deref().unwrap_or(unit);
        match unit.name(units.dwarf(), entry)? {
            Name::Known(name) => return Some(name.to_string_lossy().into_owned()),
            Name::In(next) => entry = next,
            Name::InOther(offset) => {
                let next = units.with_entry(offset)?;
                entry = next.within(offset);
                other = Some(next);
            }
        }
    }
    None
}

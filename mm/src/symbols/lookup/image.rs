//! What a module's file says about addresses.

use core::cell::OnceCell;

use addr2line::gimli::{
    self, AttributeValue, DwAt, EndianSlice, NativeEndian, UnitOffset, UnitRef,
};
use addr2line::{Context, Frame as Entry};
use object::read::elf::ElfFile64;
use object::{Object, ObjectSection};

use super::frame::Frame;
use super::function::Function;
use super::source::{Origin, module_of, origin_of_crate, relative};
use super::symbols::Symbols;

/// A file of the format that this process is of.
pub(super) type Elf<'f> = ElfFile64<'f, object::NativeEndian>;

type Reader<'f> = EndianSlice<'f, NativeEndian>;

/// Names that a name refers to through others, at most.
const MOST_STEPS: usize = 8;

/// A module's file.
pub(super) struct Image<'f> {
    elf: Elf<'f>,
    /// What is known of lines, if there is debug information.
    lines: Option<Context<Reader<'f>>>,
    symbols: OnceCell<Symbols<'f>>,
}

impl<'f> Image<'f> {
    /// Reads a file.
    pub(super) fn of(file: &'f [u8]) -> Option<Self> {
        let elf = Elf::parse(file).ok()?;
        let has_lines = elf.section_by_name(".debug_line").is_some();
        let lines = has_lines.then(|| context(&elf)).flatten();
        Some(Self {
            elf,
            lines,
            symbols: OnceCell::new(),
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
        let lines = self.lines.as_ref()?;
        let unit = lines.find_dwarf_and_unit(address).skip_all_loads()?;
        let mut entries = lines.find_frames(address).skip_all_loads().ok()?;
        let mut frames = Vec::new();
        while let Some(entry) = entries.next().ok()? {
            frames.push(frame(unit, &entry)?);
        }
        Some(frames)
    }

    fn by_symbol(&self, address: u64) -> Option<Frame> {
        let symbols = self.symbols();
        let function = symbols.function_at(address)?;
        let own = symbols.own_crate();
        let origin = origin_of_crate(function.crate_name(), own);
        // Without debug information, any crate of others may be the program's own.
        let is_own = origin == Origin::Unknown && self.lines.is_none();
        Some(Frame {
            function: Some(function),
            source: None,
            origin: if is_own { Origin::Own } else { origin },
            is_whole: false,
        })
    }
}

fn context<'f>(elf: &Elf<'f>) -> Option<Context<Reader<'f>>> {
    let section = |id: gimli::SectionId| {
        let section = elf.section_by_name(id.name());
        let data = section.and_then(|section| section.data().ok());
        Ok::<_, gimli::Error>(Reader::new(data.unwrap_or_default(), NativeEndian))
    };
    Context::from_dwarf(gimli::Dwarf::load(section).ok()?).ok()
}

/// Returns what an entry of the debug information says; `None` if it does not say the function or the file.
fn frame(unit: UnitRef<'_, Reader<'_>>, entry: &Entry<'_, Reader<'_>>) -> Option<Frame> {
    let location = entry.location.as_ref()?;
    let (path, line) = (location.file?, location.line.unwrap_or(0));
    let name = entry.dw_die_offset.and_then(|offset| name_of(unit, offset));
    let name = match name {
        Some(name) => Some(name),
        None => entry.function.as_ref().map(|function| function.name),
    };
    let function = Function::from_entry(module_of(path), &name?.to_string_lossy());
    let started = unit.unit.comp_dir.map(|folder| folder.to_string_lossy());
    let relative = relative(path, started.as_deref());
    Some(Frame::of_source(Some(function), path, relative, line))
}

/// Returns the name of an entry: not its symbol, which has no type arguments in the legacy mangling.
fn name_of<'f>(unit: UnitRef<'_, Reader<'f>>, mut offset: UnitOffset) -> Option<Reader<'f>> {
    for _ in 0..MOST_STEPS {
        let entry = unit.entry(offset).ok()?;
        if let Some(name) = entry.attr_value(gimli::DW_AT_name) {
            return unit.attr_string(name).ok();
        }
        let of = |name: DwAt| entry.attr_value(name);
        let next = of(gimli::DW_AT_abstract_origin).or_else(|| of(gimli::DW_AT_specification));
        offset = match next? {
            AttributeValue::UnitRef(next) => next,
            _ => return None,
        };
    }
    None
}

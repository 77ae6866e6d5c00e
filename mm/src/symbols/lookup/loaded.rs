//! Modules of the process, and the files that they were loaded from.

use core::ops::Range;
use std::fs::{self, File};

use memmap2::Mmap;
use object::elf::{ELF_NOTE_GNU, NT_GNU_BUILD_ID};
use object::read::elf::NoteIterator;
use object::{NativeEndian, Object};

use super::image::Elf;
use crate::os::loader;

/// Modules at most.
const MOST: usize = 1_024;

/// Bytes of an identifier of a build at most. They are 20 or 16.
const MOST_BYTES: usize = 32;

/// The identifier of a build.
type BuildId = ([u8; MOST_BYTES], usize);

/// A loaded module.
#[derive(Debug)]
pub(super) struct Loaded {
    /// The address that the module's own addresses count from.
    pub(super) base: usize,
    code: Range<usize>,
    build: Option<BuildId>,
    is_program: bool,
}

/// Returns the modules that are loaded. It does not allocate while the loader holds its locks.
pub(super) fn loaded() -> Vec<Loaded> {
    let mut modules = Vec::with_capacity(MOST);
    let mut is_program = true;
    loader::for_each_module(&mut |module| {
        let found = Loaded::of(module, is_program);
        is_program = false;
        modules.extend(found.filter(|_| modules.len() < MOST));
        true
    });
    modules
}

impl Loaded {
    fn of(module: &loader::Module<'_>, is_program: bool) -> Option<Self> {
        Some(Self {
            base: module.base()?,
            code: module.code()?,
            build: module.notes().find_map(build_id),
            is_program,
        })
    }

    /// Whether an address is in the module's code.
    pub(super) fn contains(&self, address: usize) -> bool {
        self.code.contains(&address)
    }

    /// Maps the file that the module was loaded from; `None` if it is not there, or if another one took its place.
    pub(super) fn map(&self) -> Option<Mmap> {
        let file = if self.is_program {
            // This is the program's file even if it was replaced or deleted.
            File::open("/proc/self/exe")
        } else {
            File::open(path_at(self.code.start)?)
        };
        let file = file.ok()?;
        // SAFETY: `file` is what the process has mapped as its code, so whoever shortens it or writes to it breaks the
        // process anyway. Programs that replace it make another file.
        let map = unsafe { Mmap::map(&file) }.ok()?;
        self.is_of(&map).then_some(map)
    }

    /// Whether the bytes are those of the module's file. A library without an identifier could be any.
    fn is_of(&self, file: &[u8]) -> bool {
        let elf = Elf::parse(file).ok();
        let build = elf.and_then(|elf| elf.build_id().ok().flatten());
        match (&self.build, build) {
            (Some((bytes, length)), Some(other)) => bytes[..*length] == *other,
            (None, None) => self.is_program,
            _ => false,
        }
    }
}

/// Returns the identifier of the build among these notes.
fn build_id(notes: &[u8]) -> Option<BuildId> {
    type Notes<'a> = NoteIterator<'a, object::elf::FileHeader64<NativeEndian>>;
    let mut notes = Notes::new(NativeEndian, 4, notes).ok()?;
    while let Some(note) = notes.next().ok()? {
        if note.name() == ELF_NOTE_GNU && note.n_type(NativeEndian) == NT_GNU_BUILD_ID {
            let mut bytes = [0; MOST_BYTES];
            let length = note.desc().len();
            bytes.get_mut(..length)?.copy_from_slice(note.desc());
            return Some((bytes, length));
        }
    }
    None
}

/// Returns the path of the file that is mapped at an address.
fn path_at(address: usize) -> Option<String> {
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    let line = maps.lines().find(|line| is_about(line, address))?;
    // Range, permissions, offset, device, inode; the path may have blanks.
    let at = line.find('/')?;
    Some(line[at..].to_owned())
}

fn is_about(line: &str, address: usize) -> bool {
    let number = |digits| usize::from_str_radix(digits, 16).ok();
    let range = line
        .split_once(' ')
        .and_then(|(range, _)| range.split_once('-'));
    let range = range.and_then(|(start, end)| Some(number(start)?..number(end)?));
    range.is_some_and(|range| range.contains(&address))
}

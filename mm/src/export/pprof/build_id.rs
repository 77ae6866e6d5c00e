//! Which build of a file is loaded. pprof refuses names from another build.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use object::Endianness;
use object::elf::{FileHeader64, NT_GNU_BUILD_ID};
use object::read::elf::{FileHeader, ProgramHeader};

/// Bytes from the start of a file in which its build id is looked for: linkers write it behind the headers.
const MOST: usize = 64 << 10;

/// Returns the build id of the file whose start is loaded at `start`, in hexadecimal digits; `None` if it has none, or
/// if the system does not let it be read.
///
/// It is read from the memory of this process: the file may have been replaced since.
pub(super) fn of_file_loaded_at(start: u64, limit: u64) -> Option<String> {
    let wanted = usize::try_from(limit.checked_sub(start)?).ok()?.min(MOST);
    let mut memory = File::open("/proc/self/mem").ok()?;
    memory.seek(SeekFrom::Start(start)).ok()?;
    let mut bytes = Vec::new();
    let most = u64::try_from(wanted).ok()?;
    memory.take(most).read_to_end(&mut bytes).ok()?;
    build_id(&bytes)
}

fn build_id(bytes: &[u8]) -> Option<String> {
    let header = FileHeader64::<Endianness>::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, bytes).ok()?;
    let notes = segments
        .iter()
        .filter_map(|segment| segment.notes(endian, bytes).ok().flatten());
    for mut notes in notes {
        while let Ok(Some(note)) = notes.next() {
            if note.name() == b"GNU" && note.n_type(endian) == NT_GNU_BUILD_ID {
                let digits = note.desc().iter().map(|byte| format!("{byte:02x}"));
                return Some(digits.collect());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_of_code_has_no_build_id() {
        assert_eq!(build_id(b""), None);
        assert_eq!(build_id(&[0x7F; 4_096]), None);
        assert_eq!(of_file_loaded_at(8, 4_096), None);
        assert_eq!(of_file_loaded_at(4_096, 8), None);
    }
}

//! Whether the table of a module describes an address of code.
//!
//! Without a description `framehop` guesses that the code keeps a frame pointer. This module is asked first, so that a
//! walk ends instead.
//!
//! Source: Linux Standard Base 5.0, "Exception Frames" and "DWARF Extensions", for `.eh_frame_hdr`.

use core::ops::Range;

/// The encodings that linkers for x86-64 and aarch64 write: of the address of `.eh_frame`, of the count, and of the
/// table.
const ENCODINGS: [u8; 4] = [1, 0x1B, 0x03, 0x3B];

/// Bytes of an entry of the table: the address of a function, and that of its description, both from the start of
/// `.eh_frame_hdr`.
const ENTRY: usize = 8;

/// `.eh_frame_hdr` of a module, whose table is sorted by address, and `.eh_frame`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tables {
    pub(super) header: &'static [u8],
    pub(super) header_at: usize,
    pub(super) frames: &'static [u8],
    pub(super) frames_at: usize,
}

/// Returns the address of `.eh_frame`, which the header says.
pub(super) fn frames_at(header: &[u8], header_at: usize) -> Option<usize> {
    if header.get(..4)? != ENCODINGS {
        return None;
    }
    offset(header_at + 4, number(header, 4)?)
}

impl Tables {
    /// Whether a description covers the address.
    pub(super) fn cover(&self, address: usize) -> bool {
        self.function_of(address)
            .is_some_and(|function| function.contains(&address))
    }

    /// The function of the last entry that begins at `address` or before it.
    fn function_of(&self, address: usize) -> Option<Range<usize>> {
        let count = usize::try_from(number(self.header, 8)?).ok()?;
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low.midpoint(high);
            if self.start(middle)? <= address {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let last = low.checked_sub(1)?;
        let start = self.start(last)?;
        let description = self.field(12 + last * ENTRY + 4)?;
        let place = description.checked_sub(self.frames_at)?;
        // Behind two words for length and kind: the start, from where it stands, and the length.
        let begins = offset(description + 8, number(self.frames, place + 8)?)?;
        let bytes = number(self.frames, place + 12)?.cast_unsigned() as usize;
        // With another encoding of addresses, the words mean something else.
        (begins == start).then_some(start..start.checked_add(bytes)?)
    }

    fn start(&self, entry: usize) -> Option<usize> {
        self.field(12 + entry * ENTRY)
    }

    /// The address in a field of the header.
    fn field(&self, at: usize) -> Option<usize> {
        offset(self.header_at, number(self.header, at)?)
    }
}

fn number(bytes: &[u8], at: usize) -> Option<i32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(i32::from_ne_bytes(bytes.try_into().ok()?))
}

fn offset(from: usize, by: i32) -> Option<usize> {
    from.checked_add_signed(by.try_into().ok()?)
}

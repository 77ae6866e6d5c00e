//! Finds the value of a variable in the kernel's copy of the environment, without an allocation.

use std::io::{ErrorKind, Read};

use super::{OutBuffer, TooLong};

/// Finds the first `name=value` among texts that end with a zero byte. Copies the value to the start of
/// `room`, and returns its length in bytes.
pub(super) fn find(
    mut texts: impl Read,
    name: &[u8],
    room: &mut OutBuffer,
) -> Option<Result<usize, TooLong>> {
    let mut search = Search {
        name,
        at: At::Name(0),
    };
    let mut chunk = [0; 512];
    loop {
        let length = match texts.read(&mut chunk) {
            // The last text may lack the zero byte.
            Ok(0) => return search.step(0, room),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return None,
        };
        let mut bytes = chunk[..length].iter();
        if let Some(found) = bytes.find_map(|byte| search.step(*byte, room)) {
            return Some(found);
        }
    }
}

/// A search for the value of a name, byte by byte.
struct Search<'a> {
    name: &'a [u8],
    at: At,
}

/// The position of a search.
#[derive(Clone, Copy)]
enum At {
    /// In a text that has matched this many bytes of the name so far.
    Name(usize),
    /// In a text of another name.
    Other,
    /// In the value; this many bytes of it are in the room.
    Value(usize),
}

impl Search<'_> {
    /// Takes the next byte. Returns the length of the value once the value has ended.
    fn step(&mut self, byte: u8, room: &mut OutBuffer) -> Option<Result<usize, TooLong>> {
        self.at = match (self.at, byte) {
            (At::Value(length), 0) => return Some(Ok(length)),
            (At::Value(length), byte) => {
                let Some(place) = room.get_mut(length) else {
                    return Some(Err(TooLong));
                };
                *place = byte;
                At::Value(length + 1)
            }
            (_, 0) => At::Name(0),
            (At::Name(length), b'=') if length == self.name.len() => At::Value(0),
            (At::Name(length), byte) if self.name.get(length) == Some(&byte) => {
                At::Name(length + 1)
            }
            _ => At::Other,
        };
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::LONGEST;
    use super::*;

    #[track_caller]
    fn check(texts: &[u8], value: Option<Result<&[u8], TooLong>>) {
        let mut room = [0; LONGEST];
        let found = find(texts, b"MM", &mut room);
        assert_eq!(
            found.map(|found| found.map(|length| &room[..length])),
            value
        );
    }

    #[test]
    fn the_first_value_of_a_name_is_found() {
        check(b"A=1\0MM=track,leaks\0MM=2\0", Some(Ok(b"track,leaks")));
        check(b"MM=\0", Some(Ok(b"")));
        check(b"MM=a=b", Some(Ok(b"a=b")));
        check(b"MMM=1\0xMM=2\0M=3\0MM\0A=MM=4\0", None);
        check(b"", None);
        let far = [[b'x'; 1_000].as_slice(), b"\0MM=far\0"].concat();
        check(&far, Some(Ok(b"far")));
    }

    #[test]
    fn a_value_that_is_too_long_is_none() {
        let long = [b"MM=".as_slice(), &[b'x'; LONGEST]].concat();
        check(&long, Some(Ok(&[b'x'; LONGEST])));
        check(&[long.as_slice(), b"x"].concat(), Some(Err(TooLong)));
    }
}

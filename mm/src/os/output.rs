//! Writes text without an allocation.

use std::fmt::{self, Write as _};
use std::io::Write;

/// Bytes that are written at a time: a report is a few system calls, not one a line.
const CHUNK: usize = 4_096;

/// Writes a text; an error ends it early and is ignored.
pub(crate) fn write_text(out: impl Write, text: fmt::Arguments<'_>) {
    let mut chunks = Chunks::new(out);
    let _ = chunks.write_fmt(text).and_then(|()| chunks.flush());
}

/// Collects text on the stack, so that printing allocates nothing of its own.
struct Chunks<W: Write> {
    out: W,
    bytes: [u8; CHUNK],
    filled: usize,
}

impl<W: Write> Chunks<W> {
    /// Starts empty.
    fn new(out: W) -> Self {
        Self {
            out,
            bytes: [0; CHUNK],
            filled: 0,
        }
    }

    /// Passes on what was collected.
    fn flush(&mut self) -> fmt::Result {
        let collected = &self.bytes[..core::mem::take(&mut self.filled)];
        let written = self.out.write_all(collected);
        written.and_then(|()| self.out.flush()).or(Err(fmt::Error))
    }
}

impl<W: Write> fmt::Write for Chunks<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let room = &mut self.bytes[self.filled..];
            let (now, later) = rest.split_at(rest.len().min(room.len()));
            room[..now.len()].copy_from_slice(now);
            self.filled += now.len();
            rest = later;
            if self.filled == CHUNK {
                self.flush()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// Takes some bytes, then fails.
    struct Pipe {
        taken: Vec<u8>,
        room: usize,
    }

    impl Write for &mut Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let now = bytes.len().min(self.room);
            if now == 0 {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.taken.extend_from_slice(&bytes[..now]);
            self.room -= now;
            Ok(now)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn text_of_any_length_arrives_whole() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5] {
            let text = "é".repeat(length);
            let mut pipe = Pipe {
                taken: Vec::new(),
                room: usize::MAX,
            };
            write_text(&mut pipe, format_args!("{text}\n"));
            assert_eq!(pipe.taken, format!("{text}\n").into_bytes());
        }
    }

    #[test]
    fn a_closed_pipe_is_ignored() {
        let mut pipe = Pipe {
            taken: Vec::new(),
            room: CHUNK + 10,
        };
        let text = "x".repeat(5 * CHUNK);
        write_text(&mut pipe, format_args!("{text}"));
        assert_eq!(pipe.taken.len(), CHUNK + 10);
    }
}

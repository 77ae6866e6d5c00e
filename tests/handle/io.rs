//! Owners of readers, writers and files.

use std::io::{BufRead, Cursor, IoSlice, IoSliceMut, Read, Result, Seek, SeekFrom, Write};

use mm::{MmBox, MmManaged};

/// Bytes in memory that can be read, written and sought.
#[derive(MmManaged)]
struct Tape(Cursor<Vec<u8>>);

impl Read for Tape {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        self.0.read(buf)
    }
}

impl BufRead for Tape {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        self.0.fill_buf()
    }
    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}

impl Write for Tape {
    fn write(&mut self, buf: &[u8]) -> Result<usize> {
        self.0.write(buf)
    }
    fn flush(&mut self) -> Result<()> {
        self.0.flush()
    }
}

impl Seek for Tape {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        self.0.seek(to)
    }
}

fn tape(text: &str) -> MmBox<Tape> {
    MmBox::new(Tape(Cursor::new(text.into())))
}

#[test]
fn a_reader_reads() -> Result<()> {
    let mut tape = tape("abcdefgh");
    let mut two = [0; 2];
    assert_eq!((tape.read(&mut two)?, two), (2, *b"ab"));
    tape.read_exact(&mut two)?;
    assert_eq!(two, *b"cd");
    assert_eq!(tape.read_vectored(&mut [IoSliceMut::new(&mut two)])?, 2);
    let (mut text, mut bytes) = (String::new(), Vec::new());
    assert_eq!((tape.read_to_string(&mut text)?, text.as_str()), (2, "gh"));
    assert_eq!((tape.read_to_end(&mut bytes)?, bytes.len()), (0, 0));
    Ok(())
}

#[test]
fn a_buffered_reader_reads_lines() -> Result<()> {
    let mut tape = tape("one\ntwo\nthree;four\nlast");
    let (mut line, mut part) = (String::new(), Vec::new());
    assert_eq!((tape.read_line(&mut line)?, line.as_str()), (4, "one\n"));
    assert_eq!(tape.skip_until(b'\n')?, 4);
    assert_eq!(
        (tape.read_until(b';', &mut part)?, part),
        (6, b"three;".to_vec())
    );
    tape.consume(5);
    assert_eq!(tape.fill_buf()?, b"last");
    assert_eq!(
        tape.lines().map_while(Result::ok).collect::<Vec<_>>(),
        ["last"]
    );
    Ok(())
}

#[test]
fn a_writer_writes_and_seeks() -> Result<()> {
    let mut tape = tape("");
    assert_eq!(tape.write(b"ab")?, 2);
    tape.write_all(b"cd")?;
    assert_eq!(tape.write_vectored(&[IoSlice::new(b"ef")])?, 2);
    write!(tape, "{}", 42)?;
    tape.flush()?;
    assert_eq!(
        (tape.stream_position()?, tape.seek(SeekFrom::Start(1))?),
        (8, 1)
    );
    tape.seek_relative(2)?;
    tape.write_all(b"!")?;
    tape.rewind()?;
    assert_eq!(tape.0.get_ref(), b"abc!ef42");
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_file_lends_its_descriptor() -> Result<()> {
    use std::fs::File;
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

    #[derive(MmManaged)]
    struct Log(File);
    impl AsFd for Log {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }
    impl AsRawFd for Log {
        fn as_raw_fd(&self) -> RawFd {
            self.0.as_raw_fd()
        }
    }

    let log = MmBox::new(Log(File::open("/dev/null")?));
    assert_eq!(log.as_fd().as_raw_fd(), log.0.as_raw_fd());
    assert_eq!(log.as_raw_fd(), log.0.as_raw_fd());
    Ok(())
}

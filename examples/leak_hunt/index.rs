//! An index of the words in the files of a directory, with their lines.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use mm::{MmBox, MmManaged};

use crate::cache::Words;

/// A line that has a word. The list continues with the line before it.
#[derive(MmManaged)]
struct Posting {
    line: u32,
    next: Option<MmBox<Posting>>,
}

/// A word, and the lines that have it.
#[derive(MmManaged)]
struct Word {
    postings: Option<MmBox<Posting>>,
}

#[derive(Default)]
pub(crate) struct Index {
    numbers: HashMap<String, u32>,
    words: Vec<MmBox<Word>>,
    lines: u32,
    files: usize,
}

impl Index {
    /// Reads all text files below `folder`.
    pub(crate) fn of(folder: &Path) -> io::Result<Self> {
        let mut index = Self::default();
        index.add_folder(folder)?;
        Ok(index)
    }

    fn add_folder(&mut self, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                self.add_folder(&path)?;
            } else if let Ok(text) = fs::read_to_string(&path) {
                // A file that is not text is skipped.
                self.files += 1;
                text.lines().for_each(|line| self.add_line(line));
            }
        }
        Ok(())
    }

    fn add_line(&mut self, line: &str) {
        self.lines += 1;
        let words = line.split(|letter: char| !letter.is_alphanumeric());
        for word in words.filter(|word| word.len() > 2) {
            let next_number = u32::try_from(self.words.len()).expect("few words");
            let number = *self
                .numbers
                .entry(word.to_lowercase())
                .or_insert(next_number);
            if number == next_number {
                self.words.push(MmBox::new(Word { postings: None }));
            }
            self.words[number as usize].add(self.lines);
        }
    }

    pub(crate) fn lines(&self) -> usize {
        self.lines as usize
    }

    /// Returns two words of the index, the same for the same seed.
    pub(crate) fn two_words(&self, seed: u32) -> Words {
        let words = u32::try_from(self.words.len()).expect("few words").max(1);
        let random = u64::from(seed).wrapping_mul(6_364_136_223_846_793_005) >> 20;
        let pick = |shift: u32| u32::try_from((random >> shift) % u64::from(words)).unwrap_or(0);
        (pick(0), pick(20))
    }

    /// Returns the number of lines that have both words.
    pub(crate) fn lines_with(&self, (one, other): Words) -> usize {
        let (Some(one), Some(other)) =
            (self.words.get(one as usize), self.words.get(other as usize))
        else {
            return 0;
        };
        // Both lists are in descending order.
        let mut others = other.lines().peekable();
        let mut both = 0;
        for line in one.lines() {
            while others.next_if(|next| *next > line).is_some() {}
            both += usize::from(others.peek() == Some(&line));
        }
        both
    }
}

impl Word {
    fn add(&mut self, line: u32) {
        if self.lines().next() == Some(line) {
            return;
        }
        let next = self.postings.take();
        self.postings = Some(MmBox::new(Posting { line, next }));
    }

    fn lines(&self) -> impl Iterator<Item = u32> {
        let first = self.postings.as_deref();
        std::iter::successors(first, |posting| posting.next.as_deref()).map(|posting| posting.line)
    }
}

impl Drop for Word {
    fn drop(&mut self) {
        // One node at a time: a recursive drop of a long list would overflow the stack.
        let mut rest = self.postings.take();
        while let Some(mut posting) = rest {
            rest = posting.next.take();
        }
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (words, lines, files) = (self.words.len(), self.lines, self.files);
        write!(f, "{words} words in {lines} lines of {files} files")
    }
}

//! The source code of packages. Each file is a tree: a line owns the lines below it with more indentation.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use mm::{MmBox, MmManaged};
use serde::Deserialize;

use crate::file::Entry;

/// A file of Rust code.
#[derive(MmManaged)]
pub(crate) struct SourceFile {
    lines: MmBox<[Line]>,
}

/// A line that is not blank, with the lines below it that have more indentation.
#[derive(MmManaged)]
struct Line {
    bytes: u32,
    is_code: bool,
    below: Option<MmBox<[Line]>>,
}

/// Sums over source files.
#[derive(Clone, Copy, Default)]
pub(crate) struct Size {
    pub(crate) files: usize,
    pub(crate) lines: usize,
    pub(crate) code: usize,
    pub(crate) bytes: u64,
}

impl SourceFile {
    fn parse(text: &str) -> Self {
        let lines = outline(text.lines().filter(|line| !line.trim_start().is_empty()));
        Self {
            lines: lines.into(),
        }
    }

    pub(crate) fn size(&self) -> Size {
        let mut size = Size {
            files: 1,
            ..Size::default()
        };
        size.add_lines(&self.lines);
        size
    }
}

impl Size {
    pub(crate) fn add(&mut self, other: Self) {
        self.files += other.files;
        self.lines += other.lines;
        self.code += other.code;
        self.bytes += other.bytes;
    }

    fn add_lines(&mut self, lines: &[Line]) {
        for line in lines {
            self.lines += 1;
            self.code += usize::from(line.is_code);
            self.bytes += u64::from(line.bytes);
            self.add_lines(line.below.as_deref().unwrap_or_default());
        }
    }
}

/// Lines of one depth.
struct Level {
    indent: usize,
    lines: Vec<Line>,
}

/// Makes a tree of the lines, and returns the outermost ones.
fn outline<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<Line> {
    // The outermost level comes first. Each further level is below the last line of the one before it.
    let mut levels = vec![Level {
        indent: 0,
        lines: Vec::new(),
    }];
    for text in texts {
        let code = text.trim_start();
        let indent = text.len() - code.len();
        let line = Line {
            bytes: u32::try_from(text.len()).unwrap_or(u32::MAX),
            is_code: !code.starts_with("//"),
            below: None,
        };
        while let [.., above, _] = &*levels
            && above.indent >= indent
        {
            close_last(&mut levels);
        }
        let last = levels.last_mut().expect("the outermost level stays");
        if last.indent < indent && !last.lines.is_empty() {
            let lines = vec![line];
            levels.push(Level { indent, lines });
        } else {
            last.indent = last.indent.min(indent);
            last.lines.push(line);
        }
    }
    while levels.len() > 1 {
        close_last(&mut levels);
    }
    levels.swap_remove(0).lines
}

/// Moves the last level into the line above it.
fn close_last(levels: &mut Vec<Level>) {
    let below = levels.pop().map(|level| level.lines.into());
    let above = levels.last_mut().and_then(|level| level.lines.last_mut());
    above.expect("a level begins below a line").below = below;
}

/// The folders with the sources of packages on this machine.
pub(crate) struct Sources {
    /// Packages beside the lock file, by name.
    local: Vec<(String, PathBuf)>,
    /// The folders into which cargo unpacks downloads, one for each registry.
    registries: Vec<PathBuf>,
}

impl Sources {
    /// Finds the packages beside this lock file, and the registries of cargo.
    pub(crate) fn beside(lock_file: &Path) -> Self {
        let mut local = Vec::new();
        let folder = lock_file.parent().filter(|folder| *folder != Path::new(""));
        find_packages(folder.unwrap_or(Path::new(".")), &mut local);
        let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from);
        let cargo_home = cargo_home.or_else(|| Some(env::home_dir()?.join(".cargo")));
        let registries = cargo_home.map(|home| entries(&home.join("registry/src")));
        Self {
            local,
            registries: registries.unwrap_or_default(),
        }
    }

    /// Returns the source files of a package; none if they are not on this machine.
    pub(crate) fn of(&self, package: &Entry) -> MmBox<[SourceFile]> {
        let folder = if package.is_local() {
            let mut local = self.local.iter();
            let found = local.find(|(name, _)| *name == package.name);
            found.map(|(_, folder)| folder.clone())
        } else {
            let name = format!("{}-{}", package.name, package.version);
            let mut folders = self.registries.iter().map(|folder| folder.join(&name));
            folders.find(|folder| folder.is_dir())
        };
        let mut files = Vec::new();
        if let Some(folder) = folder {
            parse_all(&folder, &mut files);
        }
        files.into()
    }
}

/// The part of a `Cargo.toml` that this program needs.
#[derive(Deserialize)]
struct Manifest {
    package: Option<Name>,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

/// Adds all packages in a folder and in the folders below it.
fn find_packages(folder: &Path, packages: &mut Vec<(String, PathBuf)>) {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    if let Ok(Manifest {
        package: Some(Name { name }),
    }) = toml::from_str(&manifest)
    {
        packages.push((name, folder.to_owned()));
    }
    folders_in(folder).for_each(|inner| find_packages(&inner, packages));
}

/// Parses all Rust files of the package in this folder. A file that is not text is left out.
fn parse_all(folder: &Path, files: &mut Vec<SourceFile>) {
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "rs");
    for path in entries(folder).into_iter().filter(is_rust) {
        files.extend(fs::read_to_string(path).map(|text| SourceFile::parse(&text)));
    }
    let is_of_package = |inner: &PathBuf| !inner.join("Cargo.toml").is_file();
    for inner in folders_in(folder).filter(is_of_package) {
        parse_all(&inner, files);
    }
}

/// Returns the folders in a folder, without links, hidden folders and cargo's `target`.
fn folders_in(folder: &Path) -> impl Iterator<Item = PathBuf> {
    entries(folder).into_iter().filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.is_dir() && !path.is_symlink() && name != "target" && !name.starts_with('.')
    })
}

/// Returns the entries of a folder, sorted by name; none if it cannot be read.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

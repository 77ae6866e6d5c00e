//! The graph: packages, dependencies, checksums and source files, each type on a page family of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use mm::{MmBox, MmManaged};

use crate::file::{Entry, LockFile};
use crate::source::{Size, SourceFile, Sources};

/// A package, with the edges that start at it.
#[derive(MmManaged)]
struct Package {
    name: String,
    version: String,
    dependencies: MmBox<[Dependency]>,
    files: MmBox<[SourceFile]>,
    /// `None` for a package that does not come from a registry.
    checksum: Option<MmBox<Checksum>>,
}

/// An edge: the index of the package it leads to.
#[derive(MmManaged)]
struct Dependency {
    package: usize,
}

/// The SHA-256 of a package's archive.
#[derive(MmManaged)]
struct Checksum {
    _bytes: [u8; 32],
}

impl Package {
    fn size(&self) -> Size {
        let mut sum = Size::default();
        self.files.iter().for_each(|file| sum.add(file.size()));
        sum
    }
}

/// The packages of all lock files. Edges never lead from one file to another.
#[derive(Default)]
pub(crate) struct Graph {
    packages: Vec<MmBox<Package>>,
}

impl Graph {
    /// Adds the packages of a lock file and their sources. An error is a text with the reason.
    pub(crate) fn add(&mut self, path: &Path) -> Result<(), String> {
        let file = LockFile::read(path)?;
        let first = self.packages.len();
        let index = Index::of(&file, first);
        for entry in &file.packages {
            let package = package(entry, &file, &index)?;
            self.packages.push(MmBox::new(package));
        }
        let sources = Sources::beside(path);
        for (package, entry) in self.packages[first..].iter_mut().zip(&file.packages) {
            package.files = sources.of(entry);
        }
        Ok(())
    }

    /// Returns the number of packages, the number with sources on this machine, and the size of the sources.
    pub(crate) fn sources(&self) -> (usize, usize, Size) {
        let mut sum = Size::default();
        self.packages
            .iter()
            .for_each(|package| sum.add(package.size()));
        let found = self
            .packages
            .iter()
            .filter(|package| !package.files.is_empty());
        (self.packages.len(), found.count(), sum)
    }

    /// Returns the packages of registries with the most lines of code, dependencies included: `NAME VERSION`,
    /// the number of lines, and the number of packages that contain them.
    pub(crate) fn heaviest(&self, at_most: usize) -> Vec<(String, usize, usize)> {
        let own: Vec<_> = self
            .packages
            .iter()
            .map(|package| package.size().code)
            .collect();
        let all = self.packages.iter().enumerate();
        let of_registries = all.filter(|(_, package)| package.checksum.is_some());
        let weigh = |(index, package): (usize, &MmBox<Package>)| {
            let reachable = self.reachable_from(index);
            let lines = reachable.iter().map(|index| own[*index]).sum();
            let name = format!("{} {}", package.name, package.version);
            (name, lines, reachable.len())
        };
        let mut ranked: Vec<_> = of_registries.map(weigh).collect();
        ranked.sort_by_key(|(_, lines, _)| std::cmp::Reverse(*lines));
        ranked.truncate(at_most);
        ranked
    }

    /// Returns the packages with the most direct dependents: `NAME VERSION`, and the number of dependents.
    pub(crate) fn most_depended_upon(&self, at_most: usize) -> Vec<(String, usize)> {
        let mut dependents = BTreeMap::<_, usize>::new();
        for edge in self.packages.iter().flat_map(|from| &from.dependencies) {
            let to = &self.packages[edge.package];
            *dependents.entry((&*to.name, &*to.version)).or_default() += 1;
        }
        let mut ranked: Vec<_> = dependents.into_iter().collect();
        // The sort is stable, so equal packages stay in the order of names.
        ranked.sort_by_key(|(_, dependents)| std::cmp::Reverse(*dependents));
        ranked.truncate(at_most);
        let named = |((name, version), dependents)| (format!("{name} {version}"), dependents);
        ranked.into_iter().map(named).collect()
    }

    /// Returns a package and all its direct and indirect dependencies.
    fn reachable_from(&self, package: usize) -> BTreeSet<usize> {
        let mut reached = BTreeSet::from([package]);
        let mut open = vec![package];
        while let Some(from) = open.pop() {
            let edges = self.packages[from].dependencies.iter();
            open.extend(
                edges
                    .map(|edge| edge.package)
                    .filter(|to| reached.insert(*to)),
            );
        }
        reached
    }

    /// Drops half of the packages, with all that they own. Edges of the others may then lead nowhere.
    pub(crate) fn drop_every_second(&mut self) {
        let mut stays = false;
        self.packages.retain(|_| {
            stays = !stays;
            stays
        });
    }
}

/// The packages of one file by name.
struct Index<'a> {
    by_name: HashMap<&'a str, Vec<Place<'a>>>,
}

/// A package of the file, and its future index in the graph.
struct Place<'a> {
    entry: &'a Entry,
    index: usize,
}

impl<'a> Index<'a> {
    /// Makes the index of a file. Its first package gets the index `first` in the graph.
    fn of(file: &'a LockFile, first: usize) -> Self {
        let mut by_name = HashMap::<_, Vec<_>>::new();
        for (index, entry) in (first..).zip(&file.packages) {
            let places = by_name.entry(entry.name.as_str()).or_default();
            places.push(Place { entry, index });
        }
        Self { by_name }
    }

    /// Returns the package that a dependency means. If several match, it is the one on the disk: for any
    /// other, cargo names the source.
    fn find(&self, dependency: &str) -> Result<usize, &'static str> {
        let name = dependency.split(' ').next().unwrap_or_default();
        let named = self.by_name.get(name).into_iter().flatten();
        let meant: Vec<_> = named
            .filter(|place| place.entry.answers_to(dependency))
            .collect();
        let mut local = meant.iter().filter(|place| place.entry.is_local());
        match (&*meant, local.next(), local.next()) {
            ([], ..) => Err("which is not in the file"),
            ([one], ..) | (_, Some(one), None) => Ok(one.index),
            _ => Err("which may be any of several in the file"),
        }
    }
}

fn package(entry: &Entry, file: &LockFile, index: &Index<'_>) -> Result<Package, String> {
    let wrong = |what: String| format!("package {:?} {what}", entry.name);
    let dependency = |text: &String| match index.find(text) {
        Ok(package) => Ok(Dependency { package }),
        Err(why) => Err(wrong(format!("depends on {text:?}, {why}"))),
    };
    let checksum = |digits: &str| match bytes_of(digits) {
        Some(bytes) => Ok(MmBox::new(Checksum { _bytes: bytes })),
        None => Err(wrong("has a checksum that is not 64 hex digits".to_owned())),
    };
    let dependencies: Result<_, _> = entry.dependencies.iter().map(dependency).collect();
    Ok(Package {
        name: entry.name.clone(),
        version: entry.version.clone(),
        dependencies: dependencies?,
        files: MmBox::from(Vec::new()),
        checksum: file.checksum(entry).map(checksum).transpose()?,
    })
}

/// Returns the bytes of a SHA-256 in hexadecimal.
fn bytes_of(digits: &str) -> Option<[u8; 32]> {
    let is_right = digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate().filter(|_| is_right) {
        *byte = u8::from_str_radix(&digits[2 * index..2 * index + 2], 16).ok()?;
    }
    is_right.then_some(bytes)
}

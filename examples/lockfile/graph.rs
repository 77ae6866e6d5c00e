//! The graph: three types of nodes, each on a page family of its own.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use mm::{MmBox, MmManaged};

use crate::file::{Entry, LockFile};

/// A package, with the edges that start at it.
#[derive(MmManaged)]
struct Package {
    name: String,
    version: String,
    dependencies: MmBox<[Dependency]>,
    /// Nobody asks for it; it is here to be counted.
    _checksum: Option<MmBox<Checksum>>,
}

/// An edge: the package it leads to, as an index into the graph.
#[derive(MmManaged)]
struct Dependency {
    package: usize,
}

/// The SHA-256 of a package's archive.
#[derive(MmManaged)]
struct Checksum {
    _bytes: [u8; 32],
}

/// The packages of all files. Edges never lead from one file to another.
#[derive(Default)]
pub(crate) struct Graph {
    packages: Vec<MmBox<Package>>,
}

impl Graph {
    /// Adds the packages of a lock file; an error is the reason why it cannot.
    pub(crate) fn add(&mut self, path: &Path) -> Result<(), String> {
        let file = LockFile::read(path)?;
        let index = Index::of(&file, self.packages.len());
        for entry in &file.packages {
            let package = package(entry, &file, &index)?;
            self.packages.push(MmBox::new(package));
        }
        Ok(())
    }

    /// The packages that most others depend on directly, as `NAME VERSION`, with how many those are.
    pub(crate) fn most_depended_upon(&self, at_most: usize) -> Vec<(String, usize)> {
        let mut dependents = BTreeMap::<_, usize>::new();
        for edge in self.packages.iter().flat_map(|from| &from.dependencies) {
            let to = &self.packages[edge.package];
            *dependents.entry((&*to.name, &*to.version)).or_default() += 1;
        }
        let mut ranked: Vec<_> = dependents.into_iter().collect();
        // The sort is stable, so equals stay in the order of names.
        ranked.sort_by_key(|(_, dependents)| std::cmp::Reverse(*dependents));
        ranked.truncate(at_most);
        let named = |((name, version), dependents)| (format!("{name} {version}"), dependents);
        ranked.into_iter().map(named).collect()
    }

    /// Drops half of the packages, with all that they own. Edges of the others then lead nowhere.
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

/// A package of the file, and the index it will have in the graph.
struct Place<'a> {
    entry: &'a Entry,
    index: usize,
}

impl<'a> Index<'a> {
    /// Makes the index of a file whose first package will be the `first` of the graph.
    fn of(file: &'a LockFile, first: usize) -> Self {
        let mut by_name = HashMap::<_, Vec<_>>::new();
        for (index, entry) in (first..).zip(&file.packages) {
            let places = by_name.entry(entry.name.as_str()).or_default();
            places.push(Place { entry, index });
        }
        Self { by_name }
    }

    /// The one package that a dependency means. Of several it is the one on the disk, since cargo
    /// names the source of any other.
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
        _checksum: file.checksum(entry).map(checksum).transpose()?,
    })
}

/// The bytes of a SHA-256 in hexadecimal.
fn bytes_of(digits: &str) -> Option<[u8; 32]> {
    let is_right = digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate().filter(|_| is_right) {
        *byte = u8::from_str_radix(&digits[2 * index..2 * index + 2], 16).ok()?;
    }
    is_right.then_some(bytes)
}

//! The format of a lock file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

/// The newest version of the format that this program reads.
const NEWEST: u32 = 4;

/// A whole lock file.
#[derive(Deserialize)]
pub(crate) struct LockFile {
    #[serde(default = "version_before_there_was_one")]
    version: u32,
    #[serde(rename = "package", default)]
    pub(crate) packages: Vec<Entry>,
    /// Holds the checksums in version 1: `checksum NAME VERSION (SOURCE)`.
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

/// One package.
#[derive(Deserialize)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) version: String,
    source: Option<String>,
    checksum: Option<String>,
    /// `NAME`, `NAME VERSION` or `NAME VERSION (SOURCE)`, whichever is the shortest unique text.
    #[serde(default)]
    pub(crate) dependencies: Vec<String>,
}

fn version_before_there_was_one() -> u32 {
    1
}

impl LockFile {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        let file: Self = toml::from_str(&text).map_err(|error| at_line(&text, &error))?;
        if file.version > NEWEST {
            let version = file.version;
            return Err(format!("version {version} of the format is unknown"));
        }
        if file.packages.is_empty() {
            return Err("it lists no packages".to_owned());
        }
        Ok(file)
    }

    /// Returns the checksum of a package, in each version of the format.
    pub(crate) fn checksum<'a>(&'a self, of: &'a Entry) -> Option<&'a str> {
        if let Some(checksum) = &of.checksum {
            return Some(checksum);
        }
        let (name, version, source) = (&of.name, &of.version, of.source.as_ref()?);
        let key = format!("checksum {name} {version} ({source})");
        let checksum = self.metadata.get(&key)?;
        (checksum != "<none>").then_some(checksum)
    }
}

impl Entry {
    /// Returns whether a dependency may mean this package.
    pub(crate) fn answers_to(&self, dependency: &str) -> bool {
        let mut words = dependency.splitn(3, ' ');
        let source = |words: &str| Some(place(words)) == self.source.as_deref().map(place);
        words.next() == Some(&self.name)
            && words.next().is_none_or(|version| version == self.version)
            && words.next().is_none_or(source)
    }

    /// Returns whether the package is a folder beside the lock file.
    pub(crate) fn is_local(&self) -> bool {
        self.source.is_none()
    }
}

/// Returns a source without brackets and commit, which dependencies leave out.
fn place(source: &str) -> &str {
    let source = source.trim_start_matches('(').trim_end_matches(')');
    source.split('#').next().unwrap_or(source)
}

fn at_line(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    format!("line {line}: {}", error.message())
}

//! The layers as ARCHITECTURE.md lists them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The layers of one folder of modules, the highest first.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The file of the folder's own module, from the top of the repository.
    pub(crate) root: String,
    /// The layer and the group of each module. Modules of one group may name each other.
    places: BTreeMap<String, (usize, usize)>,
}

impl Plan {
    /// Reads every plan of a document: a code block of the language `layers`, followed by the file. A line
    /// is a layer. Behind a colon stands what it is for. Commas part its groups, `+` the modules of one.
    pub(crate) fn all(document: &Path) -> Vec<Self> {
        let text = fs::read_to_string(document).expect("a document");
        let mut blocks = text.split("```layers ");
        blocks.next();
        blocks
            .map(|block| {
                let (root, rest) = block.split_once('\n').expect("a block of lines");
                let (layers, _) = rest.split_once("```").expect("an end of the block");
                Self::read(root.trim(), layers)
            })
            .collect()
    }

    pub(crate) fn read(root: &str, layers: &str) -> Self {
        let mut plan = Self {
            root: root.to_owned(),
            places: BTreeMap::new(),
        };
        for (layer, line) in layers.lines().enumerate() {
            let modules = line.split_once(':').map_or(line, |(modules, _)| modules);
            for group in modules.split(',') {
                let number = plan.places.len();
                for module in group.split('+') {
                    let before = plan
                        .places
                        .insert(module.trim().to_owned(), (layer, number));
                    assert!(before.is_none(), "{root}: {module} is listed twice");
                }
            }
        }
        plan
    }

    /// The modules that the plan lists.
    pub(crate) fn modules(&self) -> impl Iterator<Item = &String> {
        self.places.keys()
    }

    /// Whether code of one module may name the other. The folder's own module, which has no name, is above
    /// all.
    pub(crate) fn allows(&self, from: &str, to: &str) -> bool {
        let (Some(from), Some(to)) = (self.places.get(from), self.places.get(to)) else {
            return from.is_empty() && !to.is_empty();
        };
        to.0 > from.0 || from.1 == to.1
    }
}

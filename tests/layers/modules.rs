//! The modules of a crate, with what each defines, imports and names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use quote::ToTokens;
use syn::{Item, ItemMod, UseTree};

use crate::names::{Named, paths_in};

/// A module's path below its crate; empty for the crate itself.
pub(crate) type ModulePath = Vec<String>;

/// All modules of one crate, whatever they are compiled for.
#[derive(Debug, Default)]
pub(crate) struct Modules {
    /// What code outside of the crate calls it. The crate may call itself so, too.
    name: String,
    all: BTreeMap<ModulePath, Module>,
}

/// What one module is made of. Modules of one name behind different `cfg` are one.
#[derive(Debug, Default)]
struct Module {
    defined: BTreeSet<String>,
    /// By the name that they have here.
    imported: BTreeMap<String, Vec<String>>,
    /// What `*` was imported from.
    globs: Vec<Vec<String>>,
    named: Vec<(PathBuf, Named)>,
}

/// A path in one module that leads to another.
#[derive(Clone, Debug)]
pub(crate) struct Arrow {
    pub(crate) from: ModulePath,
    pub(crate) to: ModulePath,
    /// File, line and path, for whoever has to mend it.
    pub(crate) seen: String,
}

/// Where the files of a module's own modules are.
struct Place {
    module: ModulePath,
    file: PathBuf,
    children: PathBuf,
}

impl Modules {
    /// Reads the crate `name` from its root, and the files that it names.
    pub(crate) fn read(name: &str, root: &Path) -> Self {
        let mut modules = Self {
            name: name.replace('-', "_"),
            ..Self::default()
        };
        let children = root.parent().expect("a file in a folder").to_path_buf();
        modules.read_file(&Place {
            module: Vec::new(),
            file: root.to_path_buf(),
            children,
        });
        modules
    }

    /// The modules right below `path`.
    pub(crate) fn children(&self, path: &[String]) -> BTreeSet<String> {
        let below = self.all.keys().filter(|module| module.starts_with(path));
        below
            .filter_map(|module| module.get(path.len()).cloned())
            .collect()
    }

    /// Every path that leads from one module to another.
    pub(crate) fn arrows(&self) -> Vec<Arrow> {
        let mut arrows = Vec::new();
        for (from, module) in &self.all {
            for (file, named) in &module.named {
                let Some(to) = self.resolve(from, &named.segments) else {
                    continue;
                };
                let path = named.segments.join("::");
                let seen = format!("{}:{}: {path}", file.display(), named.line);
                let from = from.clone();
                arrows.push(Arrow { from, to, seen });
            }
        }
        arrows
    }

    fn read_file(&mut self, place: &Place) {
        let text = fs::read_to_string(&place.file)
            .unwrap_or_else(|error| panic!("{}: {error}", place.file.display()));
        let file = syn::parse_file(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", place.file.display()));
        self.read_items(place, file.items);
    }

    fn read_items(&mut self, place: &Place, items: Vec<Item>) {
        self.all.entry(place.module.clone()).or_default();
        for item in items {
            match item {
                Item::Mod(module) => self.read_module(place, module),
                item => self.read_item(place, &item),
            }
        }
    }

    fn read_item(&mut self, place: &Place, item: &Item) {
        let module = self.all.get_mut(&place.module).expect("made before");
        if let Item::Use(import) = item {
            module.import(&import.tree, &[]);
        }
        module.defined.extend(name_of(item));
        let named = paths_in(item.to_token_stream()).into_iter();
        let named = named.map(|named| (place.file.clone(), named));
        module.named.extend(named);
    }

    fn read_module(&mut self, place: &Place, module: ItemMod) {
        let name = module.ident.to_string();
        let chosen = path_attribute(&module);
        let mut inner = place.module.clone();
        inner.push(name.clone());
        if let Some((_, items)) = module.content {
            let place = Place {
                module: inner,
                file: place.file.clone(),
                children: place.children.join(name),
            };
            return self.read_items(&place, items);
        }
        let (file, children) = match chosen {
            Some(path) => {
                let beside = place.file.parent().expect("a file in a folder");
                let file = beside.join(path);
                let children = file.parent().expect("a file in a folder").to_path_buf();
                (file, children)
            }
            None => file_of(&place.children, &name),
        };
        self.read_file(&Place {
            module: inner,
            file,
            children,
        });
    }

    /// The module that `segments`, named in the module `from`, lead to.
    fn resolve(&self, from: &[String], segments: &[String]) -> Option<ModulePath> {
        let (start, rest) = self.start(from, segments)?;
        Some(self.walk(start, rest, 0))
    }

    /// Where a path starts, and what is left of it.
    fn start<'a>(
        &self,
        from: &[String],
        segments: &'a [String],
    ) -> Option<(ModulePath, &'a [String])> {
        let (first, rest) = segments.split_first()?;
        match first.as_str() {
            "crate" => Some((Vec::new(), rest)),
            "self" => Some((from.to_vec(), rest)),
            "super" => {
                let mut start = from.to_vec();
                start.pop()?;
                let mut rest = rest;
                while rest.first().is_some_and(|next| next == "super") {
                    start.pop()?;
                    rest = &rest[1..];
                }
                Some((start, rest))
            }
            name => {
                let is_here = self.has_child(from, name)
                    || self.all[from]
                        .imported
                        .get(name)
                        .is_some_and(|path| path[0] != name);
                if is_here {
                    return Some((from.to_vec(), segments));
                }
                (name == self.name).then(|| (Vec::new(), rest))
            }
        }
    }

    fn walk(&self, mut at: ModulePath, segments: &[String], depth: usize) -> ModulePath {
        for (place, segment) in segments.iter().enumerate() {
            if segment == "self" || segment == "*" {
                return at;
            }
            if self.has_child(&at, segment) {
                at.push(segment.clone());
                continue;
            }
            let rest = &segments[place..];
            return self.re_exported(&at, rest, depth).unwrap_or(at);
        }
        at
    }

    /// The module where what `at` only re-exports is defined.
    fn re_exported(&self, at: &ModulePath, rest: &[String], depth: usize) -> Option<ModulePath> {
        let (first, after) = rest.split_first()?;
        let module = &self.all[at];
        if depth > 8 || module.defined.contains(first) {
            return None;
        }
        if let Some(path) = module.imported.get(first) {
            let (start, path) = self.start(at, path)?;
            let path = [path, after].concat();
            return Some(self.walk(start, &path, depth + 1));
        }
        let target = |path: &Vec<String>| {
            let (start, path) = self.start(at, path)?;
            Some(self.walk(start, path, depth + 1))
        };
        let mut targets = module.globs.iter().filter_map(target);
        targets.find(|target| self.all[target].defined.contains(first))
    }

    fn has_child(&self, path: &[String], name: &str) -> bool {
        let mut child = path.to_vec();
        child.push(name.to_owned());
        self.all.contains_key(&child)
    }
}

impl Module {
    fn import(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.import(&path.tree, &with(&path.ident)),
            UseTree::Name(name) if name.ident == "self" => {
                let last = before.last().cloned().unwrap_or_default();
                self.imported.insert(last, before.to_vec());
            }
            UseTree::Name(name) => {
                self.imported
                    .insert(name.ident.to_string(), with(&name.ident));
            }
            UseTree::Rename(name) => {
                self.imported
                    .insert(name.rename.to_string(), with(&name.ident));
            }
            UseTree::Glob(_) => self.globs.push(before.to_vec()),
            UseTree::Group(group) => {
                let trees = group.items.iter();
                trees.for_each(|tree| self.import(tree, before));
            }
        }
    }
}

/// The file of the module `name` whose parent's modules are in `folder`, and the folder of its own ones.
fn file_of(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let children = folder.join(name);
    let flat = folder.join(format!("{name}.rs"));
    if flat.exists() {
        return (flat, children);
    }
    (children.join("mod.rs"), children)
}

fn path_attribute(module: &ItemMod) -> Option<String> {
    let attribute = module
        .attrs
        .iter()
        .find(|attribute| attribute.path().is_ident("path"))?;
    let value = &attribute.meta.require_name_value().ok()?.value;
    match value {
        syn::Expr::Lit(literal) => match &literal.lit {
            syn::Lit::Str(path) => Some(path.value()),
            _ => None,
        },
        _ => None,
    }
}

/// The name that an item defines.
fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

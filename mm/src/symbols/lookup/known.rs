//! Stacks that were looked up before.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::resolver::Files;
use crate::symbols::Attribution;

/// Bytes that are kept at most: of names, and of the table of stacks.
const MOST_BYTES: usize = 8 << 20;

/// Bytes that a stack and a name are counted with, besides the name's own: entries of tables that are half full.
const OF_STACK: usize = 2 * (size_of::<Attribution>() + size_of::<usize>());
const OF_NAME: usize = 64;

/// Attributions of stacks, and the names in them, each once.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// By address of the stack, which is never released.
    by_stack: HashMap<usize, Attribution>,
    names: HashSet<Arc<str>>,
    bytes: usize,
}

impl Known {
    /// Returns what each stack allocated, and keeps what it had to look up.
    pub(super) fn attribute(&mut self, stacks: &[&'static [usize]]) -> Vec<Attribution> {
        let files = Files::new();
        let mut resolver = files.resolver();
        let attributions = stacks.iter().map(|stack| {
            let key = stack.as_ptr().addr();
            match self.by_stack.get(&key) {
                Some(known) => known.clone(),
                None => {
                    let (type_name, site) = resolver.attribute(stack);
                    self.keep(key, type_name, site)
                }
            }
        });
        attributions.collect()
    }

    /// Keeps an attribution if there is room for it.
    fn keep(&mut self, key: usize, type_name: Option<String>, site: Option<String>) -> Attribution {
        let attribution = Attribution {
            type_name: type_name.map(|name| self.name(name)),
            site: site.map(|name| self.name(name)),
        };
        if self.has_room(OF_STACK) {
            self.by_stack.insert(key, attribution.clone());
        }
        attribution
    }

    /// Returns the name, which all stacks share.
    fn name(&mut self, name: String) -> Arc<str> {
        if let Some(known) = self.names.get(&*name) {
            return known.clone();
        }
        let bytes = name.len() + OF_NAME;
        let name = Arc::<str>::from(name);
        if self.has_room(bytes) {
            self.names.insert(name.clone());
        }
        name
    }

    fn has_room(&mut self, bytes: usize) -> bool {
        let has_room = self.bytes + bytes <= MOST_BYTES;
        if has_room {
            self.bytes += bytes;
        }
        has_room
    }
}

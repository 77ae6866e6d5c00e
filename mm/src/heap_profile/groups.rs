//! Stacks in groups: by type, by call site, or by whatever else a name says.

use std::collections::HashMap;
use std::sync::Arc;

use super::{HeapProfile, HeapUsage, StackUsage};
use crate::symbols::{self, Attribution};

/// The untyped memory by name; see [`HeapProfile::group`]. It displays as a table.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct HeapGroups {
    /// The groups, those with most live bytes first.
    pub groups: Vec<HeapGroup>,
    /// Bytes of live untyped blocks that the program requested. This is exact.
    pub live_bytes: u64,
    /// What the stacks without a name allocated, and those that are not known.
    pub unnamed: HeapUsage,
}

/// What the stacks of one name allocated.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct HeapGroup {
    /// The name.
    pub name: Box<str>,
    /// Blocks and bytes.
    pub usage: HeapUsage,
}

impl HeapProfile {
    /// Adds up stacks to which `name` gives the same name.
    ///
    /// # Examples
    ///
    /// ```
    /// let profile = mm::heap_profile();
    /// let by_caller = profile.group(|stack| Some(format!("{:#x}", stack.addresses.get(2)?).into()));
    /// println!("{by_caller}");
    /// ```
    #[must_use]
    pub fn group(&self, mut name: impl FnMut(&StackUsage) -> Option<Box<str>>) -> HeapGroups {
        let mut by_name = HashMap::<Box<str>, HeapUsage>::new();
        let mut unnamed = self.unknown;
        for stack in &self.stacks {
            match name(stack) {
                Some(name) => *by_name.entry(name).or_default() += stack.usage,
                None => unnamed += stack.usage,
            }
        }
        let groups = by_name
            .into_iter()
            .map(|(name, usage)| HeapGroup { name, usage });
        let mut groups: Vec<_> = groups.collect();
        let live = |group: &HeapGroup| group.usage.live_bytes.value();
        groups.sort_by(|one, other| {
            let by_bytes = live(other).total_cmp(&live(one));
            by_bytes.then_with(|| one.name.cmp(&other.name))
        });
        HeapGroups {
            groups,
            live_bytes: self.live_bytes,
            unnamed,
        }
    }
}

impl HeapProfile {
    /// Adds up stacks by the type that they allocated for: `Vec<app::Message>`, `String`, `HashMap<Key, app::Session>`.
    ///
    /// Types are known where the program has line tables (`debug = "line-tables-only"`, or more), and partly by the
    /// symbols of the v0 mangling; by symbols alone, the buffer of any collection is a `Vec`. Names of the standard library are short, others whole. What is not known for certain
    /// is in [`unnamed`](HeapGroups::unnamed).
    ///
    /// Stacks are looked up here, not where they allocate: in tens of milliseconds and some MiB of memory, since debug
    /// information is read where it is needed and forgotten afterwards. What was found of each stack is kept, in 8 MiB at
    /// most, so later calls only look up new stacks.
    ///
    /// # Examples
    ///
    /// ```
    /// #[global_allocator]
    /// static HEAP: mm::Global = mm::Global::new();
    ///
    /// let texts: Vec<String> = (0..10_000).map(|number| format!("number {number}")).collect();
    /// println!("{}", mm::heap_profile().by_type());
    /// # drop(texts);
    /// ```
    #[must_use]
    pub fn by_type(&self) -> HeapGroups {
        self.by_name(|attribution| attribution.type_name)
    }

    /// Adds up stacks by the call in the program's own crates that led to the allocation: `src/cache.rs:51 insert`.
    ///
    /// Calls in the standard library, in mm and in crates that cargo downloads or vendors are left out. Without line
    /// tables it is the name of the function in the program's main crate. What is not known is in
    /// [`unnamed`](HeapGroups::unnamed): all of a program without symbols. It costs what [`by_type`](Self::by_type) does.
    ///
    /// # Examples
    ///
    /// ```
    /// #[global_allocator]
    /// static HEAP: mm::Global = mm::Global::new();
    ///
    /// let texts: Vec<String> = (0..10_000).map(|number| format!("number {number}")).collect();
    /// println!("{}", mm::heap_profile().by_site());
    /// # drop(texts);
    /// ```
    #[must_use]
    pub fn by_site(&self) -> HeapGroups {
        self.by_name(|attribution| attribution.site)
    }

    fn by_name(&self, part: impl Fn(Attribution) -> Option<Arc<str>>) -> HeapGroups {
        let stacks: Vec<_> = self.stacks.iter().map(|stack| stack.addresses).collect();
        let mut attributions = symbols::attribute(&stacks).into_iter();
        self.group(|_| {
            let name = attributions.next().and_then(&part)?;
            Some((*name).into())
        })
    }
}

impl HeapGroups {
    /// Returns the live bytes that no group stands for, so that with them the sum of all groups is
    /// [`live_bytes`](Self::live_bytes).
    ///
    /// It is negative if the samples stand for more than there is, by chance.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "beside estimates")]
    pub fn unattributed_bytes(&self) -> f64 {
        let groups = self
            .groups
            .iter()
            .map(|group| group.usage.live_bytes.value());
        self.live_bytes as f64 - groups.sum::<f64>()
    }
}

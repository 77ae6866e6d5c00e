//! Stacks in groups: by type, by call site, or by whatever else a name says.

use std::collections::HashMap;

use super::{HeapProfile, HeapUsage, StackUsage};

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

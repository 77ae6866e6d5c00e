//! Which call sites of untyped memory grow steadily, by the samples of their stacks.

use core::time::Duration;
use std::collections::HashMap;
use std::sync::Arc;

use super::site;
use super::site_growth::GrowingSite;
use super::staying::{Change, Found, Look, Staying};
use crate::sampling;

/// All call sites that were sampled.
#[derive(Debug)]
pub(super) struct Sites {
    warm_up: Duration,
    looks: u64,
    /// The site of each stack, by the address of its addresses, which are stored once.
    of_stacks: HashMap<usize, usize>,
    numbers: HashMap<Arc<str>, usize>,
    all: HashMap<usize, Site>,
}

#[derive(Debug)]
struct Site {
    staying: Staying,
    found: Found,
    /// The stack that holds most, and how many bytes that is.
    stack: &'static [usize],
    most: f64,
}

impl Sites {
    /// Names no site during the warm-up.
    pub(super) fn new(warm_up: Duration) -> Self {
        Self {
            warm_up,
            looks: 0,
            of_stacks: HashMap::new(),
            numbers: HashMap::new(),
            all: HashMap::new(),
        }
    }

    /// Looks at all samples. `now` is the time since the start. Returns what changed.
    pub(super) fn observe(&mut self, now: Duration) -> Vec<(GrowingSite, Change)> {
        self.looks += 1;
        for site in self.all.values_mut() {
            (site.found, site.most) = (Found::default(), 0.0);
        }
        let stacks = sampled_stacks();
        self.number_stacks(&stacks);
        for (addresses, found) in stacks {
            self.add(addresses, found);
        }
        let look = Look {
            number: self.looks,
            seconds: now.as_secs_f64(),
        };
        let is_warm = now >= self.warm_up;
        let changes = self.all.iter_mut().filter_map(|(number, site)| {
            let change = site.staying.observe(look, site.found, is_warm)?;
            Some((GrowingSite::new(*number, site.stack, site.found), change))
        });
        changes.collect()
    }

    /// Looks up the sites of new stacks.
    fn number_stacks(&mut self, stacks: &[(&'static [usize], Found)]) {
        let all = stacks.iter().map(|(addresses, _)| *addresses);
        let is_new = |stack: &&'static [usize]| !self.of_stacks.contains_key(&key(stack));
        let new: Vec<_> = all.filter(is_new).collect();
        for (site, stack) in site::of_stacks(&new).into_iter().zip(new) {
            let number = self.numbers.len();
            let number = *self.numbers.entry(site).or_insert(number);
            self.of_stacks.insert(key(stack), number);
        }
    }

    /// Adds what one stack holds to its site.
    fn add(&mut self, addresses: &'static [usize], found: Found) {
        let Some(number) = self.of_stacks.get(&key(addresses)) else {
            return;
        };
        let site = self.all.entry(*number).or_insert_with(|| Site {
            staying: Staying::new(),
            found: Found::default(),
            stack: addresses,
            most: 0.0,
        });
        site.found += found;
        if found.bytes > site.most {
            (site.stack, site.most) = (addresses, found.bytes);
        }
    }
}

/// The address of a stack's addresses, which are stored once.
fn key(stack: &[usize]) -> usize {
    stack.as_ptr().addr()
}

/// All known stacks with live samples, and what they hold.
fn sampled_stacks() -> Vec<(&'static [usize], Found)> {
    let mut stacks = Vec::new();
    sampling::for_each_stack(|addresses, sampled| {
        if sampled.samples > 0 && !addresses.is_empty() {
            let [bytes, blocks] = [sampled.live.bytes(), sampled.live.blocks()];
            let found = Found {
                samples: sampled.samples,
                bytes: bytes.value(),
                blocks: blocks.value(),
            };
            stacks.push((addresses, found));
        }
    });
    stacks
}

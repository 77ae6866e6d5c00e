//! Reads callgrind's output: the instructions that ran.

use std::collections::BTreeMap;

/// Returns the number of instructions that callgrind counted.
pub(crate) fn total(profile: &str) -> Option<u64> {
    let total = profile
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))?;
    total.parse().ok()
}

/// Returns how often each instruction of one function ran, by its address in the program.
///
/// Expects uncompressed positions and names.
pub(crate) fn ran(profile: &str, function: &str) -> BTreeMap<u64, u64> {
    let mut counts = BTreeMap::new();
    let mut inside = false;
    // The line after `calls=` is the cost of the callee.
    let mut of_callee = false;
    for line in profile.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            inside = name == function;
        } else if line.starts_with("calls=") {
            of_callee = true;
        } else if let Some((address, count)) = own_cost(line) {
            if inside && !of_callee {
                *counts.entry(address).or_default() += count;
            }
            of_callee = false;
        }
    }
    counts
}

/// Reads `ADDRESS LINE COUNT`.
fn own_cost(line: &str) -> Option<(u64, u64)> {
    let (address, rest) = line.strip_prefix("0x")?.split_once(' ')?;
    let (_, count) = rest.split_once(' ')?;
    let address = u64::from_str_radix(address, 16).ok()?;
    Some((address, count.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = "\
fn=other
0x10 1 5
cfn=pair
calls=2 0x20 1
0x11 1 60

fn=pair
0x20 7 2
fi=inlined.rs
0x21 90 2
cfn=other
calls=2 0x10 1
0x21 90 10
fe=pair.rs
0x28 9 2

totals: 81
";

    #[test]
    fn the_total_stands_at_the_end() {
        assert_eq!(total(PROFILE), Some(81));
        assert_eq!(total("fn=pair"), None);
    }

    #[test]
    fn only_the_functions_own_instructions_count() {
        let counts = ran(PROFILE, "pair");
        assert_eq!(counts, [(0x20, 2), (0x21, 2), (0x28, 2)].into());
    }
}

//! The measured counts beside the recorded ones.

use crate::Mistake;
use crate::figures::{Figures, RECORD};
use crate::measure::{Count, TIMES, named};

/// The most percent by which a count may exceed the recorded one.
const MARGIN: u64 = 2;

/// The most instructions of a pair in a loop, without the loop itself.
const TARGET: u64 = 24;

/// The result of a comparison.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Same,
    Better,
    Worse,
}

/// Prints a line for each count. Returns the failures.
pub(crate) fn against(kept: &Figures, counts: &[Count]) -> Result<Vec<Mistake>, Mistake> {
    println!(
        "{:<14}{:>14}{:>14}{:>10}",
        "INSTRUCTIONS", "KEPT", "NOW", "EACH"
    );
    let lines = counts.iter().map(|count| line(kept, count));
    let failures = lines.collect::<Result<Vec<_>, _>>()?;
    let pair = pair_in_loop(counts)?;
    println!("one pair in a loop, without the loop: {pair}, to be at most {TARGET}");
    Ok(failures.into_iter().flatten().collect())
}

/// Returns the instructions of one pair in a loop, without the loop itself. The instructions outside of the
/// loop are less than half an instruction for each pair, and rounding removes them.
pub(crate) fn pair_in_loop(counts: &[Count]) -> Result<u64, Mistake> {
    let pairs = named(counts, "pairs")?.instructions;
    let bare = named(counts, "bare_loop")?.instructions;
    Ok((pairs.saturating_sub(bare) + TIMES / 2) / TIMES)
}

fn line(kept: &Figures, count: &Count) -> Result<Option<Mistake>, Mistake> {
    let Count {
        name,
        instructions,
        times,
        ..
    } = count;
    let kept = kept.instructions(name);
    let kept = kept.ok_or_else(|| format!("no figure of `{name}` is kept; record it: {RECORD}"))?;
    let each = each(*instructions, *times);
    let (note, failure) = match verdict(kept, *instructions) {
        Verdict::Same => ("", None),
        Verdict::Better => ("  record the better figure", None),
        Verdict::Worse => {
            let why = format!("`{name}`: {instructions} is more than {MARGIN} % above {kept}");
            ("  WORSE", Some(why))
        }
    };
    println!("{name:<14}{kept:>14}{instructions:>14}{each:>10}{note}");
    Ok(failure)
}

/// Returns the instructions of one repetition, with two digits.
fn each(instructions: u64, times: u64) -> String {
    let hundredths = (instructions + times / 200) / (times / 100);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn verdict(kept: u64, now: u64) -> Verdict {
    if now * 100 > kept * (100 + MARGIN) {
        Verdict::Worse
    } else if now * 100 < kept * (100 - MARGIN) {
        Verdict::Better
    } else {
        Verdict::Same
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_per_cent_are_no_difference() {
        assert_eq!(verdict(1_000, 1_020), Verdict::Same);
        assert_eq!(verdict(1_000, 1_021), Verdict::Worse);
        assert_eq!(verdict(1_000, 980), Verdict::Same);
        assert_eq!(verdict(1_000, 979), Verdict::Better);
    }

    #[test]
    fn one_instruction_of_a_pair_is_a_difference() {
        assert_eq!(verdict(24_000, 25_000), Verdict::Worse);
    }

    #[test]
    fn each_has_two_digits() {
        assert_eq!(each(32_000, 1_000), "32.00");
        assert_eq!(each(155_848, 1_000), "155.85");
        assert_eq!(each(5_020_000, 100_000), "50.20");
    }
}

//! The samples of untyped memory: one of each stack, and the rest.

use super::stack::{self, Frame};
use super::writer::Writer;
use crate::heap_profile::{HeapProfile, HeapUsage};

/// What no stack stands for.
const REST: &str = "(not attributed)";

/// Writes the samples of a profile.
pub(super) fn write(heap: &HeapProfile, writer: &mut Writer) {
    for stack in &heap.stacks {
        let frames = stack::calls(stack.addresses);
        writer.add_stack(&frames, figures(&stack.usage));
    }
    writer.add_stack(&[Frame::Words(REST)], rest(heap));
    writer.comment(&about(heap));
    let interval = i64::try_from(heap.sample_interval).unwrap_or(i64::MAX);
    writer.set_period("space", "bytes", interval);
}

/// The figures of blocks, in the order of the sample types.
fn figures(usage: &HeapUsage) -> [i64; 4] {
    [
        rounded(usage.allocated_blocks),
        rounded(usage.allocated_bytes),
        rounded(usage.live_blocks.value()),
        rounded(usage.live_bytes.value()),
    ]
}

/// What is live besides the blocks that stacks stand for.
#[allow(clippy::cast_precision_loss, reason = "beside estimates")]
fn rest(heap: &HeapProfile) -> [i64; 4] {
    let of_stacks = |of: fn(&HeapUsage) -> f64| -> f64 {
        let usages = heap.stacks.iter().map(|stack| of(&stack.usage));
        usages.sum()
    };
    let blocks = heap.live_blocks as f64 - of_stacks(|usage| usage.live_blocks.value());
    let bytes = heap.live_bytes as f64 - of_stacks(|usage| usage.live_bytes.value());
    let unknown = heap.unknown;
    [
        rounded(unknown.allocated_blocks),
        rounded(unknown.allocated_bytes),
        rounded(blocks),
        rounded(bytes),
    ]
}

/// The nearest whole number; 0 for those below.
#[allow(clippy::cast_possible_truncation, reason = "at most the largest value")]
fn rounded(number: f64) -> i64 {
    number.max(0.0).round() as i64
}

/// What the figures are, for people.
fn about(heap: &HeapProfile) -> String {
    let interval = heap.sample_interval;
    match interval {
        0 => "stacks are not sampled: start the program with MM_OPTIONS=sample=64KiB".to_owned(),
        1 => "each untyped block is sampled".to_owned(),
        _ => format!(
            "figures are estimates from samples of untyped blocks, one in {interval} bytes on average"
        ),
    }
}

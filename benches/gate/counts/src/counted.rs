//! The functions that the gate counts, each with a name that callgrind and objdump find.
//!
//! Only the counted work calls these functions. Warm-up, preparation and clean-up use others.

use mm::{MmBox, MmManaged, PageFamily};
use mm_gate_counts::look_at;

/// A value of 36 bytes, the size of the targets.
#[derive(MmManaged, Clone, Copy, Debug)]
#[expect(dead_code, reason = "it is written, which counts, and never read")]
pub(crate) struct Value(pub(crate) [u32; 9]);

/// One of two instances, each with a family. The derive cannot rule out that a box of one holds a block of
/// the other, so the block is released by its address.
#[derive(MmManaged, Clone, Copy, Debug)]
#[mm(instances(Instance<[u32; 9]>, Instance<[u8; 36]>))]
pub(crate) struct Instance<T>(pub(crate) T);

/// The slots for the values of a batch.
pub(crate) type Slots = [Option<MmBox<Value>>];

/// One pair alone: a function that allocates, writes and releases one value.
// SAFETY: the name has the prefix `mm_gate`, and no other code defines it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "Rust" fn mm_gate_pair(value: &Value) {
    let made = MmBox::new(*value);
    look_at(&*made);
}

/// One pair of a type that has several families.
// SAFETY: the name has the prefix `mm_gate`, and no other code defines it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "Rust" fn mm_gate_instance_pair(value: &Instance<[u32; 9]>) {
    let made = MmBox::new(*value);
    look_at(&*made);
}

/// One pair of a run-time family.
// SAFETY: the name has the prefix `mm_gate`, and no other code defines it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "Rust" fn mm_gate_run_time_pair(family: &'static PageFamily) {
    let made = family.alloc(1).expect("there is memory");
    look_at(&made);
    // SAFETY: `alloc` gave the block of one unit, which is not used any more.
    unsafe { family.release_sized(made, 1) };
}

/// Pairs inside a loop, as in most programs.
// SAFETY: the name has the prefix `mm_gate`, and no other code defines it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "Rust" fn mm_gate_pairs(value: &Value, count: usize) {
    for _ in 0..count {
        let made = MmBox::new(*value);
        look_at(&*made);
    }
}

/// The loop of [`mm_gate_pairs`] without the pairs. Its count is subtracted.
// SAFETY: the name has the prefix `mm_gate`, and no other code defines it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "Rust" fn mm_gate_loop(value: &Value, count: usize) {
    for _ in 0..count {
        look_at(value);
    }
}

/// Allocates as many values as there are slots, then releases them in the same order.
// SAFETY: the name has the prefix `mm_gate`, and no other code defines it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "Rust" fn mm_gate_batch(value: &Value, slots: &mut Slots) {
    fill(value, slots);
    clear(slots);
}

/// Allocates as many values as there are slots, then releases them in a given order.
// SAFETY: the name has the prefix `mm_gate`, and no other code defines it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "Rust" fn mm_gate_shuffled(value: &Value, slots: &mut Slots, order: &[usize]) {
    fill(value, slots);
    for &place in order {
        slots[place] = None;
    }
}

/// Allocates values that another thread releases.
// SAFETY: the name has the prefix `mm_gate`, and no other code defines it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "Rust" fn mm_gate_hand_out(value: &Value, slots: &mut Slots) {
    fill(value, slots);
}

/// Releases values that another thread allocated.
// SAFETY: the name has the prefix `mm_gate`, and no other code defines it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "Rust" fn mm_gate_hand_back(slots: &mut Slots) {
    clear(slots);
}

/// One zeroed block of three values, and its release.
// SAFETY: the name has the prefix `mm_gate`, and no other code defines it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "Rust" fn mm_gate_xcalloc() {
    let made = Value::xcalloc(3);
    look_at(&*made);
}

/// Allocates into all slots, which are empty.
pub(crate) fn fill(value: &Value, slots: &mut Slots) {
    for slot in slots {
        *slot = Some(MmBox::new(*value));
    }
}

/// Releases the values in the slots, first to last.
pub(crate) fn clear(slots: &mut Slots) {
    for slot in slots {
        *slot = None;
    }
}

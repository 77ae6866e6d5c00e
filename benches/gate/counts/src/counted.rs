//! The functions that the gate counts, each under a name that callgrind and objdump find.
//!
//! A name has one counted function behind it and nothing else: what is warmed up, made ready or
//! cleared away goes through others.

use mm::{MmBox, MmManaged, PageFamily};
use mm_gate_counts::look_at;

/// A value of 36 bytes, the size that the targets are given for.
#[derive(MmManaged, Clone, Copy, Debug)]
#[expect(dead_code, reason = "it is written, which counts, and never read")]
pub(crate) struct Value(pub(crate) [u32; 9]);

/// One of two instances, each with a family: a box of either may hold the other's block as far as a
/// macro can see, so it is released by its address.
#[derive(MmManaged, Clone, Copy, Debug)]
#[mm(instances(Instance<[u32; 9]>, Instance<[u8; 36]>))]
pub(crate) struct Instance<T>(pub(crate) T);

/// What keeps the values of a batch.
pub(crate) type Slots = [Option<MmBox<Value>>];

/// One pair on its own: what a function costs that allocates, writes and releases one value.
// SAFETY: the name starts with the package's, and nothing else defines it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "Rust" fn mm_gate_pair(value: &Value) {
    let made = MmBox::new(*value);
    look_at(&*made);
}

/// One pair of a type that has several families.
// SAFETY: the name starts with the package's, and nothing else defines it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "Rust" fn mm_gate_instance_pair(value: &Instance<[u32; 9]>) {
    let made = MmBox::new(*value);
    look_at(&*made);
}

/// One pair of a family that was registered while the program ran.
// SAFETY: the name starts with the package's, and nothing else defines it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "Rust" fn mm_gate_run_time_pair(family: &'static PageFamily) {
    let made = family.alloc(1).expect("there is memory");
    look_at(&made);
    // SAFETY: `alloc` gave the block of one unit, which is not used any more.
    unsafe { family.release_sized(made, 1) };
}

/// Pairs inside a loop of the caller's, as most are.
// SAFETY: the name starts with the package's, and nothing else defines it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "Rust" fn mm_gate_pairs(value: &Value, count: usize) {
    for _ in 0..count {
        let made = MmBox::new(*value);
        look_at(&*made);
    }
}

/// The loop of [`mm_gate_pairs`] without the pairs, to take off its count.
// SAFETY: the name starts with the package's, and nothing else defines it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "Rust" fn mm_gate_loop(value: &Value, count: usize) {
    for _ in 0..count {
        look_at(value);
    }
}

/// Allocates as many values as there are slots, then releases them in the same order.
// SAFETY: the name starts with the package's, and nothing else defines it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "Rust" fn mm_gate_batch(value: &Value, slots: &mut Slots) {
    fill(value, slots);
    clear(slots);
}

/// Allocates as many values as there are slots, then releases them in some order.
// SAFETY: the name starts with the package's, and nothing else defines it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "Rust" fn mm_gate_shuffled(value: &Value, slots: &mut Slots, order: &[usize]) {
    fill(value, slots);
    for &place in order {
        slots[place] = None;
    }
}

/// Allocates what another thread is to release.
// SAFETY: the name starts with the package's, and nothing else defines it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "Rust" fn mm_gate_hand_out(value: &Value, slots: &mut Slots) {
    fill(value, slots);
}

/// Releases what another thread allocated.
// SAFETY: the name starts with the package's, and nothing else defines it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "Rust" fn mm_gate_hand_back(slots: &mut Slots) {
    clear(slots);
}

/// One zeroed block of three values, and its release.
// SAFETY: the name starts with the package's, and nothing else defines it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "Rust" fn mm_gate_xcalloc() {
    let made = Value::xcalloc(3);
    look_at(&*made);
}

/// Allocates into every slot. All of them are empty.
pub(crate) fn fill(value: &Value, slots: &mut Slots) {
    for slot in slots {
        *slot = Some(MmBox::new(*value));
    }
}

/// Releases what is in the slots, first to last.
pub(crate) fn clear(slots: &mut Slots) {
    for slot in slots {
        *slot = None;
    }
}

//! The loops in C, one set for each rival.

use core::ffi::c_void;
use core::ptr;

// Rust calls nothing of these crates. The lines make cargo link them.
#[cfg(feature = "c-rivals")]
use libmimalloc_sys as _;
use mm as _;
use mm_benches_common::random::Random;
#[cfg(feature = "c-rivals")]
use tikv_jemalloc_sys as _;

/// A block. Only C knows its contents.
type Block = *mut c_void;

/// `struct loops` of `loops.h`.
#[repr(C)]
struct Functions {
    begin: unsafe extern "C" fn(),
    pair: unsafe extern "C" fn(usize),
    allocate: unsafe extern "C" fn(*mut Block, usize),
    release: unsafe extern "C" fn(*mut Block, usize),
    replace: unsafe extern "C" fn(*mut Block, *const u32, usize),
    replace_rows: unsafe extern "C" fn(*mut Block, *const u32, *const u32, usize),
}

/// The loops of one rival.
///
/// # Invariants
///
/// 1. `functions` are those that `loops.c` defines.
#[derive(Clone, Copy)]
pub(crate) struct Loops {
    functions: &'static Functions,
}

/// Slots for the addresses of blocks. Between two calls no code owns the blocks in them.
pub(crate) struct Room(Vec<Block>);

/// Indexes of blocks, in any order.
///
/// # Invariants
///
/// 1. Each is below `end`.
pub(crate) struct Places {
    places: Vec<u32>,
    end: u32,
}

/// Blocks of one rival that stay live between calls.
///
/// # Invariants
///
/// 1. Each is null, or a live block of the rival of these loops that no other code has.
pub(crate) struct Blocks {
    loops: Loops,
    blocks: Vec<Block>,
}

/// An allocator, or an imitation of one.
#[derive(Clone, Copy)]
pub(crate) struct Rival {
    pub(crate) name: &'static str,
    pub(crate) loops: Loops,
}

/// The name of mm among the rivals.
pub(crate) const OURS: &str = "mm";

/// The imitations: the same loops without a call, and with one call for each block.
pub(crate) const NO_CALL: &str = "no call";
pub(crate) const ONE_CALL: &str = "one call";

// SAFETY: `loops.c` defines the constants with this layout.
unsafe extern "C" {
    safe static mm_c_benches_of_mm: Functions;
    safe static mm_c_benches_of_glibc: Functions;
    #[cfg(feature = "c-rivals")]
    safe static mm_c_benches_of_mimalloc: Functions;
    #[cfg(feature = "c-rivals")]
    safe static mm_c_benches_of_jemalloc: Functions;
    safe static mm_c_benches_of_nothing: Functions;
    safe static mm_c_benches_of_call: Functions;
}

/// All allocators of the table, in the order of its columns.
pub(crate) static RIVALS: &[Rival] = &[
    Rival::new(OURS, &mm_c_benches_of_mm),
    Rival::new("glibc", &mm_c_benches_of_glibc),
    #[cfg(feature = "c-rivals")]
    Rival::new("mimalloc", &mm_c_benches_of_mimalloc),
    #[cfg(feature = "c-rivals")]
    Rival::new("jemalloc", &mm_c_benches_of_jemalloc),
    Rival::new(NO_CALL, &mm_c_benches_of_nothing),
    Rival::new(ONE_CALL, &mm_c_benches_of_call),
];

impl Rival {
    const fn new(name: &'static str, functions: &'static Functions) -> Self {
        let loops = Loops { functions };
        Self { name, loops }
    }
}

impl Loops {
    /// Prepares the rival, once.
    pub(crate) fn begin(self) {
        // SAFETY: by invariant 1 the function is that of `loops.c`, which requires nothing.
        unsafe { (self.functions.begin)() };
    }

    /// Allocates, writes and releases one block, `count` times.
    pub(crate) fn pair(self, count: usize) {
        // SAFETY: by invariant 1 the function is that of `loops.c`, which releases only its own blocks.
        unsafe { (self.functions.pair)(count) };
    }

    /// Allocates as many blocks as there is room for, and releases them in the same order.
    pub(crate) fn in_order(self, room: &mut Room) {
        let (first, count) = (room.0.as_mut_ptr(), room.0.len());
        // SAFETY: by invariant 1 the function is that of `loops.c`, and there are as many slots.
        unsafe { (self.functions.allocate)(first, count) };
        // SAFETY: by invariant 1 the function is that of `loops.c`, and all blocks are live.
        unsafe { (self.functions.release)(first, count) };
    }

    /// Makes `count` blocks, all null.
    pub(crate) fn blocks(self, count: usize) -> Blocks {
        Blocks {
            loops: self,
            blocks: vec![ptr::null_mut(); count],
        }
    }
}

impl Room {
    pub(crate) fn for_blocks(count: usize) -> Self {
        Self(vec![ptr::null_mut(); count])
    }
}

impl Places {
    /// Returns `count` random places below `end`.
    pub(crate) fn random(random: &mut Random, count: u32, end: u32) -> Self {
        let places = random.sequence(count, end);
        assert!(places.iter().all(|place| *place < end));
        Self { places, end }
    }

    /// Returns the number of places.
    pub(crate) fn count(&self) -> usize {
        self.places.len()
    }
}

impl Blocks {
    /// Replaces the blocks at the places.
    pub(crate) fn replace(&mut self, places: &Places) {
        let first = self.at_places(places);
        let places = &places.places;
        // SAFETY: by invariant 1 the function is that of `loops.c`. The places are valid, and null may be
        // released.
        unsafe { (self.loops.functions.replace)(first, places.as_ptr(), places.len()) };
    }

    /// Replaces the blocks at the places by rows, each of one unit more than `lengths` says.
    pub(crate) fn replace_by_rows(&mut self, places: &Places, lengths: &[u32]) {
        let first = self.at_places(places);
        let places = &places.places;
        assert_eq!(places.len(), lengths.len());
        let (replaced, lengths) = (places.as_ptr(), lengths.as_ptr());
        // SAFETY: by invariant 1 the function is that of `loops.c`. The places are valid, there are as many
        // lengths, and null may be released.
        unsafe { (self.loops.functions.replace_rows)(first, replaced, lengths, places.len()) };
    }

    fn at_places(&mut self, places: &Places) -> *mut Block {
        assert!(places.end as usize <= self.blocks.len());
        self.blocks.as_mut_ptr()
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        let (first, count) = (self.blocks.as_mut_ptr(), self.blocks.len());
        // SAFETY: by invariant 1 the function is that of `loops.c`, and by that of the blocks each may be
        // released.
        unsafe { (self.loops.functions.release)(first, count) };
    }
}

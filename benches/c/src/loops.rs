//! The loops of C, one set for each rival.

use core::ffi::c_void;
use core::ptr;

// Nothing in Rust calls them: these lines have them linked.
#[cfg(feature = "c-rivals")]
use libmimalloc_sys as _;
use mm as _;
use mm_benches_common::random::Random;
#[cfg(feature = "c-rivals")]
use tikv_jemalloc_sys as _;

/// A block, of which only C knows what is in it.
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

/// Room for the addresses of blocks. Between two calls nobody owns what is in there.
pub(crate) struct Room(Vec<Block>);

/// Places in blocks, in any order.
///
/// # Invariants
///
/// 1. Each is below `end`.
pub(crate) struct Places {
    places: Vec<u32>,
    end: u32,
}

/// Blocks of one rival that live on.
///
/// # Invariants
///
/// 1. Each is null, or a live block of the rival whose loops these are, which nobody else has.
pub(crate) struct Blocks {
    loops: Loops,
    blocks: Vec<Block>,
}

/// One that hands out memory, or does as if.
#[derive(Clone, Copy)]
pub(crate) struct Rival {
    pub(crate) name: &'static str,
    pub(crate) loops: Loops,
}

/// The name of mm among the rivals.
pub(crate) const OURS: &str = "mm";

/// Those that hand out nothing: the same loops without a call, and with one for each block.
pub(crate) const NO_CALL: &str = "no call";
pub(crate) const ONE_CALL: &str = "one call";

// SAFETY: `loops.c` defines them, with this layout, as constants.
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

/// All that are measured, in the order of the table's columns.
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
        // SAFETY: invariant 1; nothing must come before it.
        unsafe { (self.functions.begin)() };
    }

    /// Allocates, writes and releases one block, `count` times.
    pub(crate) fn pair(self, count: usize) {
        // SAFETY: invariant 1; the loop releases its own blocks alone.
        unsafe { (self.functions.pair)(count) };
    }

    /// Allocates as many blocks as there is room for, and releases them in the same order.
    pub(crate) fn in_order(self, room: &mut Room) {
        let (first, count) = (room.0.as_mut_ptr(), room.0.len());
        // SAFETY: invariant 1, and there is room for so many.
        unsafe { (self.functions.allocate)(first, count) };
        // SAFETY: invariant 1, and all are live.
        unsafe { (self.functions.release)(first, count) };
    }

    /// Begins with null in each of `count` places.
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

    /// Returns how many they are.
    pub(crate) fn count(&self) -> usize {
        self.places.len()
    }
}

impl Blocks {
    /// Replaces the blocks at the places.
    pub(crate) fn replace(&mut self, places: &Places) {
        let first = self.at_places(places);
        let places = &places.places;
        // SAFETY: the loops' invariant 1; there are these places, and null may be released.
        unsafe { (self.loops.functions.replace)(first, places.as_ptr(), places.len()) };
    }

    /// Replaces the blocks at the places by rows, each of one unit more than `lengths` says.
    pub(crate) fn replace_by_rows(&mut self, places: &Places, lengths: &[u32]) {
        let first = self.at_places(places);
        let places = &places.places;
        assert_eq!(places.len(), lengths.len());
        let (replaced, lengths) = (places.as_ptr(), lengths.as_ptr());
        // SAFETY: as above, and there are as many lengths.
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
        // SAFETY: the loops' invariant 1; by that of the blocks each may be released.
        unsafe { (self.loops.functions.release)(first, count) };
    }
}

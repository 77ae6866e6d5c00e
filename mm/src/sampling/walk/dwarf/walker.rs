//! One walk.

use core::ptr;

use framehop::{CacheNative, MustNotAllocateDuringUnwind, Unwinder};

use super::bounds::Bounds;
use super::modules::{self, Loaded, Loads, Native};
use super::registers::Start;

/// Addresses that are kept of one stack, the innermost ones.
pub(super) const MOST_FRAMES: usize = 64;

/// Addresses that a walker knows to be described; a power of two.
const KNOWN: usize = 1 << 10;

/// What a walk needs. It is made before the walk, which allocates nothing.
pub(super) struct Walker {
    modules: Vec<Loaded>,
    loads: Loads,
    unwinder: Native,
    cache: CacheNative<MustNotAllocateDuringUnwind>,
    known: Box<[usize]>,
}

/// Return addresses, the innermost first.
#[derive(Debug)]
pub(super) struct Frames {
    addresses: [usize; MOST_FRAMES],
    count: usize,
}

impl Frames {
    pub(super) const fn none() -> Self {
        Self {
            addresses: [0; MOST_FRAMES],
            count: 0,
        }
    }

    pub(super) fn get(&self) -> &[usize] {
        &self.addresses[..self.count]
    }
}

impl Walker {
    /// Makes a walker for the modules that are loaded now.
    pub(super) fn make() -> Self {
        let (modules, loads) = modules::loaded();
        Self {
            unwinder: modules::unwinder(&modules),
            modules,
            loads,
            cache: CacheNative::new_in(),
            known: vec![0; KNOWN].into_boxed_slice(),
        }
    }

    /// Whether the modules are still the ones that are loaded.
    pub(super) fn is_current(&self) -> bool {
        modules::loads() == self.loads
    }

    /// Finds the return addresses from `start` on, on the stack that `bounds` describes.
    pub(super) fn walk(&mut self, start: &Start, bounds: &Bounds, frames: &mut Frames) {
        let (_, end) = bounds.get();
        let mut read = |address: u64| read_word(address, start.stack, end);
        let Self {
            modules,
            unwinder,
            cache,
            known,
            ..
        } = self;
        let mut walk = unwinder.iter_frames(start.code as u64, start.registers(), cache, &mut read);
        // The first address is in mm itself.
        if !matches!(walk.next(), Ok(Some(_))) {
            return;
        }
        while frames.count < MOST_FRAMES
            && let Ok(Some(frame)) = walk.next()
            && let Ok(address) = usize::try_from(frame.address())
        {
            // An address that no table describes could be no return address, and its caller would be a guess.
            if !is_described(modules, known, address - 1) {
                return;
            }
            frames.addresses[frames.count] = address;
            frames.count += 1;
        }
    }
}

/// Whether a table describes the code at `address`.
fn is_described(modules: &[Loaded], known: &mut [usize], address: usize) -> bool {
    let place = &mut known[(address ^ address >> 10) % KNOWN];
    if *place == address {
        return true;
    }
    let next = modules.partition_point(|module| module.code.start <= address);
    let module = next.checked_sub(1).and_then(|last| modules.get(last));
    let is_covered =
        module.is_some_and(|module| module.code.contains(&address) && module.tables.cover(address));
    if is_covered {
        *place = address;
    }
    is_covered
}

/// Reads a word of the stack between `start` and `end`.
fn read_word(address: u64, start: usize, end: usize) -> Result<u64, ()> {
    let address = usize::try_from(address).map_err(drop)?;
    let last = end - size_of::<u64>();
    if address < start || address > last || !address.is_multiple_of(align_of::<u64>()) {
        return Err(());
    }
    let word = ptr::with_exposed_provenance::<u64>(address);
    // SAFETY: `address` is aligned, and a word from there on lies between `start`, the stack pointer, and `end`, the end
    // of the calling thread's stack, all of which is mapped.
    Ok(unsafe { word.read_volatile() })
}

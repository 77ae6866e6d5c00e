//! One walk.

use core::ptr;

use framehop::{CacheNative, FrameAddress, MustNotAllocateDuringUnwind, Unwinder};

use super::bounds::Bounds;
use super::memo::{Memo, Step};
use super::modules::{self, Loaded, Loads, Native};
use super::registers::{Start, of};

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
    memo: Memo,
    /// Frames of the current walk that are not in the memo, the innermost first.
    inner: Inner,
}

/// Frames of the current walk. Each is written in its place: to copy what was just written word by word takes longer
/// than to unwind the frame.
struct Inner {
    steps: Box<[Step]>,
    count: usize,
}

impl Inner {
    fn new() -> Self {
        Self {
            steps: vec![Step::none(); MOST_FRAMES + 1].into_boxed_slice(),
            count: 0,
        }
    }

    fn get(&self) -> &[Step] {
        &self.steps[..self.count]
    }
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

    /// Adds an address, if there is room.
    #[inline]
    fn push(&mut self, address: u64) -> bool {
        match (self.addresses.get_mut(self.count), usize::try_from(address)) {
            (Some(place), Ok(address)) => {
                *place = address;
                self.count += 1;
                true
            }
            _ => false,
        }
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
            memo: Memo::new(),
            inner: Inner::new(),
        }
    }

    /// Whether the modules are still the ones that are loaded.
    pub(super) fn is_current(&self) -> bool {
        modules::loads() == self.loads
    }

    /// Finds the return addresses from `start` on, on the stack that `bounds` describes.
    pub(super) fn walk(&mut self, start: &Start, bounds: &Bounds, frames: &mut Frames) {
        let (_, end) = bounds.get();
        let read = |address: u64| read_word(address, start.stack, end);
        self.inner.count = 0;
        let mut place = self.memo.begin();
        let mut registers = start.registers();
        // The first frame is in mm itself.
        let mut frame = FrameAddress::from_instruction_pointer(start.code as u64);
        let is_joined = loop {
            let Some(step) = self.inner.steps.get_mut(self.inner.count) else {
                break false;
            };
            step.address = frame.address();
            step.registers = of(&registers);
            step.words.clear();
            let words = &mut step.words;
            let mut note = |address| read(address).inspect(|value| words.add(address, *value));
            let (unwinder, cache) = (&self.unwinder, &mut self.cache);
            let next = unwinder.unwind_frame(frame, &mut registers, cache, &mut note);
            self.inner.count += usize::from(frame.is_return_address());
            let Some(caller) = next
                .ok()
                .flatten()
                .and_then(FrameAddress::from_return_address)
            else {
                break false;
            };
            // An address that no table describes could be no return address, and its caller would be a guess.
            let address = caller.address();
            if !is_described(&self.modules, &mut self.known, address) {
                break false;
            }
            if !frames.push(address) {
                // There are more frames, so the memo would end too early.
                self.inner.count = 0;
                break false;
            }
            let rest = self.memo.rest_of(&mut place, address, of(&registers), read);
            if let Some(mut rest) = rest {
                while let Some(address) = rest.next()
                    && frames.push(address)
                {}
                break true;
            }
            frame = caller;
        };
        if !is_joined {
            self.memo.clear();
        }
        self.memo.add(self.inner.get());
    }
}

/// Whether a table describes the call before the return address.
#[inline]
fn is_described(modules: &[Loaded], known: &mut [usize], address: u64) -> bool {
    let Some(address) = usize::try_from(address)
        .ok()
        .and_then(|after| after.checked_sub(1))
    else {
        return false;
    };
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

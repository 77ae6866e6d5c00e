//! Stacks that allocated sampled blocks. Each is stored once, with its figures, and never forgotten.

use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::Relaxed;

use super::figures::{Figures, Sampled};
use crate::heap::{Link, RECORDS};
use crate::os::Lock;

/// Bytes of all stacks at most. With the tables below it is less than 16 MiB.
const MOST_BYTES: usize = 15 << 20;

/// Stacks at most, with the one that stands for all others.
const MOST: usize = 1 << 16;

const BUCKETS: usize = 1 << 14;

/// Locks of figures: that of a stack is chosen by its number.
const LOCKS: usize = 64;

/// Bytes that a stack is counted with besides its addresses.
const HEAD: usize = size_of::<Stack>();

/// The number of the stack of blocks whose stack is not known.
pub(crate) const UNATTRIBUTED: u32 = 0;

#[derive(Debug)]
struct Stack {
    /// Return addresses, the innermost first.
    frames: &'static [usize],
    hash: u64,
    number: u32,
    figures: Figures,
    /// The next stack of the same bucket.
    next: Link<Stack>,
}

static BY_NUMBER: [Link<Stack>; MOST] = [const { Link::none() }; MOST];
static BY_HASH: [Link<Stack>; BUCKETS] = [const { Link::none() }; BUCKETS];
static OTHERS: Stack = Stack {
    frames: &[],
    hash: 0,
    number: UNATTRIBUTED,
    figures: Figures::new(),
    next: Link::none(),
};

/// Bytes of all stacks. A thread that adds one holds the lock.
static ADDING: Lock<usize> = Lock::new(0);

/// Stacks so far, with `OTHERS`.
static COUNT: AtomicUsize = AtomicUsize::new(1);

static FIGURES: [Lock<()>; LOCKS] = [const { Lock::new(()) }; LOCKS];

/// Returns the number of a stack; [`UNATTRIBUTED`] if there is no room for it.
pub(crate) fn number_of(frames: &[usize]) -> u32 {
    if frames.is_empty() {
        return UNATTRIBUTED;
    }
    let hash = hash_of(frames);
    let found = find(frames, hash).or_else(|| add(frames, hash));
    found.map_or(UNATTRIBUTED, |stack| stack.number)
}

/// Changes the figures of a stack.
pub(super) fn account(number: u32, change: impl FnOnce(&Figures)) {
    let _alone = FIGURES[number as usize % LOCKS].lock();
    change(&at(number).figures);
}

/// Calls `f` with the addresses and the figures of each stack, [`UNATTRIBUTED`] first. No lock is held then.
pub(crate) fn for_each(mut f: impl FnMut(&'static [usize], Sampled)) {
    for number in 0..COUNT.load(Relaxed).min(MOST) {
        let stack = at(u32::try_from(number).unwrap_or(UNATTRIBUTED));
        if number > 0 && stack.number == UNATTRIBUTED {
            // Another thread adds it just now.
            continue;
        }
        let figures = {
            let _alone = FIGURES[number % LOCKS].lock();
            stack.figures.copy()
        };
        f(stack.frames, figures);
    }
}

/// Takes all locks, before a fork.
pub(super) fn lock_for_fork() {
    FIGURES.iter().for_each(Lock::lock_for_fork);
    ADDING.lock_for_fork();
}

/// Releases the locks that [`lock_for_fork`] took.
///
/// # Safety
///
/// 1. The calling thread called [`lock_for_fork`] before, or is the copy in a child of the one that did.
pub(super) unsafe fn unlock_after_fork() {
    // SAFETY: by requirement 1 `lock_for_fork` locked it, on this thread or on the one that this is the copy of.
    unsafe { ADDING.unlock_after_fork() };
    for lock in &FIGURES {
        // SAFETY: by requirement 1 `lock_for_fork` locked it, on this thread or on the one that this is the copy
        // of.
        unsafe { lock.unlock_after_fork() };
    }
}

fn at(number: u32) -> &'static Stack {
    let stack = BY_NUMBER.get(number as usize).and_then(Link::get);
    stack.unwrap_or(&OTHERS)
}

fn bucket(hash: u64) -> &'static Link<Stack> {
    &BY_HASH[usize::try_from(hash >> 32).unwrap_or(0) % BUCKETS]
}

fn find(frames: &[usize], hash: u64) -> Option<&'static Stack> {
    let mut chain = core::iter::successors(bucket(hash).get(), |stack| stack.next.get());
    chain.find(|stack| stack.hash == hash && stack.frames == frames)
}

#[cold]
fn add(frames: &[usize], hash: u64) -> Option<&'static Stack> {
    let mut used = ADDING.lock();
    // Another thread may have added it before this one got the lock.
    if let Some(stack) = find(frames, hash) {
        return Some(stack);
    }
    let (number, bytes) = (COUNT.load(Relaxed), *used + HEAD + size_of_val(frames));
    if number >= MOST || bytes > MOST_BYTES {
        return None;
    }
    let stack = RECORDS.place(Stack {
        frames: RECORDS.copied(frames).ok()?,
        hash,
        number: u32::try_from(number).ok()?,
        figures: Figures::new(),
        next: Link::none(),
    });
    let stack = stack.ok()?;
    *used = bytes;
    stack.next.set(bucket(hash).get());
    BY_NUMBER[number].set(Some(stack));
    bucket(hash).set(Some(stack));
    COUNT.store(number + 1, Relaxed);
    Some(stack)
}

/// Hashes addresses by a multiplication each, in four lanes, so that the multiplications need not wait for each other.
fn hash_of(frames: &[usize]) -> u64 {
    let mut lanes = [1, 2, 3, frames.len() as u64];
    for four in frames.chunks(lanes.len()) {
        for (lane, frame) in lanes.iter_mut().zip(four) {
            *lane = mixed(*lane, *frame as u64);
        }
    }
    lanes.into_iter().fold(0, mixed)
}

/// The compiler does not turn products of 128 bits into vectors, which take longer.
#[allow(clippy::cast_possible_truncation, reason = "both halves are used")]
fn mixed(hash: u64, number: u64) -> u64 {
    let product = u128::from(hash.rotate_left(23) ^ number) * 0xF135_7AEA_2E62_A9C5;
    product as u64 ^ (product >> 64) as u64
}

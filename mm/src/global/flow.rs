//! What one thread allocates and releases while a function runs.
//!
//! Blocks that the thread's caches hand out and take back are counted there anyway. Those that go past the caches,
//! since they are large or their family is uncached, are counted here, on slow paths, while a body runs.

use core::cell::Cell;

use super::families;
use crate::heap::{CacheCell, Flow};

std::thread_local! {
    /// Bodies that run on this thread, one inside the other.
    static RUNNING: Cell<u32> = const { Cell::new(0) };
    /// What went past the caches while a body ran.
    static PAST_CACHES: Cell<Flow> = const { Cell::new(Flow::NONE) };
}

/// What a body allocated and released through [`Global`](crate::Global) on its thread; see [`allocations`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Allocations {
    /// Blocks that were allocated.
    pub blocks_allocated: u64,
    /// Bytes that were requested for them.
    pub bytes_allocated: u64,
    /// Blocks that were released, whoever allocated them.
    pub blocks_released: u64,
    /// Bytes that had been requested for those.
    pub bytes_released: u64,
}

/// Runs `body`, and counts what it allocates and releases through [`Global`](crate::Global) on this thread. Returns
/// what `body` returned, and the counts. `None`, without a call of `body`, if [`Global`](crate::Global) is not the
/// program's global allocator.
///
/// The counts are exact: blocks, and the bytes that the program requested for them, without the slack of size
/// classes. Growing a block, as [`Vec::push`] does, counts as one block allocated and one released if it moves. If it
/// stays where it is, it counts as no block, and the added or removed bytes count as allocated or released. What other
/// threads do meanwhile does not count, nor do blocks of types ([`MmBox`](crate::MmBox)). A `body` may call
/// `allocations`; its counts are part of the outer ones. A panic of `body` propagates.
///
/// It costs nothing while no such call runs, and within one only where a block comes from no cache.
///
/// # Examples
///
/// ```
/// #[global_allocator]
/// static HEAP: mm::Global = mm::Global::new();
///
/// let (text, counted) = mm::allocations(|| "text".repeat(100)).expect("mm allocates");
/// assert_eq!((counted.blocks_allocated, counted.bytes_allocated), (1, 400));
/// assert_eq!(counted.blocks_released, 0);
/// # drop(text);
/// ```
pub fn allocations<R>(body: impl FnOnce() -> R) -> Option<(R, Allocations)> {
    let probe = || drop(core::hint::black_box(Box::new(0_u8)));
    if counted(probe).1.blocks_allocated == 0 {
        return None;
    }
    Some(counted(body))
}

fn counted<R>(body: impl FnOnce() -> R) -> (R, Allocations) {
    let running = Running::begin();
    let before = flow();
    let answer = body();
    let of_body = flow().minus(before);
    drop(running);
    let counts = Allocations {
        blocks_allocated: of_body.blocks_allocated,
        bytes_allocated: of_body.bytes_allocated,
        blocks_released: of_body.blocks_released,
        bytes_released: of_body.bytes_released,
    };
    (answer, counts)
}

/// What the calling thread allocated and released so far; only differences mean something.
fn flow() -> Flow {
    let past = PAST_CACHES.try_with(Cell::get).unwrap_or(Flow::NONE);
    families::cells(CacheCell::flow).fold(past, Flow::plus)
}

/// A body that runs.
struct Running(());

impl Running {
    fn begin() -> Self {
        account_running(1);
        Self(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        account_running(-1);
    }
}

fn account_running(change: i32) {
    let _ = RUNNING.try_with(|it| it.set(it.get().saturating_add_signed(change)));
}

fn is_running() -> bool {
    RUNNING.try_with(Cell::get).unwrap_or(0) > 0
}

/// Counts a change past the caches.
pub(super) fn account(change: Flow) {
    if is_running() {
        let _ = PAST_CACHES.try_with(|it| it.set(it.get().plus(change)));
    }
}

/// Runs `work`, whose allocations are mm's own and not the body's.
pub(super) fn uncounted<R>(work: impl FnOnce() -> R) -> R {
    if !is_running() {
        return work();
    }
    let before = flow();
    let answer = work();
    let of_mm = flow().minus(before);
    let _ = PAST_CACHES.try_with(|it| it.set(it.get().minus(of_mm)));
    answer
}

/// Runs a slow path for `cell`, the calling thread's, and counts `change` if the cell's cache did not count it.
/// Returns the answer, and whether the padding belongs to the cache.
pub(super) fn account_slow<R>(
    cell: &CacheCell,
    change: Flow,
    work: impl FnOnce() -> Option<R>,
) -> Option<(R, bool)> {
    if !is_running() {
        return Some((work()?, true));
    }
    let blocks = |flow: Flow| (flow.blocks_allocated, flow.blocks_released);
    let before = blocks(cell.flow());
    let answer = work()?;
    let is_cached = blocks(cell.flow()) != before;
    if !is_cached {
        account(change);
    }
    Some((answer, is_cached))
}

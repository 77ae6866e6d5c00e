//! Threads that live for a while, and how they end.

use std::any::Any;
use std::cell::RefCell;
use std::panic;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

use fastrand::Rng;

use crate::difference::Difference;
use crate::hand::Hand;
use crate::shared::Shared;

/// Steps between two looks at the gate and at the mailbox.
const STRIDE: u64 = 256;

/// Blocks in one hand, at most.
const HAND: usize = 1_200;

/// One step in so many is a swap with a slot.
const SWAP: u8 = 8;

/// What a worker throws at its end, when all is well.
struct Planned;

thread_local! {
    /// Blocks that go with the thread's locals, some of them after mm's own local.
    static ESTATE: RefCell<Option<Hand>> = const { RefCell::new(None) };
}

/// Lets one worker live after the other, until the gate is open for good.
pub(crate) fn keep(shared: &Arc<Shared>, lane: usize) {
    let mut seeds = Rng::with_seed(shared.options.seed ^ (lane as u64 + 1) << 48);
    while !shared.gate.is_open_for_good() {
        let hand = Hand::new(Arc::clone(shared), lane, seeds.u64(..));
        // Not a scoped thread: those may end before their locals are gone.
        let worker = thread::spawn(|| live(hand));
        if let Err(payload) = worker.join()
            && !payload.is::<Planned>()
        {
            shared.note(unplanned(payload.as_ref()));
        }
        shared.lanes[lane].workers.fetch_add(1, Relaxed);
    }
}

/// One worker's life.
fn live(mut hand: Hand) {
    if hand.random.bool() {
        // Registered before anything of mm, so dropped after it.
        ESTATE.with(|_| ());
    }
    for _ in 0..strides_of_a_life(&mut hand.random, hand.shared.options.round) {
        if hand.shared.gate.is_open_for_good() {
            return;
        }
        work(&mut hand);
        rest(&hand);
    }
    end(hand);
}

/// Mostly short; one life in 32 sees several rounds.
fn strides_of_a_life(random: &mut Rng, round: u64) -> u64 {
    match random.u8(..32) {
        0 => 4 * round / STRIDE,
        1..20 => random.u64(1..8),
        _ => random.u64(1..64),
    }
}

/// Works for one stride.
fn work(hand: &mut Hand) {
    hand.receive(hand.lane);
    let room = hand.random.usize(1..HAND);
    for _ in 0..STRIDE {
        if hand.len() < room {
            hand.allocate();
        } else {
            hand.release_any();
        }
        if hand.random.u8(..SWAP) == 0 {
            hand.swap();
        }
    }
    if hand.random.bool() {
        let count = hand.random.usize(1..100);
        hand.send(count);
    }
}

/// Goes to the gate when it is time.
fn rest(hand: &Hand) {
    let left = &hand.lane().left;
    match left.load(Relaxed).checked_sub(STRIDE) {
        Some(less) => left.store(less, Relaxed),
        None => {
            left.store(hand.shared.options.round, Relaxed);
            hand.shared.gate.wait();
        }
    }
}

/// Ends, in one of the ways that threads end.
fn end(mut hand: Hand) {
    match hand.random.u8(..8) {
        0 => panic::resume_unwind(Box::new(Planned)),
        1 => {
            let units = hand.random.usize(1..200);
            hand.unwind_from_a_row(units, Box::new(Planned))
        }
        2 | 3 => ESTATE.set(Some(hand)),
        4 => drop(hand),
        _ => bequeath(hand),
    }
}

/// Leaves the blocks to other threads, as far as they take them.
fn bequeath(mut hand: Hand) {
    for _ in 0..hand.shared.options.threads {
        hand.send(300);
    }
    for _ in 0..hand.len() {
        hand.swap();
    }
}

/// What is left when a worker panics by itself.
fn unplanned(payload: &(dyn Any + Send)) -> Difference {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    Difference {
        family: "a worker".to_owned(),
        figure: "its end".to_owned(),
        expected: "as planned".to_owned(),
        found: format!("the panic {:?}", text.unwrap_or("without text")),
    }
}

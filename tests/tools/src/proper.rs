//! Correct uses of blocks, about which no tool may complain: through every entry point, often enough that
//! units come from and go to every place where mm keeps them.

use std::alloc::Layout;
use std::ptr::NonNull;
use std::thread;

use fastrand::Rng;
use mm::{MmBox, MmManaged, PageFamily};

#[derive(MmManaged)]
struct Name(String);

#[derive(Clone, Copy, MmManaged, bytemuck::Pod, bytemuck::Zeroable)]
#[mm(zeroable)]
#[repr(C)]
struct Emp {
    name: [u8; 32],
    emp_id: u32,
}

/// Units of a row, at most; more than fit a VM page.
const LONGEST: usize = 2_000;

pub(crate) fn all() {
    let workers = [1, 2].map(|seed| thread::spawn(move || work(Rng::with_seed(seed))));
    work(Rng::with_seed(3));
    workers
        .into_iter()
        .for_each(|worker| worker.join().expect("no worker panics"));
    by_address();
    locked();
    empty();
    mm::trim();
    mm::check().expect("what is kept is what is found");
}

fn work(mut random: Rng) {
    let mut rows: Vec<MmBox<[Emp]>> = Vec::new();
    let mut names = Vec::new();
    for round in 0..3_000 {
        let units = match random.u8(..) {
            0..8 => random.usize(..LONGEST),
            8..64 => random.usize(2..100),
            _ => 1,
        };
        let row = Emp::xcalloc(units);
        assert!(row.iter().all(|emp| emp.emp_id == 0 && emp.name == [0; 32]));
        rows.push(row);
        names.push(MmBox::new(Name(format!("number {round}"))));
        // Down to nothing now and then, so that whole caches and pages are given back.
        let most = if round % 1_000 < 700 { 400 } else { 3 };
        while rows.len() > most {
            let index = random.usize(..rows.len());
            let mut row = rows.swap_remove(index);
            bytemuck::cast_slice_mut::<Emp, u8>(&mut row).fill(0xA5);
            let name = names.swap_remove(index);
            assert!(name.0.starts_with("number "));
        }
    }
}

fn by_address() {
    let family = layout_of_12().expect("a new family");
    for units in [1, 1, 7, 100, 10_000] {
        let block = family.alloc(units).expect("memory");
        // SAFETY: the block is this long.
        unsafe { block.write_bytes(1, units * 12) };
        // SAFETY: live, and used by nobody else.
        unsafe { family.release(block) }.expect("live");
        // SAFETY: nothing is live there, which is what the call says.
        unsafe { family.release(block) }.expect_err("released before");
        let raw = MmBox::into_raw(Emp::xcalloc(units));
        let first = NonNull::new(raw.cast::<u8>()).expect("no block is at null");
        // SAFETY: it came out of `into_raw`.
        unsafe { mm::xfree_raw(first) }.expect("live");
    }
}

/// Locked memory the kernel does not take back, so mm has to clear it where that was asked for.
fn locked() {
    let row = Emp::xcalloc(LONGEST);
    // SAFETY: the block is mapped. Whether the user may lock memory is no matter here.
    unsafe { libc::mlock(row.as_ptr().cast(), size_of_val(&*row)) };
    drop(row);
    assert!(Emp::xcalloc(LONGEST).iter().all(|emp| emp.emp_id == 0));
}

fn layout_of_12() -> Result<&'static PageFamily, Box<dyn std::error::Error>> {
    let layout = Layout::from_size_align(12, 4)?;
    Ok(PageFamily::register("tools: twelve", layout)?)
}

fn empty() {
    #[derive(Clone, Copy, MmManaged, bytemuck::Zeroable)]
    #[mm(zeroable)]
    struct Token;

    assert!(Emp::xcalloc(0).is_empty());
    drop(MmBox::new(Token));
    assert_eq!(Token::xcalloc(9).len(), 9);
}

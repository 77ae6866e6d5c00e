//! The families, of different sizes and alignments, and a block of any of them.

use std::alloc::Layout;
use std::ptr::NonNull;

use bytemuck::{Pod, Zeroable};
use mm::{FreeError, MmBox, MmManaged, PageFamily, RegisterError};

macro_rules! kinds {
    (derived: $($type:ident)*; run_time: $($name:ident $layout:expr;)*) => {
        /// Which family.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Kind { $($type,)* $($name,)* }

        impl Kind {
            /// All families, each in the place of its number.
            pub(crate) const ALL: &[Self] = &[$(Self::$type,)* $(Self::$name,)*];
        }

        /// Finds the families of the types, and registers the others for a run of this number.
        pub(crate) fn families(run: usize) -> Result<Vec<&'static PageFamily>, RegisterError> {
            Ok(vec![
                $($type::page_family(),)*
                $(PageFamily::register(&format!("stress {run}: {}", stringify!($name)), $layout)?,)*
            ])
        }

        /// A live block of any family.
        pub(crate) enum AnyBlock {
            $($type(Owned<$type>),)*
            RunTime(RunTimeBlock),
        }

        impl AnyBlock {
            /// Allocates a block of `family`, which is the one of `kind`.
            pub(crate) fn make(
                kind: Kind,
                family: &'static PageFamily,
                units: usize,
                is_zeroed: bool,
            ) -> Self {
                match kind {
                    $(Kind::$type => Self::$type(Owned::make(units, is_zeroed)),)*
                    $(Kind::$name)|* => Self::RunTime(RunTimeBlock::make(family, units, is_zeroed)),
                }
            }

            /// Returns the bytes of all units.
            pub(crate) fn payload(&mut self) -> &mut [u8] {
                match self {
                    $(Self::$type(block) => block.payload(),)*
                    Self::RunTime(block) => block.payload(),
                }
            }

            /// Releases the block: as its owner, or with `by_address` through a bare pointer.
            pub(crate) fn release(self, by_address: bool) -> Result<(), FreeError> {
                match self {
                    $(Self::$type(block) => block.release(by_address),)*
                    Self::RunTime(block) => block.release(by_address),
                }
            }
        }
    };
}

kinds! {
    derived: Token Code Point Plain Node Line Record Sheet Frame;
    run_time:
        Words layout(40, 8);
        Tables layout(4 << 10, 4 << 10);
        // Larger than any unit that shares a VM page with others.
        Images layout(300_000, 16);
}

const fn layout(size: usize, align: usize) -> Layout {
    match Layout::from_size_align(size, align) {
        Ok(layout) => layout,
        Err(_) => panic!("the alignment is a power of two"),
    }
}

/// Has no size, and is counted all the same.
#[derive(Clone, Copy, MmManaged, Pod, Zeroable)]
#[mm(zeroable)]
#[repr(C)]
pub(crate) struct Token;

/// Smaller than a word, and not aligned.
#[derive(Clone, Copy, MmManaged, Pod, Zeroable)]
#[mm(zeroable)]
#[repr(C)]
pub(crate) struct Code([u8; 3]);

/// A size that every allocator has.
#[derive(Clone, Copy, MmManaged, Pod, Zeroable)]
#[mm(zeroable)]
#[repr(C)]
pub(crate) struct Point([u32; 4]);

/// A size that no other allocator has.
#[derive(Clone, Copy, MmManaged, Pod, Zeroable)]
#[mm(zeroable)]
#[repr(C)]
pub(crate) struct Plain([u32; 9]);

/// Aligned to words.
#[derive(Clone, Copy, MmManaged, Pod, Zeroable)]
#[mm(zeroable)]
#[repr(C)]
pub(crate) struct Node([u64; 6]);

/// Aligned to a line of the CPU's cache.
#[derive(Clone, Copy, MmManaged, Pod, Zeroable)]
#[mm(zeroable)]
#[repr(C, align(64))]
pub(crate) struct Line([u64; 8]);

/// Some to an OS page.
#[derive(Clone, Copy, MmManaged, Pod, Zeroable)]
#[mm(zeroable)]
#[repr(C)]
pub(crate) struct Record([u64; 65]);

/// A little longer than an OS page.
#[derive(Clone, Copy, MmManaged, Pod, Zeroable)]
#[mm(zeroable)]
#[repr(C)]
pub(crate) struct Sheet([[u64; 8]; 65]);

/// Needs VM pages that are larger than the others'.
#[derive(Clone, Copy, MmManaged, Pod, Zeroable)]
#[mm(zeroable)]
#[repr(C)]
pub(crate) struct Frame([[u64; 8]; 625]);

/// A block of a type's family.
pub(crate) enum Owned<T: MmManaged> {
    One(MmBox<T>),
    Row(MmBox<[T]>),
}

impl<T: MmManaged + Pod> Owned<T> {
    fn make(units: usize, is_zeroed: bool) -> Self {
        match units {
            _ if is_zeroed => Self::Row(T::xcalloc(units)),
            1 => Self::One(MmBox::new(T::zeroed())),
            _ => Self::Row(MmBox::from_fn(units, |_| T::zeroed())),
        }
    }

    fn payload(&mut self) -> &mut [u8] {
        match self {
            Self::One(block) => bytemuck::bytes_of_mut(&mut **block),
            Self::Row(block) => bytemuck::cast_slice_mut(block),
        }
    }

    fn release(self, by_address: bool) -> Result<(), FreeError> {
        // Units without size have no address of their own.
        if !by_address || size_of::<T>() == 0 {
            return Ok(());
        }
        let first = match self {
            Self::One(block) => MmBox::into_raw(block).cast(),
            Self::Row(block) => MmBox::into_raw(block).cast(),
        };
        let first = NonNull::new(first).expect("no block is at null");
        // SAFETY: the pointer came out of `into_raw`, and no thread uses it.
        unsafe { mm::xfree_raw(first) }
    }
}

/// A block of a family that was registered while the program runs.
///
/// # Invariants
///
/// 1. `first` is where a live block of `family` starts, of `units` units, whose bytes were written.
/// 2. Only this owns the block.
pub(crate) struct RunTimeBlock {
    first: NonNull<u8>,
    units: usize,
    family: &'static PageFamily,
}

// SAFETY: by 2 no other owner has the block, and its family takes it back on any thread.
unsafe impl Send for RunTimeBlock {}

impl RunTimeBlock {
    fn make(family: &'static PageFamily, units: usize, is_zeroed: bool) -> Self {
        let alloc = if is_zeroed {
            PageFamily::alloc_zeroed
        } else {
            PageFamily::alloc
        };
        let first = alloc(family, units).expect("memory");
        if !is_zeroed {
            // SAFETY: the block is new and has this many bytes.
            unsafe { first.write_bytes(0, units * family.layout().size()) };
        }
        Self {
            first,
            units,
            family,
        }
    }

    fn payload(&mut self) -> &mut [u8] {
        let bytes = self.units * self.family.layout().size();
        let mut payload = NonNull::slice_from_raw_parts(self.first, bytes);
        // SAFETY: by 1 the bytes are there and were written; by 2 they are ours.
        unsafe { payload.as_mut() }
    }

    fn release(self, by_address: bool) -> Result<(), FreeError> {
        if by_address {
            // SAFETY: by 1 a live block, by 2 no code uses it any more.
            return unsafe { mm::xfree_raw(self.first) };
        }
        // SAFETY: as above.
        unsafe { self.family.release(self.first) }
    }
}

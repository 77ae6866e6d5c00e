//! The page families under test, and the ways to allocate from them.

use std::alloc::Layout;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use bytemuck::Pod;
use mm::{AllocError, MmBox, MmManaged, PageFamily, RegisterError};

use crate::action::{LayoutPick, RowHow, SingleHow};
use crate::owner::{Owner, RawBlock, is_filled};

/// A family, with or without a type.
pub trait Family: Send + Sync {
    fn page_family(&'static self) -> &'static PageFamily;

    /// Allocates one unit, filled with `fill`.
    fn single(&'static self, how: SingleHow, fill: u8) -> Result<Box<dyn Owner>, AllocError>;

    /// Allocates a row in the way `how`, and fills it with `fill`.
    fn row(
        &'static self,
        how: RowHow,
        units: usize,
        fill: u8,
    ) -> Result<Box<dyn Owner>, AllocError>;
}

/// A unit of `N` bytes.
#[derive(Clone, Copy, MmManaged, Pod)]
#[mm(instances(Bytes<0>, Bytes<1>, Bytes<255>, Bytes<204_800>, Bytes<307_200>))]
#[repr(transparent)]
struct Bytes<const N: usize>([u8; N]);

#[derive(Clone, Copy, MmManaged, Pod)]
#[repr(C)]
struct Words([u32; 9]);

#[derive(Clone, Copy, MmManaged, Pod)]
#[repr(C, align(16))]
struct Vector([u8; 16]);

#[derive(Clone, Copy, MmManaged, Pod)]
#[repr(C, align(4096))]
struct OsPage([u8; 4096]);

/// The families of types. Each input adds a run-time family.
pub const TYPED: [&dyn Family; 8] = [
    &Typed::<Words>(PhantomData),
    &Typed::<Vector>(PhantomData),
    &Typed::<Bytes<1>>(PhantomData),
    &Typed::<Bytes<255>>(PhantomData),
    &Typed::<OsPage>(PhantomData),
    &Typed::<Bytes<204_800>>(PhantomData),
    &Typed::<Bytes<307_200>>(PhantomData),
    &Typed::<Bytes<0>>(PhantomData),
];

struct Typed<T>(PhantomData<fn() -> T>);

impl<T: MmManaged + Pod + Send> Family for Typed<T> {
    fn page_family(&'static self) -> &'static PageFamily {
        T::page_family()
    }

    fn single(&'static self, how: SingleHow, fill: u8) -> Result<Box<dyn Owner>, AllocError> {
        Ok(match how {
            // A value without a size cannot be found by its address, so it needs an owner.
            SingleHow::Raw if size_of::<T>() == 0 => Box::new(from_raw::<T>(fill)?),
            SingleHow::New => Box::new(MmBox::new(filled::<T>(fill))),
            SingleHow::TryNew => Box::new(MmBox::try_new(filled::<T>(fill))?),
            SingleHow::FromRaw => Box::new(from_raw::<T>(fill)?),
            SingleHow::Raw => Box::new(raw(T::page_family(), 1, fill)?),
        })
    }

    fn row(
        &'static self,
        how: RowHow,
        units: usize,
        fill: u8,
    ) -> Result<Box<dyn Owner>, AllocError> {
        let make = |_| filled::<T>(fill);
        Ok(match how {
            RowHow::Raw | RowHow::RawZeroed if size_of::<T>() == 0 => Box::new(T::xcalloc(units)),
            RowHow::Xcalloc => zeroed(Box::new(T::xcalloc(units)), fill),
            RowHow::TryXcalloc => zeroed(Box::new(T::try_xcalloc(units)?), fill),
            RowHow::FromFn => Box::new(MmBox::from_fn(units, make)),
            RowHow::TryFromFn => Box::new(MmBox::try_from_fn(units, make)?),
            RowHow::Raw => Box::new(raw(T::page_family(), units, fill)?),
            RowHow::RawZeroed => raw_zeroed(T::page_family(), units, fill)?,
        })
    }
}

impl Family for PageFamily {
    fn page_family(&'static self) -> &'static PageFamily {
        self
    }

    fn single(&'static self, _: SingleHow, fill: u8) -> Result<Box<dyn Owner>, AllocError> {
        Ok(Box::new(raw(self, 1, fill)?))
    }

    fn row(
        &'static self,
        how: RowHow,
        units: usize,
        fill: u8,
    ) -> Result<Box<dyn Owner>, AllocError> {
        match how {
            RowHow::Xcalloc | RowHow::TryXcalloc | RowHow::RawZeroed => {
                raw_zeroed(self, units, fill)
            }
            RowHow::FromFn | RowHow::TryFromFn | RowHow::Raw => {
                Ok(Box::new(raw(self, units, fill)?))
            }
        }
    }
}

/// Finds the run-time family of a layout, or registers it.
pub fn run_time(pick: LayoutPick) -> &'static PageFamily {
    let layout = layout(pick);
    let name = format!("run-time {} {}", layout.size(), layout.align());
    match PageFamily::register(&name, layout) {
        Ok(family) => assert_eq!(family.name(), name),
        Err(RegisterError::DuplicateName { family, .. }) => assert_eq!(family, name),
        Err(error) => panic!("{error}"),
    }
    let mut named = mm::families().filter(|family| family.name() == name);
    let family = named.next().expect("registered families are listed");
    assert_eq!(family.layout(), layout.pad_to_align());
    assert!(named.next().is_none(), "a name is registered once");
    family
}

/// Returns a layout near a limit of mm: of bit maps, of slack, of VM pages, of large blocks.
fn layout(pick: LayoutPick) -> Layout {
    const SIZES: [usize; 16] = [
        2, 3, 8, 24, 33, 100, 1_000, 1_025, 2_048, 8_191, 65_535, 65_536, 100_000, 262_144,
        262_145, 1_048_576,
    ];
    const ALIGNS: [usize; 6] = [1, 8, 64, 4_096, 65_536, 262_144];
    let size = SIZES[usize::from(pick.size) % SIZES.len()];
    let align = ALIGNS[usize::from(pick.align) % ALIGNS.len()];
    Layout::from_size_align(size, align).expect("small")
}

fn filled<T: Pod>(fill: u8) -> T {
    let mut value = T::zeroed();
    bytemuck::bytes_of_mut(&mut value).fill(fill);
    value
}

fn from_raw<T: MmManaged + Pod>(fill: u8) -> Result<MmBox<T>, AllocError> {
    let unit: *mut T = T::page_family().alloc(1)?.cast().as_ptr();
    // SAFETY: `alloc` of the type's family gave the unit, and no other code has it.
    unsafe { ptr::write(unit, filled(fill)) };
    // SAFETY: the unit is a live block of the type's family, has a value, and no other code has it.
    Ok(unsafe { MmBox::from_raw(unit) })
}

fn raw(family: &'static PageFamily, units: usize, fill: u8) -> Result<RawBlock, AllocError> {
    let start = family.alloc(units)?;
    // SAFETY: `alloc` gave the block of `units` units, and no other code has it.
    unsafe { start.write_bytes(fill, units * family.layout().size()) };
    Ok(own(family, start, units))
}

fn raw_zeroed(
    family: &'static PageFamily,
    units: usize,
    fill: u8,
) -> Result<Box<dyn Owner>, AllocError> {
    let start = family.alloc_zeroed(units)?;
    Ok(zeroed(Box::new(own(family, start, units)), fill))
}

fn own(family: &'static PageFamily, start: NonNull<u8>, units: usize) -> RawBlock {
    // SAFETY: the callers pass a block that this family just gave them, filled or zeroed. No other code has
    // it.
    unsafe { RawBlock::own(family, start, units) }
}

/// Requires that a new block is zero, and fills it.
fn zeroed(mut owner: Box<dyn Owner>, fill: u8) -> Box<dyn Owner> {
    assert!(is_filled(owner.bytes(), 0), "a zeroed block is zero");
    owner.bytes().fill(fill);
    owner
}

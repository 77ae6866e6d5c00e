//! Sets of families.

use core::ffi::CStr;
use core::ptr;

use super::family::{Family, Names, layout_of};
use crate::error::RegisterError;
use crate::family::by_name::ByName;
use crate::heap::{Heap, Link, RECORDS};
use crate::os::Refused;
use crate::registry::REGISTERING;
use crate::snapshot::Location;
use crate::startup;

/// The one family of an instance that is not registered, and the name that reports know it by.
const BUFFERS: &CStr = c"Misc";

/// Bytes of one unit of it, and its alignment.
const BUFFER_UNIT: usize = 16;

/// A set of families whose names are its own; its families stay for ever.
#[derive(Debug)]
pub struct mm_instance_ {
    /// From 0, which is the global one.
    number: usize,
    by_name: ByName<Family>,
    first: Link<Family>,
    last: Link<Family>,
    buffers: Link<Family>,
}

/// The instance of those that name none.
static GLOBAL: mm_instance_ = mm_instance_::new(0);

impl mm_instance_ {
    const fn new(number: usize) -> Self {
        Self {
            number,
            by_name: ByName::new(),
            first: Link::none(),
            last: Link::none(),
            buffers: Link::none(),
        }
    }

    /// The global instance.
    #[inline]
    pub(in crate::capi) fn global() -> &'static Self {
        &GLOBAL
    }

    /// Makes an instance without families.
    pub(in crate::capi) fn make() -> Result<&'static Self, Refused> {
        startup::begin();
        let mut count = REGISTERING.lock();
        let new = RECORDS.place(Self::new(*count))?;
        *count += 1;
        Ok(new)
    }

    /// The instance that a program names by `instance`; null is the global one.
    ///
    /// # Safety
    ///
    /// 1. `instance` is null, or `mm_init_new_instance` returned it.
    #[inline]
    pub(in crate::capi) unsafe fn named(instance: *const Self) -> &'static Self {
        // SAFETY: by requirement 1 `instance` is null, or was made from a `&'static` by
        // `mm_init_new_instance`.
        unsafe { instance.as_ref() }.unwrap_or(&GLOBAL)
    }

    /// The family of exactly this name.
    pub(in crate::capi) fn find(&self, name: &CStr) -> Option<&'static Family> {
        self.by_name.find(name.to_bytes())
    }

    /// Registers a family of structs of `size` bytes.
    pub(in crate::capi) fn register(
        &'static self,
        name: &CStr,
        size: usize,
        location: Location,
    ) -> Result<(), RegisterError> {
        let layout = layout_of(size)?;
        let names = Names::of_struct(name, self);
        // Before the lock, as in the registry.
        startup::begin();
        let _registering = REGISTERING.lock();
        if let Some(known) = self.find(name) {
            let family = known.heap.name();
            return Err(RegisterError::DuplicateName { family });
        }
        let new = Family::make(&names, layout, location, self);
        let new = new.map_err(|Refused| RegisterError::OutOfMemory)?;
        new.heap.list();
        self.by_name.add(new);
        match self.last.get() {
            Some(last) => last.next.set(Some(new)),
            None => self.first.set(Some(new)),
        }
        self.last.set(Some(new));
        Ok(())
    }

    /// The families that were registered, in that order.
    pub(in crate::capi) fn families(&self) -> impl Iterator<Item = &'static Family> {
        core::iter::successors(self.first.get(), |family| family.next.get())
    }

    /// Whether a heap is of one of the families, buffers included.
    pub(in crate::capi) fn has(&self, heap: &'static Heap) -> bool {
        let mut all = self.families().chain(self.buffers());
        all.any(|family| ptr::eq(&raw const family.heap.heap, heap))
    }

    /// The family of plain bytes, if a buffer was ever asked for.
    pub(in crate::capi) fn buffers(&self) -> Option<&'static Family> {
        self.buffers.get()
    }

    /// The same, made now if need be.
    pub(in crate::capi) fn make_buffers(&'static self) -> Result<&'static Family, RegisterError> {
        if let Some(buffers) = self.buffers() {
            return Ok(buffers);
        }
        let layout = layout_of(BUFFER_UNIT)?;
        let names = Names::of_buffers(BUFFERS, self);
        startup::begin();
        let _registering = REGISTERING.lock();
        if let Some(buffers) = self.buffers() {
            return Ok(buffers);
        }
        let location = Location::new(file!(), line!(), column!(), "");
        let new = Family::make(&names, layout, location, self);
        let new = new.map_err(|Refused| RegisterError::OutOfMemory)?;
        new.heap.list();
        self.buffers.set(Some(new));
        Ok(new)
    }

    /// The units that a buffer of `bytes` bytes takes.
    pub(in crate::capi) fn buffer_units(bytes: usize) -> usize {
        bytes.div_ceil(BUFFER_UNIT)
    }

    /// What tells a family of this instance apart from all others.
    pub(in crate::capi) fn path_of(&self, name: &str) -> String {
        format!("instance {}: {name}", self.number)
    }

    /// The family's name in reports.
    pub(in crate::capi) fn buffers_name() -> &'static CStr {
        BUFFERS
    }
}

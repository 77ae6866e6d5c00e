//! Instances: sets of families.

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

/// Name in reports of the family of buffers, which programs do not register.
const BUFFERS: &CStr = c"Misc";

/// Size and alignment of a unit of buffers, in bytes.
const BUFFER_UNIT: usize = 16;

/// An instance: a set of families with names of its own. It and its families stay until the process
/// ends.
#[derive(Debug)]
pub struct mm_instance_ {
    /// 0 for the global instance, then counted up.
    number: usize,
    by_name: ByName<Family>,
    first: Link<Family>,
    last: Link<Family>,
    buffers: Link<Family>,
}

/// The instance of calls that name none.
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

    /// Returns the global instance.
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

    /// Returns the instance that a program passed; null means the global one.
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

    /// Returns the family with exactly this name.
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
        // Start-up must run without a lock of mm.
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

    /// Returns the registered families, oldest first.
    pub(in crate::capi) fn families(&self) -> impl Iterator<Item = &'static Family> {
        core::iter::successors(self.first.get(), |family| family.next.get())
    }

    /// Returns whether a heap belongs to a family of this instance, buffers included.
    pub(in crate::capi) fn has(&self, heap: &'static Heap) -> bool {
        let mut all = self.families().chain(self.buffers());
        all.any(|family| ptr::eq(&raw const family.heap.heap, heap))
    }

    /// Returns the family of buffers, or `None` before the first buffer.
    pub(in crate::capi) fn buffers(&self) -> Option<&'static Family> {
        self.buffers.get()
    }

    /// Returns the family of buffers, and makes it for the first buffer.
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

    /// Returns the number of units in a buffer of `bytes` bytes.
    pub(in crate::capi) fn buffer_units(bytes: usize) -> usize {
        bytes.div_ceil(BUFFER_UNIT)
    }

    /// Returns the path of a family in this instance.
    pub(in crate::capi) fn path_of(&self, name: &str) -> String {
        format!("instance {}: {name}", self.number)
    }

    /// Returns the name of the family of buffers in reports.
    pub(in crate::capi) fn buffers_name() -> &'static CStr {
        BUFFERS
    }
}

//! Releases that must be refused, and their errors.

use std::ptr::NonNull;

use mm::{FreeError, PageFamily};

/// An address where no live block starts, or one of another family than the argument.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// Outside of all families' pages.
    Foreign,
    /// Inside a live block of this family.
    Inside(&'static PageFamily),
    /// In this family's pages, where a block started earlier.
    Old(&'static PageFamily),
    /// The start of a block of this family that was just released.
    JustReleased(&'static PageFamily),
    /// Anywhere.
    Unknown,
}

impl Place {
    fn family(self) -> Option<&'static PageFamily> {
        match self {
            Self::Foreign | Self::Unknown => None,
            Self::Inside(family) | Self::Old(family) | Self::JustReleased(family) => Some(family),
        }
    }
}

/// Tries to release `address`, and requires the right error. The caller knows that no live block of the
/// family `asked` starts there.
pub fn release(address: usize, asked: Option<&'static PageFamily>, place: Place) {
    let Some(block) = NonNull::new(std::ptr::without_provenance_mut(address)) else {
        return;
    };
    let answer = match asked {
        // SAFETY: no live block of this family starts there, so the call releases nothing.
        Some(family) => unsafe { family.release(block) },
        // SAFETY: no live block starts there, so the call releases nothing.
        None => unsafe { mm::xfree_raw(block) },
    };
    let error = answer.expect_err("nothing there can be released");
    let wrong = asked.filter(|asked| {
        let family = place.family();
        family.is_some_and(|family| !std::ptr::eq(*asked, family))
    });
    match wrong {
        Some(asked) => require_wrong_family(&error, address, asked, place),
        None => require(&error, address, place),
    }
}

fn require_wrong_family(error: &FreeError, at: usize, told: &'static PageFamily, place: Place) {
    let owner = place.family().map(PageFamily::name);
    assert!(
        matches!(error, FreeError::WrongFamily { asked, family, address, .. }
            if *asked == told.name() && Some(*family) == owner && *address == at),
        "{error:?} for {at:#x}, {place:?}"
    );
}

fn require(error: &FreeError, at: usize, place: Place) {
    let is_right = match (place, error) {
        (Place::Unknown, _) => true,
        (Place::Foreign, FreeError::Foreign { address, .. }) => *address == at,
        // A cached row may cover the place of an old block.
        (
            Place::Inside(owner) | Place::Old(owner),
            FreeError::Interior {
                family, address, ..
            },
        )
        | (
            Place::Old(owner) | Place::JustReleased(owner),
            FreeError::NotLive {
                family, address, ..
            },
        ) => *address == at && *family == owner.name(),
        _ => false,
    };
    assert!(is_right, "{error:?} for {at:#x}, {place:?}");
}

//! Releases that must be refused, and what the answer must be.

use std::ptr::NonNull;

use mm::{FreeError, PageFamily};

/// What is known of an address at which no live block starts, or one of another family than asked.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// In no family's pages.
    Foreign,
    /// Inside this family's live block.
    Inside(&'static PageFamily),
    /// In this family's pages, where a block started once.
    Old(&'static PageFamily),
    /// Where a block of this family was released just now.
    JustReleased(&'static PageFamily),
    /// Wherever it is.
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

/// Tries to release `address`, which the caller knows not to be the start of a live block of the
/// family asked, and requires the right answer.
pub fn release(address: usize, asked: Option<&'static PageFamily>, place: Place) {
    let Some(block) = NonNull::new(std::ptr::without_provenance_mut(address)) else {
        return;
    };
    let answer = match asked {
        // SAFETY: no live block of this family starts there, which is what the call answers.
        Some(family) => unsafe { family.release(block) },
        // SAFETY: no live block starts there, which is what the call answers.
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
        // A cached row may lie over an old block by now.
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

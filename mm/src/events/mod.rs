//! What happened, for the feature `tracing`; without it the functions do nothing.
//!
//! Subscribers are code of others: `user_code` says how they are called. What they are raised for was
//! done and said before.

use crate::error::AllocError;
use crate::family::PageFamily;
use crate::growth::Growth;
use crate::profile::Profile;
#[cfg(feature = "tracing")]
use crate::shown::Shown;

/// Says that the watcher named a family, which is the event's message.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables))]
pub(crate) fn growth(growth: &Growth) {
    #[cfg(feature = "tracing")]
    raise(|| {
        tracing::event!(
            target: "mm",
            tracing::Level::WARN,
            family = &*Shown(growth.name).into_text(),
            units_per_second = growth.units_per_second,
            live_units = growth.live_units,
            "{growth}"
        );
    });
}

/// Says that a family or its group was refused more than its limit.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables))]
pub(crate) fn refused(family: &'static PageFamily, refused: &AllocError) {
    #[cfg(feature = "tracing")]
    raise(|| {
        tracing::event!(
            target: "mm",
            tracing::Level::WARN,
            family = &*Shown(family.label()).into_text(),
            "{refused}"
        );
    });
}

/// Says that a family crossed its soft limit.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables))]
pub(crate) fn crossed(family: &'static PageFamily) {
    #[cfg(feature = "tracing")]
    raise(|| {
        tracing::event!(
            target: "mm",
            tracing::Level::WARN,
            family = &*Shown(family.label()).into_text(),
            live_units = family.live_units(),
            "page family `{}` crossed its soft limit",
            Shown(family.label())
        );
    });
}

/// Says what is live at the end of the program, or of a test.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables))]
pub(crate) fn leaks(leaks: &Profile) {
    #[cfg(feature = "tracing")]
    raise(|| {
        tracing::event!(
            target: "mm",
            tracing::Level::ERROR,
            families = leaks.families.len(),
            "{leaks}"
        );
    });
}

/// Raises an event, unless the thread is in code that mm notified. A subscriber that panics has heard
/// of it.
#[cfg(feature = "tracing")]
fn raise(event: impl FnOnce()) {
    drop(crate::user_code::notify(event));
}

#[cfg(all(test, feature = "tracing"))]
mod tests;

//! What happened, for the feature `tracing`; without it the functions do nothing.
//!
//! Subscribers are code of others: `user_code` says how they are called. What they are raised for was
//! done and said before.

use core::fmt::Display;

use crate::error::AllocError;
use crate::family::PageFamily;
#[cfg(feature = "tracing")]
use crate::shown::Shown;

/// Says that the watcher named a family; `message` says how it grows.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables))]
pub(crate) fn growth(name: &str, units_per_second: f64, live_units: u64, message: &dyn Display) {
    #[cfg(feature = "tracing")]
    raise(|| {
        tracing::event!(
            target: "mm",
            tracing::Level::WARN,
            family = &*Shown(name).into_text(),
            units_per_second,
            live_units,
            "{message}"
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

/// Says that something of so many families is live at the end of the program, or of a test; `message`
/// says what.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables))]
pub(crate) fn leaks(families: usize, message: &dyn Display) {
    #[cfg(feature = "tracing")]
    raise(|| {
        tracing::event!(
            target: "mm",
            tracing::Level::ERROR,
            families,
            "{message}"
        );
    });
}

/// Raises an event, unless the thread is in code that mm notified. A subscriber that panics has heard
/// of it.
#[cfg(feature = "tracing")]
fn raise(event: impl FnOnce()) {
    drop(crate::user_code::notify(event));
}

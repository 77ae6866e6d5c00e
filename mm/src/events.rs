//! Events for the feature `tracing`; without it the functions do nothing.
//!
//! Subscribers are user code: `user_code` defines how mm calls them. An event is raised after the
//! change it reports is made and mm has written its own lines.

use core::fmt::Display;

use crate::error::AllocError;
use crate::family::PageFamily;
#[cfg(feature = "tracing")]
use crate::shown::Shown;

/// Raises the event that the watcher named a family; `message` describes the growth.
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

/// Raises the event that the watcher named a call site; `message` describes the growth.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables))]
pub(crate) fn site_growth(site: &str, bytes_per_second: f64, message: &dyn Display) {
    #[cfg(feature = "tracing")]
    raise(|| {
        tracing::event!(
            target: "mm",
            tracing::Level::WARN,
            site = &*Shown(site).into_text(),
            bytes_per_second,
            "{message}"
        );
    });
}

/// Raises the event that a limit of a family or its group refused an allocation.
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

/// Raises the event that a family crossed its soft limit.
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

/// Raises the event that families have live blocks at the end of the program, or of a test; `message`
/// lists them.
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

/// Raises an event, unless the thread runs user code that mm called. A panic of a subscriber is caught.
#[cfg(feature = "tracing")]
fn raise(event: impl FnOnce()) {
    drop(crate::user_code::notify(event));
}

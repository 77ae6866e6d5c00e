//! What happened, for the feature `tracing`; without it the functions do nothing.

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
    tracing::event!(
        target: "mm",
        tracing::Level::WARN,
        family = &*Shown(growth.name).into_text(),
        units_per_second = growth.units_per_second,
        live_units = growth.live_units,
        "{growth}"
    );
}

/// Says that a family or its group was refused more than its limit.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables))]
pub(crate) fn refused(family: &'static PageFamily, refused: &AllocError) {
    #[cfg(feature = "tracing")]
    tracing::event!(target: "mm", tracing::Level::WARN, family = &*Shown(family.label()).into_text(), "{refused}");
}

/// Says that a family crossed its soft limit.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables))]
pub(crate) fn crossed(family: &'static PageFamily) {
    #[cfg(feature = "tracing")]
    tracing::event!(
        target: "mm",
        tracing::Level::WARN,
        family = &*Shown(family.label()).into_text(),
        live_units = family.live_units(),
        "page family `{}` crossed its soft limit",
        Shown(family.label())
    );
}

/// Says what is live at the end of the program, or of a test.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables))]
pub(crate) fn leaks(leaks: &Profile) {
    #[cfg(feature = "tracing")]
    tracing::event!(
        target: "mm",
        tracing::Level::ERROR,
        families = leaks.families.len(),
        "{leaks}"
    );
}

#[cfg(all(test, feature = "tracing"))]
mod tests {
    use core::fmt::Debug;
    use std::sync::{Arc, Mutex};

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Level, Metadata, Subscriber};

    use super::{PageFamily, Profile};
    use crate::growth::samples::session;
    use crate::limit::Limit;

    /// Keeps each event's fields, as text.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<String>>>);

    impl Subscriber for Kept {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.target() == "mm" && *metadata.level() <= Level::WARN
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            event.record(&mut self.clone());
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    impl Visit for Kept {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            let text = format!("{field}={value:?}");
            self.0.lock().expect("no panic").push(text);
        }
    }

    #[test]
    fn tells_the_subscriber() {
        let kept = Kept::default();
        tracing::subscriber::set_global_default(kept.clone()).expect("the only one");
        let growth = session(Vec::new());
        super::growth(&growth);
        let said = || std::mem::take(&mut *kept.0.lock().expect("no panic"));
        let expected = [
            format!("message={growth}"),
            "family=\"Session\"".to_owned(),
            "units_per_second=1.004".to_owned(),
            "live_units=1204".to_owned(),
        ];
        assert_eq!(said(), expected);

        let layout = core::alloc::Layout::new::<u64>();
        let family = PageFamily::register("events:limited", layout).expect("a new name");
        family.set_limit(Limit::units(1));
        family.set_soft_limit(Limit::units(0), |_| ());
        let one = family.alloc(1).expect("allowed");
        let crossed = "message=page family `events:limited` crossed its soft limit";
        assert_eq!(
            said(),
            [crossed, "family=\"events:limited\"", "live_units=1"]
        );
        let refused = family.alloc(1).expect_err("above the limit");
        let message = format!("message={refused}");
        assert_eq!(said(), [&message, "family=\"events:limited\""]);

        super::leaks(&Profile::default());
        let expected = ["message=0 page families hold 0 blocks, 0 B", "families=0"];
        assert_eq!(said(), expected);
        // SAFETY: the block is live and used by nobody else.
        unsafe { family.release(one) }.expect("it is live");
    }
}

//! What happened, for the feature `tracing`; without it the functions do nothing.

use crate::growth::Growth;

/// Says that the watcher named a family, which is the event's message.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables))]
pub(crate) fn growth(growth: &Growth) {
    #[cfg(feature = "tracing")]
    tracing::event!(
        target: "mm",
        tracing::Level::WARN,
        family = growth.name,
        units_per_second = growth.units_per_second,
        live_units = growth.live_units,
        "{growth}"
    );
}

#[cfg(all(test, feature = "tracing"))]
mod tests {
    use core::fmt::Debug;
    use std::sync::{Arc, Mutex};

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Level, Metadata, Subscriber};

    use crate::growth::samples::session;

    /// Keeps each event's fields, as text.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<String>>>);

    impl Subscriber for Kept {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.target() == "mm" && *metadata.level() == Level::WARN
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
        let expected = [
            format!("message={growth}"),
            "family=\"Session\"".to_owned(),
            "units_per_second=1.004".to_owned(),
            "live_units=1204".to_owned(),
        ];
        assert_eq!(*kept.0.lock().expect("no panic"), expected);
    }
}

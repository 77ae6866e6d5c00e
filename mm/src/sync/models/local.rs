//! Thread-local values of the threads of a model.

use super::execution::{local_at, take_locals};

/// Works like `std::thread::LocalKey`. Outside of a model each thread is treated as ended.
#[derive(Debug)]
pub(crate) struct LocalKey<T: 'static> {
    init: fn() -> T,
}

/// The error that the thread has ended.
#[derive(Debug)]
pub(crate) struct Ended;

impl<T: 'static> LocalKey<T> {
    pub(crate) const fn new(init: fn() -> T) -> Self {
        Self { init }
    }

    pub(crate) fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Result<R, Ended> {
        let address = core::ptr::from_ref(self).addr();
        let local = local_at(address, self.init).ok_or(Ended)?;
        Ok(f(local.downcast_ref().expect("the key's type")))
    }
}

/// Runs the destructors of the calling thread's values.
pub(crate) fn end_thread() {
    // The destructors may take steps of the model.
    drop(take_locals());
}

macro_rules! local {
    ($(#[$attribute:meta])* $visible:vis static $name:ident: $type:ty = const $init:block;) => {
        $(#[$attribute])*
        $visible static $name: $crate::sync::models::LocalKey<$type> =
            $crate::sync::models::LocalKey::new(|| $init);
    };
}
pub(crate) use local as thread_local;

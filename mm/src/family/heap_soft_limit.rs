//! The soft limit of the whole heap: the closure that is called when the families hold more.

use core::sync::atomic::AtomicPtr;
use core::sync::atomic::Ordering::Relaxed;

use crate::heap::{Link, heap_limit};

/// A closure, which gets the bytes that all families hold.
type Call = Box<dyn Fn(u64) + Send + Sync>;

/// The closure of a soft limit. It is never dropped, since another thread may be running it at any time.
pub(crate) struct HeapSoftLimit {
    call: Call,
    /// The one before it: a leak checker follows the links and finds them all.
    #[expect(dead_code, reason = "for leak checkers")]
    older: AtomicPtr<HeapSoftLimit>,
}

static CURRENT: Link<HeapSoftLimit> = Link::none();

/// The newest soft limit, also once it is removed.
static NEWEST: AtomicPtr<HeapSoftLimit> = AtomicPtr::new(core::ptr::null_mut());

impl HeapSoftLimit {
    /// Sets the soft limit, or removes it.
    pub(crate) fn set(limit: Option<(u64, Call)>) {
        // Without a limit first, so that no crossing of it is reported to the other closure.
        heap_limit::set_soft_limit(heap_limit::NONE);
        let Some((bytes, call)) = limit else {
            return CURRENT.set(None);
        };
        let older = AtomicPtr::new(NEWEST.load(Relaxed));
        let new: &'static Self = Box::leak(Box::new(Self { call, older }));
        NEWEST.store(core::ptr::from_ref(new).cast_mut(), Relaxed);
        CURRENT.set(Some(new));
        heap_limit::set_soft_limit(bytes);
    }

    /// The soft limit, if there is one.
    pub(crate) fn current() -> Option<&'static Self> {
        CURRENT.get()
    }

    pub(crate) fn notify(&self) {
        (self.call)(heap_limit::held());
    }
}

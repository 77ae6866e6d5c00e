//! Types with a family of their own: a thousand, or ten thousand with the feature `ten-thousand-types`.
//!
//! Macros write the types: `n0::n3::n1::n4::Value` is number 314. The compiler needs ten seconds
//! for a thousand and three minutes for ten thousand, most of it for the code of each family.

use std::ptr::NonNull;

use mm::MmBox;

use crate::contract::{Families, Value};

/// Calls `$then` with the digits of each number, as four nested lists.
macro_rules! with_numbers {
    ($then:ident $($before:tt)*) => {
        with_thousands! {
            $then ($($before)*)
            ([n0 n1 n2 n3 n4 n5 n6 n7 n8 n9]
            ([n0 n1 n2 n3 n4 n5 n6 n7 n8 n9]
            ([n0 n1 n2 n3 n4 n5 n6 n7 n8 n9] ())))
        }
    };
}

#[cfg(not(feature = "ten-thousand-types"))]
macro_rules! with_thousands {
    ($then:ident ($($before:tt)*) $rest:tt) => { $then! { $($before)* ([n0] $rest) } };
}

#[cfg(feature = "ten-thousand-types")]
macro_rules! with_thousands {
    ($then:ident ($($before:tt)*) $rest:tt) => {
        $then! { $($before)* ([n0 n1 n2 n3 n4 n5 n6 n7 n8 n9] $rest) }
    };
}

/// Writes a module for each digit, nested for each further digit, with a type in the innermost module.
macro_rules! types {
    (()) => {
        #[derive(mm::MmManaged)]
        #[expect(dead_code, reason = "no workload reads it")]
        pub(in crate::rivals::mm::families) struct Value([u32; 9]);

        impl crate::contract::Value for Value {
            #[inline]
            fn of(number: u32) -> Self {
                Self([number; 9])
            }
        }
    };
    (([$($digit:ident)*] $rest:tt)) => {
        $(pub(in crate::rivals::mm::families) mod $digit { types!($rest); })*
    };
}

/// Writes the functions that replace a value of each type, as nested arrays by digit.
macro_rules! table {
    (($($path:tt)*) ()) => { exchange::<$($path)*::Value> as Exchange };
    ($path:tt ([$($digit:ident)*] $rest:tt)) => { [$(table_below!($path $digit $rest)),*] };
}

/// Writes the part of the table below a digit.
macro_rules! table_below {
    (($($path:tt)*) $digit:ident $rest:tt) => { table!(($($path)*::$digit) $rest) };
}

mod types {
    with_numbers!(types);
}

const THOUSANDS: &[[[[Exchange; 10]; 10]; 10]] = &with_numbers!(table(types));

/// Makes a new value of one type if there is a number for it, and releases an old one if there is.
///
/// # Safety
///
/// The old value must come from the same function, and must not be used again.
type Exchange = unsafe fn(Option<Erased>, Option<u32>) -> Option<Erased>;

/// A box as a pointer without its type.
type Erased = NonNull<()>;

/// An [`Exchange`] for `T`.
///
/// # Safety
///
/// The requirement of [`Exchange`].
unsafe fn exchange<T: Value>(old: Option<Erased>, number: Option<u32>) -> Option<Erased> {
    let new = number.map(|number| MmBox::into_raw(MmBox::new(T::of(number))));
    if let Some(old) = old {
        // SAFETY: by the requirement the value comes from this function, so it has the same type, and it is
        // not used again.
        drop(unsafe { MmBox::<T>::from_raw(old.cast().as_ptr()) });
    }
    new.and_then(|new| NonNull::new(new.cast()))
}

/// Returns the functions that replace values of the first `count` types, if there are as many.
fn exchanges(count: usize) -> Option<&'static [Exchange]> {
    let all = THOUSANDS.as_flattened().as_flattened().as_flattened();
    all.get(..count)
}

/// A live value of each of many types.
pub(crate) struct DerivedFamilies(Vec<Slot>);

/// A live value of one type.
///
/// # Invariants
///
/// `held` is the last result of `exchange`, and no other code has it.
struct Slot {
    exchange: Exchange,
    held: Option<Erased>,
}

impl Slot {
    #[inline]
    fn set(&mut self, number: Option<u32>) {
        // SAFETY: by the invariant the old value comes from this function, and it is overwritten here.
        self.held = unsafe { (self.exchange)(self.held.take(), number) };
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.set(None);
    }
}

impl Families for DerivedFamilies {
    fn new(count: usize) -> Option<Self> {
        let held = None;
        let slots = exchanges(count)?.iter();
        let mut families = Self(slots.map(|&exchange| Slot { exchange, held }).collect());
        families.replace_all(0);
        Some(families)
    }

    fn leave(count: usize, each: u32) -> bool {
        let Some(exchanges) = exchanges(count) else {
            return false;
        };
        for exchange in exchanges {
            for number in 0..each {
                // SAFETY: there is no old value.
                let _for_good = unsafe { exchange(None, Some(number)) };
            }
        }
        true
    }

    fn replace_all(&mut self, number: u32) {
        self.0.iter_mut().for_each(|slot| slot.set(Some(number)));
    }
}

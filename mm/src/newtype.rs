//! The macro `family!`: a newtype with a page family, for types of other crates.

/// Defines a newtype with a page family around a type of another crate.
///
/// The derive can only be used on a type's own definition. For an instance of another crate's generic
/// type, or any other foreign type, this macro defines a `#[repr(transparent)]` struct around it, which
///
/// * derives [`MmManaged`](derive@crate::MmManaged), so `#[mm(name = "...")]` works here too;
/// * dereferences to the type inside, mutably as well;
/// * converts with `From` in both directions, and by `into_inner`.
///
/// It keeps attributes, doc comments, visibilities and lifetime parameters. The field is private unless
/// it has its own visibility.
///
/// # Examples
///
/// ```
/// use std::collections::BTreeMap;
/// use mm::{MmBox, MmManaged};
///
/// mm::family!(
///     /// Scores by player.
///     #[derive(Debug, Default)]
///     #[mm(name = "scores")]
///     pub struct Scores(BTreeMap<String, u32>);
/// );
///
/// let mut scores = Scores::default();
/// scores.insert("ada".to_owned(), 3);
/// let boxed = MmBox::new(scores);
/// assert_eq!(boxed.len(), 1);
/// assert_eq!(Scores::page_family().name(), "scores");
///
/// let inside: BTreeMap<String, u32> = Scores::from(BTreeMap::new()).into_inner();
/// assert!(inside.is_empty());
/// ```
///
/// With lifetimes:
///
/// ```
/// use std::borrow::Cow;
/// use mm::MmManaged;
///
/// mm::family!(struct Word<'a>(Cow<'a, str>););
///
/// assert_eq!(Word::from(Cow::from("mm")).len(), 2);
/// assert_eq!(Word::page_family().name(), "Word");
/// ```
#[macro_export]
macro_rules! family {
    (
        $(#[$($attribute:tt)*])*
        $visibility:vis struct $name:ident $(<$($lifetime:lifetime),+ $(,)?>)? (
            $field_visibility:vis $inner:ty $(,)?
        ) $(;)?
    ) => {
        #[derive($crate::MmManaged)]
        #[mm(crate = $crate)]
        $(#[$($attribute)*])*
        #[repr(transparent)]
        $visibility struct $name $(<$($lifetime),+>)? ($field_visibility $inner);

        impl $(<$($lifetime),+>)? $name $(<$($lifetime),+>)? {
            /// Takes the value out of the newtype.
            #[inline]
            #[must_use]
            $visibility fn into_inner(self) -> $inner {
                self.0
            }
        }

        impl $(<$($lifetime),+>)? $crate::__private::core::ops::Deref for $name $(<$($lifetime),+>)? {
            type Target = $inner;

            #[inline]
            fn deref(&self) -> &$inner {
                &self.0
            }
        }

        impl $(<$($lifetime),+>)? $crate::__private::core::ops::DerefMut for $name $(<$($lifetime),+>)? {
            #[inline]
            fn deref_mut(&mut self) -> &mut $inner {
                &mut self.0
            }
        }

        impl $(<$($lifetime),+>)? $crate::__private::core::convert::From<$inner> for $name $(<$($lifetime),+>)? {
            #[inline]
            fn from(inner: $inner) -> Self {
                Self(inner)
            }
        }

        impl $(<$($lifetime),+>)? $crate::__private::core::convert::From<$name $(<$($lifetime),+>)?> for $inner {
            #[inline]
            fn from(outer: $name $(<$($lifetime),+>)?) -> Self {
                outer.0
            }
        }
    };
}

//! Writes the output. All paths in it are absolute, and users name no item in it.
//!
//! All tokens that are not the type's own have the macro's span, so rustc and clippy do not apply the
//! caller's lints to them, such as `forbid(unsafe_code)`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Path};

use crate::family::Family;
use crate::item::Item;
use crate::mistakes::compile_errors;
use crate::parse::Attrs;
use crate::validate::{Limits, Plan};
use crate::zero::Zero;
use crate::zeroable::zeroable;

/// Writes the output for a plan.
pub(crate) fn plan(plan: &Plan<'_>) -> TokenStream {
    let families = plan.families.iter().map(|one| family(plan, one));
    let zeroable = zeroable(plan.item, &plan.krate, &plan.zero, &plan.families);
    let one_derive = one_derive(plan.item);
    let output = quote! {
        #one_derive
        #(#families)*
        #zeroable
    };
    with_aliases(&plan.families, output)
}

/// Writes each alias of an instance once, before the output that uses it. A macro in the alias then produces
/// one type: the type that has the family, is checked and can be zeroed.
fn with_aliases(families: &[Family], output: TokenStream) -> TokenStream {
    let aliases: Vec<_> = families.iter().flat_map(|family| &family.alias).collect();
    if aliases.is_empty() {
        return output;
    }
    quote! {
        #[allow(deprecated)]
        const _: () = {
            #(#aliases)*
            #output
        };
    }
}

/// Writes the errors, and implementations that prevent follow-up errors: without them every use of the
/// type would be another error. They never run.
pub(crate) fn mistakes(item: &Item, attrs: &Attrs, mistakes: &Error) -> TokenStream {
    if !attrs.complete {
        return mistakes.to_compile_error();
    }
    let krate = attrs.krate();
    let errors = compile_errors(&krate, mistakes);
    if crate::validate::check_sized(item).is_err() {
        return errors;
    }
    let managed = stand_in(item, &krate);
    let zeroable = zeroable(item, &krate, &Zero::of(item, attrs), &[]);
    quote! {
        #errors
        #managed
        #zeroable
    }
}

/// Writes one family: its static, its cache, the implementation that connects the type to both, and its
/// entry in the registry.
fn family(plan: &Plan<'_>, family: &Family) -> TokenStream {
    let mm = &plan.krate;
    let family_static = family_static(plan, family);
    let managed = managed(plan, family);
    let only_family = only_family(plan, family);
    quote! {
        #[allow(deprecated)]
        const _: () = {
            #only_family
            #family_static
            #mm::__private::thread_local! {
                static __MM_CACHE: #mm::__private::CacheCell =
                    const { #mm::__private::CacheCell::new() };
            }
            #managed
            #mm::__private::inventory::submit! {
                #mm::__private::Entry::new(&__MM_FAMILY)
            }
        };
    }
}

/// Writes the static of the family.
///
/// `line!` and `column!` give the place of the derive, or of the macro call that wrote it. The place of the
/// type's name would be the same for each call of the macro.
fn family_static(plan: &Plan<'_>, family: &Family) -> TokenStream {
    let Family {
        name, static_type, ..
    } = family;
    let mm = &plan.krate;
    let limits = limits(mm, &plan.limits);
    quote! {
        // A constant, so that `require_layout` compares with the layout that the static has.
        const __MM_LAYOUT: #mm::__private::Layout = #mm::__private::Layout::new::<#static_type>();

        static __MM_FAMILY: #mm::PageFamily = #mm::__private::page_family(
            #name,
            __MM_LAYOUT,
            #mm::__private::type_name::<#static_type>,
            #mm::__private::Location::new(
                #mm::__private::core::file!(),
                #mm::__private::core::line!(),
                #mm::__private::core::column!(),
                #mm::__private::crate_version(#mm::__private::core::option_env!("CARGO_PKG_VERSION")),
            ),
        ) #limits;
    }
}

/// Writes the calls that limit a family; the smaller limit applies.
fn limits(mm: &Path, limits: &Limits) -> TokenStream {
    let bytes = limits.bytes.map(|bytes| quote!(bytes(#bytes)));
    let units = limits.units.map(|units| quote!(units(#units)));
    let limits = bytes.into_iter().chain(units);
    limits
        .map(|limit| quote!(.with_limit(#mm::Limit::#limit)))
        .collect()
}

/// Writes the implementation of `MmManaged`. It is sound because the static has this type's layout, and only
/// this implementation can name the static and the cache. If there are several instances, `__MANY_FAMILIES`
/// says that a box of one may hold a block of another.
fn managed(plan: &Plan<'_>, family: &Family) -> TokenStream {
    let mm = &plan.krate;
    let header_type = &family.header_type;
    let (parameters, _, conditions) = plan.item.generics.split_for_impl();
    let parameters = family.generic.then_some(parameters);
    let conditions = family.generic.then_some(conditions);
    let has_siblings = plan.families.len() > 1;
    quote! {
        #[automatically_derived]
        unsafe impl #parameters #mm::MmManaged for #header_type #conditions {
            const __MANY_FAMILIES: bool = #has_siblings;

            #[inline]
            fn page_family() -> &'static #mm::PageFamily {
                const { #mm::__private::require_layout::<Self>(__MM_LAYOUT) };
                const { let _ = |this: &Self| this.__mm_one_type_has_one_derive(); };
                &__MM_FAMILY
            }

            #[inline]
            fn __with_cache<__R>(
                f: impl #mm::__private::core::ops::FnOnce(&#mm::__private::CacheCell) -> __R,
            ) -> __R {
                const { #mm::__private::require_layout::<Self>(__MM_LAYOUT) };
                __MM_CACHE.with(f)
            }
        }
    }
}

/// Writes a method that makes a second derive for one type an error.
///
/// The derive may have read two structs that an attribute macro then replaces by two aliases:
/// `type One = Other<for<'a> fn(&'a u8)>;` and `type Two = Other<fn(&'static u8)>;`. A box of the first
/// could then become one of the second, and each derive would know of only one family. So each derive
/// writes one method, for all instances of its type, and calls it once for each family:
///
/// * rustc rejects two inherent methods of one name for the same type, and for such a pair, if it detects
///   the pair;
/// * it does not detect the pair if the arguments are another type's associated types. But then the call on
///   a value of the subtype is ambiguous between both methods, and rustc rejects that;
/// * it rejects inherent methods on a type of another crate, and on an associated type.
///
/// The call fails as well if a macro writes other conditions for the method than for the family.
fn one_derive(item: &Item) -> TokenStream {
    let ident = &item.ident;
    let (parameters, arguments, conditions) = item.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #parameters #ident #arguments #conditions {
            #[doc(hidden)]
            fn __mm_one_type_has_one_derive(&self) {}
        }
    }
}

/// Writes a constant that makes two families for one value an error, if rustc detects the case.
///
/// Two instances may be subtypes of each other, as `Node<for<'a> fn(&'a u8)>` is of
/// `Node<fn(&'static u8)>`: a box of one family could then become one of the other. rustc only warns
/// about two trait implementations for such a pair, but rejects two inherent items. It detects neither if
/// an argument is another type's associated type; `__MANY_FAMILIES` covers that case.
fn only_family(plan: &Plan<'_>, family: &Family) -> Option<TokenStream> {
    if plan.families.len() < 2 {
        return None;
    }
    let header_type = &family.header_type;
    let (parameters, _, conditions) = plan.item.generics.split_for_impl();
    let parameters = family.generic.then_some(parameters);
    let conditions = family.generic.then_some(conditions);
    Some(quote! {
        #[automatically_derived]
        impl #parameters #header_type #conditions {
            #[doc(hidden)]
            #[allow(dead_code)]
            const __MM_INSTANCES_MUST_BE_DIFFERENT_TYPES: () = ();
        }
    })
}

/// Writes an implementation of `MmManaged` to go with a compile error.
fn stand_in(item: &Item, mm: &Path) -> TokenStream {
    let ident = &item.ident;
    let (parameters, arguments, conditions) = item.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        unsafe impl #parameters #mm::MmManaged for #ident #arguments #conditions {
            fn page_family() -> &'static #mm::PageFamily {
                #mm::__private::core::unreachable!()
            }

            fn __with_cache<__R>(
                _: impl #mm::__private::core::ops::FnOnce(&#mm::__private::CacheCell) -> __R,
            ) -> __R {
                #mm::__private::core::unreachable!()
            }
        }
    }
}

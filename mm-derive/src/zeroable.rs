//! Writes the implementation of bytemuck's `Zeroable`, and code by which rustc verifies it.
//!
//! An attribute macro below the derive changes the type after the derive has read it, and a macro in the
//! place of a field's type may produce a different type each time. So the derive's view is only a claim,
//! which rustc verifies:
//!
//! * the types of the fields are written once, as an associated type. Code that is never run
//!   compiles only if these are the fields, all of them, and of these types;
//! * the variant that is taken for that of zero bytes is the one that rustc finds in zero bytes, while
//!   it evaluates a constant. The bytes of the tag are enough, so that a field as large as memory costs
//!   nothing.
//!
//! rustc evaluates the constant for types, not for a type with parameters. With a fixed `repr`, one
//! instance speaks for all of them. Where an attribute macro could have taken the `repr` away, only the
//! instances that have a family of their own are `Zeroable`.
//!
//! Any bytes are a valid value of a union; the types of its fields are verified all the same.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Lifetime, Path};

use crate::family::Family;
use crate::item::{Data, Field, Item};
use crate::zero::{Zero, is_as_written, zero_variant};

/// Writes the implementation, and by that the one of `ZeroInit`; nothing if that is not ours to
/// say.
///
/// It does not implement `ZeroInit` directly: rustc could then choose between that and the implementation
/// for all `Zeroable` types, and would not name the field that cannot be zero.
pub(crate) fn zeroable(
    item: &Item,
    mm: &Path,
    zero: &Zero,
    families: &[Family],
) -> Option<TokenStream> {
    let any = fresh_lifetime(item);
    match zero {
        Zero::Elsewhere => None,
        Zero::Never => {
            let never = quote! {
                for<#any> #mm::__private::NoVariant: #mm::__private::ZeroVariant<Self>
            };
            Some(of_every_instance(item, mm, &never))
        }
        Zero::If(types) => Some(confirmed(item, mm, types, families)),
    }
}

/// Writes the implementation, beside what confirms it.
///
/// The bound is for any lifetime at all. rustc refuses a bound that it sees to be false where it
/// is written, such as `String: Zeroable`; one with a lifetime it looks at only when it is needed.
fn confirmed(item: &Item, mm: &Path, types: &[TokenStream], families: &[Family]) -> TokenStream {
    let any = fresh_lifetime(item);
    let condition = quote! {
        for<#any> <Self as __MmFields>::__MmTypes: #mm::__private::ZeroFields
    };
    let implementations = if may_differ_by_instance(item, families) {
        of_some_instances(mm, &condition, families)
    } else {
        of_every_instance(item, mm, &condition)
    };
    let fields = fields(item, mm, types);
    let checks = checks(item, families);
    quote! {
        #[allow(deprecated)]
        const _: () = {
            #fields
            #implementations
            #checks
        };
    }
}

/// Whether what is true for one instance need not be for another.
fn may_differ_by_instance(item: &Item, families: &[Family]) -> bool {
    let is_instance = |family: &Family| !family.generic;
    matches!(item.data, Data::Enum(_))
        && families.iter().any(is_instance)
        && !is_as_written(&item.attrs)
}

fn of_every_instance(item: &Item, mm: &Path, condition: &TokenStream) -> TokenStream {
    let ident = &item.ident;
    let (parameters, arguments, _) = item.generics.split_for_impl();
    let given = &item.generics.conditions;
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        unsafe impl #parameters #mm::__private::Zeroable for #ident #arguments
        where
            #given
            #condition
        {}
    }
}

/// These are the very types that the constants check: an instance in which a macro could write another
/// one goes by an alias.
fn of_some_instances(mm: &Path, condition: &TokenStream, families: &[Family]) -> TokenStream {
    let types = families.iter().map(|family| &family.header_type);
    quote! {
        #(
            #[automatically_derived]
            #[allow(deprecated)]
            unsafe impl #mm::__private::Zeroable for #types
            where
                #condition
            {}
        )*
    }
}

/// Lets rustc evaluate what it finds in zero bytes, for each family.
fn checks(item: &Item, families: &[Family]) -> Option<TokenStream> {
    let types = families.iter().map(|family| &family.static_type);
    let is_enum = matches!(item.data, Data::Enum(_));
    is_enum.then(|| {
        quote! {
            #(const _: () = <#types as __MmFields>::AN_ATTRIBUTE_MACRO_CHANGED_THE_ENUM;)*
        }
    })
}

/// Writes what the derive read, for rustc to confirm.
///
/// A trait of our own, since clippy holds a type's inherent unsafe methods against deriving
/// `Deserialize`. The names' underscores keep rustc from calling them unused; `allow(dead_code)` would
/// make all fields count as used, and take that warning from the user.
fn fields(item: &Item, mm: &Path, types: &[TokenStream]) -> TokenStream {
    let ident = &item.ident;
    let (parameters, arguments, conditions) = item.generics.split_for_impl();
    let types = tree(mm, types);
    let (body, variant) = match &item.data {
        Data::Struct(fields) => (of_struct(mm, fields), None),
        Data::Union(fields) => (of_union(mm, fields), None),
        Data::Enum(variants) => match zero_variant(&item.attrs, variants) {
            Some(variant) => (
                of_variant(mm, &variant.ident, &variant.fields),
                Some(is_of_zeros(mm, &variant.ident)),
            ),
            None => (TokenStream::new(), None),
        },
    };
    let constant = variant.as_ref().map(|_| {
        quote! {
            const AN_ATTRIBUTE_MACRO_CHANGED_THE_ENUM: ();
        }
    });
    quote! {
        trait __MmFields {
            type __MmTypes;
            #constant
            unsafe fn __as_the_derive_saw_them(this: *mut Self)
            where
                Self: #mm::__private::core::marker::Sized;
        }

        #[automatically_derived]
        impl #parameters __MmFields for #ident #arguments #conditions {
            type __MmTypes = #types;
            #variant
            unsafe fn __as_the_derive_saw_them(this: *mut Self)
            where
                Self: #mm::__private::core::marker::Sized,
            {
                #body
            }
        }
    }
}

/// All fields are named, and a pointer to each is one to its type and no other. By raw pointers,
/// since a packed struct's fields cannot be borrowed, nor those of one with a destructor moved.
fn of_struct(mm: &Path, fields: &[Field]) -> TokenStream {
    let members = members(fields);
    let pointers = pointers(fields);
    let tree = found(mm, &pointers);
    quote! {
        let Self { #(#members: _),* } = unsafe { &*this };
        let _: <Self as __MmFields>::__MmTypes = #tree;
    }
}

/// A pattern that names one field alone is one of a union, or of a struct that has no other.
fn of_union(mm: &Path, fields: &[Field]) -> TokenStream {
    let members = members(fields);
    let pointers = pointers(fields);
    let tree = found(mm, &pointers);
    quote! {
        #(let Self { #members: _ } = unsafe { &*this };)*
        let _: <Self as __MmFields>::__MmTypes = #tree;
    }
}

fn of_variant(mm: &Path, variant: &Ident, fields: &[Field]) -> TokenStream {
    let members = members(fields);
    let names: Vec<_> = (0..fields.len())
        .map(|index| format_ident!("__mm_{index}"))
        .collect();
    let pointers: Vec<_> = names.iter().map(|name| quote!(#name)).collect();
    let tree = found(mm, &pointers);
    quote! {
        #[allow(irrefutable_let_patterns)]
        if let Self::#variant { #(#members: #names),* } = unsafe { &mut *this } {
            let _: <Self as __MmFields>::__MmTypes = #tree;
        }
    }
}

/// The constant that rustc can evaluate only if zero bytes are this variant.
///
/// The match alone would not do: it reads no tag where no other variant can have a value.
fn is_of_zeros(mm: &Path, variant: &Ident) -> TokenStream {
    quote! {
        const AN_ATTRIBUTE_MACRO_CHANGED_THE_ENUM: () = {
            let (whole, tag);
            let zeros: *const Self = if #mm::__private::is_small::<Self>() {
                whole = #mm::__private::core::mem::MaybeUninit::<Self>::zeroed();
                whole.as_ptr()
            } else {
                tag = #mm::__private::ZeroTag::<Self>::new();
                tag.as_ptr()
            };
            unsafe { #mm::__private::require_tag(zeros) };
            #[allow(unreachable_patterns)]
            let is_this = unsafe {
                match *zeros {
                    Self::#variant { .. } => true,
                    _ => false,
                }
            };
            #mm::__private::core::assert!(
                is_this,
                "zero bytes are not the variant that the derive read as the one of discriminant 0: \
                 an attribute macro below the derive changed the enum, and belongs above it",
            );
        };
    }
}

fn members(fields: &[Field]) -> Vec<&proc_macro2::TokenTree> {
    fields.iter().map(|field| &field.member).collect()
}

fn pointers(fields: &[Field]) -> Vec<TokenStream> {
    let members = members(fields).into_iter();
    members
        .map(|member| quote!(unsafe { &raw mut (*this).#member }))
        .collect()
}

/// Writes the tree of some types; halves it, since rustc limits how deep it looks.
fn tree(mm: &Path, types: &[TokenStream]) -> TokenStream {
    let (left, right) = types.split_at(types.len() / 2);
    match types {
        [] => quote!(#mm::__private::NoField),
        [only] => quote!(#mm::__private::Field<#only>),
        _ => {
            let (left, right) = (tree(mm, left), tree(mm, right));
            quote!(#mm::__private::Both<#left, #right>)
        }
    }
}

/// Writes the tree of the types that some pointers have.
fn found(mm: &Path, pointers: &[TokenStream]) -> TokenStream {
    let (left, right) = pointers.split_at(pointers.len() / 2);
    match pointers {
        [] => quote!(#mm::__private::NoField),
        [only] => quote!(#mm::__private::field(#only)),
        _ => {
            let (left, right) = (found(mm, left), found(mm, right));
            quote!(#mm::__private::both(#left, #right))
        }
    }
}

/// A lifetime whose name occurs nowhere in the type: a second one of a name is an error.
fn fresh_lifetime(item: &Item) -> Lifetime {
    let text = item.tokens.to_string();
    let mut name = "'__mm".to_owned();
    while text.contains(&name) {
        name.push('_');
    }
    Lifetime::new(&name, Span::call_site())
}

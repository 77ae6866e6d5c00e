//! Writes the implementation of bytemuck's `Zeroable`, and code by which rustc verifies it.
//!
//! An attribute macro below the derive changes the type after the derive has read it, and a macro in the
//! place of a field's type may produce a different type each time. So the derive's view is only a claim,
//! and rustc verifies it:
//!
//! * The types of the fields are written once, as an associated type. Code that never runs compiles only if
//!   these are all the fields and their types.
//! * rustc evaluates a constant that finds the variant in zero bytes. It must be the variant that the derive
//!   chose. The constant looks at the bytes of the tag only, so a field as large as memory costs nothing.
//!
//! rustc evaluates the constant for types without parameters only. With a fixed `repr`, one instance proves
//! it for all. If an attribute macro could have removed the `repr`, only the instances with a family of their
//! own are `Zeroable`.
//!
//! Any bytes are a valid value of a union. The types of its fields are still verified.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Lifetime, Path};

use crate::family::Family;
use crate::item::{Data, Field, Item};
use crate::zero::{Zero, is_as_written, zero_variant};

/// Writes the implementation of `Zeroable`, which implies `ZeroInit`. Writes nothing if the program
/// implements it.
///
/// It does not implement `ZeroInit` directly. rustc could then choose between that implementation and the one
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
            Some(for_all_instances(item, mm, &never))
        }
        Zero::If(types) => Some(verified(item, mm, types, families)),
    }
}

/// Writes the implementation, and the code that verifies it.
///
/// The bound has a lifetime that it does not need. rustc rejects a bound that is plainly false, such as
/// `String: Zeroable`, where it is written. It checks a bound with a `for<..>` lifetime only where it is
/// used.
fn verified(item: &Item, mm: &Path, types: &[TokenStream], families: &[Family]) -> TokenStream {
    let any = fresh_lifetime(item);
    let condition = quote! {
        for<#any> <Self as __MmFields>::__MmTypes: #mm::__private::ZeroFields
    };
    let implementations = if may_differ_by_instance(item, families) {
        for_known_instances(mm, &condition, families)
    } else {
        for_all_instances(item, mm, &condition)
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

/// Returns whether one instance may be zeroable and another one not.
fn may_differ_by_instance(item: &Item, families: &[Family]) -> bool {
    let is_instance = |family: &Family| !family.generic;
    matches!(item.data, Data::Enum(_))
        && families.iter().any(is_instance)
        && !is_as_written(&item.attrs)
}

fn for_all_instances(item: &Item, mm: &Path, condition: &TokenStream) -> TokenStream {
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

/// Writes an implementation for each instance. The constants check exactly these types: an instance with a
/// macro in it has an alias.
fn for_known_instances(mm: &Path, condition: &TokenStream, families: &[Family]) -> TokenStream {
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

/// Makes rustc evaluate the constant for each family of an enum.
fn checks(item: &Item, families: &[Family]) -> Option<TokenStream> {
    let types = families.iter().map(|family| &family.static_type);
    let is_enum = matches!(item.data, Data::Enum(_));
    is_enum.then(|| {
        quote! {
            #(const _: () = <#types as __MmFields>::AN_ATTRIBUTE_MACRO_CHANGED_THE_ENUM;)*
        }
    })
}

/// Writes the fields that the derive read, for rustc to verify.
///
/// It is a trait of its own, because clippy warns about `Deserialize` on a type with inherent unsafe methods.
/// The underscores suppress warnings about unused names. `allow(dead_code)` would count all fields as used,
/// and the user would not get that warning.
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

/// Writes a pattern that names all fields, and a raw pointer to each, which has exactly the field's type. The
/// fields of a packed struct cannot be borrowed, and those of a struct with a destructor cannot be moved.
fn of_struct(mm: &Path, fields: &[Field]) -> TokenStream {
    let members = members(fields);
    let pointers = pointers(fields);
    let tree = pointer_tree(mm, &pointers);
    quote! {
        let Self { #(#members: _),* } = unsafe { &*this };
        let _: <Self as __MmFields>::__MmTypes = #tree;
    }
}

/// Writes one pattern for each field. A pattern with one field compiles only for a union, or for a struct
/// with no other field.
fn of_union(mm: &Path, fields: &[Field]) -> TokenStream {
    let members = members(fields);
    let pointers = pointers(fields);
    let tree = pointer_tree(mm, &pointers);
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
    let tree = pointer_tree(mm, &pointers);
    quote! {
        #[allow(irrefutable_let_patterns)]
        if let Self::#variant { #(#members: #names),* } = unsafe { &mut *this } {
            let _: <Self as __MmFields>::__MmTypes = #tree;
        }
    }
}

/// Writes the constant that rustc can evaluate only if zero bytes are this variant.
///
/// The match alone is not enough: it reads no tag if no other variant can have a value.
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

/// Writes a tree of types. It is balanced, because rustc limits the depth of types.
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

/// Writes a tree of pointers, whose type is the tree of the types that they point to.
fn pointer_tree(mm: &Path, pointers: &[TokenStream]) -> TokenStream {
    let (left, right) = pointers.split_at(pointers.len() / 2);
    match pointers {
        [] => quote!(#mm::__private::NoField),
        [only] => quote!(#mm::__private::field(#only)),
        _ => {
            let (left, right) = (pointer_tree(mm, left), pointer_tree(mm, right));
            quote!(#mm::__private::both(#left, #right))
        }
    }
}

/// Returns a lifetime whose name occurs nowhere in the type. Two of one name would be an error.
fn fresh_lifetime(item: &Item) -> Lifetime {
    let text = item.tokens.to_string();
    let mut name = "'__mm".to_owned();
    while text.contains(&name) {
        name.push('_');
    }
    Lifetime::new(&name, Span::call_site())
}

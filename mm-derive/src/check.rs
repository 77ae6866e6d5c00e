//! Code that is never run, and compiles only if the type has the fields that the derive was shown.
//!
//! An attribute macro below the derive changes the type after the derive has read it. What was
//! read decides whether zero bytes are a value, so it must be the truth. The fields of a union
//! cannot be asked for completeness.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Fields, Member, Type};

use crate::zero::{Zero, zero_variant};

/// Writes the check of the fields that must be zeroable; nothing where none are.
pub(crate) fn fields(item: &DeriveInput, zero: &Zero) -> Option<TokenStream> {
    let Zero::If(_) = zero else {
        return None;
    };
    let body = match &item.data {
        Data::Struct(data) => of_struct(&data.fields),
        Data::Enum(data) => {
            let variant = zero_variant(&item.attrs, data)?;
            of_variant(&variant.ident, &variant.fields)
        }
        Data::Union(_) => return None,
    };
    // The names' underscores keep rustc from calling them unused; `allow(dead_code)` would make all
    // fields count as used, and take that warning from the user. A trait of our own, since clippy
    // holds a type's inherent unsafe methods against deriving `Deserialize`.
    let ident = &item.ident;
    let (parameters, arguments, conditions) = item.generics.split_for_impl();
    Some(quote! {
        #[allow(deprecated, irrefutable_let_patterns)]
        const _: () = {
            trait __MmFields {
                unsafe fn __as_the_derive_saw_them(this: *mut Self)
                where
                    Self: ::core::marker::Sized;
            }

            #[automatically_derived]
            impl #parameters __MmFields for #ident #arguments #conditions {
                unsafe fn __as_the_derive_saw_them(this: *mut Self)
                where
                    Self: ::core::marker::Sized,
                {
                    #body
                }
            }
        };
    })
}

/// All fields are named, and a pointer to each is one to its type and no other. By raw pointers,
/// since a packed struct's fields cannot be borrowed, nor those of one with a destructor moved. In
/// parentheses, since rustc reads no `*mut dyn A + B`.
fn of_struct(fields: &Fields) -> TokenStream {
    let (members, types) = members(fields);
    quote! {
        let Self { #(#members: _),* } = unsafe { &*this };
        #(let _: *mut (#types) = unsafe { &raw mut (*this).#members };)*
    }
}

fn of_variant(variant: &syn::Ident, fields: &Fields) -> TokenStream {
    let (members, types) = members(fields);
    let names: Vec<_> = (0..members.len())
        .map(|index| format_ident!("__mm_{index}"))
        .collect();
    quote! {
        if let Self::#variant { #(#members: #names),* } = unsafe { &mut *this } {
            #(let _: *mut (#types) = #names;)*
        }
    }
}

fn members(fields: &Fields) -> (Vec<Member>, Vec<&Type>) {
    let types = fields.iter().map(|field| &field.ty).collect();
    (fields.members().collect(), types)
}

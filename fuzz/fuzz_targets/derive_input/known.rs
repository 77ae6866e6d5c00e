//! What is known to go wrong and not mended yet, so that the fuzzer gets past it.

use syn::{Data, DeriveInput, Field, Type};

/// Whether a field's type is `dyn A + B` or `impl A + B`, without parentheses around it.
///
/// The derive writes `*mut` before it, where rustc wants parentheses. No such type compiles, but
/// its error should be the only one.
pub fn has_bare_plus(item: &DeriveInput) -> bool {
    match &item.data {
        Data::Struct(data) => data.fields.iter().any(is_bare_plus),
        Data::Enum(data) => {
            let mut fields = data.variants.iter().flat_map(|variant| &variant.fields);
            fields.any(is_bare_plus)
        }
        Data::Union(data) => data.fields.named.iter().any(is_bare_plus),
    }
}

fn is_bare_plus(field: &Field) -> bool {
    match &field.ty {
        Type::TraitObject(ty) => ty.bounds.len() > 1,
        Type::ImplTrait(ty) => ty.bounds.len() > 1,
        _ => false,
    }
}

//! The derive itself, on tokens that exist outside of macros too: the fuzzer calls it as rustc does.

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::expand;
use crate::parse::Attrs;
use crate::validate::Plan;

/// Reads a type and writes what its derive stands for.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    match syn::parse2(input) {
        Ok(item) => of_item(&item),
        Err(mistake) => mistake.into_compile_error(),
    }
}

/// Writes the implementations, or the mistakes and as much as keeps follow-up errors away.
fn of_item(item: &DeriveInput) -> TokenStream {
    let (attrs, mistakes) = Attrs::parse(item);
    if let Some(mistakes) = mistakes {
        return expand::mistakes(item, &attrs, &mistakes);
    }
    match Plan::new(item, &attrs) {
        Ok(plan) => expand::plan(&plan),
        Err(mistakes) => expand::mistakes(item, &attrs, &mistakes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the derive writes, without spaces.
    fn output(source: &str) -> String {
        let tokens = derive(source.parse().expect("tokens"));
        tokens.to_string().replace(char::is_whitespace, "")
    }

    #[test]
    fn limits_are_asked_for_at_each_family() {
        let source = "#[mm(instances(A<u8>, A<u16>), max_bytes = \"64 MiB\", max_units = 1_000)]
            struct A<T>(T);";
        let both = ").with_limit(::mm::Limit::bytes(67108864u64))\
            .with_limit(::mm::Limit::units(1000u64));";
        assert_eq!(output(source).matches(both).count(), 2);
        let renamed = output("#[mm(max_units = 7, crate = heap)] struct A;");
        assert!(renamed.contains(").with_limit(heap::Limit::units(7u64));"));
    }

    #[test]
    fn without_limits_none_is_asked_for() {
        assert!(!output("#[mm(name = \"A\")] struct A;").contains("with_limit"));
    }
}

//! The derive on the tokens of `proc_macro2`, which also exist outside of macros: the fuzzer calls it as
//! rustc does.

use proc_macro2::TokenStream;

use crate::expand;
use crate::item::Item;
use crate::parse::Attrs;
use crate::validate::Plan;

/// Reads a type, and writes the output of the derive.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    match Item::read(input) {
        Ok(item) => of_item(&item),
        Err(mistake) => mistake.into_compile_error(),
    }
}

/// Writes the implementations; or the errors, and implementations that prevent follow-up errors.
fn of_item(item: &Item) -> TokenStream {
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

    /// Returns the output of the derive without spaces.
    fn output(source: &str) -> String {
        let tokens = derive(source.parse().expect("tokens"));
        tokens.to_string().replace(char::is_whitespace, "")
    }

    #[test]
    fn each_family_gets_the_limits() {
        let source = "#[mm(instances(A<u8>, A<u16>), max_bytes = \"64 MiB\", max_units = 1_000)]
            struct A<T>(T);";
        let both = ").with_limit(::mm::Limit::bytes(67108864u64))\
            .with_limit(::mm::Limit::units(1000u64));";
        assert_eq!(output(source).matches(both).count(), 2);
        let renamed = output("#[mm(max_units = 7, crate = heap)] struct A;");
        assert!(renamed.contains(").with_limit(heap::Limit::units(7u64));"));
    }

    #[test]
    fn a_type_without_limits_gets_none() {
        assert!(!output("#[mm(name = \"A\")] struct A;").contains("with_limit"));
    }

    #[test]
    fn names_of_instances_have_no_raw_prefix() {
        let source =
            "#[mm(instances(r#struct<u32>, r#struct<r#type<'r#a>>))] struct r#struct<T>(T);";
        let output = output(source);
        for name in ["struct<u32>", "struct<type<'a>>"] {
            assert!(output.contains(&format!("({name:?},")), "{name}: {output}");
        }
    }

    #[test]
    fn core_is_named_through_mm() {
        for source in [
            "struct A;",
            "struct A<'a>(&'a u8, u16);",
            "union A { a: u8, b: u16 }",
            "enum A { B }",
            "#[repr(u8)] enum A { B(u8), C }",
            "#[mm(instances(A<u8>, A<u16>))] struct A<T>(T);",
            "struct A<T>(T);",
            "#[mm(name = \"\")] struct A { #[mm] a: u8 }",
        ] {
            let output = output(source);
            let all = output.matches("core::").count();
            assert!(all > 0, "{source}: {output}");
            assert_eq!(
                output.matches("::__private::core::").count(),
                all,
                "{source}: {output}"
            );
            assert!(!output.contains("::std::"), "{source}: {output}");
        }
    }

    #[test]
    fn with_unknown_attributes_only_known_instances_are_zeroable() {
        let one = "#[mm(instances(A<u8>, A<u16>))] #[repr(u8)] enum A<T> { B(T) }";
        assert_eq!(output(one).matches("Zeroablefor").count(), 1);
        for attribute in ["#[changes]", "#[a::repr]", "#[derive(Clone)]"] {
            let both = output(&format!("{attribute} {one}"));
            for instance in ["A<u8>", "A<u16>"] {
                assert!(
                    both.contains(&format!("Zeroablefor{instance}where")),
                    "{both}"
                );
            }
        }
        let unchanged = format!("/// Doc.\n#[allow(unused)] #[must_use = \"\"] {one}");
        assert_eq!(output(&unchanged).matches("Zeroablefor").count(), 1);
    }

    #[test]
    fn an_instance_with_a_macro_is_written_once() {
        for length in ["m!()", "{#[m]constX:usize=0;X}", "{#[derive(M)]structY;X}"] {
            let source = format!(
                "#[changes] #[mm(instances(A<B, {length}>, A<'_, {length}, C>))] #[repr(u8)]
                enum A<'a, T, const N: usize> {{ D(&'a [T; N]) }}"
            )
            .replace("constX", "const X")
            .replace("structY", "struct Y");
            let output = output(&source);
            assert_eq!(output.matches(length).count(), 4, "{output}");
            for once in [
                format!("type__MmInstance0<'__mm0>=A<'__mm0,B,{length}>;"),
                format!("type__MmInstance1<'__mm0>=A<'__mm0,{length},C>;"),
            ] {
                assert!(output.contains(&once), "{output}");
            }
            for each in [
                "Zeroablefor__MmInstance0<'_>",
                "MmManagedfor__MmInstance1<'_>",
            ] {
                assert!(output.contains(each), "{output}");
            }
        }
    }
}

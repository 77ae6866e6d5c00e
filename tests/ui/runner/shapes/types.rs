//! Types of fields, and lengths.

use super::generics::{Kind, Param};
use super::writer::{Writer, Zero, both};

/// Types, and whether zero bytes are a value.
const TYPES: &[(&str, Zero)] = &[
    ("u8", Some(true)),
    ("u64", Some(true)),
    ("bool", Some(true)),
    ("char", Some(true)),
    ("i128", Some(true)),
    ("()", Some(true)),
    ("::std::string::String", Some(false)),
    ("::std::vec::Vec<(u8, u16)>", Some(false)),
    ("&'static str", Some(false)),
    ("&'static mut [u8]", Some(false)),
    ("::std::option::Option<&'static [u8; 2]>", Some(true)),
    ("*const super::Text", Some(true)),
    ("*mut [u8]", None),
    ("*const dyn Fn(u8, u16) -> u8", None),
    ("::std::marker::PhantomData<fn(&u8) -> u8>", Some(true)),
    ("::std::option::Option<fn(u8, u16) -> u8>", Some(true)),
    (
        "::std::option::Option<unsafe extern \"C\" fn(u8, ...)>",
        None,
    ),
    ("for<'x> fn(&'x u8, u16) -> &'x u8", Some(false)),
    (
        "::std::boxed::Box<dyn for<'x> Fn(&'x u8) -> &'x u8 + ::std::marker::Send>",
        Some(false),
    ),
    ("<u8 as super::Tr<u8, u16>>::Out", Some(true)),
    ("super::Own", Some(true)),
    ("super::Text", Some(false)),
    ("super::Generic<u8, { 1 + 2 }>", Some(true)),
    ("super::Generic<(u8, bool)>", Some(true)),
    ("super::Generic<super::Text, 4>", Some(false)),
    ("ty!(u8)", Some(true)),
    ("ty![(u8, ::std::string::String)]", Some(false)),
    ("::std::cell::Cell<u32>", Some(true)),
    ("::std::mem::MaybeUninit<super::Text>", Some(true)),
    ("::std::option::Option<::std::boxed::Box<Self>>", Some(true)),
    ("::std::num::NonZeroU8", Some(false)),
    ("::std::option::Option<::std::num::NonZeroU8>", Some(true)),
];

/// Lengths that are 3.
const LENGTHS: &[&str] = &[
    "3",
    "3_usize",
    "0x3",
    "1 + 2",
    "6 >> 1",
    "(1 < 2) as usize + 2",
    "{ 3 }",
    "{ let two = 2; two + 1 }",
    "{ const A: usize = 3; A }",
    "{ struct S { a: usize } S { a: 3 }.a }",
    "[1, 2, 3].len()",
    "[0; 3].len()",
    "if cfg!(unix) { 3 } else { 3 }",
    "if 1 < 2 && 2 > 1 { 3 } else { 4 }",
    "loop { break 3 }",
    "'a: loop { break 'a 3 }",
    "match 1 < 2 { true => 3, false => 4 }",
    "match (1, 2) { (a, _) if a > 0 => 3, _ => 4 }",
    "super::LEN",
    "super::len::<u8, u16>(3)",
    "<u8 as super::Tr<u8, u16>>::N",
    "1 + <u8 as super::Tr<u8, u16>>::N - 1",
    "(u8::MAX, 3).1",
    "b\"abc\".len()",
    "\"a\\\"b\".len()",
    "r#\"a\"b\"#.len()",
    "'d' as usize - 'a' as usize",
    "unsafe { 3 }",
    "three!()",
    "three![]",
    "-(-3_isize) as usize",
    "!0 - (!0 - 3)",
    "::std::mem::size_of::<[u8; { 1 + 2 }]>()",
    "{ fn f<const N: usize>() {} 3 }",
    "*&3",
    "{ use super::LEN as L; L }",
];

impl Writer {
    /// Writes a length.
    pub(super) fn length(&mut self) -> String {
        if self.once_in(10) {
            return "const { 3 }".to_owned();
        }
        let length = self.one_of(LENGTHS).to_owned();
        match (&*length, self.once_in(2)) {
            (braced, true) if braced.starts_with('{') => self.slot("block", length),
            ("3" | "3_usize" | "0x3", true) => self.slot("literal", length),
            _ => self.slot("expr", length),
        }
    }

    /// Writes a type that may use parameters.
    pub(super) fn ty(&mut self, params: &[Param], depth: usize) -> (String, Zero) {
        let (ty, zero) = match self.below(8) {
            0..3 if depth > 0 => self.compound(params, depth - 1),
            3 if !params.is_empty() => self.of_param(params),
            _ => {
                let (ty, zero) = self.one_of(TYPES);
                (ty.to_owned(), zero)
            }
        };
        (self.slot("ty", ty), zero)
    }

    fn compound(&mut self, params: &[Param], depth: usize) -> (String, Zero) {
        let (ty, zero) = self.ty(params, depth);
        match self.below(9) {
            0..3 => (format!("[{ty}; {}]", self.length()), zero),
            3 => {
                let (other, of_other) = self.ty(params, depth);
                (format!("({ty}, {other})"), both(zero, of_other))
            }
            4 => (format!("({ty},)"), zero),
            5 => (format!("({ty})"), zero),
            6 => (format!("::std::marker::PhantomData<{ty}>"), Some(true)),
            7 => (format!("::std::cell::UnsafeCell<{ty}>"), zero),
            _ => {
                let ty = format!("::std::option::Option<::std::boxed::Box<{ty}>>");
                (ty, Some(true))
            }
        }
    }

    /// Writes a type that uses a parameter.
    fn of_param(&mut self, params: &[Param]) -> (String, Zero) {
        let param = &params[self.below(params.len())];
        let name = &param.name;
        match param.kind {
            Kind::Lifetime => match self.below(3) {
                0 => (format!("&{name} [u8]"), Some(false)),
                1 => (format!("::std::option::Option<&{name} u8>"), Some(true)),
                _ => {
                    let bound = format!("dyn Fn(&{name} u8) -> u8 + {name}");
                    (format!("::std::boxed::Box<{bound}>"), Some(false))
                }
            },
            Kind::Unsized => (format!("::std::boxed::Box<{name}>"), None),
            Kind::Type => match self.below(4) {
                0 => (name.clone(), None),
                1 => (format!("[{name}; {}]", self.length()), None),
                2 => (format!("<{name} as super::Tr<u8, u16>>::Out"), Some(true)),
                _ => (format!("::std::vec::Vec<{name}>"), Some(false)),
            },
            Kind::Length => (format!("[u8; {name}]"), Some(true)),
            Kind::Const => ("u16".to_owned(), Some(true)),
        }
    }
}

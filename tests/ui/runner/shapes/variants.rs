//! Enums, and which variant of theirs zero bytes are.

use super::generics::Param;
use super::item::{Fields, Parts, Place};
use super::writer::{Writer, Zero};

/// A `repr`, the type of its discriminants, and whether it fixes where the tag is.
const REPRS: &[(&str, &str, bool)] = &[
    ("repr(u8)", "u8", true),
    ("repr(i8, align(8))", "i8", true),
    ("repr(C, u16)", "u16", true),
    ("repr(i64)", "i64", true),
    ("repr(C)|repr(isize)", "isize", true),
];
/// Without a type, variants with fields have no discriminants.
const REPRS_WITHOUT_TYPE: &[(&str, &str, bool)] = &[
    ("", "isize", false),
    ("repr(align(8))", "isize", false),
    ("repr(C)", "isize", true),
];

impl Writer {
    pub(super) fn enum_item(&mut self, params: &[Param], conditions: &str) -> Parts {
        let has_type = self.once_in(2);
        let reprs = if has_type { REPRS } else { REPRS_WITHOUT_TYPE };
        let (repr, ty, is_fixed) = self.one_of(reprs);
        let mut variants = Vec::new();
        // The value that comes next, and whether the source says it.
        let (mut next, mut is_known) = (0, true);
        let mut zero = None;
        for index in 0..=self.below(5) {
            let name = self.one_of(&["A", "r#B", "Größe", "Self_", "V"]);
            let fields = self.variant_fields(params, index == 0);
            let discriminant = if has_type && self.once_in(2) {
                let (value, discriminant, is_literal) = self.discriminant(index == 0, next, ty);
                (next, is_known) = (value, is_literal);
                discriminant
            } else {
                String::new()
            };
            if next == 0 && is_known {
                zero = Some(fields.zero);
            }
            variants.push(format!("{name}{index}{}{discriminant},\n", fields.text));
            next += 1;
        }
        let body = format!("{conditions} {{ {} }}", variants.concat());
        ("enum", repr, body, of_enum(is_fixed, zero))
    }

    fn variant_fields(&mut self, params: &[Param], uses_all: bool) -> Fields {
        match self.below(5) {
            _ if uses_all && !params.is_empty() => self.named(params, Place::FirstVariant),
            0 | 1 => Fields {
                text: String::new(),
                zero: Some(true),
            },
            2 => Fields {
                text: self.one_of(&["()", " {}"]).to_owned(),
                zero: Some(true),
            },
            3 => self.named(params, Place::Variant),
            _ => self.unnamed(params, Place::Variant),
        }
    }

    /// Chooses a value that no variant had, and how it is written; says whether it can be read.
    fn discriminant(&mut self, is_first: bool, next: i64, ty: &str) -> (i64, String, bool) {
        let may_be_negative = is_first && ty.starts_with('i');
        let value = match self.below(4) {
            0 if may_be_negative => -2,
            1 if may_be_negative => -1,
            2 => next + 3,
            _ => next,
        };
        let size = value.abs();
        let minus = if value < 0 { "-" } else { "" };
        let literal = match self.below(6) {
            0 => format!("{minus}{size:#x}"),
            1 => format!("{minus}{size}_{ty}"),
            2 => format!("({minus}({size}))"),
            3 => format!("{minus}{size:#b}"),
            _ => format!("{minus}{size}"),
        };
        if self.once_in(2) {
            let kind = self.one_of(&["expr", "expr", "tt"]);
            let kind = if literal.starts_with('-') {
                "expr"
            } else {
                kind
            };
            return (value, format!(" = {}", self.slot(kind, literal)), true);
        }
        let expression = match self.below(10) {
            0 => format!("{{ {literal} }}"),
            1 => format!("if 1 < 2 {{ {literal} }} else {{ 99 }}"),
            2 => format!("super::number::<u8, u16>({value}) as {ty}"),
            3 => format!("{literal} + <u8 as super::Tr<u8, u16>>::N as {ty} - 3"),
            4 => format!("match (1, 2) {{ (a, _) if a < 2 => {literal}, _ => 99 }}"),
            5 => format!("{literal} + (1 << 1) - (4 >> 1)"),
            6 => format!("<u8 as super::Tr<u8, u16>>::N as {ty} - 3 + {literal}"),
            7 => format!("{literal} << 0"),
            8 => format!(
                "{literal} << <<u8 as super::Tr<u8, u16>>::Out as super::Tr<u8, u16>>::N - 3"
            ),
            _ => format!("loop {{ break {literal} }}"),
        };
        (
            value,
            format!(" = {}", self.slot("expr", expression)),
            false,
        )
    }
}

fn of_enum(is_fixed: bool, zero: Option<Zero>) -> Zero {
    match zero {
        Some(of_fields) if is_fixed => of_fields,
        _ => Some(false),
    }
}

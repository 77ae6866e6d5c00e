//! Writes the parts of the grammar as text.

use std::fmt::{self, Display, Formatter};

use super::{
    Argument, Attr, Condition, Discriminant, Field, Fields, Item, Param, Part, Shape, Type, Variant,
};
use crate::invisible::MARK;
use crate::words::{each, one_of};

/// Names for types, fields and variants alike.
const NAMES: &[&str] = &[
    "Emp",
    "T",
    "r#type",
    "a",
    "_b",
    "Größe",
    "__mm",
    "invisible",
];
const LIFETIMES: &[&str] = &["'a", "'_", "'static", "'__mm", "'__mm_", "'b"];

impl Display for Item<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        each(f, &self.attrs, " ")?;
        let keyword = match self.shape {
            Shape::Unit | Shape::Struct(_) | Shape::Tuple(_) => "struct",
            Shape::Enum(_) => "enum",
            Shape::Union(_) => "union",
        };
        write!(f, "{keyword} {}", one_of(NAMES, self.name))?;
        if !self.params.is_empty() {
            f.write_str("<")?;
            each(f, &self.params, ", ")?;
            f.write_str(">")?;
        }
        // The conditions of a tuple struct follow its fields.
        match &self.shape {
            Shape::Unit => self.conditions(f)?,
            Shape::Tuple(fields) => {
                unnamed(f, fields)?;
                self.conditions(f)?;
            }
            Shape::Struct(fields) | Shape::Union(fields) => {
                self.conditions(f)?;
                return named(f, fields);
            }
            Shape::Enum(variants) => {
                self.conditions(f)?;
                f.write_str(" {")?;
                each(f, variants, ", ")?;
                return f.write_str("}");
            }
        }
        f.write_str(";")
    }
}

impl Item<'_> {
    fn conditions(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.conditions.is_empty() {
            return Ok(());
        }
        f.write_str(" where ")?;
        each(f, &self.conditions, ", ")
    }
}

/// Writes fields in braces. Numbers make their names unique.
fn named(f: &mut Formatter<'_>, fields: &[Field<'_>]) -> fmt::Result {
    f.write_str(" {")?;
    for (index, field) in fields.iter().enumerate() {
        each(f, &field.attrs, " ")?;
        let name = one_of(NAMES, field.name);
        write!(f, "{name}{index}: {}, ", field.ty)?;
    }
    f.write_str("}")
}

fn unnamed(f: &mut Formatter<'_>, fields: &[Field<'_>]) -> fmt::Result {
    f.write_str("(")?;
    for field in fields {
        each(f, &field.attrs, " ")?;
        write!(f, "{}, ", field.ty)?;
    }
    f.write_str(")")
}

impl Display for Attr<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const WORDS: &[&str] = &[
            "C",
            "u8",
            "i64",
            "transparent",
            "align(8)",
            "packed",
            "usize",
            "Rust",
            "u8 = 1",
        ];
        const OTHERS: &[&str] = &[
            "doc = \"mm\"",
            "cfg(mm)",
            "mm::mm(x)",
            "derive(Clone)",
            "repr",
        ];
        match self {
            Self::Mm(parts) => {
                f.write_str("#[mm(")?;
                each(f, parts, ", ")?;
                f.write_str(")]")
            }
            Self::MmText(text) => write!(f, "#[mm({text})]"),
            Self::MmBare => f.write_str("#[mm]"),
            Self::MmValue => f.write_str("#[mm = \"Emp\"]"),
            Self::Repr(words) => {
                let words: Vec<_> = words.iter().map(|word| one_of(WORDS, *word)).collect();
                f.write_str("#[repr(")?;
                each(f, &words, ", ")?;
                f.write_str(")]")
            }
            Self::Other(word) => write!(f, "#[{}]", one_of(OTHERS, *word)),
        }
    }
}

impl Display for Part<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const CRATES: &[&str] = &[
            "crate = \"::mm\"",
            "crate = \"a::b\"",
            "crate = crate::mm",
            "crate = \"self::r#mm\"",
            "crate = \"\"",
            "crate = 7",
            "crate = \"a::<u8>\"",
        ];
        const OTHERS: &[&str] = &["zero", "name", "name = 7", "instances", "mm::name", "crate"];
        const SIZES: &[&str] = &["B", " KiB", "MiB", " GiB", " TiB", "", " MB", ".5 KiB"];
        const LIMITS: &[&str] = &[
            "max_bytes",
            "max_bytes = \"-1 B\"",
            "max_bytes = 1.5",
            "max_bytes = LIMIT",
            "max_units = \"7\"",
            "max_units = 7u8",
            "max_units = -",
        ];
        match self {
            Self::Name(text) => write!(f, "name = {text:?}"),
            Self::Crate(word) => f.write_str(one_of(CRATES, *word)),
            Self::Instances(types) => {
                f.write_str("instances(")?;
                each(f, types, ", ")?;
                f.write_str(")")
            }
            Self::Zeroable => f.write_str("zeroable"),
            Self::Other(word) => f.write_str(one_of(OTHERS, *word)),
            Self::Text(text) => f.write_str(text),
            Self::Size { number, unit } => {
                write!(f, "max_bytes = \"{number}{}\"", one_of(SIZES, *unit))
            }
            Self::Bytes(number) => write!(f, "max_bytes = {number}"),
            Self::Units(number) => write!(f, "max_units = {number}"),
            Self::Limit(word) => f.write_str(one_of(LIMITS, *word)),
        }
    }
}

impl Display for Param<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const MORE: &[&str] = &[
            "",
            ": Clone",
            ": ?Sized + 'static",
            " = u8",
            ": for<'c> Fn(&'c u8)",
        ];
        const TYPES: &[&str] = &["usize", "bool", "char", "u8", "(usize)", "bool = true"];
        match self {
            Self::Lifetime(name) => f.write_str(one_of(LIFETIMES, *name)),
            Self::Type { name, more } => {
                write!(f, "{}{}", one_of(NAMES, *name), one_of(MORE, *more))
            }
            Self::Const { name, ty } => {
                write!(f, "const {}: {}", one_of(NAMES, *name), one_of(TYPES, *ty))
            }
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl Display for Condition<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const BOUNDS: &[&str] = &[
            "Clone",
            "",
            "'static + Copy",
            "for<'c> Fn(&'c u8) -> u8",
            "?Sized",
        ];
        match self {
            Self::Type(ty, bound) => write!(f, "{ty}: {}", one_of(BOUNDS, *bound)),
            Self::Lifetime(name) => write!(f, "{}: 'static", one_of(LIFETIMES, *name)),
        }
    }
}

impl Display for Variant<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        each(f, &self.attrs, " ")?;
        f.write_str(one_of(NAMES, self.name))?;
        match &self.fields {
            Fields::None => {}
            Fields::Named(fields) => named(f, fields)?,
            Fields::Unnamed(fields) => unnamed(f, fields)?,
        }
        self.discriminant.fmt(f)
    }
}

impl Display for Discriminant<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const WORDS: &[&str] = &[
            "0",
            "-0",
            "(0)",
            "b'\\0'",
            "- -1",
            "0_u8",
            "0x0",
            "A::B as u8",
            "1e1",
        ];
        match self {
            Self::None => Ok(()),
            Self::Number(number) => write!(f, " = {number}"),
            Self::Word(word) => write!(f, " = {}", one_of(WORDS, *word)),
            Self::Text(text) => write!(f, " = {text}"),
        }
    }
}

impl Display for Type<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const WORDS: &[&str] = &[
            "u8",
            "str",
            "dyn Clone",
            "dyn Clone + Send",
            "impl Clone",
            "Self",
            "_",
            "!",
            "m!(x)",
            "::std::string::String",
            "<T as A>::B",
            "Vec<T>",
            "dyn for<'c> Fn(&'c u8)",
        ];
        match self {
            Self::Word(word) => f.write_str(one_of(WORDS, *word)),
            Self::Name(name) => f.write_str(one_of(NAMES, *name)),
            Self::Own(name, arguments) => {
                write!(f, "{}<", one_of(NAMES, *name))?;
                each(f, arguments, ", ")?;
                f.write_str(">")
            }
            Self::Array(ty, length) => write!(f, "[{ty}; {length}]"),
            Self::Slice(ty) => write!(f, "[{ty}]"),
            Self::Tuple(types) => {
                f.write_str("(")?;
                each(f, types, ", ")?;
                f.write_str(")")
            }
            Self::Paren(ty) => write!(f, "({ty})"),
            Self::Invisible(ty) => write!(f, "[{MARK} {ty}]"),
            Self::Reference(name, ty) => write!(f, "&{} {ty}", one_of(LIFETIMES, *name)),
            Self::Pointer(ty) => write!(f, "*mut {ty}"),
            Self::Function(types, answer) => {
                f.write_str("fn(")?;
                each(f, types, ", ")?;
                write!(f, ") -> {answer}")
            }
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl Display for Argument<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const CONSTS: &[&str] = &["7", "{ 1 + 1 }", "true", "-1", "'c'", "X = u8", "X: Clone"];
        match self {
            Self::Type(ty) => ty.fmt(f),
            Self::Lifetime(name) => f.write_str(one_of(LIFETIMES, *name)),
            Self::Const(word) => f.write_str(one_of(CONSTS, *word)),
            Self::Text(text) => f.write_str(text),
        }
    }
}

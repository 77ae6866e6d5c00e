//! Parameters, conditions, and the instances of a type.

use super::writer::Writer;

pub(super) struct Param {
    pub(super) kind: Kind,
    pub(super) name: String,
    declaration: String,
    /// What instances write for it.
    arguments: &'static [&'static str],
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Lifetime,
    Type,
    Unsized,
    /// A constant that can be a length.
    Length,
    Const,
}

/// What a type can be that meets all bounds.
const SIZED: &[&str] = &[
    "u8",
    "(u8, u16)",
    "[u8; 2]",
    "super::Small",
    "&'static str",
    "fn(u8, u16) -> u8",
    "::std::option::Option<u8>",
    "<u8 as super::Tr<u8, u16>>::Out",
    "[u8; { 1 + 2 }]",
];
const UNSIZED: &[&str] = &[
    "str",
    "[u8]",
    "dyn ToString + ::std::marker::Send",
    "dyn for<'x> Fn(&'x u8, u16) -> u8",
    "::std::string::String",
];
const BOUNDS: &[&str] = &[
    "",
    ":",
    ": ::std::marker::Copy",
    ": ::std::clone::Clone + ::std::marker::Send",
    ": 'static",
    ": for<'x> super::Hr<'x>",
    ": super::Tr<u8, u16, Out = u8> + ::std::marker::Copy",
    ": (::std::marker::Copy)",
    ": ::std::marker::Copy + 'static +",
];
const CONSTS: &[(&str, &[&str], &str)] = &[
    ("bool", &["true", "{ 1 > 2 }"], "true"),
    ("char", &["'c'", "','", "'>'"], "'<'"),
    ("i8", &["-1", "{ 1 - 2 - 3 }", "7"], "-7"),
    ("u128", &["1", "0xffff_u128"], "{ 1 << 100 }"),
];
const LENGTHS: &[&str] = &[
    "5",
    "{ 1 + 1 }",
    "{ super::len::<u8, u16>(4) }",
    "{ super::LEN }",
];

impl Param {
    /// The argument for a box of any lifetime, where the bound allows it.
    fn with_any_lifetime(&self, argument: &str) -> String {
        if self.declaration.contains("'static") {
            return argument.to_owned();
        }
        argument.replace("&'static", "&")
    }
}

impl Writer {
    /// Writes parameters in an order that Rust allows: lifetimes, then the others.
    pub(super) fn params(&mut self) -> Vec<Param> {
        if self.once_in(2) {
            return Vec::new();
        }
        let lifetimes = self.below(3);
        let mut params: Vec<_> = (0..lifetimes).map(|index| self.lifetime(index)).collect();
        let others = self.below(3);
        // Defaults come last.
        let defaults_from = self.below(others + 2);
        for index in 0..others {
            let param = self.other(index, index >= defaults_from);
            params.push(param);
        }
        params
    }

    fn lifetime(&mut self, index: usize) -> Param {
        let name = format!("'l{index}");
        let bound = match index {
            0 => self.one_of(&["", ":"]),
            _ => self.one_of(&["", ": 'l0", ": 'l0 + 'l0"]),
        };
        Param {
            kind: Kind::Lifetime,
            declaration: format!("{name}{bound}"),
            name,
            arguments: &["'_", "'static"],
        }
    }

    fn other(&mut self, index: usize, has_default: bool) -> Param {
        let name = format!("{}{index}", self.one_of(&["T", "Größe", "r#T", "N"]));
        let name = name.replace("r#", if self.once_in(2) { "r#" } else { "" });
        match self.below(5) {
            0 => length_param(name, has_default),
            1 => self.const_param(name, has_default),
            2 => unsized_param(name, has_default),
            _ => self.type_param(name, has_default),
        }
    }

    fn type_param(&mut self, name: String, has_default: bool) -> Param {
        let bound = self.one_of(BOUNDS);
        let attribute = self.one_of(&["", "", "#[allow(unused)] "]);
        let default = if has_default { " = u8" } else { "" };
        Param {
            kind: Kind::Type,
            declaration: format!("{attribute}{name}{bound}{default}"),
            name,
            arguments: SIZED,
        }
    }

    fn const_param(&mut self, name: String, has_default: bool) -> Param {
        let (ty, arguments, default) = self.one_of(CONSTS);
        let default = if has_default {
            format!(" = {default}")
        } else {
            String::new()
        };
        Param {
            kind: Kind::Const,
            declaration: format!("const {name}: {ty}{default}"),
            name,
            arguments,
        }
    }

    /// Writes the parameters in angle brackets, or no brackets.
    pub(super) fn in_angles(&mut self, params: &[Param]) -> String {
        let list: Vec<_> = params.iter().map(|param| &*param.declaration).collect();
        let list = list.join(", ");
        match (list.is_empty(), self.once_in(4)) {
            (true, false) => String::new(),
            (true, true) => "<>".to_owned(),
            (false, false) => format!("<{list}>"),
            (false, true) => format!("<{list},>"),
        }
    }

    /// Writes a `where` that holds, or none.
    pub(super) fn conditions(&mut self, params: &[Param]) -> String {
        const ALWAYS: [&str; 7] = [
            "Self: ::std::marker::Sized",
            "[u8; { 1 + 2 }]: ::std::marker::Sized",
            "u8: super::Tr<u8, u16, Out = u8>",
            "super::Generic<u8, { 3 }>: ::std::marker::Sized",
            "for<'x> fn(&'x u8) -> &'x u8: ::std::marker::Copy",
            "'static: 'static",
            "(): ",
        ];
        let mut conditions = Vec::new();
        while self.once_in(2) {
            conditions.push(self.one_of(&ALWAYS).to_owned());
        }
        for param in params {
            match param.kind {
                Kind::Type if self.once_in(3) => {
                    conditions.push(format!("for<'x> [{}; 2]: super::Hr<'x>", param.name));
                }
                Kind::Lifetime if self.once_in(3) => {
                    conditions.push(format!("{0}: {0}", param.name));
                }
                _ => {}
            }
        }
        let list = conditions.join(", ");
        match (list.is_empty(), self.below(4)) {
            (true, 0) => " where ".to_owned(),
            (true, _) => String::new(),
            (false, 0) => format!(" where {list},"),
            (false, _) => format!(" where {list}"),
        }
    }

    /// Writes instances: each as the attribute names it, and by its
    /// plain name.
    pub(super) fn instances(
        &mut self,
        name: &str,
        plain: &str,
        params: &[Param],
    ) -> Vec<(String, String)> {
        let first = self.below(9);
        let list =
            (0..=self.below(2)).map(|index| self.instance(name, plain, params, first + index));
        list.collect()
    }

    fn instance(
        &mut self,
        name: &str,
        plain: &str,
        params: &[Param],
        pick: usize,
    ) -> (String, String) {
        let leaves_out = self.once_in(2);
        let (mut arguments, mut of_type) = (Vec::new(), Vec::new());
        for param in params {
            let argument = param.arguments[pick % param.arguments.len()];
            of_type.push(argument.replace("'_", "'static"));
            if param.kind != Kind::Lifetime {
                arguments.push(param.with_any_lifetime(argument));
            } else if !leaves_out {
                arguments.push(argument.to_owned());
            }
        }
        let colons = self.one_of(&["", "", "::"]);
        let comma = self.one_of(&["", "", ","]);
        let arguments = arguments.join(", ");
        let written = format!("{name}{colons}<{arguments}{comma}>");
        let ty = format!("{plain}<{}>", of_type.join(", "));
        (self.slot("ty", written), ty)
    }
}

fn length_param(name: String, has_default: bool) -> Param {
    let default = if has_default { " = { 1 + 2 }" } else { "" };
    Param {
        kind: Kind::Length,
        declaration: format!("const {name}: usize{default}"),
        name,
        arguments: LENGTHS,
    }
}

fn unsized_param(name: String, has_default: bool) -> Param {
    let default = if has_default { " = [u8]" } else { "" };
    Param {
        kind: Kind::Unsized,
        declaration: format!("{name}: ?::std::marker::Sized{default}"),
        name,
        arguments: UNSIZED,
    }
}

/// Whether a type with these parameters has several instances.
pub(super) fn is_generic(params: &[Param]) -> bool {
    params.iter().any(|param| param.kind != Kind::Lifetime)
}

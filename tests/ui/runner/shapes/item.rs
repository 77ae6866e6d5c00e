//! Structs, enums and unions.

use super::generics::{Kind, Param, is_generic};
use super::writer::{Writer, Zero, both};

const NAMES: &[&str] = &["Emp", "r#struct", "r#Emp", "Größe", "_Emp", "T_", "Fields"];
const ATTRIBUTES: &[&str] = &[
    "/// A type, \"quoted\"",
    "/** A type. */",
    "#[allow(dead_code)]",
    "#[cfg_attr(all(), must_use)]",
    "#[cfg_attr(any(), nonsense(1 < 2))]",
    "#[doc = concat!(\"a\", \"b\")]",
    "#[doc(hidden)]",
    "#[deprecated(note = \"a, b > c\")]",
    "#[rustfmt::skip]",
    "#[derive()]",
];
const OF_FIELDS: &[&str] = &[
    "",
    "",
    "",
    "/// A field.\n",
    "#[allow(unused)] ",
    "#[cfg(all())] ",
    "#[doc = \"a, b\"] ",
];
const VISIBILITIES: &[&str] = &["", "", "pub", "pub(crate)", "pub(super)", "pub(in super)"];

/// What is written of fields, and whether zero bytes are a value of all of them.
pub(super) struct Fields {
    pub(super) text: String,
    pub(super) zero: Zero,
}

/// Where fields are.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Place {
    Struct,
    /// In which all parameters are used.
    FirstVariant,
    Variant,
}

impl Writer {
    /// Writes a type with its derive, and beside it what must hold for it.
    pub(super) fn item(&mut self) -> (String, String) {
        let plain = self.one_of(NAMES);
        let name = &*self.slot("ident", plain.to_owned());
        let params = self.params();
        let declared = self.in_angles(&params);
        let conditions = self.conditions(&params);
        let (keyword, reprs, body, zero) = match self.below(6) {
            0 | 1 => self.braced_struct(&params, &conditions),
            2 => self.tuple_struct(&params, &conditions),
            3 => self.union_item(&params, &conditions),
            _ => self.enum_item(&params, &conditions),
        };
        let visibility = self.visibility();
        let reprs = reprs.split_terminator('|');
        let reprs: String = reprs.map(|repr| self.attribute(repr.to_owned())).collect();
        let attributes = format!("{reprs}{}", self.attributes());
        let head = format!("{visibility} {keyword} {name}{declared}");
        let instances = if is_generic(&params) {
            self.instances(name, plain, &params)
        } else {
            vec![(String::new(), of_any_lifetime(plain, &params))]
        };
        let ours = self.ours(&instances);
        let item = format!("{ours}{attributes}{head}{body}");
        let item = self.derived(&item);
        (item, checks(&instances, zero))
    }

    /// Puts the derive above an item, which may be a macro's.
    fn derived(&mut self, item: &str) -> String {
        let derive = "#[derive(::mm::MmManaged)]";
        if self.once_in(12) && self.is_without_variables() {
            return format!(
                "macro_rules! whole {{ ($i:item) => {{ {derive}\n$i }}; }}\nwhole! {{ {item} }}"
            );
        }
        format!("{derive}\n{item}")
    }

    /// Writes the attributes that are mm's.
    fn ours(&mut self, instances: &[(String, String)]) -> String {
        let mut parts = Vec::new();
        let written: Vec<_> = instances.iter().map(|(written, _)| &**written).collect();
        if !written.concat().is_empty() {
            let comma = self.one_of(&["", ","]);
            parts.push(format!("instances({}{comma})", written.join(", ")));
        }
        if self.once_in(4) && instances.len() == 1 {
            parts.push("name = \"a, \\\"b\\\" <c>\"".to_owned());
        }
        if self.once_in(4) {
            parts.push(
                self.one_of(&["max_bytes = \"1 GiB\"", "max_units = 1_000"])
                    .to_owned(),
            );
        }
        if self.once_in(4) {
            let krate = self.one_of(&["crate = \"::mm\"", "crate = ::mm"]);
            parts.push(krate.to_owned());
        }
        match (parts.is_empty(), self.once_in(2)) {
            (true, _) => String::new(),
            (false, true) => self.attribute(format!("mm({})", parts.join(", "))),
            (false, false) => parts
                .iter()
                .map(|part| self.attribute(format!("mm({part})")))
                .collect(),
        }
    }

    fn attribute(&mut self, inside: String) -> String {
        format!("#[{}]\n", self.slot("meta", inside))
    }

    fn attributes(&mut self) -> String {
        let mut attributes = String::new();
        for attribute in ATTRIBUTES {
            if self.once_in(8) {
                attributes.push_str(attribute);
                attributes.push('\n');
            }
        }
        attributes
    }

    pub(super) fn visibility(&mut self) -> String {
        let visibility = self.one_of(VISIBILITIES).to_owned();
        self.slot("vis", visibility)
    }

    fn visibility_of_field(&mut self, place: Place) -> String {
        match place {
            Place::Struct => self.visibility(),
            Place::FirstVariant | Place::Variant => String::new(),
        }
    }

    fn braced_struct(&mut self, params: &[Param], conditions: &str) -> Parts {
        let fields = self.named(params, Place::Struct);
        let body = format!("{conditions} {}", fields.text);
        ("struct", self.repr_of_struct(), body, fields.zero)
    }

    fn tuple_struct(&mut self, params: &[Param], conditions: &str) -> Parts {
        if self.once_in(4) && params.is_empty() {
            return ("struct", "", format!("{conditions};"), Some(true));
        }
        let fields = self.unnamed(params, Place::Struct);
        let body = format!("{}{conditions};", fields.text);
        ("struct", self.repr_of_struct(), body, fields.zero)
    }

    fn repr_of_struct(&mut self) -> &'static str {
        self.one_of(&["", "", "repr(C)", "repr(C, align(16))", "repr(packed(2))"])
    }

    fn union_item(&mut self, params: &[Param], conditions: &str) -> Parts {
        let (mut list, mut zero) = (Vec::new(), Some(true));
        for (name, ty, of_field) in self.fields(params, true) {
            let attribute = self.one_of(OF_FIELDS);
            list.push(format!(
                "{attribute}{name}: ::std::mem::ManuallyDrop<{ty}>,\n"
            ));
            zero = both(zero, of_field);
        }
        let body = format!("{conditions} {{ {} }}", list.concat());
        ("union", self.one_of(&["", "repr(C)"]), body, zero)
    }

    /// Writes fields in braces.
    pub(super) fn named(&mut self, params: &[Param], place: Place) -> Fields {
        let (mut list, mut zero) = (Vec::new(), Some(true));
        for (name, ty, of_field) in self.fields(params, place != Place::Variant) {
            let attribute = self.one_of(OF_FIELDS);
            let visibility = self.visibility_of_field(place);
            list.push(format!("{attribute}{visibility} {name}: {ty},\n"));
            zero = both(zero, of_field);
        }
        if self.once_in(6) {
            list.push("#[cfg(any())] gone: Nowhere<{ 1 < 2 }>,\n".to_owned());
        }
        let text = format!("{{ {} }}", list.concat());
        Fields {
            text: self.slot("tt", text),
            zero,
        }
    }

    pub(super) fn unnamed(&mut self, params: &[Param], place: Place) -> Fields {
        let (mut list, mut zero) = (Vec::new(), Some(true));
        for (_, ty, of_field) in self.fields(params, place != Place::Variant) {
            let attribute = self.one_of(OF_FIELDS);
            let visibility = self.visibility_of_field(place);
            list.push(format!("{attribute}{visibility} {ty}"));
            zero = both(zero, of_field);
        }
        let comma = self.one_of(&["", ","]);
        let comma = if list.is_empty() { "" } else { comma };
        let text = format!("({}{comma})", list.join(", "));
        Fields {
            text: self.slot("tt", text),
            zero,
        }
    }

    /// Chooses fields: their names, their types, and whether zero bytes are a value of each.
    fn fields(&mut self, params: &[Param], uses_all: bool) -> Vec<(String, String, Zero)> {
        let mut fields = Vec::new();
        for index in 0..=self.below(4) {
            let (ty, zero) = self.ty(params, 2);
            let name = self.one_of(&["a", "r#type", "größe", "_b", "this", "f"]);
            fields.push((format!("{name}{index}"), ty, zero));
        }
        for (index, param) in params.iter().enumerate().filter(|_| uses_all) {
            if let Some(used) = use_of(param) {
                let ty = format!("::std::marker::PhantomData<{used}>");
                fields.push((format!("uses{index}"), ty, Some(true)));
            }
        }
        fields
    }
}

/// The keyword, attributes with bars between, what comes after the parameters, and whether zero bytes are a value.
pub(super) type Parts = (&'static str, &'static str, String, Zero);

/// A type that uses a parameter which must be used.
fn use_of(param: &Param) -> Option<String> {
    match param.kind {
        Kind::Lifetime => Some(format!("&{} ()", param.name)),
        Kind::Type | Kind::Unsized => Some(param.name.clone()),
        Kind::Length | Kind::Const => None,
    }
}

/// A type without other parameters than lifetimes.
fn of_any_lifetime(name: &str, params: &[Param]) -> String {
    let lifetimes: Vec<_> = params.iter().map(|_| "'static").collect();
    format!("{name}<{}>", lifetimes.join(", "))
}

/// Writes what must hold for each instance.
fn checks(instances: &[(String, String)], zero: Zero) -> String {
    instances.iter().map(|(_, ty)| check(ty, zero)).collect()
}

fn check(ty: &str, zero: Zero) -> String {
    let managed = format!(
        "const _: fn() -> &'static ::mm::PageFamily = <{ty} as ::mm::MmManaged>::page_family;\n"
    );
    let Some(zero) = zero else { return managed };
    format!(
        "{managed}const _: () = {{ use super::Otherwise; \
         assert!(super::Probe::<{ty}>::IS_ZERO_INIT == {zero}) }};\n"
    )
}

//! Functions for `no_leaks`.

use super::writer::Writer;

/// What a function returns, and a body that does. Bodies may come from elsewhere, and know no
/// parameters.
const RESULTS: &[(&str, &str)] = &[
    ("", "{}"),
    ("", "{ let _ = 1 < 2; }"),
    ("-> ()", "{ ; }"),
    ("-> u8", "{ if 1 < 2 { return 3; } 4 }"),
    ("-> [u8; { 1 + 2 }]", "{ [7; 3] }"),
    ("-> <u8 as super::Tr<u8, u16>>::Out", "{ 3 }"),
    ("-> !", "{ loop {} }"),
    ("-> impl Iterator<Item = u8>", "{ ::std::iter::once(3) }"),
    (
        "-> impl Iterator<Item = u8> + use<'a, T, N>",
        "{ ::std::iter::once(3) }",
    ),
    (
        "-> impl for<'x> Fn(&'x u8, u16) -> &'x u8 + use<'a, T, N> + Copy",
        "{ fn one<'x>(x: &'x u8, _: u16) -> &'x u8 { x } one }",
    ),
    (
        "-> Option<Box<dyn Fn(u8, u16) -> u8 + 'a>>",
        "{ Some(Box::new(|x, _| x)) }",
    ),
    (
        "-> Result<super::Text, Box<dyn (::std::error::Error)>>",
        "{ Err(\"never\")? }",
    ),
    ("-> ty!(u8)", "{ #![allow(unused)] let unused = 0; 3 }"),
    ("-> fn(u8) -> [u8; { 3 }]", "{ |byte| [byte; 3] }"),
];
const QUALIFIERS: &[&str] = &[
    "",
    "",
    "unsafe",
    "extern \"C\"",
    "unsafe extern \"C\"",
    "extern",
];
const PARAMETERS: &[&str] = &[
    "",
    "one: &'a u8",
    "mut one: T, (two, _): (&'a u8, [u8; N]),",
    "_: T",
];
const CONDITIONS: &[&str] = &[
    "",
    "where",
    "where T: Clone,",
    "where [u8; { 1 + 2 }]: Sized",
    "where for<'x> T: super::Hr<'x>, T: Sized",
];

impl Writer {
    /// Writes a function with `no_leaks`.
    pub(super) fn function(&mut self) -> String {
        let (output, body) = self.one_of(RESULTS);
        let body = body.to_owned();
        // rustc takes no inner attribute in a block that is handed to a macro.
        let body = if body.contains("#!") {
            body
        } else {
            self.slot("block", body)
        };
        let output = match output.strip_prefix("-> ") {
            Some(ty) if !ty.starts_with("impl") => {
                format!("-> {}", self.slot("ty", ty.to_owned()))
            }
            _ => output.to_owned(),
        };
        let visibility = self.visibility();
        let qualifiers = self.one_of(QUALIFIERS);
        let parameters = self.one_of(PARAMETERS);
        let conditions = self.one_of(CONDITIONS);
        let argument = self.one_of(&[
            "",
            "()",
            "(scope)",
            "(crate = ::mm)",
            "(crate = \"::mm\", scope)",
        ]);
        let generics = "<'a, T: Fn(u8, u16) -> Vec<u8> + 'a, const N: usize>";
        format!(
            "/// A function.\n#[::mm::no_leaks{argument}]\n#[allow(unused)]\n\
             {visibility} {qualifiers} fn r#fn{generics}({parameters}) {output} {conditions} {body}\n"
        )
    }
}

//! A grammar of types with attributes. Most of its output can be parsed, and some of it is like real code.

mod write;

use arbitrary::Arbitrary;

/// A type's definition.
#[derive(Arbitrary, Debug)]
pub struct Item<'a> {
    attrs: Vec<Attr<'a>>,
    name: u8,
    params: Vec<Param<'a>>,
    conditions: Vec<Condition<'a>>,
    shape: Shape<'a>,
}

#[derive(Arbitrary, Debug)]
enum Shape<'a> {
    Unit,
    Struct(Vec<Field<'a>>),
    Tuple(Vec<Field<'a>>),
    Enum(Vec<Variant<'a>>),
    Union(Vec<Field<'a>>),
}

#[derive(Arbitrary, Debug)]
enum Attr<'a> {
    Mm(Vec<Part<'a>>),
    MmText(&'a str),
    MmBare,
    MmValue,
    Repr(Vec<u8>),
    Other(u8),
}

/// One part of `#[mm(...)]`.
#[derive(Arbitrary, Debug)]
enum Part<'a> {
    Name(&'a str),
    Crate(u8),
    Instances(Vec<Type<'a>>),
    Zeroable,
    Other(u8),
    Text(&'a str),
    Size { number: u64, unit: u8 },
    Bytes(i128),
    Units(i128),
    Limit(u8),
}

#[derive(Arbitrary, Debug)]
enum Param<'a> {
    Lifetime(u8),
    Type { name: u8, more: u8 },
    Const { name: u8, ty: u8 },
    Text(&'a str),
}

#[derive(Arbitrary, Debug)]
enum Condition<'a> {
    Type(Type<'a>, u8),
    Lifetime(u8),
}

#[derive(Arbitrary, Debug)]
struct Field<'a> {
    attrs: Vec<Attr<'a>>,
    name: u8,
    ty: Type<'a>,
}

#[derive(Arbitrary, Debug)]
struct Variant<'a> {
    attrs: Vec<Attr<'a>>,
    name: u8,
    fields: Fields<'a>,
    discriminant: Discriminant<'a>,
}

#[derive(Arbitrary, Debug)]
enum Fields<'a> {
    None,
    Named(Vec<Field<'a>>),
    Unnamed(Vec<Field<'a>>),
}

#[derive(Arbitrary, Debug)]
enum Discriminant<'a> {
    None,
    Number(i128),
    Word(u8),
    Text(&'a str),
}

#[derive(Arbitrary, Debug)]
enum Type<'a> {
    Word(u8),
    Name(u8),
    Own(u8, Vec<Argument<'a>>),
    Array(Box<Type<'a>>, u8),
    Slice(Box<Type<'a>>),
    Tuple(Vec<Type<'a>>),
    Paren(Box<Type<'a>>),
    Invisible(Box<Type<'a>>),
    Reference(u8, Box<Type<'a>>),
    Pointer(Box<Type<'a>>),
    Function(Vec<Type<'a>>, Box<Type<'a>>),
    Text(&'a str),
}

#[derive(Arbitrary, Debug)]
enum Argument<'a> {
    Type(Type<'a>),
    Lifetime(u8),
    Const(u8),
    Text(&'a str),
}

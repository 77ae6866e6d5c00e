//! What the derive registers, and which values it lets `xcalloc` make.

// Being registered is all that most of these types are for.
#![allow(dead_code)]

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use std::mem::{self, MaybeUninit};

use mm::{Limit, MmBox, MmManaged, PageFamily, ZeroInit};

/// Whether a type is `ZeroInit`, said without an error if it is not: the inherent constant is
/// there only for types that are, and is taken before that of the trait.
macro_rules! is_zero_init {
    ($type:ty) => {{
        trait Otherwise {
            const ANSWER: bool = false;
        }
        impl<T> Otherwise for T {}
        struct Probe<T>(PhantomData<T>);
        impl<T: ZeroInit> Probe<T> {
            const ANSWER: bool = true;
        }
        Probe::<$type>::ANSWER
    }};
}

/// How many families have a name.
fn listed(name: &str) -> usize {
    mm::families()
        .filter(|family| family.name() == name)
        .count()
}

/// What tells one family from another, but for those that one call of a macro wrote.
fn key(family: &PageFamily) -> impl Ord + Hash + fmt::Debug + use<> {
    (family.path(), family.location())
}

#[derive(MmManaged)]
struct Named {
    number: u32,
    bytes: [u8; 12],
}

#[derive(MmManaged)]
struct Tuple(u64, u8);

#[derive(MmManaged)]
struct Unit;

#[derive(MmManaged)]
struct NeverMade {
    _content: [u128; 5],
}

#[test]
fn structs_of_every_kind_have_a_family() {
    assert_eq!(Named::page_family().name(), "Named");
    assert_eq!(
        Named::page_family().layout(),
        std::alloc::Layout::new::<Named>()
    );
    assert_eq!(Tuple::page_family().layout().size(), 16);
    assert_eq!(Unit::page_family().layout().size(), 0);
    let zeroed = Named::xcalloc(2);
    assert_eq!((zeroed[1].number, zeroed[1].bytes), (0, [0; 12]));
    let tuple = &Tuple::xcalloc(1)[0];
    assert_eq!((tuple.0, tuple.1), (0, 0));
}

#[test]
fn a_type_without_size_is_listed_and_made() {
    assert_eq!(listed("Unit"), 1);
    assert_eq!(Unit::xcalloc(7).len(), 7);
}

#[test]
fn a_family_is_listed_before_anything_is_made() {
    assert_eq!(listed("NeverMade"), 1);
}

#[test]
fn families_are_sorted_and_all_different() {
    let keys: Vec<_> = mm::families().map(PageFamily::key).collect();
    assert!(keys.len() > 20);
    assert!(keys.is_sorted());
    assert!(keys.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn the_location_is_that_of_the_derive() {
    #[derive(MmManaged)]
    struct Here;
    let line = line!() - 2;

    let location = Here::page_family().location();
    assert_eq!(location.file, file!());
    assert_eq!(location.line, line);
    assert!(location.column > 1);
    assert_eq!(location.crate_version, env!("CARGO_PKG_VERSION"));
}

#[test]
fn the_path_is_the_whole_one() {
    assert_eq!(Named::page_family().path(), "derive::Named");
}

#[derive(MmManaged)]
#[repr(u8)]
enum WithZero {
    Empty,
    Full(Option<Box<u32>>),
}

#[derive(MmManaged)]
#[repr(i16)]
enum FromBelow {
    _Least = -2,
    _Less,
    Zero(Cell<u64>),
    _More(Vec<u8>),
}

#[derive(MmManaged)]
#[repr(C, align(16))]
enum Literal {
    _One = 0x1,
    Zero = 0x0,
}

#[derive(MmManaged)]
#[repr(u8)]
enum Unreadable {
    _Zero = Self::ZERO,
    _One,
}

impl Unreadable {
    const ZERO: u8 = 0;
}

#[derive(MmManaged)]
#[repr(u8)]
enum WithoutZero {
    _One = 1,
    _Two,
}

#[derive(MmManaged)]
#[repr(align(8))]
enum WithoutRepr {
    _First,
    _Second,
}

#[derive(MmManaged)]
#[repr(u8)]
enum ZeroHoldsText {
    _Text(String),
    _Nothing,
}

#[derive(MmManaged)]
enum NoVariant {}

#[test]
fn enums_are_zeroed_when_the_source_says_which_variant_that_is() {
    assert!(matches!(WithZero::xcalloc(1)[0], WithZero::Empty));
    assert!(matches!(Literal::xcalloc(1)[0], Literal::Zero));
    match &FromBelow::xcalloc(1)[0] {
        FromBelow::Zero(number) => assert_eq!(number.get(), 0),
        _ => panic!("zero bytes are the variant `Zero`"),
    }
    let full = MmBox::new(WithZero::Full(Some(Box::new(3))));
    assert!(matches!(&*full, WithZero::Full(Some(three)) if **three == 3));
}

#[test]
fn other_enums_are_listed_but_not_zeroed() {
    assert!(!is_zero_init!(Unreadable));
    assert!(!is_zero_init!(WithoutZero));
    assert!(!is_zero_init!(WithoutRepr));
    assert!(!is_zero_init!(ZeroHoldsText));
    assert!(!is_zero_init!(NoVariant));
    for name in [
        "Unreadable",
        "WithoutZero",
        "WithoutRepr",
        "ZeroHoldsText",
        "NoVariant",
    ] {
        assert_eq!(listed(name), 1, "{name}");
    }
}

#[derive(MmManaged)]
#[repr(C)]
union Bits {
    bytes: [u8; 4],
    number: u32,
}

#[derive(MmManaged)]
union HalfZero {
    _number: usize,
    _reference: &'static u8,
}

#[test]
fn unions_are_zeroed_when_every_field_is() {
    let bits = &Bits::xcalloc(1)[0];
    // SAFETY: `xcalloc` wrote every byte of the union.
    assert_eq!(unsafe { bits.bytes }, [0; 4]);
    // SAFETY: as above.
    assert_eq!(unsafe { bits.number }, 0);
    assert!(!is_zero_init!(HalfZero));
    assert_eq!(listed("HalfZero"), 1);
}

#[derive(MmManaged)]
#[repr(C, packed)]
struct Packed {
    byte: u8,
    word: u64,
}

#[derive(MmManaged)]
#[repr(transparent)]
struct Transparent(Named);

#[derive(MmManaged)]
struct Nested {
    rows: [(Tuple, [Named; 2]); 3],
    _uninit: MaybeUninit<String>,
    _marker: PhantomData<fn(&str) -> String>,
    reference: Option<&'static String>,
    pointer: *const u8,
    _function: Option<fn(u8) -> String>,
}

#[derive(MmManaged)]
struct Text {
    text: String,
}

#[derive(MmManaged)]
struct WithDrop(u32);

impl Drop for WithDrop {
    fn drop(&mut self) {
        assert_eq!(self.0, 0);
    }
}

#[test]
fn structs_are_zeroed_when_every_field_is() {
    let packed = &Packed::xcalloc(2)[1];
    assert_eq!(({ packed.byte }, { packed.word }), (0, 0));
    assert_eq!(Transparent::xcalloc(1)[0].0.number, 0);
    assert_eq!(WithDrop::xcalloc(3).len(), 3);
    let nested = &Nested::xcalloc(1)[0];
    assert_eq!(nested.rows[2].1[1].number, 0);
    assert_eq!(nested.rows[0].0.0, 0);
    assert!(nested.reference.is_none() && nested.pointer.is_null());
}

#[test]
fn a_field_that_cannot_be_zero_hinders_zeroing_alone() {
    assert!(!is_zero_init!(Text));
    assert_eq!(
        MmBox::new(Text {
            text: "mm".to_owned()
        })
        .text,
        "mm"
    );
}

#[derive(MmManaged)]
struct Borrowing<'a, 'b: 'a>
where
    'b: 'a,
{
    text: &'a str,
    _longer: &'b str,
}

fn borrowing_family<'a>(_: &'a str) -> &'static PageFamily {
    Borrowing::<'a, 'a>::page_family()
}

#[test]
fn all_lifetimes_share_one_family() {
    let text = String::from("of this function");
    let boxed = MmBox::new(Borrowing {
        text: &text,
        _longer: "forever",
    });
    assert_eq!(boxed.text, "of this function");
    let family = borrowing_family(&text);
    assert!(std::ptr::eq(
        family,
        Borrowing::<'static, 'static>::page_family()
    ));
    assert_eq!(family.name(), "Borrowing");
    assert_eq!(listed("Borrowing"), 1);
    assert!(!is_zero_init!(Borrowing<'static, 'static>));
}

#[derive(MmManaged)]
#[mm(instances(Node<u32>, Node<HashMap< String,Vec<u8> >>, Node<&str>, Node<dyn fmt::Debug + Send>))]
struct Node<T: ?Sized> {
    _next: Option<Box<u8>>,
    pointer: *const [Box<T>],
}

#[derive(MmManaged)]
#[mm(instances(Matrix<2>, Matrix<{ 1 + 2 }, f64>, Matrix<-1, bool>))]
struct Matrix<const N: i8, T = f32> {
    cells: [T; 2],
}

#[derive(MmManaged)]
#[mm(instances(Slice<u8>, Slice<'_, u16, 4>, Slice<'static, u32>))]
struct Slice<'a, T, const N: usize = 1> {
    elements: Option<&'a [T; N]>,
}

#[derive(MmManaged)]
#[mm(instances(Defaulted), name = "with its default")]
struct Defaulted<T = u8>(T);

#[test]
fn each_instance_has_a_family_named_as_written() {
    let names: Vec<_> = mm::families()
        .map(PageFamily::name)
        .filter(|name| name.starts_with("Node<"))
        .collect();
    assert_eq!(names.len(), 4);
    assert!(names.contains(&"Node<u32>"));
    assert!(names.contains(&"Node<HashMap<String, Vec<u8>>>"));
    assert!(names.contains(&"Node<&str>"));
    assert!(names.contains(&"Node<dyn fmt::Debug + Send>"));
    assert!(!std::ptr::eq(
        Node::<u32>::page_family(),
        Node::<&str>::page_family()
    ));
}

#[test]
fn instances_by_constants_and_defaults_work() {
    assert_eq!(Matrix::<2>::page_family().name(), "Matrix<2>");
    assert_eq!(
        Matrix::<3, f64>::page_family().name(),
        "Matrix<{1 + 2}, f64>"
    );
    assert_eq!(Matrix::<-1, bool>::page_family().layout().size(), 2);
    assert_eq!(Defaulted::<u8>::page_family().name(), "with its default");
    assert_eq!(Defaulted::<u8>::xcalloc(1)[0].0, 0);
    assert!(!Matrix::<-1, bool>::xcalloc(1)[0].cells[1]);
}

#[test]
fn instances_leave_lifetimes_out() {
    let elements = [1_u16; 4];
    let boxed = MmBox::new(Slice {
        elements: Some(&elements),
    });
    assert_eq!(boxed.elements, Some(&[1; 4]));
    assert_eq!(Slice::<u8>::page_family().name(), "Slice<u8>");
    assert_eq!(Slice::<u32>::page_family().name(), "Slice<'static, u32>");
}

#[test]
fn instances_are_zeroed_as_their_arguments_are() {
    assert!(Node::<u32>::xcalloc(1)[0].pointer.is_null());
    assert!(is_zero_init!(Defaulted<u8>));
    assert!(!is_zero_init!(Defaulted<String>));
}

#[derive(MmManaged)]
#[mm(name = "ein anderer Name, \u{1F980}\n")]
struct Renamed;

#[derive(MmManaged)]
#[allow(non_camel_case_types)]
struct r#type;

#[test]
fn names_are_taken_as_they_are() {
    assert_eq!(
        Renamed::page_family().name(),
        "ein anderer Name, \u{1F980}\n"
    );
    assert_eq!(r#type::page_family().name(), "type");
}

macro_rules! with_lengths {
    ($($name:ident: $length:expr, $instance:ty;)*) => {$(
        #[derive(MmManaged)]
        #[mm(instances($instance))]
        struct $name<T>(T, [u8; $length], [u8; const { 3 }], [u8; { let two = 2; two + 1 }]);
    )*};
}

with_lengths! {
    ByMethod: [1, 2].len(), ByMethod<r#type>;
    ByBlock: { let one = 1; one + 1 }, ByBlock<(u8, u16)>;
    ByCondition: if cfg!(any()) { 1 } else { 2 }, ByCondition<[u8; const { 1 + 1 }]>;
}

#[test]
fn lengths_and_instances_are_passed_on_as_they_are() {
    assert_eq!(ByMethod::<r#type>::page_family().name(), "ByMethod<type>");
    assert_eq!(ByMethod::<r#type>::xcalloc(1)[0].1, [0; 2]);
    assert_eq!(ByBlock::<(u8, u16)>::xcalloc(1)[0].3, [0; 3]);
    let family = ByCondition::<[u8; 2]>::page_family();
    assert_eq!(family.name(), "ByCondition<[u8; const{1 + 1}]>");
    assert_eq!(family.layout().size(), 10);
}

fn local_of_one_function() -> &'static PageFamily {
    #[derive(MmManaged)]
    struct Local(u8);
    Local::page_family()
}

fn local_of_another() -> &'static PageFamily {
    #[derive(MmManaged)]
    struct Local(u64);
    Local::page_family()
}

#[test]
fn local_types_of_one_name_are_two_families() {
    let (one, other) = (local_of_one_function(), local_of_another());
    assert!(!std::ptr::eq(one, other));
    assert_ne!(key(one), key(other));
    assert_ne!(one.location(), other.location());
    assert_eq!(listed("Local"), 2);
}

#[test]
fn types_of_one_macro_in_one_function_differ_in_location() {
    macro_rules! block {
        () => {{
            #[derive(MmManaged)]
            struct InBlock;
            InBlock::page_family()
        }};
    }
    let (one, other) = (block!(), block!());
    assert_eq!(one.path(), other.path());
    assert_ne!(one.location(), other.location());
    assert_eq!(listed("InBlock"), 2);
}

macro_rules! define {
    ($($name:ident: $type:ty = $first:expr;)*) => {$(
        #[derive(MmManaged)]
        #[repr(u8)]
        enum $name {
            First($type) = $first,
        }
    )*};
}

define! {
    ZeroFirst: [u32; 2] = 0;
    OneFirst: u32 = 1;
}

#[test]
fn macros_can_pass_types_and_discriminants() {
    let ZeroFirst::First(numbers) = &ZeroFirst::xcalloc(1)[0];
    assert_eq!(numbers, &[0, 0]);
    assert!(!is_zero_init!(OneFirst));
    let OneFirst::First(number) = &*MmBox::new(OneFirst::First(4));
    assert_eq!(*number, 4);
}

#[derive(Clone, Copy, MmManaged, bytemuck::Zeroable)]
#[mm(zeroable)]
struct ByBytemuck {
    number: u32,
}

#[test]
fn a_type_can_bring_its_own_zeroable() {
    assert_eq!(ByBytemuck::xcalloc(2)[1].number, 0);
    assert_eq!(
        <[ByBytemuck; 2] as bytemuck::Zeroable>::zeroed()[1].number,
        0
    );
}

mm::family!(
    /// Another crate's type.
    #[derive(Debug, Default)]
    #[mm(name = "table")]
    pub struct Table(HashMap<String, Tuples>);
);
type Tuples = Vec<(u8, u8)>;

mm::family!(struct Word<'a>(Cow<'a, str>));
mm::family!(
    pub(crate) struct Count(pub Cell<u32>);
);

#[test]
fn newtypes_bring_other_crates_types_in() {
    let mut table = Table::default();
    table.insert("a".to_owned(), vec![(1, 2)]);
    let boxed = MmBox::new(table);
    assert_eq!(boxed["a"], [(1, 2)]);
    assert_eq!(Table::page_family().name(), "table");
    let inside: HashMap<String, Tuples> = Table::default().into();
    assert!(Table::from(inside).into_inner().is_empty());
}

#[test]
fn newtypes_take_lifetimes_and_visible_fields() {
    let text = String::from("word");
    let word = MmBox::new(Word::from(Cow::from(&*text)));
    assert_eq!(word.len(), 4);
    assert_eq!(Word::page_family().name(), "Word");
    assert_eq!(Count::xcalloc(1)[0].0.get(), 0);
    assert!(!is_zero_init!(Table));
}

#[derive(mm_test_renamed::typed_heap::MmManaged)]
#[mm(crate = "mm_test_renamed::typed_heap")]
struct ThroughReExport(u16);

mod with_macro {
    mm_test_renamed::managed!(ByForeignMacro);
    mm_test_renamed::typed_heap::family!(
        pub(super) struct Bytes(Vec<u8>);
    );

    pub(super) fn zeroed() -> u32 {
        <ByForeignMacro as mm::MmManaged>::xcalloc(1)[0].0
    }
}

#[test]
fn the_crate_can_come_through_another() {
    assert_eq!(ThroughReExport::xcalloc(1)[0].0, 0);
    assert_eq!(with_macro::zeroed(), 0);
    assert!(with_macro::Bytes::from(Vec::new()).is_empty());
    assert_eq!(listed("ByForeignMacro"), 1);
    assert_eq!(listed("Bytes"), 1);
}

#[test]
fn families_of_linked_crates_are_listed() {
    assert_eq!(listed("Quoted"), 1);
    let bare = mm::families().find(|family| family.name() == "Bare");
    assert_eq!(bare.map(PageFamily::path), Some("mm_test_renamed::Bare"));
}

/// Types of one name, defined by one call of a macro: they share name, path and place.
macro_rules! twins {
    ($($bytes:literal)*) => {
        [$({
            #[derive(MmManaged)]
            struct Twin([u8; $bytes]);
            mem::forget(MmBox::new(Twin([0; $bytes])));
            Twin::page_family()
        }),*]
    };
}

#[test]
fn families_of_one_macro_call_are_told_apart_everywhere() {
    let twins: [&'static PageFamily; 3] = twins!(24 40 56);
    let alike: HashSet<_> = twins.iter().map(|twin| key(twin)).collect();
    assert_eq!(alike.len(), 1, "what this test is about");

    let keys = twins.map(PageFamily::key);
    let texts = keys.map(|key| key.to_string());
    let place = format!("{} ({}", twins[0].path(), twins[0].location());
    assert!(
        texts.iter().all(|text| text.starts_with(&place)),
        "{texts:?}"
    );
    let mut ends = texts.each_ref().map(|text| text.rsplit(')').next());
    ends.sort_unstable();
    assert_eq!(ends, [Some(""), Some(" #2"), Some(" #3")]);

    let snapshot = mm::snapshot();
    let profile = mm::profile();
    let reports = [
        snapshot.page_families().to_string(),
        snapshot.memory_usage(None).to_string(),
        snapshot.block_usage().to_string(),
        mm::leaks().to_string(),
    ];
    let metrics = snapshot.openmetrics().to_string();
    let live = metrics
        .lines()
        .filter(|line| line.starts_with("mm_family_live_bytes{family=\"Twin\""));
    let series: HashSet<_> = live.filter_map(|line| line.split('}').next()).collect();
    assert_eq!(series.len(), 3, "{series:?}");
    for ((twin, key), text) in twins.iter().zip(keys).zip(&texts) {
        let size = twin.layout().size() as u64;
        assert_eq!(snapshot.family(text).map(|one| one.unit_size), Some(size));
        assert_eq!(profile.family(text).map(|one| one.unit_size), Some(size));
        let one = snapshot.memory_usage(text.as_str()).to_string();
        assert!(one.lines().any(|line| line.starts_with(text)), "{one}");
        for report in &reports {
            let rows = report.lines().filter(|line| line.contains(text));
            let own = |row: &&str| !row.contains(&format!("{text} #"));
            assert_eq!(rows.filter(own).count(), 1, "{report}");
        }
        twin.set_limit(Limit::units(1));
        let refused = twin.alloc(1).expect_err("one is live");
        let sentence = format!("page family `{text}` may not hold");
        assert!(refused.to_string().starts_with(&sentence), "{refused}");
        twin.set_limit(None);
        assert_eq!(twin.key(), key, "a key stays");
    }
    assert!(snapshot.family("Twin").is_none());
    assert!(snapshot.family(twins[0].path()).is_none());

    // One of them changes: the others do not.
    let before = mm::snapshot();
    let block = mm_tests::OwnedBlock::new(twins[1], 1);
    let diff = mm::snapshot().diff(&before);
    let changed = diff.changed().filter(|one| one.name == "Twin");
    let changed: Vec<_> = changed.map(|one| (one.key, one.live_bytes)).collect();
    assert_eq!(changed, [(keys[1], 40)]);
    block.release();
}

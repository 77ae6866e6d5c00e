//! Types and call sites from names as compilers write them: of DWARF, and of symbols of both manglings.

use super::frame::{Frame, beyond_allocator};
use super::function::Function;
use super::site::site_of;
use super::source::{Origin, module_of, origin_of, origin_of_crate, relative};
use super::symbols::Sharing;
use super::text::{shorten, split, split_arguments};
use super::types::type_of;

const STD: &str = "/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/";
const HASHBROWN: &str = "/rust/deps/hashbrown-0.16.1/src/";
const REGISTRY: &str = "/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/";

/// A frame by a file, the library's folder left out (`std:alloc/src/string.rs`), and a name of DWARF.
fn entry(file: &str, name: &str) -> Frame {
    let path = match file.split_once(':') {
        Some(("std", file)) => format!("{STD}{file}"),
        Some(("hashbrown", file)) => format!("{HASHBROWN}{file}"),
        Some(("registry", file)) => format!("{REGISTRY}{file}"),
        _ => format!("/home/me/app/{file}"),
    };
    let function = Function::from_entry(module_of(&path), name);
    Frame::of_source(
        Some(function),
        &path,
        relative(&path, Some("/home/me/app")),
        7,
    )
}

/// A frame by a symbol alone, of a program whose crate is `app`.
fn symbol(name: &str) -> Frame {
    let demangled = rustc_demangle::try_demangle(name).expect("a symbol of Rust");
    let has_arguments = !name.starts_with("_ZN");
    let function = Function::from_symbol(&format!("{demangled:#}"), has_arguments);
    let origin = origin_of_crate(function.crate_name(), Some("app"));
    Frame {
        function: Some(function),
        source: None,
        origin,
        is_whole: false,
    }
}

fn type_from(frames: &[Frame]) -> Option<String> {
    type_of(beyond_allocator(&frames.iter().collect::<Vec<_>>()))
}

fn site_from(frames: &[Frame]) -> Option<String> {
    site_of(beyond_allocator(&frames.iter().collect::<Vec<_>>()))
}

/// Checks the type of a stack of names of DWARF, between the allocator and the program.
#[track_caller]
fn check(names: &[(&str, &str)], expected: Option<&str>) {
    let inner = [
        ("src/main.rs", "__rust_alloc"),
        ("std:alloc/src/alloc.rs", "alloc"),
        ("std:alloc/src/alloc.rs", "allocate"),
    ];
    let all = inner
        .iter()
        .chain(names)
        .chain(&[("src/cache.rs", "insert")]);
    let frames: Vec<_> = all.map(|(file, name)| entry(file, name)).collect();
    assert_eq!(type_from(&frames).as_deref(), expected);
    assert_eq!(site_from(&frames).as_deref(), Some("src/cache.rs:7 insert"));
}

const RAW_VEC: &str = "std:alloc/src/raw_vec/mod.rs";
const VEC: &str = "std:alloc/src/vec/mod.rs";
const STRING: &str = "std:alloc/src/string.rs";
const BOXED: &str = "std:alloc/src/boxed.rs";

#[test]
fn vectors_are_named_by_their_items() {
    let grown = [
        (RAW_VEC, "finish_grow<alloc::alloc::Global>"),
        (RAW_VEC, "grow_amortized<alloc::alloc::Global>"),
        (RAW_VEC, "grow_one<app::Session, alloc::alloc::Global>"),
        (VEC, "push<app::Session, alloc::alloc::Global>"),
    ];
    check(&grown, Some("Vec<app::Session>"));
    let deque = "std:alloc/src/collections/vec_deque/mod.rs";
    let queue = [
        (
            RAW_VEC,
            "grow_one<alloc::string::String, alloc::alloc::Global>",
        ),
        (deque, "grow<alloc::string::String, alloc::alloc::Global>"),
        (
            deque,
            "push_back<alloc::string::String, alloc::alloc::Global>",
        ),
    ];
    check(&queue, Some("VecDeque<String>"));
    let slice = [
        (RAW_VEC, "with_capacity_in<u64, alloc::alloc::Global>"),
        (BOXED, "new_uninit_slice<u64>"),
    ];
    check(&slice, Some("Box<[u64]>"));
    let heap = [
        (RAW_VEC, "grow_one<u64, alloc::alloc::Global>"),
        (VEC, "push<u64, alloc::alloc::Global>"),
        (
            "std:alloc/src/collections/binary_heap/mod.rs",
            "push<u64, alloc::alloc::Global>",
        ),
    ];
    check(&heap, Some("BinaryHeap<u64>"));
}

#[test]
fn bytes_are_a_text_if_a_text_asks_for_them() {
    let bytes = [
        (RAW_VEC, "with_capacity_in<u8, alloc::alloc::Global>"),
        (VEC, "with_capacity_in<u8, alloc::alloc::Global>"),
        ("std:alloc/src/slice.rs", "to_vec<u8, alloc::alloc::Global>"),
    ];
    check(&bytes, Some("Vec<u8>"));
    let text = [
        bytes[0],
        bytes[1],
        bytes[2],
        ("std:alloc/src/str.rs", "to_owned"),
    ];
    check(&text, Some("String"));
    let clone = [
        bytes[0],
        bytes[2],
        (VEC, "clone<u8, alloc::alloc::Global>"),
        (STRING, "clone"),
    ];
    check(&clone, Some("String"));
    let formatted = [
        (RAW_VEC, "reserve<u8, alloc::alloc::Global>"),
        (STRING, "write_str"),
        ("std:core/src/fmt/mod.rs", "write"),
        ("std:alloc/src/fmt.rs", "format_inner"),
    ];
    check(&formatted, Some("String"));
    let path = [
        bytes[0],
        ("std:std/src/sys/os_str/bytes.rs", "push_slice"),
        ("std:std/src/path.rs", "_join"),
    ];
    check(&path, Some("PathBuf"));
}

#[test]
fn maps_are_named_and_not_their_tables() {
    let raw = "hashbrown:raw/mod.rs";
    let hasher = "hashbrown::map::make_hasher::{closure_env#0}<app::Key, app::Session, std::hash::random::RandomState>";
    let rehash =
        format!("reserve_rehash<(app::Key, app::Session), alloc::alloc::Global, {hasher}>");
    let inner = [
        ("hashbrown:raw/alloc.rs", "do_alloc<alloc::alloc::Global>"),
        (raw, "resize_inner<alloc::alloc::Global>"),
        (raw, &*rehash),
    ];
    check(&inner, Some("HashMap<app::Key, app::Session>"));
    let own = "app::Key, app::Session, std::hash::random::RandomState";
    let (of_crate, of_std) = (
        format!("insert<{own}, alloc::alloc::Global>"),
        format!("insert<{own}>"),
    );
    let map = [
        inner[1],
        ("hashbrown:map.rs", &*of_crate),
        ("std:std/src/collections/hash/map.rs", &*of_std),
    ];
    check(&map, Some("HashMap<app::Key, app::Session>"));
    let set = [
        inner[1],
        (
            "hashbrown:map.rs",
            "insert<u32, (), std::hash::random::RandomState, alloc::alloc::Global>",
        ),
        (
            "hashbrown:set.rs",
            "insert<u32, std::hash::random::RandomState, alloc::alloc::Global>",
        ),
        (
            "std:std/src/collections/hash/set.rs",
            "insert<u32, std::hash::random::RandomState>",
        ),
    ];
    check(&set, Some("HashSet<u32>"));
}

#[test]
fn boxes_are_named_by_what_they_are_part_of() {
    let boxed = |item: &str, expected| check(&[(BOXED, &format!("new<{item}>"))], Some(expected));
    boxed("app::Conn", "Box<app::Conn>");
    boxed("alloc::sync::ArcInner<app::Conn>", "Arc<app::Conn>");
    boxed(
        "alloc::rc::RcInner<core::cell::RefCell<u32>>",
        "Rc<RefCell<u32>>",
    );
    boxed(
        "alloc::collections::linked_list::Node<u32>",
        "LinkedList<u32>",
    );
    let node = "alloc::collections::btree::node::LeafNode";
    boxed(
        &format!("{node}<alloc::string::String, u64>"),
        "BTreeMap<String, u64>",
    );
    let nothing = "alloc::collections::btree::set_val::SetValZST";
    boxed(&format!("{node}<u64, {nothing}>"), "BTreeSet<u64>");
    let by_reference = [
        (
            "std:core/src/alloc/mod.rs",
            "allocate<alloc::alloc::Global>",
        ),
        (
            BOXED,
            "new_in<alloc::collections::linked_list::Node<u64>, &alloc::alloc::Global>",
        ),
        (
            "std:alloc/src/collections/linked_list.rs",
            "push_back<u64, alloc::alloc::Global>",
        ),
    ];
    check(&by_reference, Some("LinkedList<u64>"));
    let shared = [(
        "std:alloc/src/sync.rs",
        "allocate_for_layout<[u8], app::F, app::G>",
    )];
    check(&shared, Some("Arc<[u8]>"));
}

#[test]
fn what_an_item_allocates_is_the_items() {
    // A clone of `Vec<String>`: the texts, and the vector.
    let outer = (
        "std:alloc/src/slice.rs",
        "to_vec<alloc::string::String, alloc::alloc::Global>",
    );
    let text = [
        (RAW_VEC, "with_capacity_in<u8, alloc::alloc::Global>"),
        (VEC, "clone<u8, alloc::alloc::Global>"),
        (STRING, "clone"),
        outer,
    ];
    check(&text, Some("String"));
    let vector = [
        (
            RAW_VEC,
            "with_capacity_in<alloc::string::String, alloc::alloc::Global>",
        ),
        outer,
    ];
    check(&vector, Some("Vec<String>"));
    // `.map(str::to_owned).collect::<Vec<String>>()`.
    let mapped = [
        (RAW_VEC, "with_capacity_in<u8, alloc::alloc::Global>"),
        ("std:alloc/src/str.rs", "to_owned"),
        (
            "std:core/src/ops/function.rs",
            "call_mut<fn(&str) -> alloc::string::String, (&str)>",
        ),
        (
            "std:alloc/src/vec/spec_from_iter.rs",
            "from_iter<alloc::string::String, app::I>",
        ),
    ];
    check(&mapped, Some("String"));
}

#[test]
fn nothing_is_guessed() {
    check(&[], None);
    check(&[(RAW_VEC, "finish_grow<alloc::alloc::Global>")], None);
    check(
        &[
            (
                "std:std/src/sys/thread_local/native.rs",
                "new<app::Session>",
            ),
            (VEC, "push<u8>"),
        ],
        None,
    );
    check(
        &[
            ("registry:smallvec-1.15.1/src/lib.rs", "try_grow<[u64; 4]>"),
            (VEC, "push<u8>"),
        ],
        None,
    );
    // Functions that others share the code with: the types are of one of them.
    let mut frames = [
        entry(
            RAW_VEC,
            "grow_one<alloc::vec::Vec<u8>, alloc::alloc::Global>",
        ),
        entry(VEC, "push<alloc::string::String, alloc::alloc::Global>"),
        entry("src/cache.rs", "insert"),
    ];
    frames[0].share(Sharing::Instances);
    assert_eq!(type_from(&frames).as_deref(), Some("Vec<String>"));
    frames[1].share(Sharing::Instances);
    assert_eq!(type_from(&frames), None);
    frames[2].share(Sharing::Instances);
    assert_eq!(site_from(&frames).as_deref(), Some("src/cache.rs:7 insert"));
    frames[2].share(Sharing::Functions);
    assert_eq!(site_from(&frames), None);
}

#[test]
fn symbols_tell_what_cannot_be_inlined() {
    let alloc = "_RNvCsfLfy6EI15iL_7___rustc12___rust_alloc";
    let grow_one = "_RNvMs3_NtCslNYArtu3iFV_5alloc7raw_vecINtB5_6RawVecNtNtB7_6string6StringE8grow_oneCsjrHSEGnQ3l9_3std";
    let insert = "_RNvMCscAEuU5ehQ2G_3appNtB2_5Cache6insert";
    let frames = [symbol(alloc), symbol(grow_one), symbol(insert)];
    assert_eq!(type_from(&frames).as_deref(), Some("Vec<String>"));
    assert_eq!(site_from(&frames).as_deref(), Some("<app::Cache>::insert"));
    let rehash = concat!(
        "_RINvMs6_NtCsgvbsrvnw3yD_9hashbrown3rawINtB6_8RawTableTNtNtCslNYArtu3iFV_5alloc6string6StringINtNtBU_3vec",
        "3VechEEE14reserve_rehashNCINvNtB8_3map11make_hasherBQ_B1s_NtNtNtCsjrHSEGnQ3l9_3std4hash6random11RandomState",
        "E0ECscAEuU5ehQ2G_3app.llvm.1654591376448394801",
    );
    let frames = [symbol(alloc), symbol(rehash), symbol(insert)];
    assert_eq!(
        type_from(&frames).as_deref(),
        Some("HashMap<String, Vec<u8>>")
    );
    let write = "_RNvXsZ_NtCslNYArtu3iFV_5alloc6stringNtB5_6StringNtNtCsgEmfK2I1SDS_4core3fmt5Write9write_str";
    assert_eq!(
        type_from(&[symbol(alloc), symbol(write)]).as_deref(),
        Some("String")
    );
    // Whatever was inlined into this could have allocated.
    let mut collect = symbol(write);
    collect.function = Some(Function::from_symbol(
        "<alloc::vec::Vec<alloc::string::String> as alloc::vec::spec_from_iter::SpecFromIter<app::I>>::from_iter",
        true,
    ));
    assert_eq!(type_from(&[collect]), None);
    // The legacy mangling has no types, but `String` has no arguments.
    let grow_one = "_ZN5alloc7raw_vec19RawVec$LT$T$C$A$GT$8grow_one17h0123456789abcdefE";
    let write = "_ZN58_$LT$alloc..string..String$u20$as$u20$core..fmt..Write$GT$9write_str17h0123456789abcdefE";
    let insert = "_ZN3app5cache5Cache6insert17h0123456789abcdefE";
    assert_eq!(type_from(&[symbol(grow_one), symbol(insert)]), None);
    assert_eq!(
        type_from(&[symbol(grow_one), symbol(write)]).as_deref(),
        Some("String")
    );
    assert_eq!(
        site_from(&[symbol(grow_one), symbol(insert)]).as_deref(),
        Some("app::cache::Cache::insert")
    );
    let serve = "_ZN5hyper5serve17h0123456789abcdefE";
    assert_eq!(site_from(&[symbol(grow_one), symbol(serve)]), None);
}

#[test]
fn symbols_are_read_as_functions() {
    #[track_caller]
    fn check(text: &str, module: &str, name: &str, arguments: &[&str]) {
        let function = Function::from_symbol(text, true);
        assert_eq!(
            (&*function.module, &*function.name),
            (module, name),
            "{text}"
        );
        assert_eq!(function.arguments, arguments, "{text}");
    }
    check(
        "<alloc::raw_vec::RawVec<app::A<u8>>>::grow_one",
        "alloc::raw_vec::RawVec",
        "grow_one",
        &["app::A<u8>"],
    );
    check(
        "<alloc::vec::Vec<u8> as core::clone::Clone>::clone",
        "alloc::vec::Vec",
        "clone",
        &["u8"],
    );
    check("<[u8]>::to_vec", "alloc::slice", "to_vec", &["u8"]);
    check(
        "<str as alloc::string::SpecToString>::spec_to_string",
        "alloc::str",
        "spec_to_string",
        &[],
    );
    check(
        "alloc::vec::from_elem::<(u8, fn(u8) -> app::B)>",
        "alloc::vec",
        "from_elem",
        &["(u8, fn(u8) -> app::B)"],
    );
    check(
        "<&u8 as app::Trait<u8>>::run::<u16>",
        "app::Trait",
        "run",
        &["&u8", "u16"],
    );
    check("app::main::{closure#0}", "app", "main", &[]);
    check(
        "alloc::raw_vec::RawVec<T,A>::grow_one",
        "alloc::raw_vec::RawVec",
        "grow_one",
        &["T", "A"],
    );
    check("__rust_alloc", "", "__rust_alloc", &[]);
    let unsaid = "<alloc::raw_vec::RawVecInner<_>>::grow_one::<alloc::alloc::Global>";
    check(unsaid, "alloc::raw_vec::RawVecInner", "grow_one", &[]);
}

#[test]
fn names_are_short() {
    #[track_caller]
    fn check(name: &str, short: &str) {
        assert_eq!(shorten(name), short);
    }
    check(
        "alloc::vec::Vec<app::Message, alloc::alloc::Global>",
        "Vec<app::Message>",
    );
    check(
        "std::collections::hash::map::HashMap<app::Key, u8, std::hash::random::RandomState>",
        "HashMap<app::Key, u8>",
    );
    check(
        "std::collections::hash::map::HashMap<u8, u8, app::Fast>",
        "HashMap<u8, u8, app::Fast>",
    );
    check(
        "(&[alloc::string::String], *mut u8)",
        "(&[String], *mut u8)",
    );
    check(
        "dyn core::ops::function::Fn<(u8), Output=u8> + core::marker::Send",
        "dyn Fn<(u8), Output=u8> + Send",
    );
    check(
        "std::thread::spawn::{closure_env#1}<app::run::{closure_env#0}, ()>",
        "spawn::{closure_env#1}<app::run::{closure_env#0}, ()>",
    );
    check(
        "fn(alloc::string::String) -> core::option::Option<u8>",
        "fn(String) -> Option<u8>",
    );
    check("app::Größe<[u8; 4]>", "app::Größe<[u8; 4]>");
    for broken in [
        "", "a<", "a::<b", ">>", "<a", "{", "a::{", "(,", "a::", "::<>",
    ] {
        let _ = (shorten(broken), split(broken), split_arguments(broken));
        let _ = Function::from_symbol(broken, true);
        let _ = Function::from_entry(String::new(), broken);
    }
}

#[test]
fn files_say_whose_they_are() {
    #[track_caller]
    fn check(path: &str, origin: Origin, module: &str) {
        assert_eq!(origin_of(path), origin, "{path}");
        assert_eq!(module_of(path), module, "{path}");
    }
    check(
        &format!("{STD}alloc/src/raw_vec/mod.rs"),
        Origin::Standard,
        "alloc::raw_vec",
    );
    let source = "/root/.rustup/toolchains/stable/lib/rustlib/src/rust/library/std/src/collections/hash/map.rs";
    check(source, Origin::Standard, "std::collections::hash::map");
    check(
        &format!("{HASHBROWN}map.rs"),
        Origin::Standard,
        "hashbrown::map",
    );
    check(
        &format!("{REGISTRY}hashbrown-0.15.5/src/raw/mod.rs"),
        Origin::Standard,
        "hashbrown::raw",
    );
    check(
        &format!("{REGISTRY}hyper-util-0.1.20/src/rt/io.rs"),
        Origin::Library,
        "hyper_util::rt::io",
    );
    check(
        "/root/.cargo/git/checkouts/tokio-0123/4567/tokio/src/lib.rs",
        Origin::Library,
        "",
    );
    check("/home/me/app/vendor/bytes/src/lib.rs", Origin::Library, "");
    check("/home/me/app/src/main.rs", Origin::Own, "");
    check(
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/global/mod.rs"),
        Origin::Mm,
        "",
    );
    assert_eq!(
        relative("/home/me/app/src/main.rs", Some("/home/me/app")),
        "src/main.rs"
    );
    assert_eq!(
        relative("/home/me/other/src/lib.rs", Some("/home/me/app")),
        "/home/me/other/src/lib.rs"
    );
}

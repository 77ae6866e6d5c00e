//! The derive and `no_leaks` on every shape that the grammar of items allows: whatever rustc accepts,
//! they accept, and the derive's claim about zeroed values is the one that the shape's writer expects.
//!
//! Many shapes make one crate, and rustc reads it without making code. The crate depends on another
//! one by the name `core`, so nothing may be taken from there.

mod function;
mod generics;
mod item;
mod types;
mod variants;
mod writer;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use writer::Writer;

const EDITIONS: [u32; 4] = [2015, 2018, 2021, 2024];
/// More would take rustc's memory; fewer, its time to start.
const SHAPES_IN_A_CRATE: usize = 250;

const AS_METADATA: [&str; 2] = ["--crate-type=lib", "--emit=metadata"];

/// What the shapes refer to.
const BESIDE: &str = r"
extern crate mm;

#[derive(::mm::MmManaged)]
pub struct Own(u32, [u8; 3]);
#[derive(::mm::MmManaged)]
pub struct Text(::std::string::String);
#[derive(Clone, Copy, Debug, ::mm::MmManaged)]
pub struct Small(u16);
#[derive(::mm::MmManaged)]
#[mm(instances(Generic<u8>))]
pub struct Generic<T, const N: usize = 2>([T; N]);
mm::family!(
    pub struct Bytes<'a>(pub ::std::borrow::Cow<'a, [u8]>);
);
// A constant of one of these would take more memory than there is.
#[derive(::mm::MmManaged)]
pub struct Large([u64; 1 << 40]);
#[derive(::mm::MmManaged)]
#[mm(instances(LargeEnum<[u8; 1 << 40]>))]
#[repr(C, align(64))]
pub enum LargeEnum<T> {
    First(T, Large),
    Second(u8),
}
const _: () = assert!(Probe::<LargeEnum<[u8; 1 << 40]>>::IS_ZERO_INIT);
pub trait Tr<A, B> {
    const N: usize;
    type Out;
}
impl<T: ?Sized> Tr<u8, u16> for T {
    const N: usize = 3;
    type Out = u8;
}
pub trait Hr<'a> {}
impl<'a, T: ?Sized> Hr<'a> for T {}
pub const LEN: usize = 3;
pub const fn len<A, B>(len: usize) -> usize {
    len
}
pub const fn number<A, B>(number: i64) -> i64 {
    number
}
macro_rules! ty {
    ($($t:tt)*) => { $($t)* };
}
macro_rules! three {
    () => { 3 };
}
/// Whether zeroed values can be made of a type: the inherent constant comes before the trait's.
pub struct Probe<T>(::std::marker::PhantomData<T>);
pub trait Otherwise {
    const IS_ZERO_INIT: bool = false;
}
impl<T> Otherwise for Probe<T> {}
impl<T: ::mm::ZeroInit> Probe<T> {
    pub const IS_ZERO_INIT: bool = true;
}
";

#[test]
#[cfg_attr(miri, ignore = "starts rustc")]
fn all_shapes_compile() {
    let shapes = env::var("MM_SHAPES").map_or(200, |shapes| shapes.parse().expect("a number"));
    let compiler = Compiler::new();
    for edition in EDITIONS {
        for (part, shapes) in parts(shapes / EDITIONS.len()).enumerate() {
            let seed = (u64::from(edition) << 32) | part as u64;
            compiler.require(edition, part, &source(seed, shapes));
        }
    }
    println!("shapes compiled: {shapes}");
}

/// How many shapes each crate has.
fn parts(mut shapes: usize) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let part = shapes.min(SHAPES_IN_A_CRATE);
        shapes -= part;
        (part > 0).then_some(part)
    })
}

/// Writes a crate.
fn source(seed: u64, shapes: usize) -> String {
    let mut writer = Writer::new(seed);
    let shapes = (0..shapes).map(|index| writer.module(index));
    let shapes: String = shapes.collect();
    format!("{BESIDE}{shapes}")
}

/// Calls rustc, with what cargo built for this test.
struct Compiler {
    /// Where cargo puts libraries.
    libraries: PathBuf,
    mm: PathBuf,
    /// Where this test puts its crates.
    folder: PathBuf,
    /// A crate of nothing.
    empty: PathBuf,
}

impl Compiler {
    fn new() -> Self {
        let test = env::current_exe().expect("a path");
        let libraries = test.parent().expect("a folder").to_owned();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shapes");
        fs::create_dir_all(&folder).expect("a folder");
        let mut compiler = Self {
            mm: newest(&libraries, "mm-", "rlib"),
            empty: PathBuf::new(),
            libraries,
            folder,
        };
        compiler.empty = compiler.empty_crate();
        compiler
    }

    /// A crate to stand in for a dependency named `core`.
    fn empty_crate(&self) -> PathBuf {
        let source = self.folder.join("empty.rs");
        fs::write(&source, "").expect("room on the disk");
        let output = self.folder.join("libempty.rmeta");
        let mut rustc = rustc("empty", &source);
        rustc.args(AS_METADATA).arg("-o").arg(&output);
        run(&mut rustc, &source);
        output
    }

    /// Requires that rustc accepts a crate.
    fn require(&self, edition: u32, part: usize, source: &str) {
        let name = format!("shapes_{edition}_{part}");
        let file = self.folder.join(format!("{name}.rs"));
        fs::write(&file, source).expect("room on the disk");
        let mut rustc = self.rustc_with_mm(&name, &file);
        rustc
            .args(AS_METADATA)
            .args(["--edition", &edition.to_string()]);
        rustc.arg("--extern").arg(with_path("core=", &self.empty));
        rustc.arg("-o").arg(self.folder.join("libshapes.rmeta"));
        run(&mut rustc, &file);
    }

    fn rustc_with_mm(&self, name: &str, source: &Path) -> Command {
        let mut rustc = rustc(name, source);
        rustc.arg("--extern").arg(with_path("mm=", &self.mm));
        let libraries = with_path("dependency=", &self.libraries);
        rustc.arg("-L").arg(libraries);
        rustc
    }
}

fn rustc(name: &str, source: &Path) -> Command {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc
        .args(["--cap-lints=allow", "--crate-name", name])
        .arg(source);
    rustc.current_dir(env!("CARGO_MANIFEST_DIR"));
    rustc
}

fn with_path(word: &str, path: &Path) -> std::ffi::OsString {
    let mut argument = std::ffi::OsString::from(word);
    argument.push(path);
    argument
}

/// The library that cargo built last: for this very test, or for the same sources.
fn newest(folder: &Path, name: &str, extension: &str) -> PathBuf {
    let start = format!("{}{name}", env::consts::DLL_PREFIX);
    let files = fs::read_dir(folder).expect("a folder").flatten();
    let files = files.map(|file| file.path()).filter(|path| {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        file.starts_with(&start) && path.extension().is_some_and(|end| end == extension)
    });
    let age = |path: &PathBuf| fs::metadata(path).and_then(|data| data.modified());
    files
        .max_by_key(|path| age(path).unwrap_or(SystemTime::UNIX_EPOCH))
        .expect("cargo built it for this test")
}

fn run(rustc: &mut Command, source: &Path) {
    let output = rustc.output().expect("rustc starts");
    assert!(
        output.status.success(),
        "rustc refuses {}:\n{}",
        source.display(),
        String::from_utf8_lossy(&output.stderr)
    );
}

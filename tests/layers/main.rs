//! Imports go one way: down the layers that ARCHITECTURE.md lists.

mod modules;
mod names;
mod plan;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

use modules::{Arrow, Modules};
use plan::Plan;

/// What is read of one crate.
struct Read {
    modules: Modules,
    arrows: Vec<Arrow>,
}

/// Every crate that a plan is about, read once, by the folder of its package.
fn crates() -> &'static BTreeMap<String, Read> {
    static CRATES: OnceLock<BTreeMap<String, Read>> = OnceLock::new();
    CRATES.get_or_init(|| {
        let packages: BTreeSet<_> = plans()
            .iter()
            .map(|plan| package(plan).to_owned())
            .collect();
        let read = |package: String| {
            let modules = read(&package);
            let arrows = modules.arrows();
            (package, Read { modules, arrows })
        };
        packages.into_iter().map(read).collect()
    })
}

fn read(package: &str) -> Modules {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(package)
        .join("src");
    let roots = ["lib.rs", "main.rs"].map(|file| source.join(file));
    let root = roots.iter().find(|root| root.exists());
    let name = package.rsplit('/').next().expect("a name");
    Modules::read(name, root.expect("a library or a program"))
}

fn package(plan: &Plan) -> &str {
    let (package, _) = plan.root.split_once("/src/").expect("a file of a package");
    package
}

/// The module whose folder a plan lists.
fn folder(plan: &Plan) -> Vec<String> {
    let (_, file) = plan.root.split_once("/src/").expect("a file of a package");
    let mut folder: Vec<_> = file.split('/').map(str::to_owned).collect();
    folder.pop();
    folder
}

/// The arrows between the modules right below `folder`, by the two modules.
fn between<'a>(
    arrows: &'a [Arrow],
    folder: &[String],
) -> BTreeMap<(String, String), Vec<&'a Arrow>> {
    let mut found = BTreeMap::<_, Vec<_>>::new();
    let module = |path: &[String]| path.get(folder.len()).cloned().unwrap_or_default();
    for arrow in arrows {
        if arrow.from.starts_with(folder) && arrow.to.starts_with(folder) {
            let (from, to) = (module(&arrow.from), module(&arrow.to));
            if from != to {
                found.entry((from, to)).or_default().push(arrow);
            }
        }
    }
    found
}

/// What points up, with every place where it is written.
fn points_up(plan: &Plan, arrows: &[Arrow], folder: &[String]) -> Vec<String> {
    let mut up = Vec::new();
    for ((from, to), seen) in between(arrows, folder) {
        if !plan.allows(&from, &to) {
            let seen = seen.iter().map(|arrow| format!("    {}", arrow.seen));
            up.push(format!(
                "{from} -> {to}\n{}",
                seen.collect::<Vec<_>>().join("\n")
            ));
        }
    }
    up
}

fn plans() -> Vec<Plan> {
    Plan::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md"))
}

/// The page names files as they are now: relative to the tree, or to `mm/src`.
#[test]
fn files_that_the_page_names_exist() {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(tree.join("ARCHITECTURE.md")).expect("the page");
    let (today, _) = page
        .split_once("## Old and new words")
        .expect("the last part");
    let is_file = |text: &&str| {
        let is_path = text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b));
        is_path
            && (Path::new(text).extension().is_some_and(|ends| ends == "rs")
                || text.starts_with("heap/"))
    };
    let files: BTreeSet<_> = today
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(is_file)
        .collect();
    assert!(files.len() > 30, "{files:?}");
    let exists = |file: &&str| tree.join(file).exists() || tree.join("mm/src").join(file).exists();
    let missing: Vec<_> = files.into_iter().filter(|file| !exists(file)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn imports_point_down() {
    for plan in plans() {
        let up = points_up(&plan, &crates()[package(&plan)].arrows, &folder(&plan));
        assert!(up.is_empty(), "{}:\n{}", plan.root, up.join("\n"));
    }
}

#[test]
fn every_module_has_a_layer() {
    for plan in plans() {
        let there = crates()[package(&plan)].modules.children(&folder(&plan));
        assert!(
            plan.modules().eq(there.iter()),
            "{}: there are {there:?}",
            plan.root
        );
    }
}

/// The arrow that once tied 36 files together is no import, but a call in the body of a function.
#[test]
fn a_call_that_points_up_is_found() {
    let folder = std::env::temp_dir().join(format!("mm-layers-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("os")).expect("a folder");
    let write = |file: &str, text: &str| std::fs::write(folder.join(file), text).expect("a file");
    write(
        "lib.rs",
        "mod os; mod print; pub use os::process::say; pub use print::again;",
    );
    write(
        "os/mod.rs",
        "#[cfg(unix)] #[path = \"unix.rs\"] pub mod process;",
    );
    write(
        "os/unix.rs",
        "pub fn say() { assert!({ crate::print::write_text(); true }) }",
    );
    write(
        "print.rs",
        "use crate::os::process as below; pub fn write_text() {} pub fn again() { below::say() }",
    );
    let modules = Modules::read("sample", &folder.join("lib.rs"));
    std::fs::remove_dir_all(&folder).expect("a folder");
    let arrows = modules.arrows();
    let down = Plan::read("sample/src/lib.rs", "os\nprint");
    let up = Plan::read("sample/src/lib.rs", "print\nos");
    assert_eq!(points_up(&down, &arrows, &[]).len(), 1, "print names os");
    let found = points_up(&up, &arrows, &[]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("unix.rs:1: crate::print::write_text"),
        "{found:?}"
    );
}

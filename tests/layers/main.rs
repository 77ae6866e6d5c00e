//! Imports go one way: down the layers that ARCHITECTURE.md lists.

mod modules;
mod names;
mod plan;

use std::collections::BTreeMap;
use std::path::Path;

use modules::{Arrow, Modules};
use plan::Plan;

/// The crate whose modules a plan is about, and the module whose folder it lists.
fn of(plan: &Plan) -> (Modules, Vec<String>) {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (package, file) = plan.root.split_once("/src/").expect("a file of a package");
    let library = top.join(package).join("src/lib.rs");
    let root = if library.exists() {
        library
    } else {
        top.join(package).join("src/main.rs")
    };
    let mut folder: Vec<_> = file.split('/').map(str::to_owned).collect();
    folder.pop();
    let name = package.rsplit('/').next().expect("a name");
    (Modules::read(name, &root), folder)
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

#[test]
fn imports_point_down() {
    for plan in plans() {
        let (modules, folder) = of(&plan);
        let up = points_up(&plan, &modules.arrows(), &folder);
        assert!(up.is_empty(), "{}:\n{}", plan.root, up.join("\n"));
    }
}

#[test]
fn every_module_has_a_layer() {
    for plan in plans() {
        let (modules, folder) = of(&plan);
        let there = modules.children(&folder);
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

//! Every example runs and says what it should; what README and docs quote of one is what it says.
#![cfg(not(miri))] // It starts cargo.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const README: &str = include_str!("../README.md");
const LEAKS: &str = include_str!("../docs/leaks.md");

/// The lock file of a package that depends on one that is not there.
const LACKING: &str = "\
version = 4

[[package]]
name = \"here\"
version = \"1.0.0\"
dependencies = [\"elsewhere\"]
";

/// Brings the examples up to date, in the profile and the folder that this test was built in;
/// gives the folder with the programs.
///
/// After `cargo test` there is nothing to do, as that builds examples too. After
/// `cargo test --test examples` they may be old, or not there at all.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("..");
        let target = target.canonicalize().expect("cargo made the folder");
        let this = env::current_exe().and_then(fs::canonicalize);
        let this = this.expect("the program knows its own path");
        // TARGET/[TRIPLE/]PROFILE/deps/PROGRAM
        let folder = this.ancestors().nth(2).expect("cargo put it there");
        let below = folder.strip_prefix(&target).expect("cargo put it there");
        let status = cargo_build(below).arg("--target-dir").arg(&target).status();
        assert!(status.expect("cargo runs").success(), "the examples build");
        folder.join("examples")
    })
}

/// A command that builds the examples for `[TRIPLE/]PROFILE`.
fn cargo_build(below_target: &Path) -> Command {
    let profile = below_target.file_name().and_then(|name| name.to_str());
    let profile = match profile.expect("profiles have plain names") {
        "debug" => "dev",
        other => other,
    };
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["build", "--examples", "--offline", "--quiet"])
        .args(["--profile", profile])
        .current_dir(WORKSPACE);
    let triple = below_target.parent().expect("it has a profile at least");
    if triple != Path::new("") {
        command.arg("--target").arg(triple);
    }
    command
}

fn command(example: &str, arguments: &[&str]) -> Command {
    let program = built().join(format!("{example}{}", env::consts::EXE_SUFFIX));
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

fn run(example: &str, arguments: &[&str]) -> Output {
    let output = command(example, arguments).output();
    output.expect("the example runs")
}

/// Runs an example that must succeed in silence; returns its standard output.
fn output_of(example: &str, arguments: &[&str]) -> String {
    printed_by(&mut command(example, arguments))
}

fn printed_by(command: &mut Command) -> String {
    let output = command.output().expect("the example runs");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("examples print text")
}

/// Returns the words of the one line that starts with these.
#[track_caller]
fn words_of<'a>(text: &'a str, first: &str) -> Vec<&'a str> {
    let mut lines = text.lines().filter(|line| line.starts_with(first));
    let line = lines.next().expect("there is such a line");
    assert_eq!(lines.next(), None, "there is one such line");
    line.split_whitespace().collect()
}

/// Returns the first block of the README in this language.
fn block_of_readme(language: &str) -> &'static str {
    let opening = format!("```{language}\n");
    let (_, rest) = README.split_once(&opening).expect("there is a block");
    rest.split_once("```").expect("the block ends").0
}

/// Cuts the column of resident sizes out, which differ with the kernel and its pages.
fn without_resident(report: &str) -> String {
    let headings = report.lines().next().expect("a report has headings");
    let end_of = |heading| headings.find(heading).expect("it is a heading") + str::len(heading);
    let (from, to) = (end_of("PEAK"), end_of("RESIDENT"));
    let (table, legend) = report.split_once("USED, ").expect("a legend follows");
    let rows = table.lines();
    let cut = rows.map(|row| format!("{}{}\n", &row[..from], &row[to..]));
    // Where resident sizes are not measured, another line says so.
    cut.chain(legend.lines().next().map(str::to_owned))
        .collect()
}

#[test]
fn the_readme_shows_its_example() {
    let code = include_str!("../examples/readme.rs");
    let (_, code) = code.split_once("\n\n").expect("a comment comes first");
    assert_eq!(block_of_readme("rust"), code);
}

#[test]
fn the_readme_shows_what_its_example_prints() {
    let printed = output_of("readme", &[]);
    assert_eq!(
        without_resident(block_of_readme("text")),
        without_resident(&printed)
    );
}

#[test]
fn employees_end_with_three_of_seven_blocks() {
    let printed = output_of("employees", &[]);
    let (all, less) = printed.split_once("After").expect("it tells two moments");
    // FILL, PAGES, BLOCKS, OCCUPIED, FREE; live units are not what blocks are.
    let of_blocks = |text: &str| text.split_once("OCCUPIED").unwrap().1.to_owned();
    assert_eq!(words_of(&of_blocks(all), "Emp  ")[3], "7");
    assert_eq!(words_of(&of_blocks(all), "Student  ")[3], "2");
    assert_eq!(words_of(&of_blocks(less), "Emp  ")[3], "3");
    assert_eq!(words_of(&of_blocks(less), "Student  ")[3], "2");
    assert!(all.contains("\nEmp: 7 live blocks\nStudent: 2 live blocks\n"));
    assert!(less.ends_with("\nEmp: 3 live blocks\nStudent: 2 live blocks\n"));
}

#[test]
fn linked_list_loses_its_nodes() {
    let printed = output_of("linked_list", &[]);
    let nodes: Vec<_> = printed.lines().collect();
    let expected = [
        "3 nodes live",
        "popped `three`",
        "2 nodes live",
        "0 nodes live",
    ];
    assert_eq!(nodes, expected);
}

#[test]
fn threads_lose_no_message() {
    let printed = output_of("threads", &[]);
    assert_eq!(words_of(&printed, "allocated"), ["allocated", "400000"]);
    assert_eq!(words_of(&printed, "released"), ["released", "399600"]);
    assert_eq!(words_of(&printed, "live"), ["live", "400"]);
}

#[test]
fn generic_has_a_family_for_each_instance() {
    let printed = output_of("generic", &[]);
    assert_eq!(words_of(&printed, "Tree<String>")[1], "3");
    assert_eq!(words_of(&printed, "Tree<u64>")[1], "100");
    assert_eq!(words_of(&printed, "Tree<u8>")[1], "4");
}

#[test]
fn plugin_gets_its_family_and_its_refusals() {
    let printed = output_of("plugin", &[]);
    let (loaded, unloaded) = printed.split_once("after plugin:gzip").unwrap();
    assert!(loaded.starts_with("2 page families (0 derived, 2 run-time)"));
    assert!(loaded.contains("page family `plugin:gzip` is registered already\n"));
    assert!(loaded.contains("belongs to page family `plugin:gzip`, not to `plugin:spell`\n"));
    assert_eq!(words_of(unloaded, "plugin:gzip")[1], "0");
    assert_eq!(words_of(unloaded, "plugin:spell")[1], "1,000");
}

#[test]
#[cfg(target_os = "linux")]
fn out_of_memory_is_survived() {
    let printed = output_of("out_of_memory", &[]);
    let overflow = "overflow the size of a block of page family `Row`\n";
    assert!(printed.contains(overflow));
    assert!(printed.contains("out of memory for 1 unit of 1024 bytes of page family `Row`\n"));
    assert_eq!(printed.matches(": true\n").count(), 4);
}

/// What `leak_hunt` prints last, of the sources of mm.
fn last_line_of_the_hunt(arguments: &[&str]) -> String {
    let sources = format!("{WORKSPACE}/mm/src");
    let printed = output_of("leak_hunt", &[&[&*sources], arguments].concat());
    assert!(printed.contains(" words in "), "{printed}");
    printed.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn leak_hunt_names_the_cache_and_the_line() {
    let source = include_str!("../examples/leak_hunt/cache.rs");
    let mut lines = source.lines();
    let line = lines
        .position(|line| line.contains("MmBox::new(Answer"))
        .expect("it is made");
    let site = format!("allocated at examples/leak_hunt/cache.rs:{}", line + 1);
    let named = last_line_of_the_hunt(&[]);
    assert!(
        named.contains("`Answer` (leak_hunt::cache::Answer) has grown steadily"),
        "{named}"
    );
    assert!(named.contains(&site), "{named}");
    // As it is quoted.
    assert!(README.contains(&site), "{site}");
    assert!(LEAKS.contains(&site), "{site}");
}

#[test]
fn leak_hunt_names_nobody_once_it_is_mended() {
    let nobody = last_line_of_the_hunt(&["mended"]);
    assert_eq!(nobody, "after 5000 requests: no type grows");
}

#[test]
fn tracking_measures_every_row() {
    let printed = output_of("tracking", &["1000"]);
    let rows: Vec<_> = printed.lines().skip(2).collect();
    assert_eq!(rows.len(), 9);
    for row in rows {
        let cells = row.trim_matches(['|', ' ']).split(" | ").skip(1);
        let numbers: Vec<f64> = cells.map(|cell| cell.parse().expect("a number")).collect();
        assert_eq!(numbers.len(), 5, "{row}");
        assert!(numbers[..4].iter().all(|time| *time > 0.0), "{row}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn hardening_measures_every_option() {
    let printed = output_of("hardening", &["1000"]);
    let rows: Vec<_> = printed.lines().skip(2).collect();
    assert_eq!(rows.len(), 7);
    for option in ["zero", "poison", "random", "guard", "quarantine=1MiB"] {
        assert!(
            rows.iter()
                .any(|row| row.starts_with(&format!("| `{option}` |")))
        );
    }
    let cells = rows.iter().map(|row| {
        row.split('|')
            .filter(|cell| cell.trim().parse::<f64>().is_ok())
    });
    assert!(cells.map(Iterator::count).all(|numbers| numbers == 7));
}

#[test]
#[cfg(all(target_os = "linux", not(mm_portable)))]
fn service_says_who_holds_the_memory() {
    let printed = output_of("service", &["3200"]);
    let pages = printed.split_once(" pages in the cache").expect("it says");
    let pages: u64 = pages.0.rsplit(' ').next().unwrap().parse().unwrap();
    // Nine requests of ten are for a page, and no two for the same one.
    assert_eq!(pages, 2_880);
    let live = words_of(&printed, "(untyped) ");
    let live: u64 = live[4].replace(',', "").parse().expect("live bytes");
    assert!(live >= pages * 500, "{printed}");
    // process resident 8.4 MiB = 0.0 families + 4.4 untyped + 0.2 mm's records + 3.8 elsewhere (..)
    let words = words_of(&printed, "process resident ");
    assert_eq!(words[3..5], ["MiB", "="], "{printed}");
    let named = |name: &str| {
        let place = words.iter().position(|word| *word == name);
        let number = place.and_then(|place| words[place - 1].parse::<f64>().ok());
        number.unwrap_or_else(|| panic!("{name}: {printed}"))
    };
    let [families, untyped, elsewhere] = ["families", "untyped", "elsewhere"].map(named);
    let records: f64 = words[words.iter().position(|word| *word == "mm's").unwrap() - 1]
        .parse()
        .expect("a size");
    let resident: f64 = words[2].parse().expect("a size");
    let sum = families + untyped + records + elsewhere;
    // Each of the five is rounded to a tenth.
    assert!((resident - sum).abs() < 0.26, "{printed}");
    let bytes = untyped * f64::from(1 << 20);
    #[expect(clippy::cast_precision_loss, reason = "a few megabytes")]
    let live = live as f64;
    assert!(bytes >= live * 0.9, "what is live is resident: {printed}");
    assert!(elsewhere < 16.0, "{printed}");
    // The file of the leak is named.
    let (_, most) = printed.split_once("\nMost is ").expect("it names it");
    let site = most.split_once("allocated at ").expect("it says where").1;
    assert!(site.starts_with("examples/service/cache.rs:"), "{printed}");
}

#[test]
fn lockfile_leaves_nothing_live() {
    let printed = output_of("lockfile", &[]);
    let (answer, reports) = printed.split_once("Every type").unwrap();
    // The question, an empty line, and ten answers, the first of them the highest.
    let dependents = answer
        .lines()
        .skip(2)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next());
    let dependents: Vec<u32> = dependents.map(|number| number.parse().unwrap()).collect();
    assert_eq!(dependents.len(), 10);
    assert!(dependents.is_sorted_by(|more, less| more >= less));
    // The same for the second question. The sources of mm itself are always there.
    let (sources, heaviest) = answer.split_once("\nThe packages that bring").unwrap();
    assert!(!sources.contains("\n0 of "), "{sources}");
    let lines = heaviest
        .lines()
        .skip(2)
        .filter_map(|line| line.split_whitespace().next());
    let lines: Vec<u32> = lines.map(|number| number.parse().unwrap()).collect();
    assert_eq!(lines.len(), 10);
    assert!(lines.is_sorted_by(|more, less| more >= less));

    // The report counts what the program counts itself.
    let (_, found) = sources.split_once("here: ").unwrap();
    let found: Vec<&str> = found.split_whitespace().collect();
    let (files, lines) = (found[0], found[4]);
    let (_, loaded) = reports.split_once("graph loaded:\n").unwrap();
    let (loaded, _) = loaded.split_once("FAMILY / FILL").unwrap();
    let live = |family: &str| words_of(loaded, family)[1].replace(',', "");
    assert_eq!((&*live("SourceFile  "), &*live("Line  ")), (files, lines));

    // The halves are those of the packages; the first report is of families, the others of memory.
    let packages = reports.lines().filter(|line| line.starts_with("Package  "));
    let live: Vec<u64> = packages
        .filter(|line| line.contains('%') || line.split_whitespace().count() > 10)
        .map(|line| {
            line.split_whitespace()
                .nth(1)
                .unwrap()
                .replace(',', "")
                .parse()
                .unwrap()
        })
        .collect();
    assert_eq!(live.len(), 3);
    assert_eq!(live[1], live[0].div_ceil(2));
    assert_eq!(live[2], 0);
    assert!(printed.contains("\nLive: 0 blocks, 0 units. "));
    assert!(printed.ends_with("\nA walk through all pages finds the same.\n"));
}

#[test]
fn lockfile_reads_several_files() {
    let own = format!("{WORKSPACE}/Cargo.lock");
    // Not the sources of other packages, which take seconds to read in debug.
    let load = |paths: &[&str]| {
        let mut command = command("lockfile", paths);
        printed_by(command.env("CARGO_HOME", WORKSPACE))
    };
    let once = load(&[&own]);
    let twice = load(&[&own, &own]);
    let highest = |printed: &str| -> u32 {
        let line = printed.lines().nth(2).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    assert_eq!(highest(&twice), 2 * highest(&once));
}

#[test]
fn lockfile_refuses_a_bad_file_in_one_line() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lockfile");
    fs::create_dir_all(&folder).unwrap();
    let cases = [
        ("unfinished", "version = 4\nx = [", "line 2: "),
        ("empty", "", "it lists no packages"),
        ("newer", "version = 5", "version 5 of the format is unknown"),
        (
            "typed",
            "[[package]]\nname = 7",
            "line 2: invalid type: integer `7`",
        ),
        (
            "lacking",
            LACKING,
            "package \"here\" depends on \"elsewhere\", which is not",
        ),
    ];
    for (name, text, reason) in cases {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        assert_refused(path.to_str().unwrap(), reason);
    }
    assert_refused("no/such/file", "");
    assert_refused(".", "");
}

/// Asserts that no report is printed, but one line that names the file, and exit code 2.
#[track_caller]
fn assert_refused(path: &str, reason: &str) {
    let output = run("lockfile", &[path]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(
        line.starts_with(&format!("lockfile: {path}: {reason}")),
        "{line}"
    );
    assert_eq!(line.find('\n'), Some(line.len() - 1), "{line}");
}

//! Whole profiles, decoded again. In `tests/formats` the real pprof reads them.

use std::io::Read;

use flate2::read::GzDecoder;
use prost::Message;

use super::message;
use crate::export::samples::{heap_profile, profile, untracked};
use crate::heap_profile::HeapProfile;
use crate::profile::Profile;
use crate::snapshot::Location;

/// A decoded profile, with look-ups.
struct Decoded(message::Profile);

/// Unpacks and decodes.
fn decoded(profile: &Profile) -> Decoded {
    unpacked(&profile.to_pprof())
}

fn unpacked(packed: &[u8]) -> Decoded {
    let mut bytes = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
    Decoded(message::Profile::decode(&bytes[..]).unwrap())
}

impl Decoded {
    fn text(&self, number: i64) -> &str {
        &self.0.string_table[usize::try_from(number).unwrap()]
    }

    fn types(&self) -> Vec<(&str, &str)> {
        let types = self.0.sample_type.iter();
        types
            .map(|one| (self.text(one.kind), self.text(one.unit)))
            .collect()
    }

    /// Returns a sample's frames, as `function file:line` or `@address`.
    fn frames(&self, sample: usize) -> Vec<String> {
        let ids = self.0.sample[sample].location_id.iter();
        let locations = ids.map(|id| self.0.location.iter().find(|l| l.id == *id).unwrap());
        locations.map(|location| self.frame(location)).collect()
    }

    fn frame(&self, location: &message::Location) -> String {
        let Some(line) = location.line.first() else {
            return format!("@{:x}", location.address);
        };
        let mut functions = self.0.function.iter();
        let function = functions.find(|f| f.id == line.function_id).unwrap();
        let (name, file) = (self.text(function.name), self.text(function.filename));
        format!("{name} {file}:{}", line.number)
    }

    /// Returns a sample's labels as `key=text`.
    fn labels(&self, sample: usize) -> Vec<String> {
        let labels = self.0.sample[sample].label.iter();
        labels
            .map(|label| format!("{}={}", self.text(label.key), self.text(label.str)))
            .collect()
    }

    fn comments(&self) -> Vec<&str> {
        let comments = self.0.comment.iter();
        comments.map(|comment| self.text(*comment)).collect()
    }
}

#[test]
fn the_profile_says_what_it_counts() {
    let read = decoded(&profile());
    let expected = [
        ("alloc_objects", "count"),
        ("alloc_space", "bytes"),
        ("inuse_objects", "count"),
        ("inuse_space", "bytes"),
    ];
    assert_eq!(read.types(), expected);
    assert_eq!(read.text(read.0.default_sample_type), "inuse_space");
    assert_eq!(read.0.string_table[0], "");
    let year_2020 = 1_577_836_800_000_000_000;
    assert!(read.0.time_nanos > year_2020);
}

#[test]
fn a_call_site_is_a_sample() {
    let read = decoded(&profile());
    assert_eq!(read.0.sample[0].value, [80, 160 * 36, 40, 80 * 36]);
    assert_eq!(read.frames(0), ["src/index.rs:40:9 src/index.rs:40"]);
    let labels = [
        "type=indexd::index::Posting",
        "defined=src/lib.rs:7:1 (0.1.0)",
        "thread=main",
    ];
    assert_eq!(read.labels(0), labels);
    // A thread without a name has no label.
    assert_eq!(read.labels(1), labels[..2]);
}

#[test]
fn blocks_without_a_call_site_have_words() {
    let read = decoded(&profile());
    assert_eq!(read.0.sample[3].value, [0, 0, 10, 10 * 36]);
    assert_eq!(read.frames(3), ["(kept on purpose) :0"]);
    assert_eq!(read.0.sample[4].value, [873, 883 * 36, 30, 40 * 36]);
    assert_eq!(read.frames(4), ["(not recorded) :0"]);
    assert_eq!(read.labels(4)[0], "type=indexd::index::Posting");
}

#[test]
fn totals_are_those_of_the_families() {
    let (sample, read) = (profile(), decoded(&profile()));
    let total = |value: usize| -> i64 { read.0.sample.iter().map(|s| s.value[value]).sum() };
    let figure = |of: fn(&crate::FamilyProfile) -> u64| -> i64 {
        let sum: u64 = sample.families.iter().map(of).sum();
        sum.try_into().unwrap()
    };
    assert_eq!(total(0), figure(|f| f.blocks_allocated));
    assert_eq!(total(2), figure(|f| f.live_blocks));
    assert_eq!(total(3), figure(crate::FamilyProfile::live_bytes));
}

#[test]
fn samples_are_said_to_be_samples() {
    let read = decoded(&profile());
    let comments = read.comments();
    assert!(comments[0].starts_with("one block in 10 is recorded (page families: 1)"));
    assert_eq!((comments.len(), read.0.period), (2, 10));
    let whole = decoded(&Profile {
        families: vec![untracked("A", 8, 1)],
    });
    assert_eq!((whole.comments().len(), whole.0.period), (1, 1));
}

#[test]
#[cfg(all(target_os = "linux", feature = "backtrace"))]
fn callers_have_names() {
    let mut named = profile();
    let inside_of_std = std::thread::sleep as fn(_) as usize + 4;
    named.families[0].sites[0].frames = vec![inside_of_std].into();
    let read = decoded(&named);
    assert!(read.frames(0)[1].contains("sleep "));
    let caller = &read.0.location[1];
    let mapping = read.0.mapping.iter().find(|m| m.id == caller.mapping_id);
    assert!(mapping.unwrap().has_functions);
}

/// Returns a return address inside this function.
fn return_address() -> usize {
    return_address as fn() -> usize as usize + 4
}

/// Gives the first call site of a profile a caller in this file.
fn with_frames(mut profile: Profile) -> Profile {
    let site = &mut profile.families[0].sites[0];
    site.frames = vec![return_address(), 1].into();
    profile
}

// With the feature `backtrace` these callers have names, and mm leaves them out as its own functions.
#[test]
#[cfg(not(feature = "backtrace"))]
fn callers_follow_the_place_of_the_call() {
    let read = decoded(&with_frames(profile()));
    let caller = return_address() - 1;
    let frames = [
        "src/index.rs:40:9 src/index.rs:40".to_owned(),
        format!("@{caller:x}"),
        "@0".to_owned(),
    ];
    assert_eq!(read.frames(0), frames);
}

#[test]
#[cfg(all(target_os = "linux", not(feature = "backtrace")))]
fn addresses_are_in_their_mappings() {
    let read = decoded(&with_frames(profile()));
    let caller = return_address() as u64 - 1;
    let location = |address| {
        let mut all = read.0.location.iter();
        all.find(|l| l.address == address && l.line.is_empty())
            .unwrap()
    };
    let id = location(caller).mapping_id;
    let mapping = read.0.mapping.iter().find(|m| m.id == id).unwrap();
    assert!((mapping.memory_start..mapping.memory_limit).contains(&caller));
    let me = std::env::current_exe().unwrap();
    assert_eq!(Some(read.text(mapping.filename)), me.to_str());
    assert!(!mapping.has_functions);
    assert_eq!(location(0).mapping_id, 0);
}

#[test]
fn places_and_texts_are_there_once() {
    let read = decoded(&profile());
    // Two families share one of the three places.
    assert_eq!(read.0.location.len(), 4 + 2);
    assert_eq!(read.0.function.len(), read.0.location.len());
    let mut texts = read.0.string_table.clone();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), read.0.string_table.len());
}

#[test]
fn families_that_share_their_path_are_told_apart() {
    let mut other = untracked("A", 8, 1);
    other.location = Location::new("src/lib.rs", 7, 1, "0.2.0");
    let both = Profile {
        families: vec![untracked("A", 8, 1), other],
    };
    let read = decoded(&both);
    assert_eq!(read.labels(0)[1], "defined=src/lib.rs:7:1 (0.1.0)");
    assert_eq!(read.labels(1)[1], "defined=src/lib.rs:7:1 (0.2.0)");
}

#[test]
fn figures_are_cut_to_what_fits() {
    let mut huge = untracked("A", u64::MAX, u64::MAX);
    huge.unit_size = u64::MAX;
    let read = decoded(&Profile {
        families: vec![huge],
    });
    assert_eq!(read.0.sample[0].value, [i64::MAX; 4]);
}

#[test]
fn nothing_is_a_profile_too() {
    let read = decoded(&Profile { families: vec![] });
    assert!(read.0.sample.is_empty());
    assert_eq!(read.types().len(), 4);
}

#[test]
fn stacks_of_untyped_memory_are_samples() {
    let read = unpacked(&heap_profile().to_pprof());
    assert_eq!(read.types(), decoded(&profile()).types());
    assert_eq!(read.0.sample[0].value, [200, 12_800, 100, 6_400]);
    assert_eq!(read.frames(0), ["@55d0c0003000", "@55d0c00020ff"]);
    assert_eq!(read.frames(1), ["@55d0c0003000"]);
    // The rest makes the sums exact.
    assert_eq!(read.0.sample[2].value, [4, 400, 10, 1_000]);
    assert_eq!(read.frames(2), ["(not attributed) :0"]);
    let (bytes, blocks) = (3, 2);
    let sum = |of: usize| -> i64 { read.0.sample.iter().map(|one| one.value[of]).sum() };
    assert_eq!((sum(bytes), sum(blocks)), (7_700, 113));
    assert_eq!(read.0.period, 65_536);
    assert!(read.comments()[0].contains("one in 65536 bytes"));
}

#[test]
fn stacks_that_stand_for_too_much_leave_no_rest() {
    let mut heap = heap_profile();
    heap.live_bytes = 5_000;
    let read = unpacked(&heap.to_pprof());
    assert_eq!(read.0.sample[2].value, [4, 400, 10, 0]);
    let read = unpacked(&HeapProfile::default().to_pprof());
    assert_eq!(read.0.sample[0].value, [0; 4]);
    assert!(read.comments()[0].contains("MM_OPTIONS=sample"));
}

#[test]
#[cfg(target_os = "linux")]
fn addresses_of_untyped_memory_are_in_their_mappings() {
    let mut heap = heap_profile();
    let here: &'static [usize] = vec![return_address()].leak();
    heap.stacks[0].addresses = here;
    let read = unpacked(&heap.to_pprof());
    let id = read.0.sample[0].location_id[0];
    let location = read.0.location.iter().find(|one| one.id == id).unwrap();
    let mapping = location.mapping_id;
    let mapping = read.0.mapping.iter().find(|one| one.id == mapping).unwrap();
    assert!((mapping.memory_start..mapping.memory_limit).contains(&location.address));
    let me = std::env::current_exe().unwrap();
    assert_eq!(Some(read.text(mapping.filename)), me.to_str());
    assert!(read.text(mapping.build_id).len() >= 16);
    // pprof looks up the names then.
    assert!(!mapping.has_functions && location.line.is_empty());
}

/// Writes the sample to a file for the readers in `tests/formats`, if they ask for it.
#[test]
#[cfg(feature = "json")]
fn sample_for_other_readers() {
    let Some(folder) = std::env::var_os("MM_FORMATS") else {
        return;
    };
    let folder = std::path::Path::new(&folder);
    let sample = with_frames(profile());
    std::fs::write(folder.join("profile.json"), sample.to_json()).unwrap();
    std::fs::write(folder.join("profile.pb.gz"), sample.to_pprof()).unwrap();
    std::fs::write(folder.join("heap_profile.json"), heap_profile().to_json()).unwrap();
    std::fs::write(folder.join("heap_profile.pb.gz"), heap_profile().to_pprof()).unwrap();
    let snapshot = crate::snapshot::samples::indexd();
    std::fs::write(folder.join("snapshot.json"), snapshot.to_json()).unwrap();
    let text = format!("{}\n", snapshot.openmetrics());
    std::fs::write(folder.join("snapshot.txt"), text).unwrap();
}

//! Profiles of untyped memory in the formats of other programs. With `MM_FORMATS` in the environment they go into that
//! folder, where `tests/formats/run` has the real readers look at them.

use std::path::Path;

use serde_json::Value;

use crate::{Class, alone};

#[test]
fn every_format_has_the_same_stacks() {
    let _alone = alone();
    if !mm_tests::is_child_with("formats::every_format_has_the_same_stacks", "sample=4KiB") {
        return;
    }
    let mut blocks = vec![std::ptr::null_mut(); 2_000];
    Class::<5_000>::allocate(&mut blocks);
    let profile = mm::heap_profile();
    let json = profile.to_json();
    if let Some(folder) = std::env::var_os("MM_FORMATS") {
        let write = |name: &str, bytes: &[u8]| {
            std::fs::write(Path::new(&folder).join(name), bytes).expect("the folder is there");
        };
        write("heap_profile.json", json.as_bytes());
        write("heap_profile.pb.gz", &profile.to_pprof());
    }
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["live_bytes"], profile.live_bytes);
    let stacks = json["stacks"].as_array().expect("a list");
    assert_eq!(stacks.len(), profile.stacks.len());
    for (stack, read) in profile.stacks.iter().zip(stacks) {
        let usage = &read["usage"];
        assert_eq!(
            usage["live_bytes"]["value"],
            stack.usage.live_bytes.value(),
            "{usage}"
        );
        assert_eq!(usage["samples"], stack.usage.samples);
        let addresses = read["addresses"].as_array().expect("a list");
        assert_eq!(addresses.len(), stack.addresses.len());
        assert!(addresses.iter().zip(stack.addresses).all(|(a, b)| a == b));
    }
    assert!(profile.to_pprof().starts_with(&[0x1f, 0x8b]));
    Class::<5_000>::release(&mut blocks);
}

//! A JSON parser: text into a tree of values.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use serde_json::Value;

use crate::process;

/// Parses `json`, counts the values, and drops the tree.
pub(super) fn run(input: &Path) {
    let text = fs::read(input.join("json")).expect("the input is made first");
    let value: Value = serde_json::from_slice(&text).expect("the input is JSON");
    let answer = count(&value);
    drop(black_box(value));
    process::print_usage(answer);
}

fn count(value: &Value) -> u64 {
    let below: u64 = match value {
        Value::Array(values) => values.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    };
    below + 1
}

//! Vectors, strings and hash maps that grow, by `realloc` or by a copy of their own.

use std::collections::HashMap;
use std::fmt::Write;
use std::hash::BuildHasherDefault;
use std::hint::black_box;

use mm_benches_common::random::Random;

use super::{Round, Row, row};

/// The same hashes in all runs.
type SameHashes = BuildHasherDefault<std::hash::DefaultHasher>;

pub(super) fn list() -> Vec<Row> {
    vec![
        row(
            "vectors grow",
            "1,000 vectors grow in turn, value by value, to 1 to 256 values; for each value",
            (1_000, 30),
            vectors,
        ),
        row(
            "a vector grows",
            "one vector grows to 64 MiB; for each KiB",
            (64 << 20, 15),
            one_vector,
        ),
        row(
            "strings grow",
            "10,000 texts of 1 to 20 formatted numbers; for each text",
            (10_000, 20),
            strings,
        ),
        row(
            "maps grow",
            "a hash map of numbers grows to 200,000 entries; for each entry",
            (200_000, 15),
            one_map,
        ),
        row(
            "small maps grow",
            "2,000 hash maps grow to 1 to 64 entries; for each map",
            (2_000, 30),
            small_maps,
        ),
    ]
}

fn vectors(count: u32) -> Round {
    let lengths = Random::new().sequence(count, 256);
    Box::new(move || {
        let mut vectors: Vec<Vec<u64>> = lengths.iter().map(|_| Vec::new()).collect();
        let mut pushed = 0;
        for number in 0..256 {
            for (vector, &length) in vectors.iter_mut().zip(&lengths) {
                if number <= length {
                    vector.push(number.into());
                    pushed += 1;
                }
            }
        }
        drop(black_box(vectors));
        pushed
    })
}

fn one_vector(bytes: u32) -> Round {
    Box::new(move || {
        let mut vector = Vec::new();
        for _ in 0..bytes / 1_024 {
            vector.extend_from_slice(&[1_u8; 1_024]);
        }
        drop(black_box(vector));
        (bytes / 1_024).into()
    })
}

fn strings(count: u32) -> Round {
    let lengths = Random::new().sequence(count, 20);
    Box::new(move || {
        let text = |&length: &u32| {
            let mut text = String::new();
            for number in 0..=length {
                write!(text, "{}, ", number * 1_000).expect("text takes all");
            }
            text
        };
        let texts: Vec<String> = lengths.iter().map(text).collect();
        drop(black_box(texts));
        count.into()
    })
}

fn one_map(entries: u32) -> Round {
    Box::new(move || {
        let mut map: HashMap<u64, u64, SameHashes> = HashMap::default();
        for number in 0..u64::from(entries) {
            map.insert(number, number);
        }
        drop(black_box(map));
        entries.into()
    })
}

fn small_maps(count: u32) -> Round {
    let lengths = Random::new().sequence(count, 64);
    Box::new(move || {
        let map = |&length: &u32| {
            let mut map: HashMap<u32, u32, SameHashes> = HashMap::default();
            map.extend((0..=length).map(|number| (number, number)));
            map
        };
        let maps: Vec<_> = lengths.iter().map(map).collect();
        drop(black_box(maps));
        count.into()
    })
}

//! Sizes of blocks as programs request them.

use mm_benches_common::random::Random;

/// Sizes, in bytes, and how many of a thousand blocks have them.
pub(crate) type Shares = &'static [(u32, u32)];

/// What `serde_json` 1.0.154 allocated to parse the output of `cargo metadata` for this workspace (688 kB, 45,954
/// blocks) into a `Value`: keys and short texts, nodes of the maps, and vectors as they grow. Sizes that are rarer
/// than 2 in a thousand are left out.
pub(crate) const JSON: Shares = &[
    (4, 156),
    (8, 98),
    (128, 95),
    (6, 84),
    (3, 78),
    (632, 78),
    (7, 78),
    (11, 40),
    (12, 28),
    (5, 23),
    (21, 21),
    (53, 20),
    (9, 19),
    (10, 18),
    (13, 13),
    (2, 12),
    (17, 10),
    (16, 7),
    (14, 7),
    (256, 6),
    (15, 6),
    (18, 5),
    (728, 5),
    (19, 4),
    (24, 4),
    (20, 3),
    (22, 3),
    (66, 3),
    (23, 3),
    (25, 3),
    (27, 3),
    (26, 2),
    (29, 2),
    (512, 2),
];

/// What `sqlparser` 0.64.0 allocated to parse 4,000 statements of the real programs' input (`benches/programs`; 1.7 MB,
/// 1,620,334 blocks, of which 306,334 by `realloc`) into syntax trees: words, boxes of expressions, and vectors as they
/// grow. Sizes that are rarer than 2 in a thousand are left out.
pub(crate) const SQL: Shares = &[
    (8, 291),
    (1, 87),
    (4, 49),
    (10, 49),
    (352, 47),
    (38, 41),
    (328, 38),
    (40, 32),
    (20, 31),
    (76, 28),
    (5, 25),
    (6, 23),
    (256, 19),
    (16, 16),
    (2, 15),
    (7, 15),
    (3936, 15),
    (3, 13),
    (1312, 10),
    (13, 8),
    (78, 7),
    (39, 7),
    (2624, 6),
    (1408, 6),
    (64, 6),
    (84, 5),
    (42, 5),
    (9, 5),
    (72, 5),
    (88, 4),
    (100, 4),
    (50, 4),
    (36, 4),
    (3472, 4),
    (74, 4),
    (37, 4),
    (3104, 3),
    (2104, 3),
    (1360, 3),
    (240, 3),
    (12, 2),
    (5632, 2),
    (3464, 2),
    (2816, 2),
    (704, 2),
    (24, 2),
    (17, 2),
    (11264, 2),
    (86, 2),
    (43, 2),
    (82, 2),
    (41, 2),
];

/// Returns `count` sizes, in an order that is the same for all allocators.
pub(crate) fn sizes(shares: Shares, count: u32) -> Vec<usize> {
    let total = shares.iter().map(|(_, share)| share).sum();
    let numbers = Random::new().sequence(count, total);
    numbers
        .into_iter()
        .map(|number| at(shares, number))
        .collect()
}

/// Returns the size of the block with this number, if the shares lie one after the other.
fn at(shares: Shares, number: u32) -> usize {
    let mut end = 0;
    let mut ends = shares.iter().map(|&(size, share)| {
        end += share;
        (size, end)
    });
    let found = ends.find(|&(_, end)| number < end);
    found.expect("numbers are below the total").0 as usize
}

//! Chooses a block's family and length.

use fastrand::Rng;

use crate::kinds::Kind;

/// How often the families are chosen, each against the others. `Images` are too large to be
/// chosen this often.
const WEIGHTS: [(Kind, usize); 11] = [
    (Kind::Token, 8),
    (Kind::Code, 36),
    (Kind::Point, 52),
    (Kind::Plain, 64),
    (Kind::Node, 36),
    (Kind::Line, 24),
    (Kind::Record, 12),
    (Kind::Sheet, 4),
    (Kind::Frame, 1),
    (Kind::Words, 16),
    (Kind::Tables, 3),
];

const ALL: usize = 256;

/// Each family as often as its weight says.
static CHOICES: [Kind; ALL] = choices();

/// One block in so many is large.
const LARGE: u32 = 8_192;

/// Bytes of a large block, from and to.
const LARGE_BYTES: (usize, usize) = (66 << 10, 1 << 20);

/// Bytes of a row that is not large, at most.
const ROW_BYTES: usize = 24 << 10;

/// What to allocate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    pub(crate) kind: Kind,
    pub(crate) units: usize,
}

impl Choice {
    /// Chooses; `size` tells the bytes of a unit.
    pub(crate) fn new(random: &mut Rng, size: impl Fn(Kind) -> usize) -> Self {
        if random.u32(..LARGE) == 0 {
            return Self::large(random, size);
        }
        let kind = CHOICES[random.usize(..ALL)];
        let most = ROW_BYTES.checked_div(size(kind)).unwrap_or(ROW_BYTES);
        let units = match random.u8(..) {
            0..204 => 1,
            204..248 => random.usize(2..32),
            248.. => random.usize(32..=400),
        };
        Self {
            kind,
            units: units.min(most).max(1),
        }
    }

    fn large(random: &mut Rng, size: impl Fn(Kind) -> usize) -> Self {
        if random.u8(..4) == 0 {
            let units = random.usize(1..=3);
            return Self {
                kind: Kind::Images,
                units,
            };
        }
        let kind = CHOICES[random.usize(..ALL)];
        let bytes = random.usize(LARGE_BYTES.0..LARGE_BYTES.1);
        let units = bytes.checked_div(size(kind)).unwrap_or(bytes);
        Self { kind, units }
    }

    /// Units of the longest block of a family, given the bytes of its units.
    pub(crate) fn most_units(size: usize) -> usize {
        LARGE_BYTES
            .1
            .checked_div(size)
            .unwrap_or(LARGE_BYTES.1)
            .max(3)
    }
}

const fn choices() -> [Kind; ALL] {
    let mut choices = [Kind::Token; ALL];
    let (mut weight, mut next) = (0, 0);
    while weight < WEIGHTS.len() {
        let end = next + WEIGHTS[weight].1;
        while next < end {
            choices[next] = WEIGHTS[weight].0;
            next += 1;
        }
        weight += 1;
    }
    assert!(next == ALL, "the weights make up all choices");
    choices
}

//! The pattern that fills every live block, by which overlap and reuse of live blocks are detected.

/// Bytes of payload that are looked at in whole.
const WHOLE: usize = 2 << 10;

/// Bytes at both ends of a longer payload that are looked at in whole.
const END: usize = 256;

/// Between its ends, one word in so many bytes is looked at.
const STEP: usize = 256;

const WORD: usize = size_of::<u64>();

/// 2^64 over the golden ratio: spreads what differs in a few low bits.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A block's content, made from all that tells it from others.
#[derive(Clone, Copy)]
pub(crate) struct Cookie(u64);

/// A word that is not what was written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Damage {
    pub(crate) expected: u64,
    pub(crate) found: u64,
}

impl Cookie {
    /// Makes the cookie of a block.
    pub(crate) fn new(address: usize, family: usize, units: usize, generation: u64) -> Self {
        let parts = [family as u64, units as u64, generation];
        let mixed = parts.into_iter().fold(address as u64, |sum, part| {
            (sum.rotate_left(23) ^ part).wrapping_mul(SPREAD)
        });
        Self(mixed)
    }

    /// Fills all of `payload`.
    pub(crate) fn write(self, payload: &mut [u8]) {
        let (words, rest) = payload.as_chunks_mut();
        for (place, word) in words.iter_mut().enumerate() {
            *word = self.word(place).to_ne_bytes();
        }
        let last = self.word(words.len()).to_ne_bytes();
        rest.copy_from_slice(&last[..rest.len()]);
    }

    /// Looks whether `payload` is as it was written: a short one in whole, a long one at both ends
    /// and in a sample of places between.
    pub(crate) fn check(self, payload: &[u8]) -> Result<(), Damage> {
        sampled(payload, |place| self.word(place))
    }

    /// Differs from place to place, so that a shifted copy is found, too.
    fn word(self, place: usize) -> u64 {
        self.0.wrapping_add((place as u64).wrapping_mul(SPREAD))
    }
}

/// Looks whether `payload` is zero, in as many places as a cookie is looked at.
pub(crate) fn check_zero(payload: &[u8]) -> Result<(), Damage> {
    sampled(payload, |_| 0)
}

fn sampled(payload: &[u8], expected: impl Fn(usize) -> u64) -> Result<(), Damage> {
    if payload.len() <= WHOLE {
        return whole(payload, 0, expected);
    }
    let (first, rest) = payload.split_at(END);
    let (middle, last) = rest.split_at((rest.len() - END) / WORD * WORD);
    whole(first, 0, &expected)?;
    for (step, bytes) in middle.chunks(STEP).enumerate() {
        // Not always the same place of a step.
        let shift = (step % (STEP / WORD)).min(bytes.len() / WORD - 1);
        let place = (END + step * STEP) / WORD + shift;
        whole(&bytes[shift * WORD..(shift + 1) * WORD], place, &expected)?;
    }
    whole(last, (END + middle.len()) / WORD, &expected)
}

/// Looks at every word of `bytes`, of which the first is at `place`.
fn whole(bytes: &[u8], place: usize, expected: impl Fn(usize) -> u64) -> Result<(), Damage> {
    let (words, rest) = bytes.as_chunks();
    let mut mixed = 0;
    for (index, word) in words.iter().enumerate() {
        mixed |= u64::from_ne_bytes(*word) ^ expected(place + index);
    }
    // A call for no bytes would cost more than a word.
    if !rest.is_empty() {
        let mut last = expected(place + words.len()).to_ne_bytes();
        last[..rest.len()].copy_from_slice(rest);
        mixed |= u64::from_ne_bytes(last) ^ expected(place + words.len());
    }
    if mixed == 0 {
        return Ok(());
    }
    Err(damage(words, rest, place, expected))
}

/// The first word that differs.
#[cold]
fn damage(
    words: &[[u8; WORD]],
    rest: &[u8],
    place: usize,
    expected: impl Fn(usize) -> u64,
) -> Damage {
    let mut last = expected(place + words.len()).to_ne_bytes();
    last[..rest.len()].copy_from_slice(rest);
    let found = words
        .iter()
        .chain([&last])
        .map(|word| u64::from_ne_bytes(*word));
    let pairs = found.enumerate().map(|(index, found)| Damage {
        expected: expected(place + index),
        found,
    });
    let mut damaged = pairs.filter(|pair| pair.expected != pair.found);
    damaged.next().expect("some word differs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_payloads_of_any_length_are_written_and_checked() {
        for bytes in 1..WHOLE {
            let cookie = Cookie::new(64, 1, 2, bytes as u64);
            let mut payload = vec![0; bytes];
            cookie.write(&mut payload);
            cookie.check(&payload).expect("as written");
            payload[bytes * 7 / 8] ^= 1;
            cookie.check(&payload).expect_err("one bit differs");
        }
    }

    #[test]
    fn what_overwrites_a_unit_of_a_long_row_is_found() {
        let cookie = Cookie::new(64, 1, 2, 3);
        for bytes in (WHOLE + 1..WHOLE + 600).step_by(7) {
            let mut payload = vec![0; bytes];
            cookie.write(&mut payload);
            cookie.check(&payload).expect("as written");
            for first in 0..bytes - 2 * STEP {
                let mut damaged = payload.clone();
                damaged[first..first + 2 * STEP].fill(0);
                cookie.check(&damaged).expect_err("two steps differ");
            }
        }
    }

    #[test]
    fn every_part_makes_another_cookie() {
        let Cookie(one) = Cookie::new(64, 1, 2, 3);
        let others = [(128, 1, 2, 3), (64, 2, 2, 3), (64, 1, 3, 3), (64, 1, 2, 4)];
        for (address, family, units, generation) in others {
            assert_ne!(Cookie::new(address, family, units, generation).0, one);
        }
    }
}

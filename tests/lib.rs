//! Tests of mm as its users see it. The library itself is the README, whose code is a doctest.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

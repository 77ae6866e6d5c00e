//! Models of what threads do with one heap. See `crate::sync::models`.

mod biased;
mod exit;
mod flush;
mod growth;
mod hand_over;
mod number;
mod remote;
mod setting;
mod snapshot;
mod uncached;
mod words;

pub(crate) use setting::model;

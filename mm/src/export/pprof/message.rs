//! The messages of pprof's [`profile.proto`], with its field numbers.
//!
//! A text is an index into `string_table`, where index 0 is the empty text. The identifiers of mappings,
//! locations and functions count from 1, and 0 means none.
//!
//! [`profile.proto`]: https://github.com/google/pprof/blob/main/proto/profile.proto

/// A whole profile.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Profile {
    /// The types of the values of each sample, in their order.
    #[prost(message, repeated, tag = "1")]
    pub(super) sample_type: Vec<ValueType>,
    #[prost(message, repeated, tag = "2")]
    pub(super) sample: Vec<Sample>,
    /// Parts of the address space; the program itself comes first.
    #[prost(message, repeated, tag = "3")]
    pub(super) mapping: Vec<Mapping>,
    #[prost(message, repeated, tag = "4")]
    pub(super) location: Vec<Location>,
    #[prost(message, repeated, tag = "5")]
    pub(super) function: Vec<Function>,
    #[prost(string, repeated, tag = "6")]
    pub(super) string_table: Vec<String>,
    /// Nanoseconds since 1970.
    #[prost(int64, tag = "9")]
    pub(super) time_nanos: i64,
    /// The type of the sampling interval.
    #[prost(message, optional, tag = "11")]
    pub(super) period_type: Option<ValueType>,
    #[prost(int64, tag = "12")]
    pub(super) period: i64,
    /// Comments for people.
    #[prost(int64, repeated, tag = "13")]
    pub(super) comment: Vec<i64>,
    /// Text: the sample type to show first.
    #[prost(int64, tag = "14")]
    pub(super) default_sample_type: i64,
}

/// A kind of value and its unit.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct ValueType {
    /// Text.
    #[prost(int64, tag = "1")]
    pub(super) kind: i64,
    /// Text.
    #[prost(int64, tag = "2")]
    pub(super) unit: i64,
}

/// The values of one stack.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Sample {
    /// Locations, the innermost first.
    #[prost(uint64, repeated, tag = "1")]
    pub(super) location_id: Vec<u64>,
    #[prost(int64, repeated, tag = "2")]
    pub(super) value: Vec<i64>,
    #[prost(message, repeated, tag = "3")]
    pub(super) label: Vec<Label>,
}

/// A text under a name.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct Label {
    /// Text.
    #[prost(int64, tag = "1")]
    pub(super) key: i64,
    /// Text.
    #[prost(int64, tag = "2")]
    pub(super) str: i64,
}

/// A part of the address space that holds code of one file.
#[expect(clippy::struct_excessive_bools, reason = "the format has them")]
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct Mapping {
    #[prost(uint64, tag = "1")]
    pub(super) id: u64,
    #[prost(uint64, tag = "2")]
    pub(super) memory_start: u64,
    /// The address after its end.
    #[prost(uint64, tag = "3")]
    pub(super) memory_limit: u64,
    /// Offset of its start in the file, in bytes.
    #[prost(uint64, tag = "4")]
    pub(super) file_offset: u64,
    /// Text.
    #[prost(int64, tag = "5")]
    pub(super) filename: i64,
    /// Text: which build of the file it is, in hexadecimal digits.
    #[prost(int64, tag = "6")]
    pub(super) build_id: i64,
    /// Whether functions are looked up already. If not, pprof looks them up.
    #[prost(bool, tag = "7")]
    pub(super) has_functions: bool,
    #[prost(bool, tag = "8")]
    pub(super) has_filenames: bool,
    #[prost(bool, tag = "9")]
    pub(super) has_line_numbers: bool,
    #[prost(bool, tag = "10")]
    pub(super) has_inline_frames: bool,
}

/// A place in the code.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Location {
    #[prost(uint64, tag = "1")]
    pub(super) id: u64,
    #[prost(uint64, tag = "2")]
    pub(super) mapping_id: u64,
    #[prost(uint64, tag = "3")]
    pub(super) address: u64,
    /// Several lines if calls are inlined, the innermost first.
    #[prost(message, repeated, tag = "4")]
    pub(super) line: Vec<Line>,
}

/// A line of a function.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct Line {
    #[prost(uint64, tag = "1")]
    pub(super) function_id: u64,
    /// From 1; 0 is none.
    #[prost(int64, tag = "2")]
    pub(super) number: i64,
    /// From 1; 0 is none. Older readers ignore it.
    #[prost(int64, tag = "3")]
    pub(super) column: i64,
}

/// A function, by name.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct Function {
    #[prost(uint64, tag = "1")]
    pub(super) id: u64,
    /// Text.
    #[prost(int64, tag = "2")]
    pub(super) name: i64,
    /// Text.
    #[prost(int64, tag = "3")]
    pub(super) system_name: i64,
    /// Text.
    #[prost(int64, tag = "4")]
    pub(super) filename: i64,
}

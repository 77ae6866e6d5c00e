//! The tables of a pprof profile.

use std::collections::HashMap;
use std::time::Duration;

use super::figures::{Origin, Part, parts};
use super::maps::Map;
use super::message::{Function, Label, Line, Location, Mapping, Profile, Sample, ValueType};
use super::stack::{self, Caller, Frame, frames};
use crate::profile::{self, FamilyProfile};
use crate::shown::Shown;
use crate::snapshot;

/// The sample types and their units, in the order of the values. A reader without support for a default shows
/// the last one.
const SAMPLE_TYPES: [(&str, &str); 4] = [
    ("alloc_objects", "count"),
    ("alloc_space", "bytes"),
    ("inuse_objects", "count"),
    ("inuse_space", "bytes"),
];

/// A comment for people, the same in each profile.
const NOTE: &str = "alloc_space counts a released block that was not recorded as one unit";

/// The key of a location.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Place(snapshot::Location),
    Address(u64),
    Words(&'static str),
}

impl From<&Frame> for Key {
    fn from(frame: &Frame) -> Self {
        match frame {
            Frame::Place(place) => Self::Place(*place),
            Frame::Caller(caller) => Self::Address(caller.address),
            Frame::Words(words) => Self::Words(words),
        }
    }
}

/// Fills the tables of a profile. Each text, function and location is in them once.
pub(super) struct Writer {
    profile: Profile,
    texts: HashMap<String, i64>,
    functions: HashMap<(i64, i64), u64>,
    locations: HashMap<Key, u64>,
}

impl Writer {
    /// Starts a profile with the parts that all profiles of the process share.
    pub(super) fn new(now: Duration, maps: Vec<Map>) -> Self {
        let mut writer = Self {
            profile: Profile::default(),
            texts: HashMap::new(),
            functions: HashMap::new(),
            locations: HashMap::new(),
        };
        // The format requires it to be the first.
        writer.text("");
        let types = SAMPLE_TYPES.map(|(kind, unit)| writer.value_type(kind, unit));
        writer.profile.sample_type = types.into();
        writer.profile.default_sample_type = writer.text("inuse_space");
        writer.profile.time_nanos = signed(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX));
        for map in maps {
            writer.map(&map);
        }
        writer
    }

    /// Adds all samples of a family.
    pub(super) fn add(&mut self, family: &FamilyProfile) {
        for part in parts(family) {
            let sample = self.sample(family, &part);
            self.profile.sample.push(sample);
        }
    }

    /// Adds a sample of a stack.
    pub(super) fn add_stack(&mut self, frames: &[Frame], values: [i64; 4]) {
        let location_id = frames.iter().map(|frame| self.location(frame)).collect();
        self.profile.sample.push(Sample {
            location_id,
            value: values.into(),
            label: Vec::new(),
        });
    }

    /// Adds a comment for people.
    pub(super) fn comment(&mut self, text: &str) {
        let comment = self.text(text);
        self.profile.comment.push(comment);
    }

    /// Sets the distance between two samples.
    pub(super) fn set_period(&mut self, kind: &str, unit: &str, period: i64) {
        self.profile.period_type = Some(self.value_type(kind, unit));
        self.profile.period = period;
    }

    /// Returns the profile.
    pub(super) fn finish(self) -> Profile {
        self.profile
    }

    /// Adds the fields about a whole profile of families.
    pub(super) fn describe(&mut self, of: &profile::Profile) {
        let comments = intervals(of).into_iter().map(|(interval, families)| {
            format!(
                "one block in {interval} is recorded (page families: {families}), and the figures of \
                 their call sites are multiplied by {interval}"
            )
        });
        for comment in comments.chain([NOTE.to_owned()]) {
            self.comment(&comment);
        }
        let longest = of.families.iter().map(|family| family.every).max();
        self.set_period("objects", "count", longest.unwrap_or(1).max(1).into());
    }

    /// Describes one part of a family.
    fn sample(&mut self, family: &FamilyProfile, part: &Part<'_>) -> Sample {
        let bytes = |units: u64| signed(units.saturating_mul(family.unit_size));
        let frames = frames(part.origin).into_iter();
        Sample {
            location_id: frames.map(|frame| self.location(&frame)).collect(),
            value: vec![
                signed(part.allocated.blocks),
                bytes(part.allocated.units),
                signed(part.live.blocks),
                bytes(part.live.units),
            ],
            label: self.labels(family, part.origin),
        }
    }

    /// Returns the labels of a family and a thread. Families may share a path, so the place is a label, too.
    fn labels(&mut self, family: &FamilyProfile, origin: Origin<'_>) -> Vec<Label> {
        let version = family.location.crate_version;
        let place = place(family.location);
        let defined = match family.key.nth() {
            0 | 1 => format!("{place} ({version})"),
            nth => format!("{place} ({version}) #{nth}"),
        };
        let mut labels = vec![
            self.label("type", family.path),
            self.label("defined", &defined),
        ];
        if let Origin::Site(site) = origin
            && !site.thread.is_empty()
        {
            labels.push(self.label("thread", site.thread));
        }
        labels
    }

    /// Returns a label.
    fn label(&mut self, key: &str, text: &str) -> Label {
        Label {
            key: self.text(key),
            str: self.text(text),
        }
    }

    /// Returns a kind of value.
    fn value_type(&mut self, kind: &str, unit: &str) -> ValueType {
        ValueType {
            kind: self.text(kind),
            unit: self.text(unit),
        }
    }

    /// Returns the index of a text with escapes: pprof prints texts as they are.
    fn text(&mut self, text: &str) -> i64 {
        self.whole_text(&Shown(text).into_text())
    }

    /// Returns the index of a text without escapes, for programs.
    fn whole_text(&mut self, text: &str) -> i64 {
        if let Some(known) = self.texts.get(text) {
            return *known;
        }
        let table = &mut self.profile.string_table;
        let number = signed(table.len() as u64);
        table.push(text.to_owned());
        self.texts.insert(text.to_owned(), number);
        number
    }

    /// Adds a part of the address space.
    fn map(&mut self, map: &Map) {
        let mapping = Mapping {
            id: next(&self.profile.mapping),
            memory_start: map.start,
            memory_limit: map.limit,
            file_offset: map.offset,
            filename: self.whole_text(&map.file),
            build_id: self.whole_text(&map.build_id),
            ..Mapping::default()
        };
        self.profile.mapping.push(mapping);
    }

    /// Returns the number of the location of a frame.
    fn location(&mut self, frame: &Frame) -> u64 {
        let key = Key::from(frame);
        if let Some(known) = self.locations.get(&key) {
            return *known;
        }
        let location = match frame {
            Frame::Caller(caller) => self.at_address(caller),
            Frame::Words(words) => self.at_line(words, "", [0, 0]),
            Frame::Place(at) => self.at_line(&place(*at), at.file, [at.line, at.column]),
        };
        let id = next(&self.profile.location);
        self.profile.location.push(Location { id, ..location });
        self.locations.insert(key, id);
        id
    }

    /// Describes code by its address and its functions.
    fn at_address(&mut self, caller: &Caller) -> Location {
        let line = caller
            .functions
            .iter()
            .map(|function| self.in_function(function));
        let line: Vec<_> = line.collect();
        let address = caller.address;
        Location {
            mapping_id: self.mapping_of(address, !line.is_empty()),
            address,
            line,
            ..Location::default()
        }
    }

    /// Describes a line of a function that was looked up.
    fn in_function(&mut self, function: &stack::Function) -> Line {
        Line {
            function_id: self.function(&function.name, &function.file),
            number: function.line.into(),
            column: 0,
        }
    }

    /// Returns the number of the mapping that contains an address. Notes in the mapping whether names are
    /// known: pprof looks up the names if not.
    fn mapping_of(&mut self, address: u64, is_looked_up: bool) -> u64 {
        let mut mappings = self.profile.mapping.iter_mut();
        let is_there = |mapping: &&mut Mapping| {
            (mapping.memory_start..mapping.memory_limit).contains(&address)
        };
        let Some(mapping) = mappings.find(is_there) else {
            return 0;
        };
        if is_looked_up {
            mapping.has_functions = true;
            mapping.has_filenames = true;
            mapping.has_line_numbers = true;
            mapping.has_inline_frames = true;
        }
        mapping.id
    }

    /// Describes a line of a function.
    fn at_line(&mut self, function: &str, file: &str, [line, column]: [u32; 2]) -> Location {
        let line = Line {
            function_id: self.function(function, file),
            number: line.into(),
            column: column.into(),
        };
        Location {
            line: vec![line],
            ..Location::default()
        }
    }

    /// Returns the number of a function.
    fn function(&mut self, name: &str, file: &str) -> u64 {
        let (name, filename) = (self.text(name), self.text(file));
        if let Some(known) = self.functions.get(&(name, filename)) {
            return *known;
        }
        let id = next(&self.profile.function);
        self.profile.function.push(Function {
            id,
            name,
            system_name: name,
            filename,
        });
        self.functions.insert((name, filename), id);
        id
    }
}

/// Returns the sampling intervals above 1, ascending, each with its number of families.
fn intervals(profile: &profile::Profile) -> Vec<(u32, usize)> {
    let sampled = profile.families.iter().filter(|family| family.every > 1);
    let mut families = std::collections::BTreeMap::new();
    for family in sampled {
        *families.entry(family.every).or_default() += 1;
    }
    families.into_iter().collect()
}

/// Returns a place as compilers write it: `src/index.rs:17:5`. The caller escapes it.
fn place(at: snapshot::Location) -> String {
    format!("{}{}", at.file, at.numbers())
}

/// Returns the number of a table's next entry.
fn next<T>(table: &[T]) -> u64 {
    table.len() as u64 + 1
}

/// Returns a figure as the format's type, at most its largest value.
fn signed(figure: u64) -> i64 {
    i64::try_from(figure).unwrap_or(i64::MAX)
}

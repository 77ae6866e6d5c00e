//! Snapshots and profiles as JSON, with a schema and its version.
//!
//! The types' [`Serialize`] implementations define the output. The schemas in `mm/schemas` describe it,
//! and the tests compare both.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter};

use crate::heap_profile::HeapProfile;
use crate::profile::Profile;
use crate::shown::is_hidden;
use crate::snapshot::Snapshot;

/// Version of a snapshot's schema. It rises when a field goes away or changes its meaning.
const SNAPSHOT_VERSION: u32 = 2;

/// Version of a profile's schema. It rises by the same rule.
const PROFILE_VERSION: u32 = 1;

/// Version of the schema of a profile of untyped memory. It rises by the same rule.
const HEAP_PROFILE_VERSION: u32 = 1;

/// A document: schema and version first, then the content.
#[derive(Serialize)]
struct Document<'a, T> {
    schema: &'static str,
    version: u32,
    #[serde(flatten)]
    content: &'a T,
}

impl Snapshot {
    /// Returns every figure as a JSON object with `"schema": "mm-snapshot"` and `"version": 2`.
    ///
    /// Figures are bytes, blocks, units (of the family's size) or pages, as the schema below says.
    /// Figures that the system does not report are `null`. The call allocates. Requires the feature `json`.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::PageFamily;
    /// use std::alloc::Layout;
    ///
    /// PageFamily::register("json-doc:rows", Layout::new::<u64>())?.alloc(3)?;
    /// let json: serde_json::Value = serde_json::from_str(&mm::snapshot().to_json())?;
    ///
    /// assert_eq!((&json["schema"], &json["version"]), (&"mm-snapshot".into(), &2.into()));
    /// let families = json["families"].as_array().unwrap();
    /// let rows = families.iter().find(|family| family["name"] == "json-doc:rows").unwrap();
    /// assert_eq!(rows["live_bytes"], 24);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Schema
    ///
    /// As a [JSON Schema](https://json-schema.org/draft/2020-12/schema), which is also the file
    /// `schemas/snapshot.schema.json` of the package:
    ///
    /// ```json
    #[doc = include_str!("../../schemas/snapshot.schema.json")]
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        json("mm-snapshot", SNAPSHOT_VERSION, self)
    }
}

impl Profile {
    /// Returns all live blocks, by family and by call site, as a JSON object with
    /// `"schema": "mm-profile"` and `"version": 1`.
    ///
    /// Figures are bytes, blocks or units (of the family's size), as the schema below says.
    /// The call allocates. Requires the feature `json`.
    ///
    /// # Examples
    ///
    /// ```
    /// let json: serde_json::Value = serde_json::from_str(&mm::profile().to_json())?;
    /// assert_eq!((&json["schema"], &json["version"]), (&"mm-profile".into(), &1.into()));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Schema
    ///
    /// As a [JSON Schema](https://json-schema.org/draft/2020-12/schema), which is also the file
    /// `schemas/profile.schema.json` of the package:
    ///
    /// ```json
    #[doc = include_str!("../../schemas/profile.schema.json")]
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        json("mm-profile", PROFILE_VERSION, self)
    }
}

impl HeapProfile {
    /// Returns the untyped memory by stack as a JSON object with `"schema": "mm-heap-profile"` and `"version": 1`.
    ///
    /// Figures are bytes or blocks, as the schema below says. Those of stacks are estimates. Stacks are return addresses
    /// of this process; [`to_pprof`](Self::to_pprof) also says which file is where. The call allocates. Requires the
    /// feature `json`.
    ///
    /// # Examples
    ///
    /// ```
    /// let json: serde_json::Value = serde_json::from_str(&mm::heap_profile().to_json())?;
    /// assert_eq!((&json["schema"], &json["version"]), (&"mm-heap-profile".into(), &1.into()));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Schema
    ///
    /// As a [JSON Schema](https://json-schema.org/draft/2020-12/schema), which is also the file
    /// `schemas/heap_profile.schema.json` of the package:
    ///
    /// ```json
    #[doc = include_str!("../../schemas/heap_profile.schema.json")]
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        json("mm-heap-profile", HEAP_PROFILE_VERSION, self)
    }
}

/// Writes a document.
fn json(schema: &'static str, version: u32, content: &impl Serialize) -> String {
    let document = Document {
        schema,
        version,
        content,
    };
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, Plain);
    let written = document.serialize(&mut serializer);
    written.expect("texts and numbers under names are always JSON");
    String::from_utf8(text).expect("JSON is text")
}

/// Also escapes characters that JSON allows unescaped in strings but that control a terminal.
struct Plain;

impl Formatter for Plain {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        out: &mut W,
        text: &str,
    ) -> io::Result<()> {
        let mut rest = text;
        while let Some((at, hidden)) = rest.char_indices().find(|(_, c)| is_hidden(*c)) {
            CompactFormatter.write_string_fragment(out, &rest[..at])?;
            for unit in hidden.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = &rest[at + hidden.len_utf8()..];
        }
        CompactFormatter.write_string_fragment(out, rest)
    }
}

#[cfg(test)]
mod tests {
    //! Each document against its schema, and the schema against the document.

    use serde_json::{Map, Value};

    use crate::export::samples::{heap_profile, profile};
    use crate::golden::compare_part;
    use crate::snapshot::samples::{huge, indexd, snapshot};
    use crate::snapshot::{FAMILY_FIGURES, FamilySnapshot, Figure};

    const SNAPSHOT: &str = include_str!("../../schemas/snapshot.schema.json");
    /// The property before the figures of a family.
    const RUN_TIME: &str = r#""run_time": {
          "description": "Whether the family was registered while the program ran.",
          "type": "boolean"
        },
"#;
    const PROFILE: &str = include_str!("../../schemas/profile.schema.json");
    const HEAP_PROFILE: &str = include_str!("../../schemas/heap_profile.schema.json");

    fn parse(text: &str) -> Value {
        serde_json::from_str(text).expect("JSON")
    }

    #[track_caller]
    fn check(document: &str, schema: &str) {
        let schema = parse(schema);
        conforms(&parse(document), &schema, &schema, "$");
    }

    /// Compares a document with its schema. It knows only the keywords that mm's schemas use. The reader in
    /// `tests/formats` knows all.
    #[track_caller]
    fn conforms(value: &Value, schema: &Value, root: &Value, at: &str) {
        let schema = match schema["$ref"].as_str() {
            Some(pointer) => root.pointer(&pointer[1..]).expect("a definition"),
            None => schema,
        };
        if let Some(constant) = schema.get("const") {
            assert_eq!(value, constant, "{at}");
            return;
        }
        assert!(has_type(value, &schema["type"]), "{at}: {value}");
        match value {
            Value::Object(fields) => have_the_keys(fields, schema, root, at),
            Value::Array(items) => items
                .iter()
                .for_each(|item| conforms(item, &schema["items"], root, &format!("{at}[]"))),
            _ => {}
        }
    }

    /// Checks that each field is in the schema, and that each property of the schema is a field.
    #[track_caller]
    fn have_the_keys(fields: &Map<String, Value>, schema: &Value, root: &Value, at: &str) {
        let properties = schema["properties"].as_object().expect("properties");
        let keys: Vec<_> = fields.keys().collect();
        assert_eq!(keys, properties.keys().collect::<Vec<_>>(), "{at}");
        let required = schema["required"].as_array().expect("required");
        let mut required: Vec<_> = required.iter().filter_map(Value::as_str).collect();
        required.sort_unstable();
        assert_eq!(required, keys, "{at}");
        for (key, value) in fields {
            conforms(value, &properties[key], root, &format!("{at}.{key}"));
        }
    }

    /// Returns whether a value has the type, or one of them.
    fn has_type(value: &Value, types: &Value) -> bool {
        match types {
            Value::Array(types) => types.iter().any(|one| has_type(value, one)),
            one => match one.as_str().expect("a name of a type") {
                "integer" => value.is_u64(),
                "number" => value.is_number(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "array" => value.is_array(),
                "object" => value.is_object(),
                "null" => value.is_null(),
                other => panic!("no type of ours: {other}"),
            },
        }
    }

    #[test]
    fn snapshots_are_as_their_schema_says() {
        check(&indexd().to_json(), SNAPSHOT);
        check(&huge().to_json(), SNAPSHOT);
        check(&snapshot(vec![]).to_json(), SNAPSHOT);
        let mut unknown = indexd();
        unknown.process_resident_bytes = None;
        unknown.records_resident_bytes = None;
        unknown.families[0].resident_bytes = None;
        check(&unknown.to_json(), SNAPSHOT);
        let json = parse(&unknown.to_json());
        assert!(json["process_resident_bytes"].is_null());
        assert!(json["families"][0]["resident_bytes"].is_null());
        assert!(json["families"][1]["resident_bytes"].is_u64());
        check(&crate::snapshot().to_json(), SNAPSHOT);
    }

    /// The schema describes each figure as the table of figures does.
    #[test]
    #[cfg_attr(miri, ignore = "reads a file")]
    fn the_schema_describes_all_figures() {
        let property = |figure: &Figure<FamilySnapshot>| {
            let (kind, unknown) = if figure.name == "resident_bytes" {
                let kind = "[\n            \"integer\",\n            \"null\"\n          ]";
                (kind, " null where the system does not report all of them.")
            } else {
                ("\"integer\"", "")
            };
            format!(
                "        \"{}\": {{\n          \"description\": \"{}{unknown}\",\n          \
                 \"type\": {kind},\n          \"minimum\": 0\n        }},\n",
                figure.name, figure.help
            )
        };
        let properties: String = FAMILY_FIGURES.iter().map(property).collect();
        let around = [RUN_TIME, "        \"fill\": {"];
        compare_part("schemas/snapshot.schema.json", around, &properties);

        let name = |figure: &Figure<FamilySnapshot>| format!("        \"{}\",\n", figure.name);
        let names: String = FAMILY_FIGURES.iter().map(name).collect();
        let around = ["        \"run_time\",\n", "        \"fill\"\n"];
        compare_part("schemas/snapshot.schema.json", around, &names);
    }

    #[test]
    fn profiles_are_as_their_schema_says() {
        check(&profile().to_json(), PROFILE);
        check(&crate::profile().to_json(), PROFILE);
    }

    #[test]
    fn heap_profiles_are_as_their_schema_says() {
        check(&heap_profile().to_json(), HEAP_PROFILE);
        check(&crate::heap_profile().to_json(), HEAP_PROFILE);
        let json = parse(&heap_profile().to_json());
        let usage = &json["stacks"][0]["usage"];
        assert_eq!(json["stacks"][0]["addresses"][1], 0x55d0_c000_2100_u64);
        assert_eq!(usage["live_bytes"]["value"], 6_400.0);
        assert_eq!(usage["live_bytes"]["variance"], 250_000.0);
        assert!(usage["live_bytes"]["low"].as_f64() < Some(6_400.0));
        assert!(usage["live_bytes"]["high"].as_f64() > Some(6_400.0));
    }

    #[test]
    fn figures_are_whole() {
        let json = parse(&huge().to_json());
        assert_eq!(json["families"][1]["live_bytes"], u64::MAX);
        assert_eq!(json["schema"], "mm-snapshot");
        let json = parse(&profile().to_json());
        assert_eq!(json["families"][0]["sites"][0]["oldest"]["secs"], 61);
        assert_eq!(json["families"][0]["sites"][1]["value"][0], b'a');
        assert_eq!(json["schema"], "mm-profile");
    }
}

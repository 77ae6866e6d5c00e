//! Written as what is owned, read into a block.

use mm::{MmBox, MmManaged};
use serde::{Deserialize, Serialize};

use crate::support::live;

#[derive(MmManaged, Debug, PartialEq, Serialize, Deserialize)]
struct Part {
    id: u32,
    parts: MmBox<[Part]>,
    spare: Option<MmBox<Part>>,
}

const TEXT: &str = r#"{"id":1,"parts":[{"id":2,"parts":[],"spare":null}],"spare":{"id":3,"parts":[],"spare":null}}"#;

#[test]
fn what_is_written_is_read_back() {
    let part: MmBox<Part> = serde_json::from_str(TEXT).unwrap();
    assert_eq!(part.parts[0].id, 2);
    assert_eq!(live::<Part>(), (3, 3));
    assert_eq!(serde_json::to_string(&part).unwrap(), TEXT);
    let row: MmBox<[Part]> = serde_json::from_str(&format!("[{TEXT},{TEXT}]")).unwrap();
    assert_eq!((row.len(), &row[1]), (2, &*part));
    assert!(serde_json::from_str::<MmBox<[Part]>>(&format!("[{TEXT},{{}}]")).is_err());
    drop((part, row));
    assert_eq!(live::<Part>(), (0, 0));
}

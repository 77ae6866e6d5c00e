//! `mm_api.h` is what cbindgen makes of the sources.

use std::env;
use std::fs;
use std::path::Path;

use cbindgen::{Builder, Config};

/// The package whose interface it is.
const PACKAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../mm");

#[test]
#[cfg_attr(miri, ignore = "asks cargo")]
fn the_header_is_made_of_the_sources() {
    let package = Path::new(PACKAGE);
    let config = Config::from_file(package.join("cbindgen.toml")).expect("a configuration");
    let made = Builder::new().with_crate(package).with_config(config);
    let mut text = Vec::new();
    made.generate().expect("a header").write(&mut text);
    let text = String::from_utf8(text).expect("text");

    let file = package.join("include/mm_api.h");
    if env::var_os("MM_UPDATE_GOLDEN").is_some() {
        fs::write(&file, &text).expect("the folder is there");
    }
    let committed = fs::read_to_string(&file).expect("the header");
    assert!(
        text == committed,
        "\n--- committed\n{committed}\n--- now\n{text}"
    );
}

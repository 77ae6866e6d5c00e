//! The files that contain the program's code. pprof needs them to look up addresses.

use super::build_id;

/// A part of the address space with the code of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Map {
    pub(super) start: u64,
    /// The address after its end.
    pub(super) limit: u64,
    /// Offset of its start in the file, in bytes.
    pub(super) offset: u64,
    pub(super) file: String,
    /// Which build of the file it is, in hexadecimal digits; empty if unknown.
    pub(super) build_id: String,
}

/// Returns the parts of this process's address space with code of files, in ascending order; none if the
/// system does not report them.
///
/// Source: `/proc/self/maps` of Linux, see [`proc_pid_maps(5)`].
///
/// [`proc_pid_maps(5)`]: https://man7.org/linux/man-pages/man5/proc_pid_maps.5.html
pub(super) fn executable() -> Vec<Map> {
    let maps = std::fs::read("/proc/self/maps").unwrap_or_default();
    let maps = String::from_utf8_lossy(&maps);
    let mut code = Vec::new();
    let mut build_id = String::new();
    for (map, is_code) in maps.lines().filter_map(parse) {
        if map.offset == 0 {
            build_id = build_id::of_file_loaded_at(map.start, map.limit).unwrap_or_default();
        }
        if is_code {
            let build_id = build_id.clone();
            code.push(Map { build_id, ..map });
        }
    }
    code
}

/// Reads a line such as `55d0-55d8 r-xp 00002000 08:01 131 /usr/bin/indexd`, and whether it is about code; `None` if it
/// is not about a file.
fn parse(line: &str) -> Option<(Map, bool)> {
    let mut rest = line;
    let mut field = || {
        let (field, after) = rest.trim_start().split_once(' ')?;
        rest = after;
        Some(field)
    };
    let (start, limit) = field()?.split_once('-')?;
    let permissions = field()?;
    let offset = field()?;
    let (_device, _inode) = (field()?, field()?);
    let file = rest.trim_start();
    let number = |hex| u64::from_str_radix(hex, 16).ok();
    let map = Map {
        start: number(start)?,
        limit: number(limit)?,
        offset: number(offset)?,
        file: file.to_owned(),
        build_id: String::new(),
    };
    file.starts_with('/')
        .then_some((map, permissions.contains('x')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_code_are_read() {
        let line = "55d0c0002000-55d0c0008000 r-xp 00002000 08:01 131    /opt/my index/indexd";
        let expected = Map {
            start: 0x55d0_c000_2000,
            limit: 0x55d0_c000_8000,
            offset: 0x2000,
            file: "/opt/my index/indexd".to_owned(),
            build_id: String::new(),
        };
        assert_eq!(parse(line), Some((expected, true)));
    }

    #[test]
    fn other_lines_are_passed_over() {
        for line in [
            "",
            "7ffc0a5f2000-7ffc0a5f4000 r-xp 00000000 00:00 0      [vdso]",
            "7f1000000000-7f1000021000 rwxp 00000000 00:00 0 ",
            "no-numbers r-xp 0 0 0 /opt/indexd",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
        let data = "55d0c0000000-55d0c0002000 r--p 00000000 08:01 131    /opt/indexd";
        assert!(parse(data).is_some_and(|(_, is_code)| !is_code));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_code_of_this_test_is_found() {
        let here = the_code_of_this_test_is_found as fn() as usize as u64;
        let me = std::env::current_exe().unwrap();
        let maps = executable();
        let map = maps
            .iter()
            .find(|map| (map.start..map.limit).contains(&here));
        assert_eq!(map.map(|map| map.file.as_str()), me.to_str());
        assert!(maps.is_sorted_by_key(|map| map.start));
        // Rust's linker writes one, of 20 bytes or 16.
        let id = map.map_or("", |map| &map.build_id);
        assert!(id.len() >= 16, "{id:?}");
        assert!(id.bytes().all(|digit| digit.is_ascii_hexdigit()), "{id:?}");
    }
}

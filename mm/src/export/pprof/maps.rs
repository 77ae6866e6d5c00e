//! The files that contain the program's code. pprof needs them to look up addresses.

/// A part of the address space with the code of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Map {
    pub(super) start: u64,
    /// The address after its end.
    pub(super) limit: u64,
    /// Offset of its start in the file, in bytes.
    pub(super) offset: u64,
    pub(super) file: String,
}

/// Returns the parts of this process's address space with code of files, in ascending order; none if the
/// system does not report them.
///
/// Source: `/proc/self/maps` of Linux, see [`proc_pid_maps(5)`].
///
/// [`proc_pid_maps(5)`]: https://man7.org/linux/man-pages/man5/proc_pid_maps.5.html
pub(super) fn executable() -> Vec<Map> {
    let maps = std::fs::read("/proc/self/maps").unwrap_or_default();
    String::from_utf8_lossy(&maps)
        .lines()
        .filter_map(parse)
        .collect()
}

/// Reads a line such as `55d0-55d8 r-xp 00002000 08:01 131 /usr/bin/indexd`; `None` if it is not about code
/// in a file.
fn parse(line: &str) -> Option<Map> {
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
    let is_code = permissions.contains('x') && file.starts_with('/');
    let number = |hex| u64::from_str_radix(hex, 16).ok();
    is_code.then_some(Map {
        start: number(start)?,
        limit: number(limit)?,
        offset: number(offset)?,
        file: file.to_owned(),
    })
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
        };
        assert_eq!(parse(line), Some(expected));
    }

    #[test]
    fn other_lines_are_passed_over() {
        for line in [
            "",
            "55d0c0000000-55d0c0002000 r--p 00000000 08:01 131    /opt/indexd",
            "7ffc0a5f2000-7ffc0a5f4000 r-xp 00000000 00:00 0      [vdso]",
            "7f1000000000-7f1000021000 rwxp 00000000 00:00 0 ",
            "no-numbers r-xp 0 0 0 /opt/indexd",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
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
    }
}

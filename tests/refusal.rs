//! A kernel that refuses: a filter of system calls that answers in its place.

use std::mem::offset_of;

/// Has the system calls of these numbers refused, for this thread and those that it starts from now
/// on. Source: seccomp(2).
///
/// # Panics
///
/// If the kernel takes no filter.
pub fn refuse(calls: &[libc::c_long]) {
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let is_equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let refused = libc::SECCOMP_RET_ERRNO | number::<_, u32>(libc::EPERM);
    let mut program = vec![statement(load, number(offset_of!(libc::seccomp_data, nr)))];
    for call in calls {
        program.push(libc::sock_filter {
            jf: 1,
            ..statement(is_equal, number(*call))
        });
        program.push(statement(libc::BPF_RET, refused));
    }
    program.push(statement(libc::BPF_RET, libc::SECCOMP_RET_ALLOW));
    let filter = libc::sock_fprog {
        len: number(program.len()),
        filter: program.as_mut_ptr(),
    };
    // SAFETY: the numbers are what the call takes.
    let no_more_rights = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(no_more_rights, 0);
    let mode = libc::SECCOMP_MODE_FILTER;
    // SAFETY: the filter is a program as long as it says.
    let taken = unsafe { libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const filter) };
    assert_eq!(taken, 0, "{}", std::io::Error::last_os_error());
}

/// Lets this process open no file from now on.
///
/// # Panics
///
/// If the kernel does not.
pub fn open_nothing_more() {
    let none = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `none` is a limit.
    let answer = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const none) };
    assert_eq!(answer, 0);
}

fn statement(code: u32, k: u32) -> libc::sock_filter {
    libc::sock_filter {
        code: number(code),
        jt: 0,
        jf: 0,
        k,
    }
}

fn number<N: TryInto<M>, M>(number: N) -> M {
    number.try_into().ok().expect("a small number")
}

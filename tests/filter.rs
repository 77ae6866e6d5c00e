//! Simulates a kernel that does not do what it reports: a filter answers system calls in its place.
//!
//! Source: seccomp(2). `SECCOMP_RET_ERRNO` with error number 0 makes a call report success without running
//! it.

use std::mem::offset_of;

/// Has calls number `call` of this thread, and of those that it starts from now on, do nothing and
/// succeed: all of them, or those whose third argument is `third`.
///
/// # Panics
///
/// If the kernel takes no filter.
pub fn pretend(call: libc::c_long, third: Option<libc::c_int>) {
    const ARGUMENT: usize = offset_of!(libc::seccomp_data, args) + 2 * size_of::<u64>();
    let mut program = vec![load(offset_of!(libc::seccomp_data, nr))];
    program.extend([unless(number(call)), answer(libc::SECCOMP_RET_ALLOW)]);
    if let Some(third) = third {
        // The low half of the argument, which is the first on these machines.
        program.extend([load(ARGUMENT), unless(number(third))]);
        program.push(answer(libc::SECCOMP_RET_ALLOW));
    }
    program.push(answer(libc::SECCOMP_RET_ERRNO));
    install(&mut program);
}

/// Has the system calls of these numbers refused, for this thread and those that it starts from now
/// on.
///
/// # Panics
///
/// If the kernel takes no filter.
pub fn refuse(calls: &[libc::c_long]) {
    let refused = libc::SECCOMP_RET_ERRNO | number::<_, u32>(libc::EPERM);
    let mut program = vec![load(offset_of!(libc::seccomp_data, nr))];
    for call in calls {
        program.extend([only_if(number(*call)), answer(refused)]);
    }
    program.push(answer(libc::SECCOMP_RET_ALLOW));
    install(&mut program);
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

/// Has the kernel ask `program` before each call of this thread, and of those that it starts from now
/// on.
fn install(program: &mut [libc::sock_filter]) {
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

/// Loads what of the call's data is at `offset`.
fn load(offset: usize) -> libc::sock_filter {
    statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, number(offset))
}

/// Ends with `what`.
fn answer(what: u32) -> libc::sock_filter {
    statement(libc::BPF_RET | libc::BPF_K, what)
}

/// Skips the next statement if what was loaded is not `value`.
fn only_if(value: u32) -> libc::sock_filter {
    libc::sock_filter {
        jt: 0,
        jf: 1,
        ..unless(value)
    }
}

/// Skips the next statement if what was loaded is `value`.
fn unless(value: u32) -> libc::sock_filter {
    let code = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    libc::sock_filter {
        jt: 1,
        ..statement(code, value)
    }
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

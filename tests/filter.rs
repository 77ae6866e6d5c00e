//! A kernel that says yes and does nothing: a filter of system calls that answers in its place.
//!
//! Source: seccomp(2). `SECCOMP_RET_ERRNO` with error number 0 makes a call succeed that never was.

use std::mem::offset_of;

/// Has calls number `call` of this thread, and of those that it starts from now on, do nothing and
/// succeed: all of them, or those whose third argument is `third`.
///
/// # Panics
///
/// If the kernel takes no filter.
pub fn pretend(call: libc::c_long, third: Option<libc::c_int>) {
    const ARGUMENT: usize = offset_of!(libc::seccomp_data, args) + 2 * size_of::<u64>();
    let load = |offset| statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, number(offset));
    let answer = |what| statement(libc::BPF_RET | libc::BPF_K, what);
    let mut program = vec![
        load(offset_of!(libc::seccomp_data, nr)),
        unless(number(call)),
    ];
    program.push(answer(libc::SECCOMP_RET_ALLOW));
    if let Some(third) = third {
        // The low half of the argument, which is the first on these machines.
        program.extend([load(ARGUMENT), unless(number(third))]);
        program.push(answer(libc::SECCOMP_RET_ALLOW));
    }
    program.push(answer(libc::SECCOMP_RET_ERRNO));
    let filter = libc::sock_fprog {
        len: number(program.len()),
        filter: program.as_mut_ptr(),
    };
    // SAFETY: the numbers are what the call takes.
    let no_more_rights = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(no_more_rights, 0);
    // SAFETY: the filter is a program as long as it says.
    let taken = unsafe {
        let mode = libc::SECCOMP_MODE_FILTER;
        libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const filter)
    };
    assert_eq!(taken, 0, "{}", std::io::Error::last_os_error());
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

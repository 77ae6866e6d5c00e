//! The attribute `no_leaks`: on which functions it works, and what it leaves unchanged.

use std::cell::Cell;
use std::fmt::Display;
use std::num::ParseIntError;
use std::process::Termination;

use mm::{MmBox, MmManaged};

#[derive(MmManaged)]
struct Emp(u32);

trait Counts {
    fn count(&self) -> u32;
}

impl Counts for Emp {
    #[mm::no_leaks]
    fn count(&self) -> u32 {
        self.0
    }
}

impl Emp {
    #[mm::no_leaks]
    fn show(&self) -> &impl Display {
        &self.0
    }

    #[mm::no_leaks]
    fn into_number(self) -> u32 {
        self.0
    }
}

/// Stands in for `mm` and counts the calls.
mod probe {
    use std::cell::Cell;

    /// What a body gets.
    #[derive(Debug, PartialEq)]
    pub(super) struct Scope(pub(super) u32);

    thread_local! {
        static CALLS: Cell<u32> = const { Cell::new(0) };
        static INSIDE: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn no_leaks<R>(body: impl FnOnce(&Scope) -> R) -> R {
        CALLS.set(CALLS.get() + 1);
        INSIDE.set(true);
        let result = body(&Scope(7));
        INSIDE.set(false);
        result
    }

    pub(super) fn calls() -> u32 {
        CALLS.get()
    }

    pub(super) fn is_inside() -> bool {
        INSIDE.get()
    }
}

#[test]
fn the_body_runs_inside_of_one_call() {
    #[mm::no_leaks(crate = "probe")]
    fn wrapped() -> bool {
        probe::is_inside()
    }
    assert!(wrapped());
    assert!(!probe::is_inside());
    assert_eq!(probe::calls(), 1);
}

#[test]
fn attributes_below_are_not_lost() {
    let before = probe::calls();
    #[mm::no_leaks(crate = "probe")]
    #[mm::no_leaks(crate = "probe")]
    fn twice() {}
    twice();
    assert_eq!(probe::calls(), before + 2);
}

#[test]
fn results_are_coerced_in_the_body() {
    #[mm::no_leaks]
    fn boxed(number: u32) -> Option<Box<dyn Fn() -> u32>> {
        Some(Box::new(move || number))
    }
    assert_eq!(boxed(7).map(|number| number()), Some(7));
}

#[test]
fn arguments_come_in_any_order() {
    #[mm::no_leaks(scope, crate = probe)]
    fn one() -> u32 {
        scope.0
    }
    #[mm::no_leaks(crate = "self::probe", my_scope)]
    fn other() -> bool {
        *my_scope == probe::Scope(7)
    }
    #[mm::no_leaks()]
    fn none() {}
    assert_eq!((one(), other()), (7, true));
    none();
}

#[test]
#[mm::no_leaks]
fn tests_below_the_attribute_test() {
    drop(MmBox::new(Emp(1)));
}

#[mm::no_leaks]
#[test]
fn tests_above_the_attribute_test() {
    drop(MmBox::new(Emp(1)));
}

#[test]
#[mm::no_leaks]
fn question_marks_convert_errors() -> Result<(), Box<dyn std::error::Error>> {
    let emp = MmBox::new(Emp("7".parse()?));
    if emp.0 == 7 {
        return Ok(());
    }
    Err("not what it was".into())
}

#[test]
#[mm::no_leaks]
#[should_panic(expected = "leaked")]
fn leaks_fail_a_test() {
    let emp = MmBox::leak(MmBox::new(Emp(1)));
    emp.0 += 1;
}

#[test]
#[mm::no_leaks(scope)]
#[should_panic(expected = "leaked")]
fn leaks_of_threads_fail_a_test() {
    let leaks = || MmBox::into_raw(MmBox::new(Emp(1))).addr();
    let leaked = scope.spawn(leaks).join().expect("no panic");
    assert_ne!(leaked, 0);
}

#[test]
#[mm::no_leaks]
#[should_panic(expected = "as it should")]
fn panics_pass_through() {
    panic!("as it should");
}

#[test]
#[mm::no_leaks(scope)]
fn the_scope_has_a_name() {
    let _: &mm::LeakScope = scope;
}

#[test]
#[mm::no_leaks]
fn results_may_be_of_some_type() -> impl Termination {
    std::process::ExitCode::SUCCESS
}

#[test]
fn bodies_may_come_from_a_macro() {
    macro_rules! function {
        ($name:ident, $output:ty, $body:block) => {
            #[mm::no_leaks(crate = "probe")]
            fn $name() -> $output $body
        };
    }
    function!(is_inside, bool, { probe::is_inside() });
    assert!(is_inside());
}

#[test]
fn results_may_say_what_they_capture() {
    #[mm::no_leaks]
    fn numbers<'a, T>(from: &'a [u8], _: T) -> impl Iterator<Item = u8> + use<'a, T> {
        from.iter().copied()
    }
    assert_eq!(numbers(&[1, 2], "").sum::<u8>(), 3);
}

#[test]
fn errors_come_out() {
    #[mm::no_leaks]
    fn parse(text: &str) -> Result<u32, ParseIntError> {
        let number: u32 = text.parse()?;
        Ok(number + 1)
    }
    assert_eq!(parse("7"), Ok(8));
    assert!(parse("seven").is_err());
}

#[test]
fn parameters_move_into_the_body() {
    #[mm::no_leaks]
    fn join<'a, F, const N: usize>(
        mut emp: MmBox<Emp>,
        (text, _): (&'a str, u8),
        f: F,
    ) -> (&'a str, u32)
    where
        F: Fn(u32) -> u32,
    {
        emp.0 = f(emp.0);
        emp.0 += u32::try_from(N).expect("small");
        (text, emp.0)
    }
    let emp = MmBox::new(Emp(1));
    assert_eq!(
        join::<_, 4>(emp, ("text", 0), |number| number * 2),
        ("text", 6)
    );
}

#[test]
fn methods_have_their_receiver() {
    assert_eq!(Emp(3).count(), 3);
    assert_eq!(Emp(4).show().to_string(), "4");
    assert_eq!(Emp(5).into_number(), 5);
}

#[test]
fn qualifiers_and_attributes_of_the_body_stay() {
    #[mm::no_leaks]
    extern "C" fn called_by_c(number: u32) -> u32 {
        #![expect(unused_variables, reason = "only to see that this is the function's")]
        let unused = 0;
        number + 1
    }
    /// # Safety
    ///
    /// The pointer leads to a number.
    #[mm::no_leaks]
    unsafe fn read(number: *const u32) -> u32 {
        // SAFETY: the caller promises it.
        unsafe { number.read() }
    }
    let pointer: extern "C" fn(u32) -> u32 = called_by_c;
    let number = 7;
    // SAFETY: the number is there.
    let same = unsafe { read(&raw const number) };
    assert_eq!((pointer(1), same), (2, 7));
}

mod inner {
    #[mm::no_leaks]
    pub(super) fn seen_outside() -> u32 {
        7
    }
}

#[test]
fn visibilities_stay() {
    assert_eq!(inner::seen_outside(), 7);
}

#[test]
fn bodies_may_borrow_and_never_return() {
    #[mm::no_leaks]
    fn never() -> ! {
        panic!("never")
    }
    #[mm::no_leaks]
    fn count(calls: &Cell<u32>) {
        calls.set(calls.get() + 1);
    }
    let calls = Cell::new(0);
    count(&calls);
    assert_eq!(calls.get(), 1);
    assert!(std::panic::catch_unwind(|| never()).is_err());
}

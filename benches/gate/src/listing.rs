//! The shape of one pair's hot path: the instructions without registers and offsets.
//!
//! A register is `r`, a vector register `x`. A memory operand keeps its base and loses its offset. So another
//! order of fields makes no difference, but another load does.

use std::fmt::Write as _;

use crate::Mistake;
use crate::callgrind;
use crate::disassembly::{self, Instruction};
use crate::measure::{Count, named};
use crate::walk::{self, Step};

const FUNCTION: &str = "mm_gate_pair";

/// Returns the instructions of one pair alone, in the order in which they run.
pub(crate) fn of_pair(counts: &[Count]) -> Result<String, Mistake> {
    let pair = named(counts, "pair")?;
    let ran = callgrind::ran(&pair.profile, FUNCTION);
    let function = disassembly::of(&pair.program, FUNCTION)?;
    let steps = walk::path(&function, &ran)?;
    let mut text = String::new();
    for step in &steps {
        writeln!(text, "{}", shape(step)).expect("a string takes any text");
    }
    Ok(text)
}

fn shape(step: &Step<'_>) -> String {
    let Step { instruction, jumps } = step;
    let Instruction { name, operands, .. } = *instruction;
    let operands = match () {
        () if instruction.target().is_some() && *jumps => "on".to_owned(),
        () if instruction.target().is_some() => "cold".to_owned(),
        () if name == "call" => callee(operands),
        () => operands_of(name, operands),
    };
    format!("{name} {operands}").trim_end().to_owned()
}

/// Returns the function's name without the hash, which changes with each build.
fn callee(operands: &str) -> String {
    match operands.split_once('<') {
        Some((_, name)) => name.split("::h").next().unwrap_or(name).to_owned(),
        None => operand(operands),
    }
}

fn operands_of(name: &str, operands: &str) -> String {
    let shapes: Vec<_> = operands.split(',').map(operand).collect();
    // The size of the stack frame does not matter.
    if matches!(name, "sub" | "add") && shapes[0] == "sp" {
        return "sp, n".to_owned();
    }
    shapes.join(", ")
}

fn operand(text: &str) -> String {
    let (width, place) = match text.split_once(" PTR ") {
        Some((width, place)) => (format!("{} ", width.to_lowercase()), place),
        None => (String::new(), text),
    };
    match place {
        "" => String::new(),
        "rsp" => "sp".to_owned(),
        // The base address of thread-local storage.
        "fs:0x0" => "tls base".to_owned(),
        _ if place.starts_with("fs:") => format!("{width}tls"),
        _ if place.contains("rip") => format!("{width}[static]"),
        _ if place.contains("rsp") => format!("{width}[sp]"),
        _ if place.starts_with('[') => format!("{width}[r]"),
        _ if place.starts_with("0x") => place.to_owned(),
        _ if place.contains("mm") => "x".to_owned(),
        _ => "r".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape_of(name: &str, operands: &str, jumps: bool) -> String {
        let instruction = &Instruction {
            address: 0,
            name: name.to_owned(),
            operands: operands.to_owned(),
        };
        shape(&Step { instruction, jumps })
    }

    #[test]
    fn registers_and_places_go() {
        let cases = [
            ("mov", "QWORD PTR [rdi+0x8],0x0", "mov qword [r], 0x0"),
            (
                "mov",
                "rdi,QWORD PTR fs:0xffffffffffffff80",
                "mov r, qword tls",
            ),
            ("mov", "rax,QWORD PTR fs:0x0", "mov r, tls base"),
            (
                "movups",
                "XMMWORD PTR [r14+0x10],xmm1",
                "movups xmmword [r], x",
            ),
            ("lea", "rdi,[rsp+0x28]", "lea r, [sp]"),
            ("sub", "rsp,0x50", "sub sp, n"),
            ("push", "r15", "push r"),
            ("ret", "", "ret"),
            ("call", "QWORD PTR [rip+0x5e28f]", "call qword [static]"),
            ("call", "16260 <mm::f::h93bdbfda8ec77979>", "call mm::f"),
        ];
        for (name, operands, expected) in cases {
            assert_eq!(shape_of(name, operands, false), expected);
        }
    }

    #[test]
    fn branches_say_whether_the_hot_path_takes_them() {
        assert_eq!(shape_of("je", "41fd3 <pair+0x43>", true), "je on");
        assert_eq!(shape_of("je", "41fd3 <pair+0x43>", false), "je cold");
    }
}

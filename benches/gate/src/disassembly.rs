//! Reads the instructions of a function from objdump.

use std::path::Path;
use std::process::Command;

use crate::Mistake;

/// One instruction, in Intel's notation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instruction {
    pub(crate) address: u64,
    pub(crate) name: String,
    pub(crate) operands: String,
}

/// Disassembles one function of a program.
pub(crate) fn of(program: &Path, function: &str) -> Result<Vec<Instruction>, Mistake> {
    let output = Command::new("objdump")
        .args(["-d", "-C", "-M", "intel", "--no-show-raw-insn"])
        .arg(format!("--disassemble={function}"))
        .arg(program)
        .output();
    let output = output.map_err(|error| format!("objdump (of binutils) does not run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let found: Vec<_> = text.lines().filter_map(instruction).collect();
    if found.is_empty() {
        return Err(format!("{} has no `{function}`", program.display()));
    }
    Ok(found)
}

/// Reads `ADDRESS:<tab>NAME OPERANDS # COMMENT`. No other line of objdump has this form.
fn instruction(line: &str) -> Option<Instruction> {
    let (address, text) = line.trim_start().split_once(":\t")?;
    let address = u64::from_str_radix(address, 16).ok()?;
    let text = text.split('#').next()?.trim();
    let (name, operands) = text.split_once(' ').unwrap_or((text, ""));
    Some(Instruction {
        address,
        name: name.to_owned(),
        operands: operands.trim().to_owned(),
    })
}

impl Instruction {
    /// Returns the target of a jump if the instruction contains it.
    pub(crate) fn target(&self) -> Option<u64> {
        let first = self.operands.split(' ').next()?;
        let is_jump = self.name.starts_with('j');
        is_jump.then(|| u64::from_str_radix(first, 16).ok())?
    }

    pub(crate) fn is_jump(&self) -> bool {
        self.name == "jmp"
    }

    pub(crate) fn is_branch(&self) -> bool {
        self.name.starts_with('j') && !self.is_jump()
    }

    pub(crate) fn is_return(&self) -> bool {
        self.name == "ret"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart() {
        let line = "   41fd3:\tcall   QWORD PTR [rip+0x5e28f]        # a0268 <_DYNAMIC+0x470>";
        let found = instruction(line).expect("it is an instruction");
        assert_eq!((found.address, found.name.as_str()), (0x41fd3, "call"));
        assert_eq!(found.operands, "QWORD PTR [rip+0x5e28f]");
        assert_eq!(instruction("0000000000041f90 <mm_gate_pair>:"), None);
    }

    #[test]
    fn a_jump_has_a_target() {
        let jump = instruction("   41fc3:\tje     41fd3 <mm_gate_pair+0x43>").expect("as above");
        assert_eq!(jump.target(), Some(0x41fd3));
        let elsewhere = instruction("   42039:\tjmp    QWORD PTR [rip+0x5e079]").expect("as above");
        assert_eq!(elsewhere.target(), None);
    }
}

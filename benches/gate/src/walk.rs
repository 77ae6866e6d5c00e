//! Finds the one path through a function from the instructions that ran.

use std::collections::BTreeMap;

use crate::Mistake;
use crate::disassembly::Instruction;

/// One instruction on the path, and whether it jumps.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step<'a> {
    pub(crate) instruction: &'a Instruction,
    pub(crate) jumps: bool,
}

/// Follows the instructions that ran, from the function's start to its end.
///
/// # Errors
///
/// If there is more than one path. Then the benchmark was not warm.
pub(crate) fn path<'a>(
    function: &'a [Instruction],
    ran: &BTreeMap<u64, u64>,
) -> Result<Vec<Step<'a>>, Mistake> {
    let mut steps = Vec::new();
    let mut at = Some(0);
    while let Some(index) = at {
        if steps.len() == function.len() {
            return Err("the pair has a loop".to_owned());
        }
        let (step, next) = step(function, ran, index)?;
        steps.push(step);
        at = next;
    }
    Ok(steps)
}

fn step<'a>(
    function: &'a [Instruction],
    ran: &BTreeMap<u64, u64>,
    index: usize,
) -> Result<(Step<'a>, Option<usize>), Mistake> {
    let instruction = function.get(index).ok_or("the pair runs off its end")?;
    let has_run = |&index: &usize| ran.contains_key(&function[index].address);
    let target = instruction.target().and_then(|address| {
        let mut addresses = function.iter().map(|other| other.address);
        addresses.position(|other| other == address)
    });
    let jumped = target.filter(has_run);
    let next = Some(index + 1).filter(|next| *next < function.len() && has_run(next));
    let (jumps, next) = match (jumped, next) {
        _ if instruction.is_return() => (false, None),
        _ if instruction.is_jump() => (true, jumped),
        (Some(_), Some(_)) if instruction.is_branch() => {
            let address = instruction.address;
            return Err(format!("at {address:x} the pair went both ways"));
        }
        (Some(target), _) => (true, Some(target)),
        (None, next) => (false, next),
    };
    Ok((Step { instruction, jumps }, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function() -> Vec<Instruction> {
        let lines = [
            ("test", "rax,rax"),
            ("je", "3"),
            ("call", "9"),
            ("jne", "5"),
            ("ret", ""),
            ("jmp", "4"),
        ];
        let one = |(address, (name, operands)): (u64, &(&str, &str))| Instruction {
            address,
            name: (*name).to_owned(),
            operands: (*operands).to_owned(),
        };
        (0..).zip(&lines).map(one).collect()
    }

    fn addresses(ran: &[u64]) -> Result<Vec<(u64, bool)>, Mistake> {
        let function = function();
        let ran = ran.iter().map(|address| (*address, 1)).collect();
        let steps = path(&function, &ran)?;
        Ok(steps
            .iter()
            .map(|step| (step.instruction.address, step.jumps))
            .collect())
    }

    #[test]
    fn the_way_follows_what_ran() {
        let expected = [(0, false), (1, true), (3, false), (4, false)];
        assert_eq!(addresses(&[0, 1, 3, 4]), Ok(expected.to_vec()));
    }

    #[test]
    fn two_ways_are_refused() {
        assert_eq!(
            addresses(&[0, 1, 3, 4, 5]),
            Err("at 3 the pair went both ways".to_owned())
        );
    }
}

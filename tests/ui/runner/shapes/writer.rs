//! Chance, and the variables of a macro around a shape.

use crate::random::Random;

/// Writes shapes.
pub(super) struct Writer {
    random: Random,
    /// Whether parts of the shape come through the variables of a macro.
    in_macro: bool,
    variables: Vec<Variable>,
}

/// A variable of a macro: its kind, and what it stands for.
struct Variable {
    name: String,
    kind: &'static str,
    text: String,
}

/// Whether zero bytes are a value; `None` where the writer does not know.
pub(super) type Zero = Option<bool>;

/// Whether they are if both must be.
pub(super) fn both(one: Zero, other: Zero) -> Zero {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

impl Writer {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            in_macro: false,
            variables: Vec::new(),
        }
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.random.below(end)
    }

    /// True once in so many times.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(super) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// Passes a part through a variable, or leaves it where it is.
    pub(super) fn slot(&mut self, kind: &'static str, text: String) -> String {
        if !self.in_macro || !self.once_in(3) {
            return text;
        }
        // Not the beginning of another name.
        let name = format!("$v{}_", self.variables.len());
        // A call's arguments cannot name what the call is about to bind.
        let text = self
            .variables
            .iter()
            .fold(text, |text, inner| text.replace(&inner.name, &inner.text));
        self.variables.push(Variable {
            name: name.clone(),
            kind,
            text,
        });
        name
    }

    pub(super) fn is_without_variables(&self) -> bool {
        self.variables.is_empty()
    }

    /// Writes a module with one shape.
    pub(super) fn module(&mut self, index: usize) -> String {
        self.in_macro = self.once_in(3);
        let (text, beside) = if self.once_in(8) {
            (self.function(), String::new())
        } else {
            self.item()
        };
        let text = self.in_its_macro(text);
        format!("mod shape_{index} {{\n{text}\n{beside}}}\n")
    }

    /// Writes the macro whose variables the shape uses, and its call.
    fn in_its_macro(&mut self, text: String) -> String {
        let variables = std::mem::take(&mut self.variables);
        if variables.is_empty() {
            return text;
        }
        let patterns: Vec<_> = variables
            .iter()
            .map(|Variable { name, kind, .. }| format!("{name}:{kind}, "))
            .collect();
        let pattern = patterns.concat();
        let arguments: Vec<_> = variables
            .iter()
            .map(|Variable { text, .. }| format!("{text}, "))
            .collect();
        let arguments = arguments.concat();
        format!("macro_rules! make {{ ({pattern}) => {{\n{text}\n}}; }}\nmake! {{ {arguments} }}")
    }
}

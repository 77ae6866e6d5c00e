//! Each `// SAFETY:` comment, a *proof*, names what it rests on. This counts those that do not.
//!
//! A proof holds if it names one of these:
//!
//! 1. An invariant: `invariant 3`, or `invariants 1 and 4`, of the type of the `impl` around it; or, if
//!    that type lists none, of the only list of the file. ``invariant 2 of `Extent` `` is that of the type
//!    `Extent`, wherever it is. The number is in the numbered list under `# Invariants` of the type's
//!    documentation, or of the module's.
//! 2. A requirement: `requirement 1`, or `requirements 2 and 3`, of the function around it, which may demand
//!    it of its callers. The number is in the numbered list under `# Safety` of the function's
//!    documentation; or of the trait's function that it implements; or of the trait around it.
//!    ``requirement 1 of `ZeroInit` `` is that of an unsafe trait, which each implementation proved. The
//!    list of a function that is called is none of these: there the proof has to say why it is met.
//! 3. Evidence: the name in backticks of something that the code around the proof names, such as the call
//!    two lines above that made the pointer. A reader finds the reason in the same function, so that the
//!    proof is complete. Keywords, `self`, `Self` and the function's own name are no evidence.
//!
//! Without a number, a proof must not defer: "as above", "the same", "the caller promises" and the like,
//! which are in [`DEFERRALS`]. And each proof has at least [`LEAST_WORDS`] words, in which it says why what
//! it names is enough.
//!
//! The examples of the documentation count too. The code around such a proof is the example.
//!
//! `MM_TEST_PROOFS=mm/src/heap/cache` lists what is to be done in a folder of [`UNFINISHED`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

const FOLDERS: [&str; 2] = ["mm/src", "mm-derive/src"];

/// Folders whose proofs are not all converted yet.
const UNFINISHED: [&str; 0] = [];

/// What refers a reader to another place without saying which. "The same" is one only before a
/// punctuation mark, or at the end: "the same layout" names something.
const DEFERRALS: [&str; 14] = [
    "as above",
    "as said",
    "as before",
    "as for",
    "as in",
    "see above",
    "likewise",
    "ditto",
    "same as",
    "caller",
    "promise",
    "speaks for",
    "by contract",
    "the same.",
];

/// Words of the shortest proof.
const LEAST_WORDS: usize = 4;

/// What the language names everywhere.
const NO_EVIDENCE: [&str; 22] = [
    "self", "Self", "unsafe", "safe", "fn", "impl", "let", "mut", "ref", "static", "const", "pub",
    "crate", "super", "if", "match", "for", "dyn", "as", "in", "return", "use",
];

/// A list below a heading: the numbers of its entries, from 1 on.
type Numbers = BTreeSet<usize>;

/// A part of a file that has a name: a function, a type, a trait, an `impl`.
#[derive(Debug)]
struct Item {
    kind: Kind,
    lines: RangeInclusive<usize>,
    invariants: Numbers,
    requirements: Numbers,
    /// All words of its code, without comments.
    words: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Function(String),
    Type(String),
    Trait(String),
    /// Of a type, and of which trait, if of one.
    Impl(String, Option<String>),
    /// A macro, which has code and no list.
    Macro,
    /// A static, of which the same is true, and which ends with a semicolon.
    Static,
    Module,
}

#[derive(Debug)]
struct File {
    path: String,
    text: String,
    items: Vec<Item>,
}

#[derive(Debug)]
struct Proof {
    line: usize,
    text: String,
    /// The words of the example that it is in, for one in the documentation.
    example: Option<BTreeSet<String>>,
}

/// The numbers of a list below `heading`.
fn numbers_below(heading: &str, docs: &str) -> Numbers {
    let mut lines = docs.lines().map(str::trim);
    if !lines.any(|line| line == heading) {
        return Numbers::new();
    }
    let section = lines.take_while(|line| !line.starts_with("# "));
    let number = |line: &str| line.split_once(". ")?.0.parse().ok();
    section.filter_map(number).collect()
}

fn words_of(tokens: &TokenStream) -> BTreeSet<String> {
    let text = without_docs(tokens).to_string();
    split(&text).collect()
}

/// The words of a text, as Rust and C have them.
fn split(text: &str) -> impl Iterator<Item = String> {
    let is_other = |c: char| !c.is_alphanumeric() && c != '_';
    text.split(is_other)
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
}

/// What is left without the documentation: `#[doc = "..."]`.
fn without_docs(tokens: &TokenStream) -> TokenStream {
    let mut left = Vec::new();
    for token in tokens.clone() {
        match token {
            TokenTree::Group(group) if doc_of(&group).is_some() => {}
            TokenTree::Group(group) => {
                let inner = Group::new(group.delimiter(), without_docs(&group.stream()));
                left.push(TokenTree::Group(inner));
            }
            token => left.push(token),
        }
    }
    left.into_iter().collect()
}

/// The text of `[doc = "..."]`.
fn doc_of(group: &Group) -> Option<String> {
    let mut tokens = group.stream().into_iter();
    if group.delimiter() != Delimiter::Bracket || tokens.next()?.to_string() != "doc" {
        return None;
    }
    let _equals = tokens.next()?;
    let literal = syn::parse_str::<syn::LitStr>(&tokens.next()?.to_string());
    literal.ok().map(|literal| literal.value())
}

/// Finds the items of some tokens, and those inside of them.
fn find(tokens: &TokenStream, items: &mut Vec<Item>) {
    let tokens: Vec<_> = tokens.clone().into_iter().collect();
    let (mut docs, mut start, mut at) = (String::new(), None, 0);
    while at < tokens.len() {
        let token = &tokens[at];
        start = start.or(Some(at));
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
                if let Some(line) = doc_of(group) {
                    docs.push_str(&line);
                    docs.push('\n');
                }
            }
            // The end of an item, or of a statement.
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                find(&group.stream(), items);
                (docs, start) = (String::new(), None);
            }
            TokenTree::Group(group) => find(&group.stream(), items),
            TokenTree::Punct(punct) if matches!(punct.as_char(), ';' | ',') => {
                (docs, start) = (String::new(), None);
            }
            TokenTree::Ident(word) => {
                if let Some(kind) = kind_at(&word.to_string(), &tokens[at + 1..]) {
                    let end = at + end_of(&kind, &tokens[at..]);
                    let first = start.unwrap_or(at);
                    // The name of a function is no evidence inside of it.
                    let own_name = matches!(kind, Kind::Function(_)).then_some(at + 1);
                    let code = (first..=end).filter(|place| Some(*place) != own_name);
                    let code: TokenStream = code.map(|place| tokens[place].clone()).collect();
                    items.push(Item {
                        kind,
                        lines: tokens[first].span().start().line..=tokens[end].span().end().line,
                        invariants: numbers_below("# Invariants", &docs),
                        requirements: numbers_below("# Safety", &docs),
                        words: words_of(&code),
                    });
                    for token in &tokens[at..=end] {
                        if let TokenTree::Group(group) = token {
                            find(&group.stream(), items);
                        }
                    }
                    (docs, start, at) = (String::new(), None, end);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// Where an item ends: with its braces, or with a semicolon.
fn end_of(kind: &Kind, tokens: &[TokenTree]) -> usize {
    let is_end = |token: &TokenTree| match token {
        TokenTree::Group(group) => {
            group.delimiter() == Delimiter::Brace && !matches!(kind, Kind::Static)
        }
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    };
    let end = tokens.iter().position(is_end);
    end.unwrap_or(tokens.len() - 1)
}

/// What begins with `word`, if it is an item that this is about.
fn kind_at(word: &str, after: &[TokenTree]) -> Option<Kind> {
    let name = || match after.first() {
        Some(TokenTree::Ident(name)) => Some(name.to_string()),
        _ => None,
    };
    match word {
        "fn" => Some(Kind::Function(name()?)),
        "struct" | "enum" | "union" => Some(Kind::Type(name()?)),
        "trait" => Some(Kind::Trait(name()?)),
        "static" => name().map(|_| Kind::Static),
        "macro_rules" => Some(Kind::Macro),
        "impl" => impl_of(after),
        _ => None,
    }
}

/// An `impl`, but not one in the type of a parameter.
fn impl_of(after: &[TokenTree]) -> Option<Kind> {
    let brace = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    let head = &after[..after.iter().position(brace)?];
    // The last word of each path, outside of its parameters.
    let (mut depth, mut paths, mut before) = (0_i32, vec![None], ' ');
    for token in head {
        match token {
            TokenTree::Punct(punct) => {
                match punct.as_char() {
                    '<' => depth += 1,
                    '>' if before != '-' => depth -= 1,
                    ';' | ',' | '=' if depth == 0 => return None,
                    _ => {}
                }
                before = punct.as_char();
                continue;
            }
            TokenTree::Ident(word) if depth == 0 && word == "for" => paths.push(None),
            TokenTree::Ident(word) if depth == 0 && word == "where" => break,
            TokenTree::Ident(word) if depth == 0 => *paths.last_mut()? = Some(word.to_string()),
            TokenTree::Group(_) if depth == 0 && paths.last()?.is_none() => {
                *paths.last_mut()? = Some(String::new());
            }
            _ => {}
        }
        before = ' ';
    }
    let of_type = paths.pop()??;
    Some(Kind::Impl(of_type, paths.pop().flatten()))
}

impl File {
    fn read(top: &Path, path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("readable");
        let tokens: TokenStream = text.parse().expect("Rust");
        let mut items = Vec::new();
        find(&tokens, &mut items);
        let docs = text.lines().map_while(|line| line.strip_prefix("//!"));
        let docs = docs.collect::<Vec<_>>().join("\n");
        items.push(Item {
            kind: Kind::Module,
            lines: 1..=text.lines().count(),
            invariants: numbers_below("# Invariants", &docs),
            requirements: Numbers::new(),
            words: BTreeSet::new(),
        });
        let path = path.strip_prefix(top).expect("below it");
        Self {
            path: path.to_str().expect("UTF-8").to_owned(),
            text,
            items,
        }
    }

    fn proofs(&self) -> Vec<Proof> {
        let lines: Vec<_> = self.text.lines().collect();
        let mut proofs = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let Some((before, first)) = line.split_once("SAFETY:") else {
                continue;
            };
            let is_doc = is_doc(line);
            if !before.contains("//") || before.contains('"') {
                continue;
            }
            let mut text = first.trim().to_owned();
            let more = lines[at + 1..]
                .iter()
                .map_while(|line| comment(line, is_doc));
            for line in more.take_while(|line| !line.contains("SAFETY:")) {
                text.push(' ');
                text.push_str(line);
            }
            proofs.push(Proof {
                line: at + 1,
                text,
                example: is_doc.then(|| example(&lines, at)),
            });
        }
        proofs
    }

    /// The smallest item around a line that `is` says yes to.
    fn around(&self, line: usize, is: impl Fn(&Kind) -> bool) -> Option<&Item> {
        let lines = |item: &&Item| item.lines.end() - item.lines.start();
        let suitable = || self.items.iter().filter(|item| is(&item.kind));
        let around = suitable().filter(|item| item.lines.contains(&line));
        around.min_by_key(lines)
    }

    /// What the code around a proof consists of: the functions that it is in, one inside of the other, or
    /// the item that it is in or before.
    fn words_around(&self, line: usize) -> BTreeSet<String> {
        let is_code = |item: &&Item| !matches!(item.kind, Kind::Module | Kind::Type(_));
        let is_function = |item: &&Item| matches!(item.kind, Kind::Function(_));
        let items = || self.items.iter().filter(is_code);
        let around: Vec<_> = items()
            .filter(is_function)
            .filter(|item| item.lines.contains(&line))
            .collect();
        if !around.is_empty() {
            return around.iter().flat_map(|item| item.words.clone()).collect();
        }
        let is_after = |item: &&Item| (line + 1..line + 8).contains(item.lines.start());
        let after = items()
            .filter(is_after)
            .min_by_key(|item| *item.lines.start());
        let is_small = |kind: &Kind| matches!(kind, Kind::Static | Kind::Macro);
        let found = self.around(line, is_small).or(after);
        found.map(|item| item.words.clone()).unwrap_or_default()
    }
}

fn is_doc(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("///") || line.starts_with("//!")
}

/// The text of a line that is nothing but a comment: one of the code, or in an example.
fn comment(line: &str, in_doc: bool) -> Option<&str> {
    let line = line.trim_start();
    let line = if in_doc {
        let line = line
            .strip_prefix("///")
            .or_else(|| line.strip_prefix("//!"))?;
        let line = line.trim_start();
        line.strip_prefix("# ").unwrap_or(line).trim_start()
    } else if is_doc(line) {
        return None;
    } else {
        line
    };
    line.strip_prefix("//").map(str::trim)
}

/// The words of the example around a line, without its comments.
fn example(lines: &[&str], at: usize) -> BTreeSet<String> {
    let code = |line: &&&str| is_doc(line) && !line.contains("```");
    let before = lines[..at].iter().rev().take_while(code);
    let after = lines[at..].iter().take_while(code);
    let code = before
        .chain(after)
        .filter(|line| comment(line, true).is_none());
    code.flat_map(|line| split(line)).collect()
}

/// All lists of the workspace.
#[derive(Debug, Default)]
struct Lists {
    invariants: BTreeMap<String, Numbers>,
    /// Of unsafe traits, and of their functions: `Trait` and `Trait::function`.
    requirements: BTreeMap<String, Numbers>,
}

impl Lists {
    fn of(files: &[File]) -> Self {
        let mut lists = Self::default();
        for file in files {
            for item in &file.items {
                match &item.kind {
                    Kind::Type(name) | Kind::Trait(name) => {
                        let numbers = lists.invariants.entry(name.clone()).or_default();
                        numbers.extend(&item.invariants);
                    }
                    _ => {}
                }
                let name = match &item.kind {
                    Kind::Trait(name) => name.clone(),
                    Kind::Function(name) => {
                        let of =
                            file.around(*item.lines.start(), |kind| matches!(kind, Kind::Trait(_)));
                        let Some(Kind::Trait(of)) = of.map(|of| &of.kind) else {
                            continue;
                        };
                        format!("{of}::{name}")
                    }
                    _ => continue,
                };
                lists
                    .requirements
                    .entry(name)
                    .or_default()
                    .extend(&item.requirements);
            }
        }
        lists
    }

    /// The invariants of a type: of the one in this file, or else of any of the name.
    fn invariants_of(&self, name: &str, file: &File) -> Option<Numbers> {
        let is_it =
            |item: &&Item| matches!(&item.kind, Kind::Type(of) | Kind::Trait(of) if of == name);
        let here = file.items.iter().find(is_it);
        let numbers = here.map(|item| &item.invariants);
        numbers.or_else(|| self.invariants.get(name)).cloned()
    }

    /// The invariants that a number without a name is of.
    fn invariants_around(&self, file: &File, line: usize) -> Option<Numbers> {
        let of_impl = file.around(line, |kind| matches!(kind, Kind::Impl(..)));
        if let Some(Kind::Impl(name, _)) = of_impl.map(|item| &item.kind)
            && let Some(numbers) = self.invariants_of(name, file)
            && !numbers.is_empty()
        {
            return Some(numbers);
        }
        let mut lists = file.items.iter().map(|item| &item.invariants);
        let is_list = |numbers: &&Numbers| !numbers.is_empty();
        let only = lists.find(is_list)?;
        lists.find(is_list).is_none().then(|| only.clone())
    }

    /// The requirements that a number without a name is of.
    fn requirements_around(&self, file: &File, line: usize) -> Option<Numbers> {
        let function = file.around(line, |kind| matches!(kind, Kind::Function(_)));
        let of_impl = file.around(line, |kind| matches!(kind, Kind::Impl(..)));
        if let Some(function) = function {
            if !function.requirements.is_empty() {
                return Some(function.requirements.clone());
            }
            if let (Kind::Function(name), Some(Kind::Impl(_, Some(of)))) =
                (&function.kind, of_impl.map(|item| &item.kind))
            {
                return self.requirements.get(&format!("{of}::{name}")).cloned();
            }
        }
        let of_trait = file.around(line, |kind| matches!(kind, Kind::Trait(_)));
        of_trait.map(|item| item.requirements.clone())
    }

    /// Whether a proof names a number that is in its list; or says which is not.
    fn names_number(&self, file: &File, proof: &Proof) -> Result<bool, String> {
        let mut is_named = false;
        for (word, named) in references(&proof.text) {
            let is_invariant = word.starts_with("invariant");
            let list = match (&named.of, is_invariant) {
                (Some(of), true) => self.invariants_of(of, file),
                (Some(of), false) => self.requirements.get(of).cloned(),
                // An example is part of no function of mm.
                (None, _) if proof.example.is_some() => None,
                (None, true) => self.invariants_around(file, proof.line),
                (None, false) => self.requirements_around(file, proof.line),
            };
            let Some(list) = list.filter(|list| !list.is_empty()) else {
                return Err(format!(
                    "there is no list, or more than one, for `{word}` without its type"
                ));
            };
            for number in named.numbers {
                if !list.contains(&number) {
                    return Err(format!("there is no {word} {number}"));
                }
                is_named = true;
            }
        }
        Ok(is_named)
    }

    /// Why a proof does not hold.
    fn fault(&self, file: &File, proof: &Proof) -> Option<String> {
        match self.names_number(file, proof) {
            Err(fault) => return Some(fault),
            Ok(true) => {}
            Ok(false) => {
                if let Some(deferral) = deferral(&proof.text) {
                    return Some(format!("it says `{deferral}`, and no number"));
                }
                let code = proof.example.clone();
                let code = code.unwrap_or_else(|| file.words_around(proof.line));
                if !names_evidence(&proof.text, &code) {
                    return Some(
                        "it names no number, and nothing of the code around it".to_owned(),
                    );
                }
            }
        }
        let is_short = split(&proof.text).count() < LEAST_WORDS;
        is_short.then(|| "it does not say why".to_owned())
    }
}

/// Some numbers, and whose.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    numbers: Vec<usize>,
    of: Option<String>,
}

/// The numbers behind `invariant`, `invariants`, `requirement` and `requirements`.
fn references(text: &str) -> Vec<(String, Named)> {
    let words: Vec<_> = text.split_whitespace().collect();
    let plain = |word: &str| {
        word.trim_matches(|c: char| !c.is_alphanumeric())
            .to_lowercase()
    };
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let word = plain(word);
        if !matches!(
            &*word,
            "invariant" | "invariants" | "requirement" | "requirements"
        ) {
            continue;
        }
        let (mut numbers, mut next) = (Vec::new(), at + 1);
        let mut is_range = false;
        while let Some(word) = words.get(next) {
            if let Ok(number) = plain(word).parse::<usize>() {
                let from = numbers
                    .last()
                    .filter(|_| is_range)
                    .map_or(number, |last| last + 1);
                numbers.extend(from..=number);
                is_range = false;
                next += 1;
                // A point, a colon, a semicolon end the list.
                if word.ends_with(['.', ':', ';', ')']) {
                    break;
                }
            } else if numbers.is_empty() || !matches!(*word, "and" | "to") {
                break;
            } else {
                is_range = *word == "to";
                next += 1;
            }
        }
        if numbers.is_empty() {
            continue;
        }
        let is_of =
            words.get(next) == Some(&"of") && !words[next - 1].ends_with(['.', ':', ';', ',']);
        let of = words
            .get(next + 1)
            .filter(|of| is_of && of.starts_with('`'));
        let of = of.map(|of| of.trim_matches(|c: char| !c.is_alphanumeric()).to_owned());
        found.push((word, Named { numbers, of }));
    }
    found
}

/// What refers to another place.
fn deferral(text: &str) -> Option<&'static str> {
    let text = format!("{}.", text.trim_end_matches('.')).to_lowercase();
    let text = text.replace([';', ':', ','], ".");
    DEFERRALS
        .into_iter()
        .find(|deferral| text.contains(deferral))
}

/// Whether a proof names in backticks what is in the code.
fn names_evidence(text: &str, code: &BTreeSet<String>) -> bool {
    let quoted = text.split('`').skip(1).step_by(2);
    let named = quoted.filter_map(|quoted| split(quoted).last());
    let mut named =
        named.filter(|word| !NO_EVIDENCE.contains(&&**word) && word.parse::<usize>().is_err());
    named.any(|word| code.contains(&word))
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).expect("a folder");
    for entry in entries.map(|entry| entry.expect("readable").path()) {
        if entry.is_dir() {
            rust_files(&entry, files);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            files.push(entry);
        }
    }
}

fn files() -> Vec<File> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .expect("a path");
    let mut paths = Vec::new();
    FOLDERS
        .iter()
        .for_each(|folder| rust_files(&top.join(folder), &mut paths));
    paths.sort();
    paths.iter().map(|path| File::read(&top, path)).collect()
}

#[test]
fn every_proof_names_what_it_rests_on() {
    let files = files();
    let lists = Lists::of(&files);
    let asked = std::env::var("MM_TEST_PROOFS").unwrap_or_default();
    let is_done = |path: &str| {
        let is_asked = !asked.is_empty() && path.starts_with(&asked);
        is_asked || !UNFINISHED.iter().any(|folder| path.starts_with(folder))
    };
    let mut by_folder = BTreeMap::<_, (usize, usize)>::new();
    let mut faults = Vec::new();
    for file in &files {
        let folder = Path::new(&file.path).parent().expect("a folder");
        let (all, wrong) = by_folder.entry(folder).or_default();
        for proof in file.proofs() {
            *all += 1;
            let Some(fault) = lists.fault(file, &proof) else {
                continue;
            };
            *wrong += 1;
            if is_done(&file.path) {
                faults.push(format!(
                    "{}:{}: {fault}:\n    {}",
                    file.path, proof.line, proof.text
                ));
            }
        }
    }
    let (mut all, mut wrong) = (0, 0);
    for (folder, (proofs, faults)) in by_folder {
        println!("{}: {faults} of {proofs}", folder.display());
        (all, wrong) = (all + proofs, wrong + faults);
    }
    println!("{wrong} of {all} proofs name neither a number nor evidence");
    assert!(all > 400, "there are more proofs than {all}");
    assert!(
        faults.is_empty(),
        "{} proofs:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

/// A file of one type with two invariants, and of a function with one requirement, where `proof` is.
#[cfg(test)]
fn fault_of(proof: &str) -> Option<String> {
    let text = format!(
        "/// # Invariants\n///\n/// 1. One.\n/// 2. Two.\nstruct Both;\n\n\
         /// # Safety\n///\n/// 1. It is so.\nunsafe trait Sure {{}}\n\n\
         impl Both {{\n/// # Safety\n///\n/// 1. It is live.\nunsafe fn get(&self, place: usize) {{\n\
         // SAFETY: {proof}\nunsafe {{ read(place) }}\n}}\n}}\n"
    );
    let mut items = Vec::new();
    find(&text.parse().expect("Rust"), &mut items);
    let path = String::new();
    let files = [File { path, text, items }];
    let lists = Lists::of(&files);
    let proofs = files[0].proofs();
    assert_eq!(proofs.len(), 1);
    lists.fault(&files[0], &proofs[0])
}

#[test]
fn a_proof_needs_a_number_or_evidence() {
    let good = [
        "by invariant 2 it is aligned.",
        "invariants 1 and 2: it is live, and aligned.",
        "invariants 1 to 2 say that it is there.",
        "by invariant 2 of `Both` it is aligned.",
        "requirement 1 is that it is live.",
        "by requirement 1 of `Sure` it is so.",
        "the caller promises it as requirement 1.",
        "`place` was checked in the line above.",
        "`read` takes any number, and has the same answer.",
    ];
    for proof in good {
        assert_eq!(fault_of(proof), None, "{proof}");
    }
    let bad = [
        "",
        "invariant 1.",
        "by invariant 3 it is aligned.",
        "by invariant 1 of `Neither` it is aligned.",
        "invariants hold here as they should.",
        "requirement 2 is that it is live.",
        "requirement 1 of `get` is that it is live.",
        "the caller promises that `place` is live.",
        "`place`: as above, of course.",
        "`place` is live: the same",
        "it is live and nobody uses it.",
        "`self` is there, as it must be.",
        "`elsewhere` said that it is there.",
        "`get` is called with live places alone.",
    ];
    for proof in bad {
        assert!(fault_of(proof).is_some(), "{proof}");
    }
}

#[test]
fn numbers_are_read_with_what_they_are_of() {
    let text = "by invariants 1, 3 and 4 of `Extent`, and requirement 2: of `x` nothing.";
    let [extent, own] = references(text).try_into().expect("two");
    let numbers = vec![1, 3, 4];
    let of = Some("Extent".to_owned());
    assert_eq!(extent.1, Named { numbers, of });
    let numbers = vec![2];
    assert_eq!(own.1, Named { numbers, of: None });
}

//! Cells of a table, as Markdown that is also legible as plain text.

/// Returns a figure with three significant digits.
#[must_use]
pub fn short(figure: f64) -> String {
    match figure {
        ..10.0 => format!("{figure:.2}"),
        ..100.0 => format!("{figure:.1}"),
        _ => format!("{figure:.0}"),
    }
}

/// Returns a figure, or a sign for none.
#[must_use]
pub fn or_dash(figure: Option<f64>) -> String {
    figure.map_or("-".to_owned(), short)
}

/// Returns the lines of a table. The first `texts` columns are aligned to the left, all others to the right.
#[must_use]
pub fn lines(cells: &[Vec<String>], texts: usize) -> String {
    let columns = 0..cells[0].len();
    let width = |column: usize| cells.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = columns.filter_map(width).collect();
    cells
        .iter()
        .map(|line| padded(line, texts, &widths))
        .collect()
}

/// Returns the line below the head, which sets the alignment in Markdown.
#[must_use]
pub fn rule(texts: usize, figures: usize) -> Vec<String> {
    let texts = [":--"].repeat(texts);
    let figures = ["--:"].repeat(figures);
    let cells = texts.into_iter().chain(figures);
    cells.map(str::to_owned).collect()
}

fn padded(cells: &[String], texts: usize, widths: &[usize]) -> String {
    let filled = cells.iter().zip(widths).enumerate();
    let cells = filled.map(|(column, (cell, &width))| {
        if column < texts {
            format!("| {cell:<width$} ")
        } else {
            format!("| {cell:>width$} ")
        }
    });
    cells.chain(["|\n".to_owned()]).collect()
}

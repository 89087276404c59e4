//! Rows of cells as text in columns, as Go's tabwriter sets them: the text of an answer is to look
//! the same whether buildx draws it or we do.

use crate::gateway::status::escape;

/// Rows as lines, each column as wide as its widest cell and `padding` more; the last one has no
/// padding.
pub(super) fn columns(rows: &[Vec<String>], padding: usize) -> String {
    let rows: Vec<Vec<_>> =
        rows.iter().map(|row| row.iter().map(|cell| escape(cell)).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0) + padding
    };
    let mut text = String::new();
    for row in &rows {
        for (column, cell) in row.iter().enumerate() {
            text.push_str(cell);
            if column + 1 < row.len() {
                let blanks = width(column).saturating_sub(cell.chars().count());
                text.extend(std::iter::repeat_n(' ', blanks));
            }
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_columns_as_go_does() {
        let row = |cells: &[&str]| cells.iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>();
        let rows = [row(&["TARGET", "DESCRIPTION"]), row(&["é", "x\u{1b}"]), row(&["server", ""])];
        assert_eq!(columns(&rows, 1), "TARGET DESCRIPTION\né      x\\u{1b}\nserver \n");
        assert_eq!(columns(&[], 3), "");
    }
}

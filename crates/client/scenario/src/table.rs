//! Tables that a report is made of: text for people, objects in JSON.

use core::fmt::Write;

use serde_json::{Map, Value};

/// A titled table of texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What it shows.
    pub title: String,
    /// Names of the columns.
    pub columns: Vec<&'static str>,
    /// The rows, each as long as `columns`.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new(title: impl Into<String>, columns: &[&'static str]) -> Self {
        Self { title: title.into(), columns: columns.to_vec(), rows: Vec::new() }
    }

    /// A table of facts: what, and its value.
    pub fn facts(title: impl Into<String>) -> Self {
        Self::new(title, &["what", "value"])
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// Adds a fact.
    pub fn fact(&mut self, what: impl Into<String>, value: impl ToString) {
        self.rows.push(vec![what.into(), value.to_string()]);
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn is_facts(&self) -> bool {
        self.columns == ["what", "value"]
    }

    /// The rows as objects by column; a table of facts as one object.
    pub fn to_json(&self) -> Value {
        if self.is_facts() {
            let facts = self.rows.iter().map(|row| (row[0].clone(), row[1].clone().into()));
            return Value::Object(facts.collect());
        }
        let object = |row: &Vec<String>| {
            let cells = self.columns.iter().zip(row).map(|(c, v)| ((*c).to_owned(), v.clone().into()));
            Value::Object(cells.collect::<Map<String, Value>>())
        };
        Value::Array(self.rows.iter().map(object).collect())
    }

    /// Aligned columns under the title; numbers to the right.
    pub fn to_text(&self) -> String {
        let mut out = format!("{}\n", self.title);
        let widths: Vec<usize> = (0..self.columns.len()).map(|c| self.width(c)).collect();
        if !self.is_facts() {
            self.line(&mut out, &widths, &self.columns.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>());
        }
        for row in &self.rows {
            self.line(&mut out, &widths, row);
        }
        out
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[column].chars().count());
        let head = if self.is_facts() { 0 } else { self.columns[column].len() };
        cells.fold(head, usize::max)
    }

    fn is_numeric(&self, column: usize) -> bool {
        let numeric = |text: &str| text.chars().all(|c| c.is_ascii_digit() || "-+.%".contains(c));
        !self.is_facts() && self.rows.iter().all(|row| numeric(&row[column]))
    }

    fn line(&self, out: &mut String, widths: &[usize], cells: &[String]) {
        let mut line = String::new();
        for (c, (cell, width)) in cells.iter().zip(widths).enumerate() {
            let width = *width;
            let _ = if self.is_numeric(c) {
                write!(line, "  {cell:>width$}")
            } else {
                write!(line, "  {cell:width$}")
            };
        }
        let _ = writeln!(out, "{}", line.trim_end()); // writing to a string cannot fail
    }
}

/// Millionths as a decimal number of units.
pub fn units(micros: i128) -> String {
    let (sign, magnitude) = (if micros < 0 { "-" } else { "" }, micros.unsigned_abs());
    let (whole, rest) = (magnitude / 1_000_000, magnitude % 1_000_000);
    if rest == 0 {
        return format!("{sign}{whole}");
    }
    let digits = format!("{rest:06}");
    format!("{sign}{whole}.{}", digits.trim_end_matches('0'))
}

/// The same with the sign of a change.
pub fn change(micros: i128) -> String {
    if micros > 0 { format!("+{}", units(micros)) } else { units(micros) }
}

/// A fraction in 1e-4 or a rate in 1e-6 as percent.
pub fn percent(value: i128, scale: u32) -> String {
    // in millionths of a percent
    format!("{}%", units(value * 100_000_000 / i128::from(scale)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(units(-1_500_000), "-1.5");
        assert_eq!((units(7), change(7_000_000), change(0)), ("0.000007".into(), "+7".into(), "0".into()));
        assert_eq!((percent(500, 10_000), percent(-25, 1_000_000)), ("5%".into(), "-0.0025%".into()));
    }

    #[test]
    fn tables_are_aligned_and_become_objects() {
        let mut table = Table::new("two", &["name", "n"]);
        table.row(["a".into(), "10".into()]);
        table.row(["long".into(), "-1".into()]);
        assert_eq!(table.to_text(), "two\n  name   n\n  a     10\n  long  -1\n");
        assert_eq!(
            table.to_json(),
            serde_json::json!([{"name": "a", "n": "10"}, {"name": "long", "n": "-1"}])
        );
    }
}

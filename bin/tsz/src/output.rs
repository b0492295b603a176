//! What the user sees: text or one JSON object on standard output, progress on standard error.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use tsz_engine::Event;

/// How results are shown.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
}

impl Output {
    /// JSON or text.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether results are JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// A line of text; nothing under `--json`.
    pub fn line(&self, text: impl AsRef<str>) {
        if !self.json {
            write_out(text.as_ref());
        }
    }

    /// The result as one JSON object; nothing in text mode.
    pub fn object(&self, value: &Value) {
        if self.json {
            write_out(&format!("{value:#}"));
        }
    }

    /// A result that is JSON in both modes.
    pub fn document(&self, value: &Value) {
        write_out(&format!("{value:#}"));
    }

    /// An error with its causes: on standard error, and as JSON on standard output under `--json`.
    pub fn failure(&self, error: &anyhow::Error) {
        self.object(&json!({ "ok": false, "error": format!("{error:#}") }));
        let _ = writeln!(std::io::stderr(), "error: {error:#}");
    }

    /// A bar over `length` steps, drawn only on a terminal and not under `--json`.
    pub fn bar(&self, length: u64, message: &str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(Some(length), self.target());
        let style = "{msg:28} [{bar:30}] {pos}/{len} {elapsed}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(message.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }

    /// A spinner for work of unknown length.
    pub fn spinner(&self, message: &str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(None, self.target());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(message.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }

    /// A bar over the operations of a proving run.
    pub fn proving(&self, ops: u64) -> Proving {
        Proving(self.bar(ops, "proving"))
    }

    fn target(&self) -> ProgressDrawTarget {
        if self.json || !std::io::stderr().is_terminal() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        }
    }
}

/// Progress of a proving run.
pub struct Proving(ProgressBar);

impl Proving {
    /// Shows what the engine reports.
    pub fn show(&self, event: Event<'_>) {
        match event {
            Event::Start { batch, stage } => self.0.set_message(format!("batch {batch}: {stage}")),
            Event::Done { ops, of } => {
                self.0.set_length(of);
                self.0.set_position(ops);
            }
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// Writes a line; a reader that went away (`tsz vk list | head`) is no reason to panic.
fn write_out(text: &str) {
    if writeln!(std::io::stdout(), "{text}").is_err() {
        std::process::exit(0);
    }
}

/// `1234567` as `1,234,567`.
pub fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (k, digit) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of bytes in a unit that fits.
pub fn bytes(value: u64) -> String {
    match value {
        0..10_000 => format!("{value} B"),
        10_000..10_000_000 => format!("{:.0} kB", value as f64 / 1e3),
        10_000_000..10_000_000_000 => format!("{:.0} MB", value as f64 / 1e6),
        _ => format!("{:.1} GB", value as f64 / 1e9),
    }
}

/// A duration in a unit that fits.
pub fn seconds(value: f64) -> String {
    match value {
        v if v < 1e-3 => format!("{:.0} us", v * 1e6),
        v if v < 1.0 => format!("{:.0} ms", v * 1e3),
        v => format!("{v:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            ["0", "999", "1,000", "1,234,567"],
            [0, 999, 1000, 1_234_567].map(thousands).each_ref().map(|s| s.as_str())
        );
        assert_eq!(bytes(1_700_000), "1700 kB");
        assert_eq!(seconds(0.0123), "12 ms");
        assert_eq!(seconds(2.0), "2.0 s");
    }
}

//! What a check has found.

use std::{
    fmt::Display,
    io::{self, Write},
};

use serde::Serialize;

/// The columns of the status and of the check's name.
const STATUS_WIDTH: usize = 7;
const CHECK_WIDTH: usize = 14;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Ok,
    /// Works, but worse than it could.
    Warning,
    /// Does not work.
    Problem,
}

/// A line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub check: &'static str,
    pub status: Status,
    pub detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    pub fn ok(check: &'static str, detail: impl Display) -> Self {
        Self { check, status: Status::Ok, detail: detail.to_string(), advice: None }
    }

    pub fn warning(check: &'static str, detail: impl Display) -> Self {
        Self { status: Status::Warning, ..Self::ok(check, detail) }
    }

    pub fn problem(check: &'static str, detail: impl Display) -> Self {
        Self { status: Status::Problem, ..Self::ok(check, detail) }
    }

    /// Adds what to do.
    pub fn advice(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }
}

/// Writes a line per finding, and its advice below it.
pub fn write_lines(findings: &[Finding], out: &mut impl Write) -> io::Result<()> {
    for Finding { check, status, detail, advice } in findings {
        let status = match status {
            Status::Ok => "ok",
            Status::Warning => "warning",
            Status::Problem => "problem",
        };
        writeln!(out, "{status:<STATUS_WIDTH$}  {check:<CHECK_WIDTH$}  {detail}")?;
        if let Some(advice) = advice {
            let indent = STATUS_WIDTH + CHECK_WIDTH + 4;
            writeln!(out, "{:indent$}→ {advice}", "")?;
        }
    }
    Ok(())
}

/// Writes `{"version": …, "status": the worst, "checks": […]}`.
pub fn write_json(findings: &[Finding], out: &mut impl Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Report<'a> {
        version: &'static str,
        status: Status,
        checks: &'a [Finding],
    }
    let status = findings.iter().map(|finding| finding.status).max().unwrap_or(Status::Ok);
    let report = Report { version: env!("CARGO_PKG_VERSION"), status, checks: findings };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> [Finding; 2] {
        [
            Finding::ok("terminal", "80 columns"),
            Finding::problem("model", "damaged").advice("install it anew"),
        ]
    }

    #[test]
    fn advice_stands_below_its_finding() {
        let mut out = Vec::new();
        write_lines(&findings(), &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        ok       terminal        80 columns
        problem  model           damaged
                                 → install it anew
        ");
    }

    #[test]
    fn json_has_the_worst_status() {
        let mut out = Vec::new();
        write_json(&findings(), &mut out).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(json["status"], "problem");
        assert_eq!(json["checks"][1]["advice"], "install it anew");
        assert!(json["checks"][0].get("advice").is_none());
    }
}

use super::*;

/// Every diagnostic of a file in one line each: `LINE:COLUMN-LINE:COLUMN CODE message | help`.
pub(in crate::spec) fn summary(text: &str) -> String {
    let found = match parse(text.as_bytes()) {
        Ok(parsed) => parsed.warnings,
        Err(found) => found,
    };
    let lines: Vec<String> = found
        .iter()
        .map(|diagnostic| {
            let (start, end) = (diagnostic.span.start, diagnostic.span.end);
            let help = diagnostic.help.as_deref().unwrap_or("-");
            let warning = if diagnostic.severity == Severity::Warning { "warning " } else { "" };
            format!(
                "{}:{}-{}:{} {warning}{} {} | {help}",
                start.line, start.column, end.line, end.column, diagnostic.code, diagnostic.message
            )
        })
        .collect();
    lines.join("\n")
}

#[test]
fn reads_the_model_case() {
    let parsed = parse(include_bytes!("../../tests/spec-corpus/valid/medplum.yaml")).unwrap();
    assert_eq!(parsed.warnings, []);
    let app = &parsed.spec.apps[0];
    assert_eq!(parsed.spec.stages.len(), 1);
    assert_eq!(parsed.spec.stages[0].steps.len(), 3);
    assert_eq!(app.image.len(), 2);
    let ports: Vec<&str> = app.expose.iter().map(|port| port.value.as_str()).collect();
    assert_eq!(ports, ["5000", "8103"]);
    assert_eq!(app.expose[1].span.start, crate::diagnostic::Position { line: 19, column: 16 });
    assert_eq!(app.entrypoint.as_ref().unwrap().value.len(), 4);
}

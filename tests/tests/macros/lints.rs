//! `mistakes/` is compiled with the attribute and without it, and the lints on the user's code are compared.
#![allow(missing_docs, reason = "tests")]

use std::{collections::BTreeSet, path::Path, process::Command};

use serde_json::Value;

/// A lint, and the name of the file and the line on which it stands.
type Lint = (String, String, usize);
type Lints = BTreeSet<Lint>;

fn source() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("mistakes")
}

fn lints(cfgs: &[&str]) -> Lints {
    let output = Command::new(env!("CARGO"))
        .args(["clippy", "--quiet", "--locked", "--message-format=json", "--manifest-path"])
        .arg(source().join("Cargo.toml"))
        .arg("--")
        .args(cfgs.iter().flat_map(|cfg| ["--cfg", cfg]))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    messages
        .map(|line| serde_json::from_slice::<Value>(line).expect("cargo speaks JSON"))
        .filter_map(|message| lint(&message))
        .collect()
}

fn lint(message: &Value) -> Option<Lint> {
    let message = message.get("message")?;
    let code = message["code"]["code"].as_str()?.to_owned();
    let spans = message["spans"].as_array()?;
    let primary = spans.iter().find(|span| span["is_primary"] == true)?;
    let line = usize::try_from(primary["line_start"].as_u64()?).ok()?;
    Some((code, file_name(Path::new(primary["file_name"].as_str()?)), line))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What the comments of the sources say, on a line or below it: `// -lint` or `// +lint`.
fn marked(sign: char) -> Lints {
    let files = std::fs::read_dir(source().join("src")).unwrap();
    files.flat_map(|file| marked_in(&file.unwrap().path(), sign)).collect()
}

fn marked_in(path: &Path, sign: char) -> Lints {
    let source = std::fs::read_to_string(path).unwrap();
    let comments = (1..).zip(source.lines()).filter_map(|(line, text)| {
        let (code, comment) = text.split_once("// ")?;
        Some((if code.trim().is_empty() { line - 1 } else { line }, comment))
    });
    let marks = comments.flat_map(|(line, comment)| comment.split(' ').map(move |mark| (mark, line)));
    marks
        .filter_map(|(mark, line)| Some((mark.strip_prefix(sign)?.to_owned(), file_name(path), line)))
        .collect()
}

#[test]
fn lints_of_annotated_functions_are_those_of_the_plain_functions() {
    let plain = lints(&["mistakes"]);
    let annotated = lints(&["mistakes", "annotated"]);
    assert!(plain.len() > 80, "{plain:?}");
    let not_told: Lints = plain.difference(&annotated).cloned().collect();
    let told_in_addition: Lints = annotated.difference(&plain).cloned().collect();
    assert_eq!(not_told, marked('-'), "lints that the attribute hides");
    assert_eq!(told_in_addition, marked('+'), "lints that only the attribute raises");
}

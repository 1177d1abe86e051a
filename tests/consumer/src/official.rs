//! The official parser of AsyncAPI.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

/// Prints the errors and warnings of the parser, as JSON.
const PARSE: &str = "\
const { Parser } = require('@asyncapi/parser');
new Parser().parse(require('fs').readFileSync(process.argv[1], 'utf8')).then(({ document, diagnostics }) => {
  const problems = diagnostics.filter(({ severity }) => severity < 2).map(({ code, message, path }) => ({ code, message, path }));
  console.log(JSON.stringify({ problems, messages: document ? document.allMessages().all().map(message => message.name()) : [] }));
});";

/// What the official parser finds in a document: `problems`, and the names of the `messages`. Node.js finds the parser from the directory.
pub fn parsed(node: &Path, directory: &Path, document: &Value) -> Value {
    let written = tempfile::tempdir().unwrap();
    let file = written.path().join("asyncapi.json");
    fs::write(&file, document.to_string()).unwrap();
    let output = Command::new(node).current_dir(directory).args(["-e", PARSE]).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

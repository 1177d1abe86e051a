//! From the environment of a process: this test starts itself again with another one.

use std::process::{Command, Output};

use graceful::Orchestrator;

const TEST: &str = "environment::the_environment_is_read";
const CHILD: &str = "GRACEFUL_TEST_CHILD";

fn child(variables: &[(&str, &std::ffi::OsStr)]) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", TEST, "--nocapture"]).env(CHILD, "1");
    for name in ["SERVICE", "ENVIRONMENT", "CACHE", "EVENTS", "STORE", "GRAPH", "ALERTS"] {
        command.env_remove(format!("GRACEFUL_{name}"));
    }
    command.envs(variables.iter().copied()).output().unwrap()
}

#[tokio::test]
async fn the_environment_is_read() {
    if std::env::var_os(CHILD).is_some() {
        match Orchestrator::from_env().await {
            Ok(orchestrator) => println!("ok: {}", orchestrator.key("user", 1)),
            Err(error) => println!("error: {error} {error:?}"),
        }
        return;
    }
    let said = |variables: &[(&str, &str)]| {
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, (*value).as_ref())).collect();
        String::from_utf8(child(&variables).stdout).unwrap()
    };
    assert!(said(&[]).contains("ok: service::user:1"));
    assert!(said(&[("GRACEFUL_SERVICE", "users"), ("GRACEFUL_CACHE", "")]).contains("ok: users::user:1"));
    let wrong = said(&[("GRACEFUL_CACHE", "redis://:s3cret@127.0.0.1:1")]);
    assert!(wrong.contains("error: GRACEFUL_CACHE: Redis at 127.0.0.1:1 cannot be used: "), "{wrong}");
    assert!(!wrong.contains("s3cret"), "{wrong}");
}

#[cfg(unix)]
#[test]
fn a_value_that_is_no_text_is_told() {
    use std::os::unix::ffi::OsStrExt as _;

    let value = std::ffi::OsStr::from_bytes(b"redis://:s3cret\xff@a");
    let said = String::from_utf8(child(&[("GRACEFUL_CACHE", value)]).stdout).unwrap();
    assert!(said.contains("error: GRACEFUL_CACHE: its value is no UTF-8"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
}

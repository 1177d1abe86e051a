//! Settings come from the environment of a process: a test starts itself again with another environment.

use std::process::{Command, Output};

use graceful::Orchestrator;
use graceful_tests::{BACKENDS, log::Log};
use tracing::Level;

const TEST: &str = "config::environment::the_environment_is_read";
const CHILD: &str = "GRACEFUL_TEST_CHILD";

fn child(variables: &[(&str, &std::ffi::OsStr)]) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", TEST, "--nocapture"]).env(CHILD, "1");
    for name in ["SERVICE", "ENVIRONMENT", "CACHE", "EVENTS", "STORE", "GRAPH", "ALERTS"] {
        command.env_remove(format!("GRACEFUL_{name}"));
    }
    command.envs(variables.iter().copied()).output().unwrap()
}

fn said(variables: &[(&str, &str)]) -> String {
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, (*value).as_ref())).collect();
    let said = String::from_utf8(child(&variables).stdout).unwrap();
    assert!(!said.contains("s3cret"), "{said}");
    said
}

#[tokio::test]
async fn the_environment_is_read() {
    if std::env::var_os(CHILD).is_some() {
        match Orchestrator::from_env(BACKENDS).await {
            Ok(orchestrator) => println!("ok: {}", orchestrator.key("user", 1)),
            Err(error) => println!("error: {error} {error:?}"),
        }
        return;
    }
    assert!(said(&[]).contains("ok: service::user:1"));
    assert!(said(&[("GRACEFUL_SERVICE", "users"), ("GRACEFUL_CACHE", "")]).contains("ok: users::user:1"));
    let wrong = said(&[("GRACEFUL_CACHE", "redis://:s3cret@127.0.0.1:1")]);
    assert!(wrong.contains("error: GRACEFUL_CACHE: Redis at 127.0.0.1:1 cannot be used: "), "{wrong}");

    // Each mistake, without its value.
    let wrong = said(&[
        ("GRACEFUL_CAHCE", "redis://:s3cret@127.0.0.1"),
        ("GRACEFUL_EVENTS_URL", "nats://s3cret@127.0.0.1"),
    ]);
    for line in [
        "GRACEFUL_CAHCE: no such variable; did you mean `GRACEFUL_CACHE`?",
        "GRACEFUL_EVENTS_URL: no such variable; did you mean `GRACEFUL_EVENTS`?",
    ] {
        assert!(wrong.contains(line), "{wrong}");
    }
    // What runs containers sets these for a service named `graceful`.
    let injected = [
        ("GRACEFUL_PORT", "tcp://10.0.0.1:80"),
        ("GRACEFUL_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("GRACEFUL_SERVICE_HOST", "10.0.0.1"),
        ("GRACEFUL_EVENT", ""),
    ];
    assert!(said(&injected).contains("ok: service::user:1"));
}

#[tokio::test]
async fn unknown_setting_is_warned_of() {
    let (log, _guard) = Log::listen();
    let settings = [("GRACEFUL_PORT_80_TCP", "s3cret"), ("PATH", "/bin"), ("GRACEFUL_SERVICE", "users")];
    let _builder = Orchestrator::builder().settings(BACKENDS, settings).await.unwrap();
    let lines = log.of("graceful::config");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!((lines[0].level, lines[0].field("variable")), (Level::WARN, "GRACEFUL_PORT_80_TCP"));
    assert!(!format!("{lines:?}").contains("s3cret"));
}

#[cfg(unix)]
#[test]
fn value_that_is_not_utf8_is_refused_without_showing_it() {
    use std::os::unix::ffi::OsStrExt as _;

    let value = std::ffi::OsStr::from_bytes(b"redis://:s3cret\xff@a");
    let said = String::from_utf8(child(&[("GRACEFUL_CACHE", value)]).stdout).unwrap();
    assert!(said.contains("error: GRACEFUL_CACHE: its value is not UTF-8"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
}

//! Actions at a terminal, which ask.

use std::{env, process::Command};

use graceful_tests::requirement::program;

use crate::{
    service::{self, Ended, json},
    stores::{Sqlite, kill, queue},
};

/// Runs its arguments at a terminal, and types the first when it is asked.
const TYPE: &str = r#"
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
shown, typed = b"", False
while True:
    try:
        some = os.read(terminal, 4096)
    except OSError:
        break
    if not some:
        break
    shown += some
    if not typed and b"to go on:" in shown:
        typed = True
        os.write(terminal, sys.argv[1].encode() + b"\n")
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

fn answered(url: &str, answer: &str, arguments: &[&str]) -> Ended {
    let service = service::command(url, &[]);
    let mut command = Command::new(program("python"));
    command.args(["-c", TYPE, answer]).arg(env::current_exe().unwrap()).args(arguments);
    command.envs(service.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("TERM", "xterm");
    Ended::of(command.output().unwrap())
}

#[test(requires(Python("pty")), flavor = "multi_thread")]
async fn action_at_a_terminal_needs_the_exact_number() {
    let sqlite = Sqlite::new();
    let store = sqlite.store().await;
    queue(&store, 1..13).await;
    kill(&store).await;
    let url = sqlite.url();
    for wrong in ["y", "yes", "11", ""] {
        let refused = answered(&url, wrong, &["discard", "--all"]);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.stdout.contains("discard 12 flows (state=dead)"), "{refused:?}");
        assert!(refused.stdout.contains("… and 2 more"), "{refused:?}");
        assert_eq!(json(&url, &["lag"])["dead"]["number"], 12);
    }
    let done = answered(&url, "12", &["discard", "--all"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.stdout.contains("discarded 12 of 12 flows"), "{done:?}");
    let operations = json(&url, &["audit", "operations"]);
    assert_eq!(operations["operations"][0]["details"]["verified"], false);
}

#[test(requires(Python("pty")), flavor = "multi_thread")]
async fn colours_are_for_terminals() {
    let sqlite = Sqlite::new();
    let store = sqlite.store().await;
    queue(&store, 1..2).await;
    kill(&store).await;
    assert!(answered(&sqlite.url(), "", &["dead"]).stdout.contains("\x1b[31mdead\x1b[0m"));
    assert!(!service::run(&sqlite.url(), &["dead"]).stdout.contains('\x1b'));
}

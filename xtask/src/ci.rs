//! Everything that must hold before a change is taken.

use std::{collections::BTreeSet, fs};

use crate::{
    Result, api, dependencies, features, layers, minimal,
    run::{cargo, command, ends, on_ci, output, root, run, say, target, works},
    services,
};

type Step = (&'static str, fn() -> Result);

/// Those that take no time come first.
const STEPS: &[Step] = &[
    ("fmt", || run(&mut cargo("fmt --all --check"))),
    ("dependencies", dependencies::check),
    ("layers", layers::check),
    ("api", api::check),
    ("services", services::prepare),
    ("test", || run(&mut cargo("test --workspace --locked --no-fail-fast"))),
    ("clippy", clippy),
    ("doc", doc),
    ("features", features::check),
    ("minimal-versions", minimal::check),
    ("quickstart", quickstart),
    ("examples", examples),
    ("compose", compose),
    ("guard", guard),
    ("deny", deny),
];

/// A program with these dependencies is built in half a minute.
const QUICKSTART_PACKAGES: usize = 60;

pub fn ci(asked: &[&str]) -> Result {
    let names: Vec<&str> = STEPS.iter().map(|(name, _)| *name).collect();
    if asked == ["--list"] {
        println!("{}", names.join("\n"));
        return Ok(());
    }
    if let Some(unknown) = asked.iter().find(|asked| !names.contains(asked)) {
        return Err(format!("unknown step `{unknown}`; the steps are {}", names.join(", ")).into());
    }
    run(&mut cargo("--version"))?;
    run(command("rustc").arg("--version"))?;
    for (name, step) in STEPS {
        if asked.is_empty() || asked.contains(name) {
            say(&format!("step {name}"));
            step().map_err(|error| {
                format!("\nstep {name} failed: {error}\n  to repeat it: cargo xtask ci {name}")
            })?;
        }
    }
    say("all checks passed");
    Ok(())
}

fn clippy() -> Result {
    run(&mut cargo("clippy --workspace --all-targets --all-features --locked -- -D warnings"))
}

fn doc() -> Result {
    run(cargo("doc --workspace --no-deps --all-features --locked").env("RUSTDOCFLAGS", "-D warnings"))
}

/// The first program that a newcomer runs: it compiles little, and its exit codes are right.
fn quickstart() -> Result {
    let tree = output(&mut cargo("tree -p quickstart -e normal,build --prefix none --format {p} --locked"))?;
    let packages: BTreeSet<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    say(&format!("quickstart has {} packages, at most {QUICKSTART_PACKAGES}", packages.len()));
    if packages.len() > QUICKSTART_PACKAGES {
        return Err(
            format!("quickstart needs {} packages, at most {QUICKSTART_PACKAGES}", packages.len()).into()
        );
    }
    let array = r#"[{"id": 1, "name": "Ada", "email": "ada@example.org"}]"#;
    let lines = "{\"id\": 1, \"name\": \"Ada\", \"email\": \"a@x\"}\n{\"id\": 2, \"name\": \"Bob\", \"email\": \"b@x\"}\n";
    let unfinished = format!("{lines}{{\"id\": 3}}\n");
    let with = |arguments: &str, input: &str, code: i32| {
        ends(&mut cargo(&format!("run --quiet --locked -p quickstart -- {arguments}")), input, code)
    };
    with("", "", 0)?;
    with("examples/quickstart/users.json", "", 0)?;
    with("-", array, 0)?;
    with("-", lines, 0)?;
    with("no-such-file.json", "", 1)?;
    with("-", &unfinished, 1)?;
    with("-", "\n", 1)
}

/// Without `-p`, so that they share the dependencies that the tests have built.
fn examples() -> Result {
    let directory = target().join("xtask/durable");
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory)?;
    run(cargo("run --quiet --locked --example durable --").arg(directory))?;
    if !on_ci() && !services::servers_answer() {
        say("the example `distributed` is skipped: its servers do not answer; see `cargo xtask services`");
        return Ok(());
    }
    let distributed = "run --quiet --locked --example distributed";
    run(&mut cargo(distributed))?;
    ends(cargo(distributed).env("GRACEFUL_CACHE", "redis://127.0.0.1:1"), "", 1)
}

fn compose() -> Result {
    if !works(command("docker").args(["compose", "version"])) {
        say("compose.yaml is not checked: docker compose is not installed");
        return Ok(());
    }
    run(command("docker").args(["compose", "config", "--quiet"]))
}

/// Figures of performance that are the same in each run, against their limits.
fn guard() -> Result {
    // Where valgrind is missing, the guard says what it has not measured.
    run(command("python3").arg("-B").arg(root().join("benches/guard.py")))
}

fn deny() -> Result {
    if !works(&mut cargo("deny --version")) {
        say("cargo-deny is not installed; the step `dependencies` has checked licences and sources");
        return Ok(());
    }
    run(&mut cargo("deny --all-features --locked --log-level error check bans licenses sources"))
}

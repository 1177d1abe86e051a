//! Writes the pictures of the console in `docs/console`: of the example `console`, when some of its flows have failed.
//!
//! ```text
//! cargo run --bin screenshots
//! ```
#![allow(missing_docs, reason = "a program")]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use graceful_tests_browser::{Browser, By, Options, View};

/// The example, which ends with this.
struct Example(Child);

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::main]
async fn main() {
    let data = tempfile::tempdir().expect("a directory can be made");
    let cargo = Command::new(env!("CARGO"))
        .args(["run", "--example", "console"])
        // Where it stores its data.
        .env("TMPDIR", data.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("cargo starts");
    let mut example = Example(cargo);
    let mut lines = BufReader::new(example.0.stdout.take().expect("it is piped")).lines();
    let url = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let (_, rest) = line.split_once("the console is at ")?;
        Some(rest.split(';').next()?.to_owned())
    });
    let url = url.expect("the example tells its URL");

    let browser = Browser::start(&Options::default()).await;
    tokio::time::timeout(Duration::from_secs(300), until_failing(&browser, &url))
        .await
        .expect("it fails soon");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/console");
    fs::create_dir_all(&folder).expect("the folder can be made");
    for (view, name) in [(View::WIDE, "light"), (View::WIDE.dark(), "dark")] {
        browser.show_on(view).await;
        let taken = browser.screenshot(&format!("console-{name}")).await;
        let picture = folder.join(format!("{name}.png"));
        fs::copy(taken, &picture).expect("the picture can be written");
        println!("{}: {} bytes", picture.display(), fs::metadata(&picture).map_or(0, |file| file.len()));
    }
}

/// Loads the overview again and again, until it shows two groups of failures and some dead flows, and has measured for a while.
async fn until_failing(browser: &Browser, url: &str) {
    loop {
        browser.goto(url).await.expect("the console answers");
        let groups = browser.find_all(By::Css(".failing [data-live^='dead-']")).await.expect("it is a page");
        let dead = browser.find(By::Css("[data-live='dead']")).await.expect("it is the overview");
        let dead: u64 = dead.text().await.expect("it has a text").parse().unwrap_or_default();
        if groups.len() >= 2 && dead >= 8 {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

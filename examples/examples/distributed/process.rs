//! Processes of this program, and what they say.

use std::{
    env,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::mpsc,
    task::JoinHandle,
    time::timeout,
};

use crate::Done;

/// How long somebody may be waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// What all processes say, one line after the other.
pub struct Stage {
    environment: Vec<(&'static str, String)>,
    aloud: Arc<AtomicBool>,
    sender: mpsc::UnboundedSender<Said>,
    said: mpsc::UnboundedReceiver<Said>,
}

enum Said {
    Line(String),
    /// The process has ended without being killed.
    Ended(&'static str),
}

impl Stage {
    pub fn new(environment: Vec<(&'static str, String)>) -> Self {
        let (sender, said) = mpsc::unbounded_channel();
        Self { environment, aloud: Arc::new(AtomicBool::new(true)), sender, said }
    }

    /// Whether what is said is shown.
    pub fn aloud(&self, aloud: bool) {
        self.aloud.store(aloud, Ordering::Relaxed);
    }

    pub async fn start(&mut self, name: &'static str, argument: &str) -> Done<Process> {
        let mut child = Command::new(env::current_exe()?)
            .arg(argument)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("a process without pipes".into());
        };
        let listening = tokio::spawn(listen(name, output, Arc::clone(&self.aloud), self.sender.clone()));
        self.hears(&["ready"]).await?;
        Ok(Process { child, input, listening })
    }

    /// Waits until each of these texts was said, in any order.
    pub async fn hears(&mut self, texts: &[&str]) -> Done {
        let mut missing = texts.to_vec();
        while !missing.is_empty() {
            match timeout(PATIENCE, self.said.recv()).await {
                Ok(Some(Said::Line(line))) => missing.retain(|text| !line.contains(text)),
                Ok(Some(Said::Ended(name))) => return Err(format!("{name} has ended").into()),
                Ok(None) | Err(_) => return Err(format!("nobody has said: {}", missing.join("; ")).into()),
            }
        }
        Ok(())
    }
}

async fn listen(
    name: &'static str,
    output: ChildStdout,
    aloud: Arc<AtomicBool>,
    said: mpsc::UnboundedSender<Said>,
) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if aloud.load(Ordering::Relaxed) && line != "ready" {
            println!("  {name:<8} │ {line}");
        }
        let _ = said.send(Said::Line(line));
    }
    let _ = said.send(Said::Ended(name));
}

/// A process of this program; killed when it is dropped.
pub struct Process {
    child: Child,
    input: ChildStdin,
    listening: JoinHandle<()>,
}

impl Process {
    pub async fn told(&mut self, command: &str) -> Done {
        Ok(self.input.write_all(format!("{command}\n").as_bytes()).await?)
    }

    /// As by `kill -9`.
    pub async fn kill(mut self) -> Done {
        self.listening.abort();
        Ok(self.child.kill().await?)
    }
}

//! Servers of other people, each started for one test on a free port, and stopped with it.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use crate::requirement;

/// How many were started, for a directory of each one's own.
static STARTED: AtomicUsize = AtomicUsize::new(0);

/// A process of our own; killed when it is dropped.
#[derive(Debug)]
pub struct Service {
    child: Child,
    port: u16,
    directory: PathBuf,
}

impl Service {
    /// A SPARQL 1.1 server; queries at `/query`, updates at `/update`.
    pub fn sparql() -> Self {
        Self::start("oxigraph", |command, port, _| {
            command.args(["serve", "--bind", &format!("127.0.0.1:{port}")]);
        })
    }

    pub fn alertmanager() -> Self {
        Self::alertmanager_at(free_port())
    }

    /// One at a given port, where another was.
    pub fn alertmanager_at(port: u16) -> Self {
        Self::start_at("prometheus-alertmanager", port, alertmanager)
    }

    /// One that asks for the password of the user `ada`, whose hash this is. Its certificate, of `localhost`, is
    /// `certificate.pem`, and nobody's.
    pub fn alertmanager_over_tls(password: &str) -> Self {
        Self::start("prometheus-alertmanager", |command, port, directory| {
            let made = Command::new(requirement::program("openssl"))
                .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
                .args(["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
                .args(["-addext", "basicConstraints=critical,CA:FALSE"])
                .args(["-keyout", "key.pem", "-out", "certificate.pem"])
                .current_dir(directory)
                .output()
                .unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            let tls = "tls_server_config: {cert_file: certificate.pem, key_file: key.pem}";
            let users = format!("basic_auth_users: {{ada: {password}}}");
            fs::write(directory.join("web.yml"), format!("{tls}\n{users}\n")).unwrap();
            alertmanager(command, port, directory);
            command.arg("--web.config.file=web.yml");
        })
    }

    /// One that scrapes these targets, `(job, port, path)`, five times a second, and evaluates these rules as often.
    pub fn prometheus(targets: &[(&str, u16, &str)], rules: &str) -> Self {
        Self::start("prometheus", |command, port, directory| {
            fs::write(directory.join("rules.yml"), rules).unwrap();
            let jobs = targets.iter().map(|(job, port, path)| {
                format!("{{job_name: {job}, metrics_path: {path}, static_configs: [{{targets: [\"127.0.0.1:{port}\"]}}]}}")
            });
            let config = format!(
                "global: {{scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}}\n\
                 rule_files: [rules.yml]\nscrape_configs: [{}]\n",
                jobs.collect::<Vec<_>>().join(", ")
            );
            fs::write(directory.join("prometheus.yml"), config).unwrap();
            command
                .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"])
                .arg(format!("--web.listen-address=127.0.0.1:{port}"));
        })
    }

    fn start(program: &str, arguments: impl FnOnce(&mut Command, u16, &Path)) -> Self {
        Self::start_at(program, free_port(), arguments)
    }

    fn start_at(program: &str, port: u16, arguments: impl FnOnce(&mut Command, u16, &Path)) -> Self {
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let directory = env::temp_dir().join(format!("graceful-tests-{}-{number}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let mut command = Command::new(requirement::program(program));
        arguments(&mut command, port, &directory);
        let mut child = command
            .current_dir(&directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = mpsc::channel();
        tell(child.stdout.take().unwrap(), sender.clone());
        tell(child.stderr.take().unwrap(), sender);
        let service = Self { child, port, directory };
        // Prometheus listens before it can answer.
        let ready = if program == "prometheus" { "Server is ready" } else { "Listening" };
        loop {
            let line = lines.recv_timeout(Duration::from_secs(60)).expect("a server that starts says so");
            if line.contains(ready) {
                return service;
            }
        }
    }

    /// Where it runs; gone with it.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

fn alertmanager(command: &mut Command, port: u16, directory: &Path) {
    let config = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n";
    fs::write(directory.join("alertmanager.yml"), config).unwrap();
    command
        .args(["--config.file=alertmanager.yml", "--storage.path=.", "--cluster.listen-address="])
        .arg(format!("--web.listen-address=127.0.0.1:{port}"));
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Reads on when the start is over, or the server would wait for a reader of its log.
fn tell(output: impl Read + Send + 'static, lines: mpsc::Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = lines.send(line);
        }
    });
}

/// A port where nobody listens just now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

//! Connections to servers may be encrypted.

use std::{
    env,
    path::Path,
    process::{Command, Output},
};

use graceful::Orchestrator;
use graceful_tests::{BACKENDS, requirement::program, servers::Server};
use tempfile::TempDir;

/// Of the test below, which is the process that trusts a certificate or does not, too.
const NAME: &str = "tls::encrypted_connection_needs_a_trusted_certificate";
const CHILD: &str = "GRACEFUL_TESTS_TLS_CHILD";

/// A certificate of 127.0.0.1 that vouches for itself, and its key.
fn certificate(directory: &Path) -> (String, String) {
    let [certificate, key] = ["cert.pem", "key.pem"].map(|file| directory.join(file).display().to_string());
    let words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=127.0.0.1 \
                 -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE";
    let made = Command::new(program("openssl"))
        .args(words.split_whitespace())
        .args(["-out", &certificate, "-keyout", &key])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    (certificate, key)
}

/// What a process says that is configured by one variable, and trusts this certificate or those of the machine.
fn said(variable: &str, url: &str, trusted: Option<&str>) -> String {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", NAME, "--nocapture"]).env(CHILD, "1").env(variable, url);
    match trusted {
        Some(certificate) => child.env("SSL_CERT_FILE", certificate),
        None => child.env_remove("SSL_CERT_FILE"),
    };
    let Output { stdout, .. } = child.output().unwrap();
    String::from_utf8(stdout).unwrap()
}

#[test(requires("openssl", "redis-server", "nats-server"))]
async fn encrypted_connection_needs_a_trusted_certificate() {
    if env::var_os(CHILD).is_some() {
        match Orchestrator::from_env(BACKENDS).await {
            Ok(_) => println!("connected"),
            Err(error) => println!("error: {error}"),
        }
        return;
    }
    let directory = TempDir::new().unwrap();
    let (certificate, key) = certificate(directory.path());
    let redis = Server::start("redis-server", |port, directory| {
        let words = format!(
            "--port 0 --tls-port {port} --bind 127.0.0.1 --dir {directory} --tls-auth-clients no \
             --tls-cert-file {certificate} --tls-key-file {key} --tls-ca-cert-file {certificate}"
        );
        words.split_whitespace().map(ToOwned::to_owned).collect()
    })
    .await;
    let nats = Server::nats(&format!("tls {{ cert_file: \"{certificate}\", key_file: \"{key}\" }}\n")).await;

    for (variable, url) in [
        ("GRACEFUL_CACHE", format!("rediss://{}", redis.address())),
        ("GRACEFUL_EVENTS", format!("tls://{}", nats.address())),
    ] {
        let trusted = said(variable, &url, Some(&certificate));
        assert!(trusted.contains("connected"), "{trusted}");
        let unknown = said(variable, &url, None);
        assert!(
            unknown.contains(&format!("error: {variable}: ")) && unknown.contains("ertificate"),
            "{unknown}"
        );
    }
}

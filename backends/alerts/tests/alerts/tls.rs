//! An Alertmanager over TLS, with a user and a password. Only one process trusts its certificate.

use std::{env, process::Command, time::Duration};

use graceful::Code;
use graceful_alerts::alertmanager::Alertmanager;
use graceful_tests::services::Service;

use crate::{saved, world};

/// Where a process that trusts the server finds it.
const TRUSTED: &str = "GRACEFUL_TESTS_TRUSTED_PORT";

/// `secret`, as `bcrypt` hashes it.
const SECRET: &str = "$2b$04$Elo7v/ampFn8ZLenYp.Az.OVPjVId0iHfXaEx83zgkLHcb4GHc1lO";

async fn told(port: u16, password: &str) -> String {
    let url = format!("https://ada:{password}@localhost:{port}");
    let alerts = Alertmanager::builder(url).timeout(Duration::from_secs(30)).build().unwrap();
    saved(&world(alerts), 42, Some(Code::Internal)).await
}

#[test(requires("prometheus-alertmanager", "openssl"))]
async fn certificate_and_password_are_checked() {
    if let Ok(port) = env::var(TRUSTED) {
        // This is the process that trusts it.
        let port = port.parse().unwrap();
        assert_eq!(told(port, "secret").await, "fired");
        let refused = told(port, "wrong").await;
        assert!(refused.contains("answered 401"), "{refused}");
        return;
    }
    let server = Service::alertmanager_over_tls(SECRET);
    let untrusted = told(server.port(), "secret").await;
    assert!(untrusted.starts_with("FAILED") && untrusted.contains("certificate"), "{untrusted}");

    let certificate = server.directory().join("certificate.pem");
    let name = "tls::certificate_and_password_are_checked";
    let trusts = Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env("SSL_CERT_FILE", &certificate)
        .env(TRUSTED, server.port().to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&trusts.stdout);
    assert!(
        trusts.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&trusts.stderr)
    );
}

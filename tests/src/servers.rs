//! The servers of storage and messages: those that run on this machine, and those that a test starts for itself, to kill them.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    os::unix::fs::{MetadataExt as _, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use sqlx::{AssertSqlSafe, PgConnection};
use tokio::net::TcpStream;

use crate::{gate::until, requirement};

/// Redis on its standard port.
pub const REDIS: SocketAddr = local(6379);
/// NATS with JetStream on its standard port.
pub const NATS: SocketAddr = local(4222);
/// RabbitMQ on its standard port.
pub const RABBITMQ: SocketAddr = local(5672);
/// PostgreSQL on its standard port.
pub const POSTGRES: SocketAddr = local(5432);

const fn local(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// A name that no other run of no other test has.
pub fn unique(name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nanos = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    format!("{name}-{}-{}-{nanos}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Drops a schema of PostgreSQL with all that it contains. A relay that still claims from its tables can lead to a deadlock: then tries again.
pub async fn drop_schema(connection: &mut PgConnection, schema: &str) {
    let statement = format!("DROP SCHEMA {schema} CASCADE");
    while let Err(error) = sqlx::raw_sql(AssertSqlSafe(&*statement)).execute(&mut *connection).await {
        let code = error.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
        assert_eq!(code.as_deref(), Some("40P01"), "{error}");
    }
}

/// A server of the test's own, on a free port, with a directory of its own. Both go with it.
#[derive(Debug)]
pub struct Server {
    program: PathBuf,
    arguments: Vec<String>,
    address: SocketAddr,
    directory: PathBuf,
    process: Child,
}

impl Server {
    /// Redis, with further arguments such as `--requirepass`.
    pub async fn redis(arguments: &[&str]) -> Self {
        Self::start("redis-server", |port, directory| {
            let own = ["--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", directory];
            own.iter().chain(arguments).map(ToString::to_string).collect()
        })
        .await
    }

    /// NATS with JetStream, and with these further lines of configuration, such as `max_payload: 1024`.
    pub async fn nats(configuration: &str) -> Self {
        Self::start("nats-server", |port, directory| {
            let file = Path::new(directory).join("nats.conf");
            let own = format!("listen: 127.0.0.1:{port}\njetstream {{ store_dir: \"{directory}\" }}\n");
            fs::write(&file, own + configuration).unwrap();
            vec!["--config".to_owned(), file.to_str().unwrap().to_owned()]
        })
        .await
    }

    /// RabbitMQ, and with these further lines of configuration, such as `max_message_size = 1024`.
    pub async fn rabbitmq(configuration: &str) -> Self {
        let distribution = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self::start("env", |port, directory| {
            let file = Path::new(directory).join("rabbitmq.conf");
            fs::write(&file, configuration).unwrap();
            let own = [
                ("NODENAME", node(port)),
                ("NODE_IP_ADDRESS", "127.0.0.1".to_owned()),
                ("NODE_PORT", port.to_owned()),
                ("DIST_PORT", distribution.to_string()),
                ("MNESIA_BASE", directory.to_owned()),
                ("LOG_BASE", directory.to_owned()),
                ("CONFIG_FILE", file.to_str().unwrap().to_owned()),
                ("ENABLED_PLUGINS_FILE", format!("{directory}/plugins")),
                ("CONF_ENV_FILE", "/dev/null".to_owned()),
            ];
            let mut arguments: Vec<_> =
                own.iter().map(|(name, value)| format!("RABBITMQ_{name}={value}")).collect();
            // The second is so that the process which is killed is the server and not a script.
            arguments.extend([format!("HOME={directory}"), "RUNNING_UNDER_SYSTEMD=yes".to_owned()]);
            arguments.push(of_rabbitmq("rabbitmq-server").to_str().unwrap().to_owned());
            arguments
        })
        .await
    }

    /// PostgreSQL with an empty database, and with these settings, such as `wal_level=logical`. The user is `postgres`.
    pub async fn postgres(settings: &[&str]) -> Self {
        // It refuses to be root.
        let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
        let user: &[&str] = match is_root {
            true => &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
            false => &[],
        };
        Self::start("env", |port, directory| {
            if is_root {
                chown(directory, Some(65534), Some(65534)).unwrap();
            }
            let data = format!("{directory}/data");
            let program = |name| requirement::program(name).to_str().unwrap().to_owned();
            let mut made = Command::new("env");
            made.current_dir(directory).args(user).arg(program("initdb"));
            made.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync", &data]);
            let made = made.output().unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            let mut arguments: Vec<_> = user.iter().map(ToString::to_string).collect();
            arguments.extend([program("postgres"), "-D".to_owned(), data]);
            let (port, place) =
                (format!("port={port}"), ["listen_addresses=127.0.0.1", "unix_socket_directories="]);
            for setting in [&*port].iter().chain(&place).chain(settings) {
                arguments.extend(["-c".to_owned(), (*setting).to_owned()]);
            }
            arguments
        })
        .await
    }

    /// Runs a command of RabbitMQ's command line for operators.
    ///
    /// # Panics
    /// Where the command fails.
    pub async fn rabbitmqctl(&self, arguments: &[&str]) {
        let mut command = tokio::process::Command::new(of_rabbitmq("rabbitmqctl"));
        command.env("HOME", &self.directory).env("RABBITMQ_CONF_ENV_FILE", "/dev/null");
        command.args(["--node", &node(&self.address.port().to_string())]).args(arguments);
        let output = command.stdin(Stdio::null()).output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Any other; its arguments are made from its port and directory.
    pub async fn start(program: &str, arguments: impl FnOnce(&str, &str) -> Vec<String>) -> Self {
        let program = requirement::program(program);
        let directory = std::env::temp_dir().join(unique("graceful"));
        fs::create_dir_all(&directory).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let arguments = arguments(&address.port().to_string(), directory.to_str().unwrap());
        let process = run(&program, &arguments);
        let mut server = Self { program, arguments, address, directory, process };
        server.listens().await;
        server
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// At once, as by `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// After [`kill`](Self::kill): on the same port, with the same directory.
    pub async fn start_again(&mut self) {
        self.process = run(&self.program, &self.arguments);
        self.listens().await;
    }

    async fn listens(&mut self) {
        let address = self.address;
        until(|| {
            assert!(self.process.try_wait().unwrap().is_none(), "{} has ended", self.program.display());
            async move { TcpStream::connect(address).await.is_ok() }
        })
        .await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn node(port: &str) -> String {
    format!("graceful-{port}@localhost")
}

/// Debian's own scripts become another user, who has no right to the directory of the test.
fn of_rabbitmq(program: &str) -> PathBuf {
    let script = Path::new("/usr/lib/rabbitmq/bin").join(program);
    if script.is_file() { script } else { requirement::program(program) }
}

fn run(program: &Path, arguments: &[String]) -> Child {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

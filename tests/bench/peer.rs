//! Other emulators: how each is installed from its registry into the build's own folder, and started on a port.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long an installation may take.
const INSTALL_TIME: Duration = Duration::from_secs(300);
/// How long a server may take until it listens.
const START_TIME: Duration = Duration::from_secs(30);

/// Where a peer is published.
enum Registry {
    PyPi,
    Npm,
}

/// Another emulator.
pub struct Peer {
    pub name: &'static str,
    registry: Registry,
    /// With its version, so that a figure can be had again.
    package: &'static str,
    command: &'static str,
    /// Arguments and environment with which it listens on a port, quietly and in memory.
    prepare: fn(&mut Command, u16),
    pub has_sqs: bool,
    pub has_kinesis: bool,
}

/// Every peer that a registry has.
pub const ALL: [Peer; 5] = [
    Peer {
        name: "roto",
        registry: Registry::PyPi,
        package: "roto-aws==0.10.1",
        command: "roto-server",
        prepare: |command, port| {
            command.args(["--ephemeral", "--port", &port.to_string()]);
        },
        has_sqs: true,
        has_kinesis: true,
    },
    Peer {
        name: "ministack",
        registry: Registry::PyPi,
        package: "ministack==1.5.33",
        command: "ministack",
        prepare: |command, port| {
            command.env("GATEWAY_PORT", port.to_string()).env("BIND_HOST", "127.0.0.1").env("LOG_LEVEL", "ERROR");
        },
        has_sqs: true,
        has_kinesis: true,
    },
    Peer {
        name: "moto",
        registry: Registry::PyPi,
        package: "moto[server]==5.2.5",
        command: "moto_server",
        prepare: |command, port| {
            command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        },
        has_sqs: true,
        has_kinesis: true,
    },
    Peer {
        name: "fauxqs",
        registry: Registry::Npm,
        package: "fauxqs@1.9.2",
        command: "fauxqs",
        prepare: |command, port| {
            command.env("FAUXQS_PORT", port.to_string()).env("FAUXQS_LOGGER", "false");
        },
        has_sqs: true,
        has_kinesis: false,
    },
    Peer {
        name: "kinesalite",
        registry: Registry::Npm,
        package: "kinesalite@3.3.3",
        command: "kinesalite",
        prepare: |command, port| {
            command.args(["--port", &port.to_string(), "--createStreamMs", "0", "--shardLimit", "100"]);
        },
        has_sqs: false,
        has_kinesis: true,
    },
];

impl Peer {
    /// Where it is installed, each by itself: they do not agree on the versions of what they need.
    fn folder(&self) -> PathBuf {
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers").join(self.name)
    }

    fn binary(&self) -> PathBuf {
        let folder = match self.registry {
            Registry::PyPi => "bin",
            Registry::Npm => "node_modules/.bin",
        };
        self.folder().join(folder).join(self.command)
    }

    pub fn is_installed(&self) -> bool {
        self.binary().is_file()
    }

    /// Errors: why it cannot be installed.
    fn install(&self) -> Result<(), String> {
        if self.is_installed() {
            return Ok(());
        }
        let folder = self.folder();
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let until = Instant::now() + INSTALL_TIME;
        match self.registry {
            Registry::PyPi => {
                finish(Command::new("python3").args(["-m", "venv"]).arg(&folder), until)?;
                finish(Command::new(folder.join("bin/pip")).args(["install", "--quiet", self.package]), until)?;
            }
            Registry::Npm => {
                let quietly = ["install", "--silent", "--no-fund", "--no-audit", "--prefix"];
                finish(Command::new("npm").args(quietly).arg(&folder).arg(self.package), until)?;
            }
        }
        if self.is_installed() { Ok(()) } else { Err(format!("{} has no command {}", self.package, self.command)) }
    }

    /// Errors: why it does not run.
    pub fn start(&self) -> Result<Served, String> {
        self.install()?;
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).map_err(|e| e.to_string())?.port();
        let mut command = Command::new(self.binary());
        (self.prepare)(&mut command, port);
        let started = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.map_err(|error| format!("{} does not start: {error}", self.command))?;
        let mut served = Served { child, address: SocketAddr::from(([127, 0, 0, 1], port)), started };
        while std::net::TcpStream::connect(served.address).is_err() {
            if let Ok(Some(status)) = served.child.try_wait() {
                return Err(format!("{} ended: {status}", self.command));
            }
            if started.elapsed() > START_TIME {
                return Err(format!("{} does not listen within {} s", self.command, START_TIME.as_secs()));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(served)
    }
}

/// Runs a command to its end. Errors: that it cannot, fails, or takes too long.
fn finish(command: &mut Command, until: Instant) -> Result<(), String> {
    let shown =
        format!("{} {}", command.get_program().display(), command.get_args().last().unwrap_or_default().display());
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child = child.map_err(|error| format!("{shown}: {error}"))?;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("{shown}: {status}")),
            Err(error) => return Err(format!("{shown}: {error}")),
            Ok(None) if Instant::now() > until => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("{shown}: not done within {} s", INSTALL_TIME.as_secs()));
            }
            Ok(None) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// A running server, ended with this value.
pub struct Served {
    pub child: Child,
    pub address: SocketAddr,
    /// When its process was started.
    pub started: Instant,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! `midwatch sim`: the engine as an AWS endpoint on a loopback port, for any SDK or CLI.

use crate::cli::{ClockWord, Held, SimArgs};
use crate::clock;
use crate::config::DemoSettings;
use crate::faces::{say, scenarios};
use crate::failure::Failure;
use crate::sim::clock::VirtualClock;
use crate::sim::cx::Place;
use crate::sim::engine::Pace;
use crate::sim::world::World;
use crate::sim::{engine, scenario, server};
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// The account of a world that no scenario has named.
const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-west-1";

/// Serves until ctrl-c, SIGTERM or SIGHUP. One thread does it all: the engine takes requests one at a time anyway, and
/// to hand each of them to another thread and back costs a fifth of what it costs to answer it.
pub fn run(arguments: &SimArgs, demo: &DemoSettings) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("The async runtime cannot start: {error}")))?;
    runtime.block_on(serve(arguments, demo)).map(|()| 0)
}

async fn serve(arguments: &SimArgs, demo: &DemoSettings) -> Result<(), Failure> {
    let address = arguments.listen;
    let listener = TcpListener::bind(address).await.map_err(|error| bind_failure(address, &error))?;
    let address = listener.local_addr().map_err(|error| bind_failure(address, &error))?;
    let mut world = world(demo, arguments.clock)?;
    world.place.limits = arguments.limits == Held::On;
    world.delays = arguments.delays == Held::On;
    let place = world.place.clone();
    let (account, region) = (&place.account, &place.region);
    let clock = VirtualClock::start(world.now, demo.speed);
    let (pace, time) = match arguments.clock {
        ClockWord::Run => (Pace::Runs, format!("speed {}", demo.speed)),
        ClockWord::Manual => (Pace::Stands, format!("time stands at {} until it is advanced", world.now.rfc3339())),
    };
    let limits = if place.limits { "" } else { ", no rates throttle" };
    let delays = if world.delays { "" } else { ", changes are complete at once" };
    let engine = engine::start_serving(world, clock, pace);
    let stop = stop_signal().map_err(|error| Failure::new(format!("Signals cannot be watched: {error}")))?;
    if !address.ip().is_loopback() {
        warn_of_open_address(address);
    }
    say(&format!(
        "midwatch sim listens on http://{address} (account {account}, region {region}, seed {}, {time}{limits}{delays}).\n\
         Stop it with ctrl-c. In another shell:\n  \
         export AWS_ENDPOINT_URL=http://{address} AWS_REGION={region} AWS_DEFAULT_REGION={region} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test\n",
        demo.seed
    ))?;
    server::serve(listener, engine, stop).await.map_err(|error| Failure::new(format!("The listener failed: {error}")))
}

/// On the standard error, so that it is seen where the address is read by a script.
fn warn_of_open_address(address: SocketAddr) {
    eprintln!(
        "WARNING: midwatch sim listens on {address}, which is not this machine alone. Signatures are not checked: \
         whoever reaches this address can read and change everything in it, and reset it. Listen on 127.0.0.1 unless \
         a container or a trusted network keeps others out."
    );
}

/// An empty account as of now, or the scenario's at the beginning of its story. A story that runs with the clock begins
/// now, because its clients ask for metrics and logs by their own clocks; one that stands begins when it says.
fn world(demo: &DemoSettings, pace: ClockWord) -> Result<World, Failure> {
    if demo.scenario.is_empty() {
        let place = Place { account: ACCOUNT.into(), region: REGION.into(), limits: true };
        return Ok(World::new(demo.seed, clock::now(), place));
    }
    let mut scenario = scenarios::load(&demo.scenario)?;
    if pace == ClockWord::Run {
        scenario.start = clock::now();
    }
    let mut world = scenario::build(&scenario, demo.seed).map_err(Failure::new)?;
    world.advance_to(scenario.start);
    Ok(world)
}

fn bind_failure(address: SocketAddr, error: &io::Error) -> Failure {
    let cure = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another process listens there. Stop it, or take another port: --listen 127.0.0.1:0 finds a free one"
        }
        io::ErrorKind::PermissionDenied => "ports below 1024 need root. Take a higher one",
        io::ErrorKind::AddrNotAvailable => "this machine has no such address. Take 127.0.0.1",
        _ => return Failure::new(format!("Cannot listen on {address}: {error}.")),
    };
    Failure::new(format!("Cannot listen on {address}: {cure}."))
}

/// Is done when the process is told to stop.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

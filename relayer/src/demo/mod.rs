//! `concord demo`: the whole system on this host, in real time, with real processes.
//!
//! A devnet, six agents with a daemon each, and the people who decide; five acts, each judged against what was
//! promised. `build` makes the daemons; `plan`, `genesis` and `stakeholders` are the chain's side; `fleet` the
//! operators'; `client`, `sampler`, `history` and `journals` observe; `acts` play; `judge` compares, and `report` tells.

mod acts;
mod artifacts;
mod build;
mod client;
mod draw;
mod error;
mod facts;
mod fleet;
mod folder;
mod genesis;
mod history;
mod http;
mod hunt;
mod journals;
mod judge;
mod outage;
mod plan;
mod ports;
mod proc;
mod report;
mod sampler;
mod scene;
mod show;
mod stakeholders;
mod stopwatch;

use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

pub use error::DemoError;
pub use report::{ActReport, DemoReport, Finding, LogHead, NodeOutcome};

use error::system;
use folder::Folder;
use show::Show;
use stopwatch::{Stopwatch, millis};

/// After this the demo is ended; acts that take longer than promised are judged in the report.
const LONGEST: Duration = Duration::from_secs(180);

/// How the demo is shown.
#[derive(Clone, Debug, Default)]
pub struct DemoArgs {
    /// Leaves everything here to look at: an empty or a new folder. Without it, all is removed at the end.
    pub keep: Option<PathBuf>,
}

/// Shows the demo: builds the daemons, plays the acts, ends every process it started. What happens is drawn on standard
/// error; the report is for the caller to show. An outcome that is not the expected one is told by
/// [`DemoReport::as_expected`], not by an error.
///
/// # Errors
/// [`DemoError`], where the demo cannot be shown to its end. Then, too, nothing of it is left running.
pub async fn run(args: DemoArgs) -> Result<DemoReport, DemoError> {
    let built = build::daemons().await?;
    let folder = Folder::new(args.keep.as_deref())?;
    let stopwatch = Stopwatch::start();
    let played = play(&folder, &built, told_to_stop()?).await;
    let kept = args.keep.as_ref().map(|_| folder.path().display().to_string());
    let report = played.map(|acts| DemoReport::new(acts, millis(stopwatch.elapsed()), kept));
    folder.remove()?;
    report
}

/// Comes back with the reason when the demo must not go on.
fn told_to_stop() -> Result<impl Future<Output = DemoError>, DemoError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(system("catch a signal"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(system("catch a signal"))?;
    let late = DemoError::Late {
        what: "the acts to end".to_owned(),
        seconds: LONGEST.as_secs(),
        last: "they still went on".to_owned(),
    };
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => DemoError::Stopped,
            _ = interrupt.recv() => DemoError::Stopped,
            () = tokio::time::sleep(LONGEST) => late,
        }
    })
}

/// Plays all acts. Whatever happens, every process that was started is ended before this comes back.
async fn play(
    folder: &Folder,
    built: &[build::Built],
    stop: impl Future<Output = DemoError>,
) -> Result<Vec<ActReport>, DemoError> {
    let mut stop = pin!(stop);
    let show = tokio::select! {
        show = Show::raise(folder.path(), built) => show?,
        reason = &mut stop => return Err(reason),
    };
    let played = tokio::select! {
        played = acts::play(&show) => played,
        ended = show.fleet.guard() => Err(ended),
        reason = &mut stop => Err(reason),
    };
    let ended = show.end().await;
    let reports = played?;
    ended?;
    Ok(reports)
}

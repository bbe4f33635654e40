//! The command line: one file a command, an [`Answer`] or a [`CliError`] from each, shown in one place.

pub mod args;
pub mod attest;
pub mod bundle;
pub mod deploy;
pub mod deployment;
pub mod devnet;
pub mod draft;
pub mod error;
pub mod exit;
pub mod explain;
pub mod grant;
pub mod keys;
pub mod log;
pub mod migrate_check;
pub mod output;
pub mod passphrase;
pub mod retry;
pub mod sending;
pub mod status;
#[cfg(test)]
mod tests;
pub mod trust;
pub mod verbs;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use serde_json::json;
use tracing_subscriber::EnvFilter;

pub use args::{Cli, Command, Global, LogFormat};
pub use devnet::coordinator;
pub use error::CliError;
pub use exit::Exit;
pub use log::{LogError, LogReport, verify_log};
pub use output::{Answer, Screen};

use crate::config::Layers;
use crate::demo::DemoArgs;
use args::{DemoFlags, ExplainCommand, InitArgs, LogCommand};
use deployment::Deployment;

/// Reads this process's command line. Help, version and usage errors are shown here; `Err` is the exit code then.
///
/// # Errors
/// The exit code of a process that has nothing more to do.
pub fn parse() -> Result<Cli, ExitCode> {
    let arguments: Vec<std::ffi::OsString> = std::env::args_os().collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    Cli::try_parse_from(arguments).map_err(|error| {
        if json && error.use_stderr() {
            Screen::plain(true).show_error(&CliError::Usage(usage(&error.render().to_string())));
        } else {
            // A closed standard output is no reason for another exit code.
            let _ = error.print();
        }
        if error.use_stderr() { Exit::Usage.into() } else { Exit::Ok.into() }
    })
}

/// The first paragraph of clap's text in one line.
fn usage(text: &str) -> String {
    let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ").trim_start_matches("error: ").to_owned()
}

/// Starts the program's log on standard error: lines or objects, at the level of `CONCORD_LOG`.
pub fn trace(cli: &Cli) {
    // A command's outcome is its answer; the log of a long-running one is its own.
    let level = if matches!(cli.command, Command::Agent | Command::Devnet(_)) { "info" } else { "warn" };
    let filter = EnvFilter::builder()
        .with_env_var("CONCORD_LOG")
        .try_from_env()
        .unwrap_or_else(|_| EnvFilter::new(level));
    // A line that the disk of the log has no space for is lost; telling so on the same file would end the process.
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .log_internal_errors(false);
    // A log that is already there, as in a test, stays.
    let _ = match cli.global.log_format {
        LogFormat::Text => log.with_ansi(false).try_init(),
        LogFormat::Json => log.json().try_init(),
    };
}

/// Runs a command, shows what came of it, and says how the process ends.
#[must_use]
pub fn run(cli: &Cli) -> ExitCode {
    let screen = Screen::of_process(cli.global.json);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| CliError::System { action: "start the runtime".to_owned(), source });
    let layers = Layers::of_process(cli.global.config.clone(), cli.global.flags());
    match runtime.and_then(|runtime| runtime.block_on(dispatch(cli, &layers, screen))) {
        Ok(answer) => {
            let exit = answer.as_ref().map_or(Exit::Ok, |answer| answer.exit);
            if let Some(answer) = answer {
                screen.show(&answer);
            }
            exit.into()
        }
        Err(error) => {
            screen.show_error(&error);
            error.exit().into()
        }
    }
}

/// Does what a command says; `None` where it has already shown everything.
///
/// # Errors
/// [`CliError`].
pub async fn dispatch(cli: &Cli, layers: &Layers, screen: Screen) -> Result<Option<Answer>, CliError> {
    match &cli.command {
        Command::Demo(flags) => demo(flags).await.map(Some),
        Command::Agent => {
            crate::agent::run(layers.agent()?).await?;
            Ok(None)
        }
        Command::Init(args) => init(layers, screen, args).await.map(Some),
        Command::Retry => retry::retry(layers).map(Some),
        Command::Bundle(command) => bundle::run(layers, screen, command).await.map(Some),
        Command::Explain(ExplainCommand::Agent) => explain::agent(layers).await.map(Some),
        Command::Trust(command) => trust::run(layers, screen, command).await.map(Some),
        Command::Devnet(args) => {
            devnet::run(args, cli.global.chain_id.as_deref(), screen).await?;
            Ok(None)
        }
        Command::Completions(args) => {
            completions(args.shell)?;
            Ok(None)
        }
        Command::Keys(command) => keys::run(command, layers, screen).await.map(Some),
        Command::Deploy(args) => deploy::deploy(layers, screen, args).await.map(Some),
        Command::MigrateCheck(args) => migrate_check::check(layers, screen, args).await.map(Some),
        Command::Propose(args) if args.dry_run => verbs::dry_run(args).map(Some),
        command => on_deployment(command, layers, screen).await.map(Some),
    }
}

async fn demo(flags: &DemoFlags) -> Result<Answer, CliError> {
    let report = crate::demo::run(DemoArgs { keep: flags.keep.clone() }).await?;
    let json = serde_json::to_value(&report)
        .map_err(|source| CliError::Answer { what: "the demo's report", source })?;
    let exit = if report.as_expected { Exit::Ok } else { Exit::Unexpected };
    // The demo's deployment has the floors of a demo.
    Ok(Answer { exit, short_floors: true, ..Answer::new(report.to_string(), json) })
}

async fn init(layers: &Layers, screen: Screen, args: &InitArgs) -> Result<Answer, CliError> {
    let config = layers.agent()?;
    let deployment = Deployment::reach(layers, screen).await?;
    let begun = trust::before_init(&config, args.trust, screen).await?;
    let adopted = {
        let adopt = crate::agent::Adopt { program: &args.adopt, others_run: args.others_run };
        crate::agent::init(&config, adopt).await?
    };
    let mut text = format!(
        "{} {} is the agent's now\nartifact {}\nfolder   {}",
        adopted.component, adopted.version, adopted.artifact, adopted.home
    );
    for pid in &adopted.still_running {
        text.push_str(&format!(
            "\nprocess {pid} runs this binary, not under the agent: stop it, `concord agent` starts its own only then"
        ));
    }
    let mut json = json!({"adopted": adopted});
    if let (Some(begun), serde_json::Value::Object(object)) = (begun, &mut json) {
        text = format!("{text}\n{}", begun.text());
        object.insert("trust".to_owned(), begun.json());
    }
    Ok(deployment.answer(text, json))
}

async fn on_deployment(command: &Command, layers: &Layers, screen: Screen) -> Result<Answer, CliError> {
    // Documents and drafts are read before anything is sent anywhere.
    let message = verbs::message(command)?;
    let deployment = Deployment::reach(layers, screen).await?;
    if let Some(message) = message {
        return verbs::send(&deployment, message).await;
    }
    match command {
        Command::Propose(args) => verbs::propose(&deployment, args).await,
        Command::Revise(args) => verbs::revise(&deployment, args).await,
        Command::Vote(args) => verbs::vote(&deployment, args, screen).await,
        Command::Claim(args) => verbs::claim(&deployment, args).await,
        Command::Attest(args) => attest::attest(&deployment, args).await,
        Command::Status(args) => status::status(&deployment, args).await,
        Command::Explain(command) => explain::explain(&deployment, command).await,
        Command::Log(LogCommand::Verify(args)) => verify(&deployment, args.from).await,
        other => Err(CliError::Usage(format!("{other:?} needs no deployment"))),
    }
}

async fn verify(deployment: &Deployment, from: u64) -> Result<Answer, CliError> {
    let wait = deployment.screen().wait("read the log");
    let mut tell = |seq: u64| wait.tell(format!("verified down to entry {seq}"));
    let report = log::verify_log_from(&deployment.rpc, &deployment.chain.contract, from, &mut tell).await?;
    drop(wait);
    let text = format!(
        "verified: {}, {} to {}, in {}\nhead {} at height {}",
        output::count(report.count, "entry", "entries"),
        report.from,
        report.seq,
        output::count(report.blocks, "block", "blocks"),
        report.head,
        report.height
    );
    Ok(deployment.answer(text, json!({"log": report})))
}

fn completions(shell: clap_complete::Shell) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "concord", &mut script);
    std::io::stdout()
        .lock()
        .write_all(&script)
        .map_err(|source| CliError::System { action: "write the completions".to_owned(), source })
}

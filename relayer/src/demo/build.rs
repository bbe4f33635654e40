//! The four daemons: built by cargo where cargo started the demo, else looked for beside this program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use concord_schema::Digest;
use tokio::process::Command;

use super::error::{DemoError, file, system};

/// The versions, in the order of their use.
pub(crate) const VERSIONS: [&str; 4] = ["1.0.0", "2.0.0", "3.0.0", "4.0.0"];
/// The longest build, on a cold and slow machine.
const BUILD_LONGEST: Duration = Duration::from_secs(30 * 60);
/// No daemon is larger than this.
const DAEMON_BYTES_MAX: u64 = 64 << 20;

/// A built daemon.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    /// Its version.
    pub(crate) version: &'static str,
    /// Its file name.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) path: PathBuf,
    /// SHA-256 of its bytes.
    pub(crate) digest: Digest,
    /// Its bytes, as they are served to agents.
    pub(crate) bytes: Vec<u8>,
}

fn name(index: usize) -> String {
    format!("demo-daemon-v{}", index + 1)
}

/// Builds the daemons with `$CARGO`, or finds them beside this program.
///
/// # Errors
/// [`DemoError::Build`], [`DemoError::NoDaemon`] or [`DemoError::SameDaemon`].
pub(crate) async fn daemons() -> Result<Vec<Built>, DemoError> {
    let paths = match std::env::var_os("CARGO") {
        Some(cargo) => built(&PathBuf::from(cargo)).await?,
        None => beside()?,
    };
    let mut found: Vec<Built> = Vec::with_capacity(VERSIONS.len());
    for (index, (version, path)) in VERSIONS.into_iter().zip(paths).enumerate() {
        let bytes = read(&path).await?;
        let digest = Digest::of(&bytes);
        if let Some(twin) = found.iter().find(|other| other.digest == digest) {
            return Err(DemoError::SameDaemon { first: twin.name.clone(), second: name(index) });
        }
        found.push(Built { version, name: name(index), path, digest, bytes });
    }
    Ok(found)
}

async fn read(path: &Path) -> Result<Vec<u8>, DemoError> {
    let length = tokio::fs::metadata(path).await.map_err(file("look at", path))?.len();
    if length > DAEMON_BYTES_MAX {
        let reason =
            format!("{} has {length} bytes, at most {DAEMON_BYTES_MAX} are expected", path.display());
        return Err(DemoError::Own { what: "daemon", reason });
    }
    tokio::fs::read(path).await.map_err(file("read", path))
}

fn beside() -> Result<Vec<PathBuf>, DemoError> {
    let own = std::env::current_exe().map_err(system("find this program's own file"))?;
    let folder = own.parent().unwrap_or(Path::new("."));
    let find = |index| {
        let (name, path) = (name(index), folder.join(name(index)));
        if path.is_file() { Ok(path) } else { Err(DemoError::NoDaemon { name, path }) }
    };
    (0..VERSIONS.len()).map(find).collect()
}

async fn built(cargo: &Path) -> Result<Vec<PathBuf>, DemoError> {
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "-p", "demo-daemon", "--bins"]);
    command.arg("--message-format=json-render-diagnostics");
    // Cargo told where this program's package is; the workspace is found from there, wherever one stands.
    if let Some(folder) = std::env::var_os("CARGO_MANIFEST_DIR") {
        command.current_dir(folder);
    }
    // Cargo's own words go to the terminal, its list of files comes here.
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    let output = tokio::time::timeout(BUILD_LONGEST, command.output())
        .await
        .map_err(|_| DemoError::Build { status: format!("no end within {} s", BUILD_LONGEST.as_secs()) })?
        .map_err(system("start cargo"))?;
    if !output.status.success() {
        return Err(DemoError::Build { status: output.status.to_string() });
    }
    let found = executables(&String::from_utf8_lossy(&output.stdout));
    let find = |index| {
        let name = name(index);
        let path = found.get(&name).cloned().unwrap_or_default();
        if path.is_file() { Ok(path) } else { Err(DemoError::NoDaemon { name, path }) }
    };
    (0..VERSIONS.len()).map(find).collect()
}

/// The executables in cargo's list, by the name of their target.
fn executables(list: &str) -> BTreeMap<String, PathBuf> {
    let read = |line: &str| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let name = message.pointer("/target/name")?.as_str()?.to_owned();
        let path = message.get("executable")?.as_str()?.into();
        Some((name, path))
    };
    list.lines().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_read_from_cargos_list_and_the_rest_is_passed_over() {
        let list = r#"{"reason":"compiler-artifact","target":{"name":"axum"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"demo-daemon-v1"},"executable":"/t/release/demo-daemon-v1"}
not json
{"reason":"build-finished","success":true}"#;
        let found = executables(list);
        assert_eq!(found.len(), 1);
        assert_eq!(found.get("demo-daemon-v1"), Some(&PathBuf::from("/t/release/demo-daemon-v1")));
    }
}

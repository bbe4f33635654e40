use super::*;
use crate::demo::genesis::Cast;

fn fleet(folder: &Path) -> (Fleet, Vec<Operator>) {
    let cast = Cast::new(folder).unwrap();
    let contract = cast.members[0].address.clone();
    let way = Way { rpc: "http://127.0.0.1:1".to_owned(), contract };
    let fleet = Fleet::new(folder, &cast.operators, &way).unwrap();
    (fleet, cast.operators)
}

#[test]
fn every_configuration_is_one_that_an_agent_takes() {
    let folder = tempfile::tempdir().unwrap();
    let (fleet, operators) = fleet(folder.path());
    for (place, operator) in fleet.places().iter().zip(&operators) {
        let layers = crate::config::Layers { file: Some(place.config.clone()), ..Default::default() };
        let config = layers.agent().unwrap();
        assert_eq!(config.node.home, place.home);
        assert_eq!(config.node.hot_key, operator.hot_file);
        assert_eq!(config.node.operator, operator.owner.address);
        assert_eq!(config.daemon.args, ["--listen", &format!("127.0.0.1:{}", place.daemon_port)]);
        assert_eq!(config.http.listen, place.pages());
        assert_eq!(config.health.required.len(), 1);
    }
}

#[test]
fn no_two_nodes_share_a_port() {
    let folder = tempfile::tempdir().unwrap();
    let (fleet, _) = fleet(folder.path());
    let mut ports: Vec<u16> = fleet.daemon_ports();
    ports.extend(fleet.places().iter().map(|place| place.pages_port));
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 12);
}

#[tokio::test]
async fn a_process_that_ignores_a_polite_word_is_ended_all_the_same() {
    let mut stubborn = std::process::Command::new("/bin/sh")
        .args(["-c", "trap '' TERM; echo up; while :; do read line || exec sleep 60; done"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut up = [0; 3];
    std::io::Read::read_exact(stubborn.stdout.as_mut().unwrap(), &mut up).unwrap();
    let pid = stubborn.id();
    let process = Process { pid, start_ticks: started(pid).unwrap() };
    clear(&[process]).await.unwrap();
    assert!(!process.is_alive());
    stubborn.wait().unwrap();
}

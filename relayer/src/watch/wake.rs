//! A websocket that says "look now". Nothing depends on it: it may die, stay silent or lie.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{connect_async_with_config, tungstenite::Message};

use super::Counters;
use crate::chain::{Backoff, Rpc};

/// CometBFT pings every 27 s; a socket silent for longer than two of them is dead.
const SILENCE_LONGEST: Duration = Duration::from_secs(60);
const CONNECT_LONGEST: Duration = Duration::from_secs(10);
const MESSAGE_BYTES_MAX: usize = 1 << 20;
const SUBSCRIBE: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"query":"tm.event='NewBlockHeader'"}}"#;

/// Keeps a socket open for ever and wakes on whatever it says.
pub(super) async fn listen(rpc: &Rpc, wake: &Notify, counters: &Counters) {
    let mut backoff = Backoff::new(rpc.settings().backoff);
    loop {
        if let Some(url) = rpc.websocket()
            && hear(&url, wake, &mut backoff).await
        {
            counters.sockets_lost.inc();
        }
        backoff.rest().await;
    }
}

/// Listens until the socket ends; true when there was one.
async fn hear(url: &str, wake: &Notify, backoff: &mut Backoff) -> bool {
    let mut config = WebSocketConfig::default();
    config.max_message_size = Some(MESSAGE_BYTES_MAX);
    config.max_frame_size = Some(MESSAGE_BYTES_MAX);
    let connecting = connect_async_with_config(url, Some(config), true);
    let Ok(Ok((mut socket, _))) = timeout(CONNECT_LONGEST, connecting).await else {
        return false;
    };
    if socket.send(Message::text(SUBSCRIBE)).await.is_err() {
        return true;
    }
    while let Ok(Some(Ok(message))) = timeout(SILENCE_LONGEST, socket.next()).await {
        match message {
            Message::Text(_) | Message::Binary(_) => {
                backoff.reset();
                wake.notify_one();
            }
            Message::Close(_) => break,
            _ => {}
        }
    }
    true
}

//! Either way of reading a chain.

use serde_json::Value;

use super::{Address, At, Chain, Head, LightChain, Rpc, RpcError};

/// How an agent reads its chain.
#[derive(Clone, Debug)]
pub enum Reader {
    /// As the nodes say.
    Plain(Rpc),
    /// As they prove.
    Proved(LightChain),
}

impl Chain for Reader {
    async fn head(&self) -> Result<Head, RpcError> {
        match self {
            Self::Plain(rpc) => rpc.head().await,
            Self::Proved(light) => light.head().await,
        }
    }

    async fn block_time_nanos(&self, height: u64) -> Result<u64, RpcError> {
        match self {
            Self::Plain(rpc) => rpc.block_time_nanos(height).await,
            Self::Proved(light) => light.block_time_nanos(height).await,
        }
    }

    async fn raw(&self, contract: &Address, key: &[u8], height: u64) -> Result<Option<Vec<u8>>, RpcError> {
        match self {
            Self::Plain(rpc) => rpc.raw(contract, key, height).await,
            Self::Proved(light) => light.raw(contract, key, height).await,
        }
    }

    async fn smart(&self, contract: &Address, query: &Value, at: At) -> Result<Vec<u8>, RpcError> {
        match self {
            Self::Plain(rpc) => rpc.smart(contract, query, at).await,
            Self::Proved(light) => light.smart(contract, query, at).await,
        }
    }
}

//! Code and contracts of x/wasm: the messages that bring them on chain, and what the chain says of them.

use std::io::Write;

use concord_schema::Digest;
use cosmrs::Any;
use cosmrs::proto::cosmos::base::query::v1beta1::PageRequest;
use cosmrs::proto::cosmwasm::wasm::v1::{
    CodeInfoResponse, MsgInstantiateContract2, MsgStoreCode, QueryCodeRequest, QueryCodeResponse,
    QueryCodesRequest, QueryCodesResponse, QueryContractInfoRequest, QueryContractInfoResponse,
};
use cosmwasm_std::{CanonicalAddr, Instantiate2AddressError};
use prost::Message;

use super::At;
use super::address::{Address, AddressError};
use super::error::RpcError;
use super::rpc::Rpc;

/// The largest code that x/wasm takes, in bytes before compression (its `MaxWasmSize`).
pub const WASM_BYTES_MAX: usize = 800 << 10;
/// The longest salt that x/wasm takes, in bytes.
pub const SALT_BYTES_MAX: usize = 64;
/// The longest label that x/wasm takes, in bytes.
pub const LABEL_BYTES_MAX: usize = 128;
/// Codes a page, and pages that are looked through for one of ours, the newest first.
const PAGE_CODES: u64 = 100;
const PAGES_MAX: u32 = 50;

/// A code on chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Its number.
    pub id: u64,
    /// Who uploaded it.
    pub creator: String,
    /// SHA-256 of the wasm, as the chain says.
    pub checksum: Digest,
}

/// A contract on chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// The code that it runs.
    pub code_id: u64,
    /// Who instantiated it.
    pub creator: String,
    /// Who may migrate it; nobody when empty.
    pub admin: String,
    /// What people call it.
    pub label: String,
}

/// Why no address could be told in advance.
#[derive(Debug, thiserror::Error)]
pub enum PredictError {
    /// The salt has another length than the chain takes, or the checksum is none.
    #[error(
        "expected a salt of 1 to {SALT_BYTES_MAX} bytes, found one that x/wasm refuses; give another --salt"
    )]
    Salt(#[source] Instantiate2AddressError),
    /// The prefix is none.
    #[error(transparent)]
    Address(#[from] AddressError),
}

/// The address of the contract that `creator` instantiates with this code and salt (x/wasm's instantiate2 without the
/// message in the hash), under the creator's own address prefix.
///
/// # Errors
/// [`PredictError`].
pub fn predict(checksum: &Digest, creator: &Address, salt: &[u8]) -> Result<Address, PredictError> {
    let canonical = CanonicalAddr::from(creator.bytes());
    let bytes =
        cosmwasm_std::instantiate2_address(&checksum.0, &canonical, salt).map_err(PredictError::Salt)?;
    Ok(Address::new(creator.prefix(), bytes.as_slice())?)
}

/// The message that uploads `wasm`, compressed: as it is, most contracts would not fit into one call of a node's RPC.
///
/// # Errors
/// The compression's, which has no cause in practice.
pub fn store_code(sender: &Address, wasm: &[u8]) -> Result<Any, std::io::Error> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(wasm)?;
    let message = MsgStoreCode {
        sender: sender.text().to_owned(),
        wasm_byte_code: gzip.finish()?,
        instantiate_permission: None,
    };
    Ok(Any { type_url: "/cosmwasm.wasm.v1.MsgStoreCode".into(), value: message.encode_to_vec() })
}

/// The message that instantiates a code under a predictable address.
#[must_use]
pub fn instantiate2(
    sender: &Address,
    admin: &Address,
    code_id: u64,
    label: &str,
    msg: &[u8],
    salt: &[u8],
) -> Any {
    let message = MsgInstantiateContract2 {
        sender: sender.text().to_owned(),
        admin: admin.text().to_owned(),
        code_id,
        label: label.to_owned(),
        msg: msg.to_vec(),
        funds: Vec::new(),
        salt: salt.to_vec(),
        fix_msg: false,
    };
    Any { type_url: "/cosmwasm.wasm.v1.MsgInstantiateContract2".into(), value: message.encode_to_vec() }
}

impl Rpc {
    /// What the chain says of a code; `None` when there is none of this number.
    ///
    /// # Errors
    /// [`RpcError`], by cause.
    pub async fn code(&self, code_id: u64) -> Result<Option<Code>, RpcError> {
        let request = QueryCodeRequest { code_id };
        let path = "/cosmwasm.wasm.v1.Query/Code";
        let answer = match self.grpc::<QueryCodeResponse>(path, &request, At::Latest, "a code").await {
            Err(RpcError::Query { code, log, .. }) if is_absent(code, &log) => return Ok(None),
            other => other?,
        };
        let code = answer.code_info.as_ref().map(read_code).transpose()?;
        // The node sends the code too: it must be what the checksum is of.
        if let Some(code) = &code
            && !answer.data.is_empty()
            && Digest::of(&answer.data) != code.checksum
        {
            return Err(odd(
                "code of the checksum that the node tells",
                Digest::of(&answer.data).to_string(),
            ));
        }
        Ok(code)
    }

    /// The newest code with this checksum that `creator` uploaded, among the newest 5,000 of the chain.
    ///
    /// # Errors
    /// [`RpcError`], by cause.
    pub async fn code_of(&self, checksum: &Digest, creator: &Address) -> Result<Option<Code>, RpcError> {
        let mut key = Vec::new();
        for _ in 0..PAGES_MAX {
            let pagination =
                Some(PageRequest { key, limit: PAGE_CODES, reverse: true, ..PageRequest::default() });
            let request = QueryCodesRequest { pagination };
            let path = "/cosmwasm.wasm.v1.Query/Codes";
            let answer: QueryCodesResponse = self.grpc(path, &request, At::Latest, "a list of codes").await?;
            for info in &answer.code_infos {
                if info.creator == creator.text() && info.data_hash == checksum.0 {
                    return read_code(info).map(Some);
                }
            }
            key = answer.pagination.map(|page| page.next_key).unwrap_or_default();
            if key.is_empty() {
                break;
            }
        }
        Ok(None)
    }

    /// What the chain says of a contract; `None` when there is none at the address.
    ///
    /// # Errors
    /// [`RpcError`], by cause.
    pub async fn contract(&self, address: &Address) -> Result<Option<Contract>, RpcError> {
        let request = QueryContractInfoRequest { address: address.text().to_owned() };
        let path = "/cosmwasm.wasm.v1.Query/ContractInfo";
        let read = self.grpc::<QueryContractInfoResponse>(path, &request, At::Latest, "a contract's record");
        let answer = match read.await {
            Err(RpcError::Query { code, log, .. }) if is_absent(code, &log) => return Ok(None),
            other => other?,
        };
        if answer.address != address.text() {
            return Err(odd("the record of the contract asked for", answer.address));
        }
        Ok(answer.contract_info.map(|info| Contract {
            code_id: info.code_id,
            creator: info.creator,
            admin: info.admin,
            label: info.label,
        }))
    }
}

/// Whether a refusal says that there is no such thing: the text is x/wasm's, the code the query router's.
fn is_absent(code: u32, log: &str) -> bool {
    ["no such contract", "no such code", "not found"].iter().any(|text| log.contains(text)) || code == 22
}

fn read_code(info: &CodeInfoResponse) -> Result<Code, RpcError> {
    let checksum = info.data_hash.as_slice().try_into().map(Digest);
    let checksum = checksum.map_err(|_| odd("a checksum of 32 bytes", hex::encode(&info.data_hash)))?;
    Ok(Code { id: info.code_id, creator: info.creator.clone(), checksum })
}

fn odd(expected: &'static str, found: String) -> RpcError {
    RpcError::Decode { endpoint: "the chain".into(), expected, found: found.chars().take(128).collect() }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn addresses_are_those_that_a_chain_gave() {
        // Test vectors of CosmJS, which x/wasm checks too.
        let checksum: Digest =
            "13a1fc994cc6d1c81b746ee0c0ff6f90043875e0bf1d9be6b7d779fc978dc2a5".parse().unwrap();
        let long = "aabbccddeeffffeeddbbccddaa66551155aaaabbcc787878789900aabbccddeeffffeeddbbccddaa66551155aaaabbcc787878789900aabbbbcc221100acadae";
        let account = "purple1nxvenxve42424242hwamhwamenxvenxvhxf2py";
        let contract = "purple1nxvenxve42424242hwamhwamenxvenxvmhwamhwaamhwamhwlllsatsy6m";
        for (creator, salt, address) in [
            (account, "61", "purple1t6r960j945lfv8mhl4mage2rg97w63xeynwrupum2s2l7em4lprs9ce5hk"),
            (account, long, "purple1jwzvvfyvpwchrccxl476pxf7c83qawsqv3f2820q0zyrav6eg4jqdcq7gc"),
            (contract, "61", "purple1juj7jn6j3k9h35euyhealntquc2zmzlxp2ek76jmtypkl4g4vrdsfwmwxk"),
            (contract, long, "purple1p2h3cvw9655ay8vfsa6mcddng9h5007ejxyvxdxxcutpqt9axyqsagmmay"),
        ] {
            let found = predict(&checksum, &creator.parse().unwrap(), &hex::decode(salt).unwrap()).unwrap();
            assert_eq!(found.text(), address);
        }
        let creator: Address = account.parse().unwrap();
        assert!(predict(&checksum, &creator, b"").is_err());
        assert!(predict(&checksum, &creator, &[1; SALT_BYTES_MAX]).is_ok());
        assert!(predict(&checksum, &creator, &[1; SALT_BYTES_MAX + 1]).is_err());
    }

    #[test]
    fn an_upload_is_gzip_of_the_same_bytes() {
        let creator = Address::new("wasm", &[7; 20]).unwrap();
        let wasm = [b"\0asm".as_slice(), &[0; 10_000]].concat();
        let any = store_code(&creator, &wasm).unwrap();
        let message = MsgStoreCode::decode(any.value.as_slice()).unwrap();
        assert!(message.wasm_byte_code.len() < 200);
        assert_eq!(message.sender, creator.text());
        let mut back = Vec::new();
        flate2::read::GzDecoder::new(message.wasm_byte_code.as_slice()).read_to_end(&mut back).unwrap();
        assert_eq!(back, wasm);
        // The same file makes the same bytes: nothing of the host, such as a time, is in them.
        assert_eq!(store_code(&creator, &wasm).unwrap(), any);
    }

    #[test]
    fn absence_is_told_from_refusal() {
        assert!(is_absent(22, "address wasm1x: no such contract"));
        assert!(is_absent(
            6,
            "rpc error: code = Unknown desc = address wasm1x: no such contract: unknown request"
        ));
        assert!(is_absent(28, "code id 9: no such code"));
        assert!(!is_absent(18, "rpc error: code = InvalidArgument desc = decoding bech32 failed"));
    }
}

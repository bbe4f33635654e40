//! What a wallet signs when it is asked to sign a text for an address: ADR-36 of the Cosmos SDK (`signArbitrary`).
//!
//! The signature is by secp256k1 over the SHA-256 of an amino JSON document without chain, account or sequence, so it
//! is good for every chain: what is signed must carry its own domain, as a statement's text does.

use cosmwasm_std::Binary;

/// The document around `data`, for `signer` in bech32: compact JSON with its names in order, as wallets write it.
///
/// Neither part needs escaping: bech32 and base64 have no letter that JSON escapes.
#[must_use]
pub fn sign_doc(signer: &str, data: &[u8]) -> Vec<u8> {
    let data = Binary::from(data).to_base64();
    let doc = [
        r#"{"account_number":"0","chain_id":"","fee":{"amount":[],"gas":"0"},"memo":"","msgs":["#,
        r#"{"type":"sign/MsgSignData","value":{"data":""#,
        &data,
        r#"","signer":""#,
        signer,
        r#""}}],"sequence":"0"}"#,
    ];
    doc.concat().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by `serializeSignDoc` of `@cosmjs/amino` 0.38.1 for the same data and signer.
    #[test]
    fn the_document_is_the_one_that_wallets_sign() {
        let doc = sign_doc(
            "wasm1w508d6qejxtdg4y5r3zarvary0c5xw7kzcelq4",
            b"Concord attestation\nchain: <a> & \"b\"\n",
        );
        assert_eq!(String::from_utf8(doc).unwrap(), include_str!("adr36.golden").trim_end());
    }
}

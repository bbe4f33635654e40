//! A recorded way from an anchor to proved values, made here or captured from a real chain, that a lie can be put into.

use std::collections::BTreeMap;

use concord_prove::{
    Anchor, Light, Reason, Root, StateKey, Step, Time, Verdict, light_block, read, standing, verify_header,
};
use serde_json::Value;

use super::maker::{CHAIN_ID, CONTRACT, Chain};
use super::world::{Node, after, run, terms};

pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) chain_id: String,
    pub(crate) contract: Vec<u8>,
    pub(crate) anchor: Anchor,
    pub(crate) to: u64,
    pub(crate) now: Time,
    pub(crate) answers: BTreeMap<String, String>,
    pub(crate) reads: Vec<(StateKey, Option<Vec<u8>>)>,
}

/// Names of questions as [`concord_prove::Question::name`] makes them.
const NOTHING: &str = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"nobody asked that"}}"#;

impl Scene {
    /// A made chain's way from one height to another.
    pub(crate) fn made(name: &'static str, chain: &Chain, from: u64, to: u64) -> Self {
        let own = |key: &[u8]| StateKey::contract(&CONTRACT, key);
        let keys =
            [own(b"tip"), own(&[b'k', 6]), own(&[b'k', 7]), own(b"a"), StateKey::raw("wasm", &[9]).unwrap()];
        let values = [Some(&b"?"[..]), Some(br#"{"n":3}"#), None, None, None];
        let tip = (to - 1).to_string().into_bytes();
        let reads = keys.into_iter().zip(values).map(|(key, value)| {
            (key, value.map(|value| if value == b"?" { tip.clone() } else { value.to_vec() }))
        });
        let mut scene = Self {
            name,
            chain_id: CHAIN_ID.to_owned(),
            contract: CONTRACT.to_vec(),
            anchor: chain.anchor(from),
            to,
            now: after(to),
            answers: BTreeMap::new(),
            reads: reads.collect(),
        };
        let sources = [Node::honest("a", chain), Node::honest("b", chain)];
        let root = scene.climb(&sources).unwrap();
        for (key, value) in &scene.reads {
            assert_eq!(run(read(&sources[0], CHAIN_ID, key, &root)).unwrap(), *value);
        }
        run(standing(&sources[0], CHAIN_ID)).unwrap();
        scene.answers = sources[0].answers();
        for height in [from + 1, to + 1] {
            let question = concord_prove::Question::validators(height, 1);
            scene.answers.insert(question.name(), chain.answer(question.body()));
        }
        scene
    }

    /// What `examples/capture.rs` wrote.
    pub(crate) fn captured(name: &'static str, text: &str) -> Self {
        let file: Value = serde_json::from_str(text).unwrap();
        let word = |key: &str| file[key].as_str().unwrap().to_owned();
        let reads = file["reads"].as_array().unwrap().iter().map(|read| {
            let key = hex::decode(read["key"].as_str().unwrap()).unwrap();
            let key = StateKey::raw(read["store"].as_str().unwrap(), &key).unwrap();
            (key, read["value"].as_str().map(|value| hex::decode(value).unwrap()))
        });
        Self {
            name,
            chain_id: word("chain_id"),
            contract: hex::decode(word("contract")).unwrap(),
            anchor: word("anchor").parse().unwrap(),
            to: file["to"].as_u64().unwrap(),
            now: Time::parse_from_rfc3339(&word("now")).unwrap(),
            answers: file["answers"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, answer)| (name.clone(), answer.to_string()))
                .collect(),
            reads: reads.collect(),
        }
    }

    pub(crate) fn node(&self, label: &str) -> Node<'_> {
        Node::from_answers(label, |question| {
            self.answers.get(&question.name()).cloned().unwrap_or_else(|| NOTHING.to_owned())
        })
    }

    /// A source that answers one question with `lie`.
    pub(crate) fn liar(&self, about: &str, lie: &str) -> Node<'_> {
        let (about, lie) = (about.to_owned(), lie.to_owned());
        self.node("liar").tweaked(move |name, body| Ok(if name == about { lie.clone() } else { body }))
    }

    /// From the anchor to the header, by the first source and confirmed by the rest: the first source's refusal.
    pub(crate) fn climb(&self, sources: &[Node<'_>]) -> Result<Root, Reason> {
        let anchor = self.anchor;
        let begun = run(Light::begin(&sources[..1], &self.chain_id, anchor, "", terms(), self.now));
        let mut light = begun.verdict.proved()?;
        let told = run(light.root(sources, self.to, self.now));
        match told.refusals.into_iter().find(|refusal| refusal.source == 0) {
            Some(refusal) => {
                // Whatever one source says, the others still lead to the header.
                assert!(matches!(told.verdict, Verdict::Yes(_)), "{}: {:?}", self.name, told.verdict);
                Err(refusal.reason)
            }
            None => told.verdict.proved(),
        }
    }

    pub(crate) fn honest_root(&self) -> Root {
        self.climb(&[self.node("a"), self.node("b"), self.node("c")]).unwrap()
    }

    /// The way by one source alone, without witnesses: which questions lead to the anchor, and what is trusted there.
    pub(crate) fn begin(&self, source: Node<'_>) -> Result<(Vec<String>, Light), Reason> {
        let sources = [source];
        let begun = run(Light::begin(&sources, &self.chain_id, self.anchor, "", terms(), self.now));
        Ok((sources[0].asked(), begun.verdict.proved()?))
    }

    /// What a lie about one question is refused for; `None` when it changes nothing that is used.
    pub(crate) fn refusal(&self, about: &str, lie: &str, root: &Root) -> Option<Reason> {
        self.refusal_by(about, lie, root, || {
            self.climb(&[self.liar(about, lie), self.node("b"), self.node("c")])
        })
    }

    /// The same where `light` was begun before the lie: by far fewer signatures, and without the sources that heal it.
    pub(crate) fn refusal_alone(
        &self,
        (asked, light): &(Vec<String>, Light),
        about: &str,
        lie: &str,
        root: &Root,
    ) -> Option<Reason> {
        self.refusal_by(about, lie, root, || {
            let begun;
            let trusted = if asked.iter().any(|name| name == about) {
                begun = self.begin(self.liar(about, lie))?.1;
                begun.latest()
            } else {
                light.latest()
            };
            let block = run(light_block(&self.liar(about, lie), self.to))?;
            let Step::Verified(reached) = verify_header(trusted, &block, &terms(), self.now)? else {
                panic!("{}: too far for one step", self.name)
            };
            let app_hash = reached.header().app_hash.as_bytes().try_into().unwrap();
            Ok(Root { height: reached.height(), time: reached.time(), app_hash })
        })
    }

    fn refusal_by(
        &self,
        about: &str,
        lie: &str,
        root: &Root,
        climb: impl FnOnce() -> Result<Root, Reason>,
    ) -> Option<Reason> {
        if about == "status" {
            return run(standing(&self.liar(about, lie), &self.chain_id)).err();
        }
        let asked = self.reads.iter().find(|(key, _)| key.question(root.state_height()).name() == about);
        if let Some((key, value)) = asked {
            let told = run(read(&self.liar(about, lie), &self.chain_id, key, root));
            if let Ok(found) = &told {
                assert_eq!(found, value, "{}: a lie about {about} was believed", self.name);
            }
            return told.err();
        }
        let told = climb();
        if let Ok(found) = &told {
            assert_eq!(found, root, "{}: a lie about {about} was believed", self.name);
        }
        told.err()
    }
}

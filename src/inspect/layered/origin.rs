//! Tells what an image has from its base by comparing both, where they do not share layers: the same
//! path with the same attributes and the same content is the base's.

use std::collections::BTreeMap;
use std::io::Read as _;

use super::{Base, Body, Id, Inode, Layered, ROOT};

/// How much is compared at once.
const PIECE: usize = 64 << 10;

impl Layered {
    /// Compares everything with a base.
    pub(crate) fn compare(&mut self, base: &Self) {
        self.base = Base::Compared;
        for node in &mut self.nodes {
            (node.layer, node.below) = (1, None);
        }
        let mut pairs = vec![(ROOT, ROOT)];
        // Files of many names, which are compared once.
        let mut known: BTreeMap<(u32, u32), bool> = BTreeMap::new();
        while let Some((ours, theirs)) = pairs.pop() {
            let inodes = (self.node(ours).inode, base.node(theirs).inode);
            let is_shared = self.inode(ours).links > 1 && base.inode(theirs).links > 1;
            let is_same = match known.get(&inodes) {
                Some(known) => *known,
                None => self.is_same((ours, base, theirs)),
            };
            if is_shared {
                known.insert(inodes, is_same);
            }
            if is_same {
                self.nodes[ours as usize].layer = 0;
            } else {
                let inode = Inode { body: Body::None, ..base.inode(theirs).clone() };
                let number = u32::try_from(self.inodes.len()).unwrap_or(u32::MAX);
                self.inodes.push(inode);
                self.nodes[ours as usize].below = Some(Box::new(vec![(0, number)]));
            }
            let both =
                self.names(ours).filter_map(|(name, id)| Some((id, base.child(theirs, name)?)));
            let both: Vec<_> = both.collect();
            pairs.extend(both);
        }
    }

    fn is_same(&self, (ours, base, theirs): (Id, &Self, Id)) -> bool {
        let (one, other) = (self.inode(ours), base.inode(theirs));
        let attributes = (one.mode, one.uid, one.gid, &one.capability)
            == (other.mode, other.uid, other.gid, &other.capability);
        let bodies = match (&one.body, &other.body) {
            (Body::None, Body::None) => true,
            (Body::Link(one), Body::Link(other)) => one == other,
            _ => one.size() == other.size() && self.holds_same((ours, base, theirs)),
        };
        attributes && bodies
    }

    /// What cannot be read is not the same.
    fn holds_same(&self, (ours, base, theirs): (Id, &Self, Id)) -> bool {
        if self.inode(ours).size() == 0 {
            return true;
        }
        let (Ok(mut one), Ok(mut other)) = (self.open(ours), base.open(theirs)) else {
            return false;
        };
        let (mut left, mut right) = (Vec::new(), Vec::new());
        loop {
            left.clear();
            right.clear();
            let one = one.by_ref().take(PIECE as u64).read_to_end(&mut left);
            let other = other.by_ref().take(PIECE as u64).read_to_end(&mut right);
            match (one, other) {
                (Ok(_), Ok(_)) if left != right => return false,
                (Ok(0), Ok(_)) => return true,
                (Ok(_), Ok(_)) => {}
                _ => return false,
            }
        }
    }
}

//! `/api/map`, `/api/map/node`, `/api/map/edge`.

mod drawing;
mod edge;
mod graph;
mod node;
mod whole;

pub(super) use self::edge::edge;
pub(super) use self::node::node;
pub(super) use self::whole::map;

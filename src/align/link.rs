//! The joining in progress: which parts are already in which joined connection.

use super::joined::{Joined, Leg, Link, LinkBy, Near, Records};

/// Joined connections under construction, with where each part went.
#[derive(Debug)]
pub struct Links {
    /// The joined connections so far.
    pub joined: Vec<Joined>,
    /// For each captured connection, its joined one.
    pub of_conn: Vec<usize>,
    /// For each server life, for each of its connections.
    pub of_server: Vec<Vec<Option<usize>>>,
    /// For each client story, for each of its connections.
    pub of_client: Vec<Vec<Option<usize>>>,
    /// For each client story, how far its log would move if another pairing that explains as much were the true one.
    pub doubt: Vec<i64>,
    /// How many parts of server logs are joined to something.
    pub servers: usize,
    /// How often a join or a doubt came: clocks solved at one count need not be solved at it again.
    pub changes: usize,
}

impl Links {
    /// From groups of captured connections: `root` names for each connection the first one of its group.
    pub fn from_groups(records: &Records, root: &[u32], links: &[(u32, Link)]) -> Self {
        let own = |(conn, first): &(usize, &u32)| *conn == **first as usize;
        let mut joined: Vec<Joined> =
            Vec::with_capacity(root.iter().enumerate().filter(own).count());
        let mut of_conn: Vec<usize> = vec![usize::MAX; records.conns.len()];
        for (conn, first) in root.iter().map(|root| *root as usize).enumerate() {
            let leg = Leg::new(conn, Near::Unknown);
            if first == conn {
                of_conn[conn] = joined.len();
                joined.push(Joined::captured(leg));
            } else {
                of_conn[conn] = of_conn[first];
                joined[of_conn[first]].conns.push(leg);
            }
        }
        for (conn, link) in links {
            joined[of_conn[*conn as usize]].links.push(link.clone());
        }
        Self {
            joined,
            of_conn,
            of_server: records
                .servers
                .iter()
                .map(|life| vec![None; life.conns.len()])
                .collect(),
            doubt: vec![0; records.clients.len()],
            servers: 0,
            changes: 0,
            of_client: records
                .clients
                .iter()
                .map(|story| vec![None; story.conns.len()])
                .collect(),
        }
    }

    /// Puts a server log's connection into a joined one, unless either already has a partner.
    pub fn server(
        &mut self,
        joined: usize,
        life: usize,
        conn: usize,
        by: LinkBy,
        sure: bool,
    ) -> bool {
        if self.of_server[life][conn].is_some() || self.joined[joined].server().is_some() {
            return false;
        }
        self.of_server[life][conn] = Some(joined);
        self.joined[joined].set_server(life, conn);
        self.joined[joined].links.push(Link { by, sure });
        self.servers += 1;
        self.changes += 1;
        true
    }

    /// Puts a client log's connection into a joined one, unless either already has a partner.
    pub fn client(
        &mut self,
        joined: usize,
        story: usize,
        conn: usize,
        by: LinkBy,
        sure: bool,
    ) -> bool {
        if self.of_client[story][conn].is_some() || self.joined[joined].client().is_some() {
            return false;
        }
        self.of_client[story][conn] = Some(joined);
        self.joined[joined].set_client(story, conn);
        self.joined[joined].links.push(Link { by, sure });
        self.changes += 1;
        true
    }

    /// Notes how far a story's log would move if another pairing that explains as much were the true one.
    pub fn put_in_doubt(&mut self, story: usize, doubt: i64) {
        if doubt > self.doubt[story] {
            self.doubt[story] = doubt;
            self.changes += 1;
        }
    }

    /// The joined connections; where each part went is let go.
    pub fn into_joined(self) -> Vec<Joined> {
        self.joined
    }

    /// Server connections that no capture holds become joined connections of their own.
    pub fn lone_servers(&mut self, records: &Records) {
        for (life, server) in records.servers.iter().enumerate() {
            for conn in 0..server.conns.len() {
                if self.of_server[life][conn].is_none() && server.conns[conn].peer.is_some() {
                    self.of_server[life][conn] = Some(self.joined.len());
                    let mut joined = Joined::default();
                    joined.set_server(life, conn);
                    self.joined.push(joined);
                }
            }
        }
    }

    /// Client connections that nothing else tells of become joined connections of their own.
    pub fn lone_clients(&mut self) {
        for story in 0..self.of_client.len() {
            for conn in 0..self.of_client[story].len() {
                if self.of_client[story][conn].is_none() {
                    self.of_client[story][conn] = Some(self.joined.len());
                    let mut joined = Joined::default();
                    joined.set_client(story, conn);
                    self.joined.push(joined);
                }
            }
        }
    }
}

//! Examples after the help of each command.

/// The whole command.
pub const COMMAND: &str = "\
Examples:
  natsleuth bundle/                              every log and capture in a folder or archive
  natsleuth server.log client.log trace.pcap     single files
  natsleuth bundle.tar.gz --format html -o report.html
  kubectl logs nats-0 --timestamps | natsleuth -
  natsleuth why server.log:1234 bundle/          what a line is evidence for
  natsleuth carve --close c1 bundle/ -o c1.pcapng
  natsleuth explain network/idle-timeout         what a verdict means and what to do

Exit status: 0 analysed; 1 a cause named in --fail-on was found; 2 bad usage or a path that does not exist; 3 with \
--strict, input partly unreadable; 65 nothing in the input can be analysed (do not retry); 74 reading or writing failed \
(retry).";

/// `analyze`.
pub const ANALYZE: &str = "\
Examples:
  natsleuth bundle/ --summary                    only the answer and what to do
  natsleuth bundle/ --client 'orders-*' --since 2026-11-23T05:00:00Z
  natsleuth bundle/ --fail-on network,slow-consumer --format json -o report.json
  natsleuth app.log nats.log --tz app.log=+05:30 --clock nats.log=-2.5s";

/// `conns`.
pub const CONNS: &str = "\
Examples:
  natsleuth conns server.pcap
  natsleuth conns bundle/ --format tsv -o conns.tsv
  natsleuth conns server.pcap --format ndjson | jq 'select(.end == \"rst\")'";

/// `sessions`.
pub const SESSIONS: &str = "\
Examples:
  natsleuth sessions server.pcap
  natsleuth sessions server.pcap --format ndjson";

/// `timeline`.
pub const TIMELINE: &str = "\
Examples:
  natsleuth timeline bundle/ --client 'orders-*'
  natsleuth timeline bundle/ --since 2026-11-23T05:18:00Z --until 2026-11-23T05:19:00Z
  natsleuth timeline bundle/ --format ndjson -o timeline.ndjson";

/// `explain`.
pub const EXPLAIN: &str = "\
Examples:
  natsleuth explain                              the list of causes
  natsleuth explain slow-consumer                every detail of one cause
  natsleuth explain network/rst-injected         one verdict";

/// `why`.
pub const WHY: &str = "\
Examples:
  natsleuth why server.log:1234 bundle/          a line
  natsleuth why 'client.pcap:#4711' bundle/      a packet, as reports cite it";

/// `carve`.
pub const CARVE: &str = "\
Examples:
  natsleuth carve --close c12 bundle/ -o c12.pcapng       one close
  natsleuth carve --close i1 bundle/ -o incident.pcapng   every close of an incident
  natsleuth carve --close c12 bundle/ -o - | wireshark -k -i -";

/// `batch`.
pub const BATCH: &str = "\
Examples:
  natsleuth batch bundles/ -o out/               a report for each bundle, one data set of all
  natsleuth batch bundles/ -o out/ --depth 2     bundles/CUSTOMER/BUNDLE
  natsleuth batch bundles/ -o out/ --shard 0/8   one of eight tasks; Slurm, Kubernetes and AWS Batch are recognised

Exit status: 0 all done; 65 some bundles cannot be analysed (recorded, do not retry); 74 some were lost to the system \
(retry).";

import Storage

/// When a node makes snapshots of its ledger, and when it takes another's.
public struct SnapshotSettings: Sendable, Equatable {
    /// Final blocks from one snapshot to the next; 0 makes none. Nodes with the same number make the same snapshots.
    public var everyBlocks: UInt64 = 10_000
    /// An empty node takes a snapshot that is ahead by more than this many blocks, and fetches blocks otherwise; 0 never
    /// takes one. Nil: twice the replay window, whose blocks come with every snapshot.
    public var joinAheadBlocks: UInt64?
    /// Bytes that are given to other nodes in a second, to all of them together.
    public var servedBytesPerSecondMax = 67_108_864
    /// Requests of one peer that wait; more are refused.
    public var requestsPerPeerMax = 4
    /// A peer for which this many bytes wait already is given nothing more until they have left.
    public var peerBacklogBytesMax = 8_388_608
    /// Snapshot messages that wait to be looked at; more are dropped. More than all pieces that are asked for at a time.
    public var inboundBytesMax = 268_435_456
    /// Making snapshots takes at most this share of one core's time: 1 in so many.
    public var makingPauseFactor: UInt64 = 20
    /// The older snapshot stays while it is fetched from, for at most this long.
    public var keepWhileServedMs: UInt64 = 1_800_000
    public var sizes = SnapshotSizes()
    public var fetching = SnapshotFetcher.Limits()

    public init() {}
}

/// What a node does with snapshots, for status pages and metrics.
public struct SnapshotStatus: Sendable, Equatable {
    /// Heights of those that are offered, oldest first.
    public internal(set) var offered: [UInt64] = []
    public internal(set) var made: UInt64 = 0
    public internal(set) var makingMilliseconds: UInt64 = 0
    public internal(set) var servedChunks: UInt64 = 0
    public internal(set) var servedBytes: UInt64 = 0
    public internal(set) var fetchedChunks: UInt64 = 0
    public internal(set) var fetchedBytes: UInt64 = 0
    /// Peers that gave what is not genuine since the start.
    public internal(set) var liars: UInt64 = 0
    /// The snapshot that is being fetched: its height, its chunks, and how many are here.
    public internal(set) var fetchingHeight: UInt64 = 0
    public internal(set) var chunks: UInt64 = 0
    public internal(set) var chunksHere: UInt64 = 0

    /// Name in the exposition format, value, help in English and Chinese.
    public var lines: [(name: String, value: UInt64, help: String)] {
        [
            ("huijin_snapshots_made_total", made, "snapshots made / 已生成快照"),
            (
                "huijin_snapshot_making_milliseconds_total", makingMilliseconds,
                "time in making them / 生成快照用时（毫秒）"
            ),
            (
                "huijin_snapshot_served_chunks_total", servedChunks,
                "snapshot chunks given to peers / 已提供的快照分片"
            ),
            (
                "huijin_snapshot_served_bytes_total", servedBytes,
                "bytes of snapshots given to peers / 已提供的快照字节"
            ),
            (
                "huijin_snapshot_fetched_chunks_total", fetchedChunks,
                "snapshot chunks fetched and proven / 已取得并核验的快照分片"
            ),
            (
                "huijin_snapshot_fetched_bytes_total", fetchedBytes,
                "bytes of them / 其字节数"
            ),
            (
                "huijin_snapshot_liars_total", liars,
                "peers that gave false pieces / 提供虚假快照的对端"
            ),
            (
                "huijin_snapshot_chunks", chunks,
                "chunks of the snapshot being fetched / 正在获取的快照分片数"
            ),
            (
                "huijin_snapshot_chunks_here", chunksHere, "of these, here / 其中已取得"
            ),
        ]
    }
}

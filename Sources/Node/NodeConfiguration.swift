import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Logging
import Market
import Storage
import Transport

public typealias HostPort = Transport.HostPort

/// All that one node needs, opened and checked against its genesis.
public struct NodeConfiguration: Sendable {
    public var genesis: Genesis
    public var genesisBytes: [UInt8]
    public var dataDirectory: String
    /// Where the voting key's binding to its store is kept: the folder of the key's file. Not within the data folder, which
    /// may be lost or restored without the key. Nil for an observer.
    public var bindingFolder: String?
    /// The organisation that runs the node; an observer's own name.
    public var name: String
    /// Position in the validator set of genesis; nil for a node that joined later or whose keys were replaced. Which seat
    /// it has in the present epoch, if any, follows from its voting key.
    public var seat: Int?
    /// Nil for an observer.
    public var votingKey: SigningKey?
    public var transport: TransportIdentity
    /// Nil for an observer, to which nobody connects.
    public var listen: HostPort?
    public var api: HostPort
    /// Validators, nodes that may become validators, and the observers that this node admits. The key of a validator of
    /// genesis gives way to what the chain says later.
    public var peers: [PeerEndpoint]
    public var logLevel: Logger.Level
    public var limits = NodeLimits()
    public var networkLimits = NetworkLimits()
    public var snapshots = SnapshotSettings()
    /// Told on the snapshots' thread of each change of `HuijinNode.snapshots`, and when a stage is gone.
    var onSnapshotChange: @Sendable () -> Void = {}
    /// Taken once, at the start.
    public var recovery: Recovery?
    /// Tests limit the size of the store with it; a node leaves it as it is.
    public var storeOptions = Store.Options()

    /// - Parameters:
    ///   - seat: must hold `votingKey` and `transport` in the genesis set; `load` checks that.
    ///   - peers: with distinct indices.
    public init(
        genesis: Genesis, dataDirectory: String, bindingFolder: String?, seat: Int?,
        votingKey: SigningKey?, transport: TransportIdentity, listen: HostPort?, api: HostPort,
        peers: [PeerEndpoint],
        logLevel: Logger.Level = .info, name: String? = nil
    ) {
        precondition(
            (votingKey == nil) == (listen == nil) && (votingKey == nil) == (bindingFolder == nil),
            "an observer has none of them, any other node all")
        self.genesis = genesis
        self.name = name ?? seat.map { genesis.validators.validators[$0].member.text } ?? "-"
        genesisBytes = genesis.encoded
        self.dataDirectory = dataDirectory
        self.bindingFolder = bindingFolder
        self.seat = seat
        self.votingKey = votingKey
        self.transport = transport
        self.listen = listen
        self.api = api
        self.peers = peers
        self.logLevel = logLevel
    }

    /// Follows and serves, and neither votes nor is connected to.
    public var isObserver: Bool { votingKey == nil }

    /// What another configuration of the same node changes and a running node cannot, if anything: the field's name.
    func fieldThatNeedsRestart(in other: NodeConfiguration) -> String? {
        if other.genesisBytes != genesisBytes { return "genesis" }
        if other.dataDirectory != dataDirectory { return "data" }
        if other.isObserver != isObserver { return "observer" }
        if other.name != name { return isObserver ? "observer" : "validator" }
        if other.votingKey?.publicKey != votingKey?.publicKey { return "votingKey" }
        if other.listen != listen { return "listen" }
        if other.api != api { return "api" }
        if other.snapshots.everyBlocks != snapshots.everyBlocks { return "snapshotEveryBlocks" }
        if other.snapshots.joinAheadBlocks != snapshots.joinAheadBlocks { return "joinAheadBlocks" }
        return other.logLevel != logLevel ? "log" : nil
    }

    /// Reads `node.json` and everything that it names. Takes a moment: opening encrypted keys is made slow on purpose.
    public static func load(
        _ path: String, passphrase: String
    ) throws(ConfigurationError) -> NodeConfiguration {
        try ConfigurationReader(path: path, file: NodeFile.read(path)).read(passphrase: passphrase)
    }
}

/// Every bound of the node beside those of the network and of the genesis.
public struct NodeLimits: Sendable {
    /// Frames from peers that wait for the replica; beyond this, peers are made to wait.
    public var inboundBytesMax = 32 * 1_048_576
    /// Of these, frames from one peer.
    public var inboundBytesPerPeerMax = 8 * 1_048_576
    /// Submitted envelopes that wait for the replica; beyond this, submitters are told `busy`.
    public var submittedEnvelopesMax = 16_384
    /// Envelopes in one submission; not above `ReplicaLimits.submissionMax`.
    public var envelopesPerSubmissionMax = 100
    /// Submissions that wait for finality.
    public var waitingSubmissionsMax = 16_384
    /// Reads of the state that wait for the replica's thread.
    public var readsMax = 1_024
    /// Threads that check transaction signatures; 0 means one for each core, at most four.
    public var verificationThreads = 0
    /// Observers that a node admits; `NetworkLimits.observersMax` of them at the same time.
    public static let observersMax = 256
    /// A peer's questions for blocks are left unanswered while more than this waits for it: it asks again.
    public var servedBytesMax = 2 * 1_048_576
    /// Committed blocks that the index has not written yet; beyond this, committing waits for it.
    public var indexBacklogBlocksMax = 512

    public init() {}
}

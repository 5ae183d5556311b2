import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Market
import Records
import Replica
import Storage

/// A node that does not run: what the operators of a ledger that has lost its quorum look at, and go on from
/// (docs/decisions/0018-recovery.md).
///
/// Opens the store as the node does, so it cannot while the node runs. It has no network, signs no vote, and makes no block final.
public struct StoppedNode {
    public struct Basis: Sendable, Equatable {
        public let finalHeight: UInt64
        public let epoch: UInt64
        /// The present seats.
        public let validators: ValidatorSet
        /// The highest block that may be final elsewhere, and the view in which it was notarized.
        public let view: UInt64
        public let height: UInt64
        public let header: Digest
    }

    private let genesis: Genesis
    private let store: Store
    private var replica: Replica<Store>

    /// - Throws: `StorageError`, also while the node runs, and where there is no ledger.
    public init(_ configuration: NodeConfiguration) throws(StorageError) {
        let path = configuration.dataDirectory + "/ledger.db"
        guard FileManager.default.fileExists(atPath: path) else {
            throw .cannotOpen(path: path, reason: "there is no ledger / 没有账本")
        }
        genesis = configuration.genesis
        store = try Store(
            folder: configuration.dataDirectory, genesis: configuration.genesis,
            options: configuration.storeOptions)
        replica = Replica(
            genesis: configuration.genesis, base: store, recovered: try store.replicaState(),
            votingKey: nil)
        // What it would do next is not done.
        _ = replica.handle(.start, nowMs: Clock.wallMs())
        if let fault = store.fault { throw fault }
    }

    public var basis: Basis {
        let (subject, certificate) = replica.recoveryBasis
        return Basis(
            finalHeight: replica.finalHeight, epoch: replica.simplex.epoch,
            validators: replica.simplex.validators, view: certificate?.view ?? 0,
            height: subject.height,
            header: subject.header)
    }

    /// A recovery without signatures that seats these validators.
    ///
    /// - Parameters:
    ///   - member: any enrolled one, whose key writes the seats down; it decides nothing.
    ///   - key: a live one of that member.
    public mutating func makeRecovery(
        seats: [Validator], by member: MemberID, with key: SigningKey
    ) throws -> Recovery {
        let body = ValidatorRecover(seats: seats)
        do throws(OutcomeCode) { try body.check() } catch { throw RecoveryRefusal.refused(error) }
        let transaction = Transaction(
            kind: ValidatorRecover.kind.rawValue,
            nonce: SecureRandom.bytes(LedgerLimits.nonceBytes),
            lastValidHeight: basis.height + 1, member: member, body: body.encoded)
        let bytes = Envelope.sign(transaction, chain: genesis.chain, with: key)
        guard bytes.count <= Int(genesis.parameters.transactionBytesMax) else {
            throw RecoveryRefusal.refused(.tooLarge)
        }
        let envelope = try Envelope(bytes: bytes, chain: genesis.chain, suite: genesis.suite)
        let recovery = try replica.makeRecovery(envelope, nowMs: Clock.wallMs())
        if let fault = store.fault { throw fault }
        return recovery
    }

    /// Why a node with this store would not take the recovery; nil when it would. `notCertified` when nothing else speaks against it, so
    /// that it can be asked before anybody signs.
    public mutating func refusal(of recovery: Recovery) throws(StorageError) -> RecoveryRefusal? {
        let refusal = replica.refusal(of: recovery, nowMs: Clock.wallMs())
        switch refusal {
        case nil, .notCertified:
            let height = replica.heightNotExecuting(recovery)
            if let fault = store.fault { throw fault }
            return height.map { .notExecuted(height: $0) } ?? refusal
        case let refusal?: return refusal
        }
    }
}

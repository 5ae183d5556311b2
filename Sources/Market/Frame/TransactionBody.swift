import Encoding
import Ledger
import LedgerCrypto
import Records

/// What every rule of one block knows.
public struct BlockContext: Sendable {
    public let chain: ChainID
    public let suite: Suite
    public let height: UInt64
    /// The block's time, Unix milliseconds.
    public let timeMs: UInt64
    public let parameters: Parameters
    /// The set that certifies this block.
    public let validators: ValidatorSet
    /// Whether the keys of the genesis' recovery rule make it final instead.
    public let isRecovery: Bool

    public init(
        chain: ChainID, suite: Suite, height: UInt64, timeMs: UInt64, parameters: Parameters,
        validators: ValidatorSet, isRecovery: Bool = false
    ) {
        self.chain = chain
        self.suite = suite
        self.height = height
        self.timeMs = timeMs
        self.parameters = parameters
        self.validators = validators
        self.isRecovery = isRecovery
    }
}

/// Who signs a transaction, as looked up; shared by all of a block's transactions of one key.
public final class Sender: Sendable {
    /// Enrolled.
    public let member: MemberRecord
    /// The member's, live.
    public let key: KeyRecord

    public init(member: MemberRecord, key: KeyRecord) {
        precondition(key.member == member.id && key.isLive, "a live key of that member")
        self.member = member
        self.key = key
    }
}

/// What the rules of one transaction know beside the state.
public struct ApplyContext: Sendable {
    public let block: BlockContext
    public let sender: Sender
    public let transactionID: Digest
    public let entryDigest: Digest
    public let nonce: [UInt8]

    public init(
        block: BlockContext, sender: Sender, transactionID: Digest, entryDigest: Digest,
        nonce: [UInt8]
    ) {
        self.block = block
        self.sender = sender
        self.transactionID = transactionID
        self.entryDigest = entryDigest
        self.nonce = nonce
    }

    public init(
        block: BlockContext, member: MemberRecord, key: KeyRecord, transactionID: Digest,
        entryDigest: Digest, nonce: [UInt8]
    ) {
        self.init(
            block: block, sender: Sender(member: member, key: key), transactionID: transactionID,
            entryDigest: entryDigest, nonce: nonce)
    }

    public var member: MemberRecord { sender.member }
    public var key: KeyRecord { sender.key }
    public var chain: ChainID { block.chain }
    public var suite: Suite { block.suite }
    public var height: UInt64 { block.height }
    public var timeMs: UInt64 { block.timeMs }
    public var parameters: Parameters { block.parameters }
}

/// That an entry concerns an asset, and what its log says about it in public.
public struct Touch: Equatable, Sendable {
    public let asset: Digest
    /// The log for the case that the entry is accepted; a refused one always goes to `refusals`.
    public let log: EventLogKind
    public let actor: EventActor
    /// A map of public fields (`CBORValue.detail`).
    public let detail: CBORValue

    public init(
        asset: Digest, log: EventLogKind, actor: EventActor, detail: CBORValue = .map([])
    ) {
        self.asset = asset
        self.log = log
        self.actor = actor
        self.detail = detail
    }
}

/// A kind of transaction: its fields, its wire form, a check and an apply.
public protocol TransactionBody: CBORCodable, Equatable, Sendable {
    static var kind: TransactionKind { get }
    /// By ascending key.
    static var fields: [FieldSpec] { get }
    /// The sender has at least one of these; empty means that every member may.
    static var requiredRoles: [Role] { get }
    /// The signing key has at least one of these; empty means that every mandate will do.
    static var requiredMandates: [Mandate] { get }
    /// Feeds the golden vector and the docs.
    static var example: Self { get }

    /// What can be said without any state.
    func check() throws(OutcomeCode)

    /// The assets that this concerns. Asked after `apply` when accepted, else in the state before it.
    func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch]

    /// Changes the state or throws; what was written before a throw is rolled back by the caller.
    func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode)
}

extension TransactionBody {
    public static var requiredMandates: [Mandate] { [] }

    public func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch] {
        []
    }
}

/// Something to be done with the body type of a kind; see `TransactionKind.accept`.
public protocol BodyVisitor {
    /// What every visit may change.
    associatedtype Argument
    associatedtype Result
    func visit<Body: TransactionBody>(_ type: Body.Type, _ argument: inout Argument) -> Result
}

private struct BodyTypeVisitor: BodyVisitor {
    func visit<Body: TransactionBody>(
        _ type: Body.Type, _ argument: inout Void
    ) -> any TransactionBody.Type { type }
}

extension TransactionKind {
    /// For docs, tests and tools; blocks are executed through `accept`, without an existential.
    public var body: any TransactionBody.Type {
        var nothing: Void = ()
        return accept(BodyTypeVisitor(), &nothing)
    }
}

import Encoding
import Ledger
import LedgerCrypto
import Records

/// Revokes a key of the sender, or as governor of any member (注销密钥). Takes effect at once.
public struct KeyRevoke: TransactionBody {
    public let keyID: KeyID

    public init(
        keyID: KeyID
    ) {
        self.keyID = keyID
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(1)
        encoder.field(1, keyID)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        keyID = try fields.value(1, &decoder)
        try fields.finish(&decoder)
    }
}

extension KeyRevoke {
    public static var kind: TransactionKind { .keyRevoke }
    public static var requiredRoles: [Role] { [] }
    public static var requiredMandates: [Mandate] { [.legalRepresentative] }

    public static var fields: [FieldSpec] {
        [FieldSpec("keyID", 1, .keyID, .everyone, en: "the key to revoke", zh: "要注销的密钥")]
    }

    public static var example: KeyRevoke { KeyRevoke(keyID: Example.publicKey.keyID) }

    public func check() throws(OutcomeCode) {}

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        guard var key = state.key(keyID) else { throw .unknownKeyRecord }
        guard key.member == context.member.id || context.member.has(.governor) else {
            throw .notPermitted
        }
        guard key.isLive else { throw .wrongState }
        guard var member = state.member(key.member) else { throw .memberUnknown }
        // Without a live key nobody could ever act for the member again.
        guard member.liveKeys > 1 else { throw .lastKey }
        key.revokedHeight = context.height
        state.put(key)
        member.liveKeys -= 1
        state.put(member)
    }
}

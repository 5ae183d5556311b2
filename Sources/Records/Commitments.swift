import Encoding
import Ledger
import LedgerCrypto

/// Commitments to fields whose openings travel off chain.
public enum Salted {
    public static let saltBytes = 16

    /// `H(CBOR ["huijin/field", salt, value])`. Erasing the salt erases the field.
    ///
    /// - Parameter salt: 16 fresh random bytes; a guessable value is never hashed without.
    public static func commit(salt: [UInt8], value: [UInt8], suite: Suite) -> Digest {
        precondition(salt.count == saltBytes, "a field's salt is 16 bytes")
        var encoder = CBOREncoder(reserving: value.count + 48)
        encoder.array(3)
        encoder.text("huijin/field")
        encoder.bytes(salt)
        encoder.bytes(value)
        return suite.digest(encoder.bytes)
    }
}

/// How a party of an agreement appears in public logs.
public enum Pseudonym {
    public static let byteCount = 16

    /// The first 16 bytes of `H(CBOR ["huijin/pseudonym", salt, member])`.
    public static func of(_ member: MemberID, salt: [UInt8], suite: Suite) -> [UInt8] {
        var encoder = CBOREncoder(reserving: 128)
        encoder.array(3)
        encoder.text("huijin/pseudonym")
        encoder.bytes(salt)
        encoder.value(member)
        return Array(suite.digest(encoder.bytes).bytes.prefix(byteCount))
    }
}

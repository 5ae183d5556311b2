import Encoding
import Ledger
import LedgerCrypto
import Policy

/// Values for the examples of all kinds: fixed, so that golden vectors stay the same.
enum Example {
    static let provider = member(1)
    static let buyer = member(2)
    static let bank = member(3)
    static let venue = member(4)
    static let assessor = member(5)
    static let sandboxOperator = member(6)
    static let registrar = member(7)
    static let reviewer = member(8)
    static let id = digest(1)
    static let otherID = digest(2)
    static let commitment = digest(3)
    static let salt = [UInt8](0..<16)

    /// RFC 8032 §7.1, test 1.
    static let publicKey: PublicKey = {
        let bytes = Hex.decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
        guard let bytes, let key = try? PublicKey(suite: .ed25519SHA256, bytes: bytes) else {
            preconditionFailure("the RFC's key is a valid one")
        }
        return key
    }()

    /// A P-256 SubjectPublicKeyInfo in form; its point is not on the curve, which no rule looks at.
    static let transportKey =
        ValidatorRules.transportKeyPrefix + [UInt8](repeating: 0x11, count: 64)

    /// In form; that the signatures are valid is seen where the key is known.
    static let equivocation: Equivocation = {
        let subject = VoteSubject(height: 7, header: id, logRoot: otherID)
        let votes = [
            VoteStatement.nullify(epoch: 1, view: 9), .finalize(epoch: 1, view: 9, subject),
        ].map {
            Vote(
                statement: $0, validator: 2,
                signature: [UInt8](repeating: 0x22, count: Vote.signatureBytes))
        }
        guard let pair = Equivocation(votes[0], votes[1]) else {
            preconditionFailure("a nullify and a finalize vote contradict one another")
        }
        return pair
    }()

    private static func member(_ serial: UInt32) -> MemberID {
        guard let code = SocialCreditCode.generate(serial: serial), let id = MemberID(code.text)
        else { preconditionFailure("examples are well formed") }
        return id
    }

    private static func digest(_ number: UInt8) -> Digest {
        guard let digest = Digest(bytes: [UInt8](repeating: number, count: Digest.byteCount)) else {
            preconditionFailure("a digest has 32 bytes")
        }
        return digest
    }
}

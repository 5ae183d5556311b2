import Encoding
import Ledger
import LedgerCrypto

/// How many votes are stored, and the sum (exclusive or) of their digests: written with every change of the votes, so that a
/// row that rot has removed or altered is noticed when the store is opened. SQLite has no checksum on its pages.
///
/// It does not show that the newest steps are missing altogether, votes and sum: what peers hold does.
struct VoteSum: Equatable {
    private(set) var count: UInt64 = 0
    private var bytes = [UInt8](repeating: 0, count: Digest.byteCount)

    init() {}

    init(_ votes: some Sequence<VoteStatement>, _ suite: Suite) {
        for vote in votes { add(vote, suite) }
    }

    /// The order does not matter.
    mutating func add(_ vote: VoteStatement, _ suite: Suite) {
        count += 1
        let digest = suite.digest(vote.encoded).bytes
        for index in bytes.indices { bytes[index] ^= digest[index] }
    }
}

extension VoteSum: CBORCodable {
    func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.unsigned(count)
        encoder.bytes(bytes)
    }

    init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        count = try decoder.unsigned()
        bytes = try decoder.bytes(exactly: Digest.byteCount)
    }
}

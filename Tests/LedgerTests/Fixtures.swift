import Encoding
import Ledger
import LedgerCrypto

/// Four validators and a member of one suite, with keys from fixed secrets so that vectors stay the same.
struct Fixture {
    let suite: Suite
    let keys: [SigningKey]
    let validators: ValidatorSet
    let genesis: Genesis
    let memberKey: SigningKey
    let member: MemberID

    init(suite: Suite, count: Int = 4) throws {
        self.suite = suite
        keys = try (0..<count).map {
            try SigningKey(suite: suite, secret: [UInt8](repeating: UInt8($0 + 1), count: 32))
        }
        memberKey = try SigningKey(suite: suite, secret: [UInt8](repeating: 77, count: 32))
        member = try unwrap(MemberID("91350211M000100Y43"))
        var seats: [Validator] = []
        for (index, key) in keys.enumerated() {
            seats.append(
                Validator(
                    member: try unwrap(MemberID("VALIDATOR-\(index)")), votingKey: key.publicKey,
                    transportKey: [UInt8](repeating: UInt8(index), count: 91)))
        }
        validators = try unwrap(ValidatorSet(epoch: 0, validators: seats))
        genesis = Genesis(
            name: "test", suite: suite, timeMs: 1_700_000_000_000, parameters: Parameters(),
            validators: validators,
            records: [
                GenesisRecord(key: suite.digest([2]), value: [2]),
                GenesisRecord(key: suite.digest([1]), value: [1]),
            ])
    }

    var chain: ChainID { genesis.chain }

    var header: Header {
        Header(
            chain: chain, height: 7, epoch: 0, parent: suite.digest([9]), timeMs: 1_700_000_001_000,
            logSize: 21, logRoot: suite.digest([3]), stateRoot: suite.digest([4]),
            resultsRoot: suite.digest([5]), entryCount: 2, validators: validators.digest(suite))
    }

    var transaction: Transaction {
        var body = CBOREncoder()
        body.map(1)
        body.integer(1)
        body.text("你好")
        return Transaction(
            kind: 60, nonce: [UInt8](repeating: 5, count: 16), lastValidHeight: 100, member: member,
            body: body.bytes)
    }

    func vote(_ statement: VoteStatement, by index: Int) -> Vote {
        let key = keys[index]
        let message = statement.signedBytes(
            chain: chain, suite: suite, keyID: key.publicKey.keyID)
        return Vote(statement: statement, validator: index, signature: key.sign(message))
    }
}

struct MissingValue: Error {}

func unwrap<T>(_ value: T?) throws -> T {
    guard let value else { throw MissingValue() }
    return value
}
